"""`waybill threshold …`: set from a file, shown, refused by field, published to the store, reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from carriers.money import Money
from connector.managing.thresholds import ThresholdError, as_discount, read
from tests.cli.worlds import DOMAIN, Shop

NAME = "Free from 50"


def written(tmp_path: Path, **fields: Any) -> str:
    body = {"name": NAME, "amount": "50.00", "currency": "EUR", "service_class": "standard", **fields}
    file = tmp_path / "threshold.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    return str(file)


def test_a_threshold_is_set_listed_and_removed(shop: Shop, tmp_path: Path) -> None:
    tiers = [{"amount": "100.00", "service_class": "express"}]
    made = shop.shell.json("threshold", "set", DOMAIN, written(tmp_path, tiers=tiers, where=["AT"]))
    assert made["name"] == NAME
    (found,) = shop.shell.json("threshold", "list", DOMAIN)["thresholds"]
    assert (found["amount"], found["where"], found["tiers"][0]["service_class"]) == ("50.00", ["AT"], "express")
    text = shop.shell.ok("threshold", "list", DOMAIN)
    for line in ("from 50.00 EUR: standard free", "from 100.00 EUR: express free", "to AT"):
        assert line in text
    shop.shell.ok("threshold", "remove", DOMAIN, NAME)
    assert shop.shell.json("threshold", "list", DOMAIN)["thresholds"] == []


def test_the_example_of_the_documents_is_taken(shop: Shop) -> None:
    example = Path(__file__).resolve().parents[2] / "docs" / "threshold-example.json"
    assert shop.shell.json("threshold", "set", DOMAIN, str(example))["name"] == NAME


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"amount": "50.005"}, "amount"),
    ({"tiers": [{"amount": "x"}]}, "tiers.0.amount"),
    ({"excludes": {"colour": 1}}, "excludes.colour"),
    ({"currency": "USD"}, "no exchange rate into EUR"),
    ({"by_store": True}, "by_store"),
)


def test_what_cannot_hold_is_refused_with_its_path(shop: Shop, tmp_path: Path) -> None:
    for fields, says in REFUSED:
        assert says in shop.shell.refused("threshold", "set", DOMAIN, written(tmp_path, **fields)), says
    assert shop.shell.json("threshold", "list", DOMAIN)["thresholds"] == []


UNLIKE: tuple[tuple[str, Any], ...] = (
    ("tiers", [{"amount": "100.00", "service_class": "express"}]),
    ("customer_tags", ["vip"]),
    ("where", ["AT:10*"]),
    ("excludes", {"hazmat": True}),
    ("basis", "before_discounts"),
    ("price", "2.90"),
    ("tax", "with"),
    ("counts_unlisted", False),
    ("counts_digital", False),
    ("counts_gift_cards", True),
)


@pytest.mark.parametrize(("field", "value"), UNLIKE)
def test_what_the_stores_discount_cannot_express_is_refused_by_field(field: str, value: Any) -> None:
    body = {"name": NAME, "amount": "50.00", "currency": "EUR", "services": ["*"]}
    assert as_discount(read(body), "EUR", None).amount == Money(5000, "EUR")
    with pytest.raises(ThresholdError) as caught:
        as_discount(read({**body, field: value}), "EUR", None)
    assert caught.value.detail == field


def test_a_class_needs_a_greatest_price_and_the_shops_currency() -> None:
    standard = read({"name": NAME, "amount": "50.00", "currency": "EUR", "service_class": "standard"})
    assert as_discount(standard, "EUR", Money(990, "EUR")).up_to == Money(990, "EUR")
    for currency, field in (("EUR", "services"), ("USD", "currency")):
        with pytest.raises(ThresholdError) as caught:
            as_discount(standard, currency, None)
        assert caught.value.detail == field


def test_a_threshold_is_published_once_and_taken_back(shop: Shop, tmp_path: Path) -> None:
    shop.shell.ok("threshold", "set", DOMAIN, written(tmp_path, where=["AT"]))
    first = shop.shell.json("threshold", "publish", DOMAIN, NAME, "--up-to", "9.90")
    assert shop.shell.json("threshold", "publish", DOMAIN, NAME, "--up-to", "9.90") == first
    assert "left to the store" in shop.shell.ok("threshold", "list", DOMAIN)
    assert "take it back" in shop.shell.refused("threshold", "remove", DOMAIN, NAME)
    assert shop.shell.json("threshold", "unpublish", DOMAIN, NAME) == {"name": NAME, "was_there": True}
    assert "not published" in shop.shell.refused("threshold", "unpublish", DOMAIN, NAME)
    assert "left to the store" not in shop.shell.ok("threshold", "list", DOMAIN)


def test_a_report_without_orders_says_so(shop: Shop) -> None:
    found = shop.shell.json("threshold", "report", DOMAIN)
    assert (sum(found["counts"].values()), found["orders"], found["free_cost"]) == (0, [], [])
    assert shop.shell.ok("threshold", "report", DOMAIN).startswith("Every order paid what was due.")
    assert shop.shell.ok("threshold", "report", DOMAIN, "--csv").startswith("order,placed_at,kind")
