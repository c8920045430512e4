"""`waybill quote`: ask as the checkout does, explain, replay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.worlds import DOMAIN, RATE_REQUEST, Shop


def test_a_file_is_answered_as_the_checkout_is(steady_shop: Shop) -> None:
    answer = steady_shop.shell.json("quote", str(steady_shop.rate_request), "--shop", DOMAIN)
    assert answer["status"] == 200
    assert answer["outcome"] == "offers"
    told = json.loads(answer["body"])["offers"]
    assert {(each["code"], each["price"]) for each in told} == {
        (each["code"], each["price"]["amount"]) for each in answer["offers"]
    }


def test_each_price_is_explained_from_the_carrier_s_to_the_buyer_s(shop: Shop) -> None:
    shop.shell.ok("settings", DOMAIN, "markup_percent=10")
    text = shop.shell.ok("quote", str(shop.rate_request), "--shop", DOMAIN)
    assert text.startswith("The buyer saw 3 options, from ")
    assert "+10 %" in text


@pytest.mark.need(8)
def test_a_quote_is_explained_and_replayed_later_as_it_was(shop: Shop) -> None:
    asked = shop.shell.json("quote", str(shop.rate_request), "--shop", DOMAIN)
    shop.shell.ok("settings", DOMAIN, "markup_percent=50")
    explained = shop.shell.json("quote", "explain", asked["quote_id"])
    assert explained == {key: value for key, value in asked.items() if key not in {"status", "body"}}
    replayed = shop.shell.json("quote", "replay", asked["quote_id"])
    assert replayed["same"] is True
    assert replayed["digest"] == replayed["kept_digest"]


def test_the_platform_s_backup_is_named_with_the_reason(steady_shop: Shop, tmp_path: Path) -> None:
    request = {**RATE_REQUEST, "items": [{"quantity": 1, "price": "5.00", "sku": "AIR"}]}
    file = tmp_path / "weightless.json"
    file.write_text(json.dumps(request))
    answer = steady_shop.shell.json("quote", str(file), "--shop", DOMAIN)
    assert (answer["status"], answer["outcome"], answer["why"]["code"]) == (503, "backup", "weight_missing")
    assert "AIR" in answer["why"]["text"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "body"),
        (b"no json", "body"),
        (b'{"currency": "EUR", "items": []}', "items"),
        (b'{"currency": "EUR", "items": [{"quantity": 0, "price": "1"}]}', "items[0].quantity"),
        (b'{"items": [{"quantity": 1, "price": "1"}]}', "currency"),
    ],
)
def test_a_file_that_is_no_rate_request_is_refused_by_the_field(
    steady_shop: Shop, tmp_path: Path, content: bytes, named: str
) -> None:
    file = tmp_path / "request.json"
    file.write_bytes(content)
    said = steady_shop.shell.refused("quote", str(file), "--shop", DOMAIN)
    assert said.startswith("The file is no rate request of Sandbox")
    assert named in said


def test_a_file_that_is_not_there_is_named(steady_shop: Shop) -> None:
    assert "'nothing.json' does not exist" in steady_shop.shell.refused(
        "quote", "nothing.json", "--shop", DOMAIN, code=2
    )


@pytest.mark.parametrize("verb", ["explain", "replay"])
def test_an_unknown_quote_is_refused(steady_shop: Shop, verb: str) -> None:
    assert steady_shop.shell.refused("quote", verb, "quo_nothing") == "There is no such quote. (quo_nothing)"
