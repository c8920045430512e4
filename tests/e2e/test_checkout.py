"""The checkout over HTTP: Shopify's documented and recorded requests, byte for byte, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from connector import shop_settings
from connector.quotes import ledger
from connector.quotes.decide import service_code
from connector.quotes.explain import explain
from connector.quotes.ledger import LedgerRow
from connector.storage import settings_versions
from connector.storage.audit import Actor
from tests.e2e.world import CLIENT_SECRET, DOMAIN, World, world
from tests.simulators.easypost_truth import expected_rates

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("checkout")
    with world(folder, f"sqlite:///{folder / 'waybill.db'}") as house:
        house.set_up()
        house.start("serve")
        house.wait_ready()
        yield house


def recorded(reference: Path, name: str) -> bytes:
    return (reference / "shopify" / "carrier-service" / f"rate-request.{name}.json").read_bytes()


def newest(house: World) -> LedgerRow:
    return house.until(lambda: _newest(house), "the ledger to be written")


def _newest(house: World) -> LedgerRow | None:
    with house.database.engine.connect() as connection:
        rows = ledger.recent(connection, house.shop_id, 1)
    return rows[0] if rows else None


def settle(house: World, *changes: str) -> None:
    """Change settings, and wait until the web process answers by them."""
    version = house.database.run_here(_publish, house.shop_id, changes)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        before = _newest(house)
        house.post(house.rate_url, RATE_PROBE, house.signed(RATE_PROBE))
        row = house.until(lambda: _other(house, before), "an answer in the ledger")  # noqa: B023 - called at once.
        if row.facts.settings_version == version:
            return
        time.sleep(0.2)
    raise AssertionError("the web process does not see the new settings")


def _publish(connection: Connection, shop_id: str, changes: tuple[str, ...]) -> int:
    latest = settings_versions.latest(connection, shop_id)
    assert latest is not None
    pairs = dict(change.split("=", 1) for change in changes)
    settings = shop_settings.change(shop_settings.load(latest.body), pairs, "USD")
    actor = Actor("command", "test")
    return settings_versions.publish(connection, shop_id, shop_settings.dump(settings), actor, datetime.now(UTC))


def _other(house: World, before: LedgerRow | None) -> LedgerRow | None:
    row = _newest(house)
    return row if row is not None and (before is None or row.id != before.id) else None


RATE_PROBE = json.dumps(
    {
        "rate": {
            "origin": {"country": "US", "postal_code": "94104"},
            "destination": {"country": "US", "postal_code": "10001"},
            "items": [{"name": "Probe", "quantity": 1, "grams": 100, "price": 100}],
            "currency": "USD",
        }
    }
).encode()


def ask(house: World, raw: bytes) -> tuple[int, Any, LedgerRow]:
    """Post a raw request; status, body and the ledger's row."""
    before = _newest(house)
    answer = house.post(house.rate_url, raw, house.signed(raw))
    row = house.until(lambda: _other(house, before), "the answer in the ledger")
    return answer.status, answer.json(), row


def prices(body: Any) -> dict[str, int]:
    return {rate["service_code"]: int(rate["total_price"]) for rate in body["rates"]}


def simulated(to: str, origin: str, ounces: str) -> dict[str, int]:
    """The simulator's prices in cents, by service code, from the recording and its rule."""
    body = {
        "to_address": {"country": to, "zip": "x"},
        "from_address": {"country": origin, "zip": "x"},
        "parcel": {"weight": float(ounces)},
    }
    return {
        service_code(carrier, service): int(price * 100)
        for (_, carrier, service), price in expected_rates(body).items()
    }


def check_contract(body: Any) -> None:
    """What Shopify demands of each rate."""
    assert body["rates"]
    for rate in body["rates"]:
        assert {"service_name", "service_code", "description", "currency", "total_price"} <= rate.keys()
        assert rate["total_price"] == str(int(rate["total_price"]))
        assert rate["description"]
        assert rate["currency"] == "USD"


def test_the_documented_request_is_priced_from_the_recordings(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=500")
    status, body, row = ask(shop, recorded(reference, "documented"))
    assert status == 200
    check_contract(body)
    assert prices(body) == simulated("CA", "CA", "35.3")  # 1,000 g are 35.274 oz, rounded up to a tenth.
    assert row.signature == "valid"


def test_the_recorded_request_is_priced_with_default_weight_and_location(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=500")
    status, body, row = ask(shop, recorded(reference, "recorded-2026-ca-market"))
    assert status == 200
    check_contract(body)
    assert prices(body) == simulated("CA", "US", "17.7")  # 500 g; from the shop's location across a border.
    assert any("500 g a unit was assumed" in line for line in explain(row))


@pytest.mark.complaint(28)
def test_without_a_weight_the_store_uses_its_backup_and_the_ledger_says_why(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=")
    status, _, row = ask(shop, recorded(reference, "recorded-2026-ca-market"))
    assert status == 503
    assert row.decision.outcome == "backup"
    text = explain(row)[0]
    assert text.startswith("The store's own backup rates were used: The weight of The Multi-location Snowboard")


def test_with_safety_rates_the_buyer_gets_them_instead(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=", "safety_rates=Standard:standard:9.90", "backup=safety")
    try:
        status, body, _ = ask(shop, recorded(reference, "recorded-2026-ca-market"))
    finally:
        settle(shop, "backup=platform")
    assert status == 200
    assert prices(body) == {"standard": 990}


@pytest.mark.need(8)
def test_markup_and_threshold_hold_to_the_cent(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=500", "markup_percent=10", "markup_fixed=0.50", "threshold=18.49")
    try:
        _, body, _ = ask(shop, recorded(reference, "documented"))  # 19.99 less 1.50: exactly 18.49.
        settle(shop, "threshold=18.50")
        _, below, _ = ask(shop, recorded(reference, "documented"))
    finally:
        settle(shop, "markup_percent=", "markup_fixed=", "threshold=")
    asked = simulated("CA", "CA", "35.3")
    with_markup = {
        code: int((Decimal(cents) * Decimal("1.1")).quantize(Decimal(1), rounding="ROUND_HALF_UP")) + 50
        for code, cents in asked.items()
    }
    cheapest = min(with_markup, key=with_markup.__getitem__)
    assert prices(below) == with_markup
    assert prices(body) == with_markup | {cheapest: 0}


def test_the_command_line_explains_and_replays_what_the_checkout_was_told(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=500")
    _, _, row = ask(shop, recorded(reference, "documented"))
    explained = shop.cli("quote", "explain", row.id)
    assert explained["outcome"] == "offers"
    assert len(explained["text"]) < 60
    assert shop.cli("quote", "replay", row.id)["same"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": [{"quantity": -1, "grams": 1, "price": 1}]}, "quantity"),
        ({"items": [{"quantity": 1, "grams": -5, "price": 1}]}, "grams"),
        ({"items": "none"}, "items"),
        ({"currency": "dollars"}, "currency"),
    ],
)
def test_a_field_out_of_range_is_named_and_nothing_is_kept(shop: World, change: Any, field: str) -> None:
    before = _newest(shop)
    body = json.loads(RATE_PROBE)
    body["rate"] |= change
    raw = json.dumps(body).encode()
    answer = shop.post(shop.rate_url, raw, shop.signed(raw))
    assert answer.status == 400
    assert field in answer.json()["error"]["field"]
    assert b"Traceback" not in answer.content
    time.sleep(0.4)
    after = _newest(shop)
    assert (after.id if after else None) == (before.id if before else None)


def test_strangers_get_the_same_answer_whatever_is_wrong(shop: World) -> None:
    token = shop.rate_url.rsplit("/", 1)[1]
    wrong_token = shop.rate_url.replace(token, "0" * len(token))
    wrong_shop = shop.rate_url.replace(shop.shop_id, "shop_0000000000000000000000000")
    answers = [
        shop.post(wrong_token, RATE_PROBE, shop.signed(RATE_PROBE)),
        shop.post(wrong_shop, RATE_PROBE, shop.signed(RATE_PROBE)),
        shop.post(shop.rate_url, RATE_PROBE, shop.signed(RATE_PROBE, shop="other.myshopify.com")),
    ]
    assert {(answer.status, answer.content) for answer in answers} == {(404, answers[0].content)}


def test_malformed_oversized_and_wrong_methods_are_refused(shop: World) -> None:
    broken, large = b'{"rate": ', b" " * (1024 * 1024 + 1)
    assert shop.post(shop.rate_url, broken, shop.signed(broken)).status == 400
    assert shop.post(shop.rate_url, large, shop.signed(large)).status == 413
    assert shop.post(shop.rate_url, b"", method="PUT").status == 405
    assert (
        shop.post(shop.hook_url, b"{}", {"x-shopify-topic": "orders/paid", "x-shopify-webhook-id": "1"}).status == 401
    )
    forged = shop.signed(b"{}", secret="not the secret", x_shopify_topic="orders/paid", x_shopify_webhook_id="2")
    assert shop.post(shop.hook_url, b"{}", forged).status == 401


def test_a_wrong_hmac_with_the_right_url_is_answered_and_counted(shop: World) -> None:
    wrong = shop.signed(RATE_PROBE, secret=f"not {CLIENT_SECRET}")
    assert shop.post(shop.rate_url, RATE_PROBE, wrong).status == 200
    settle(shop, "hmac=require")
    try:
        assert shop.post(shop.rate_url, RATE_PROBE, wrong).status == 401
    finally:
        settle(shop, "hmac=prefer")
    metrics = shop.get("/metrics").content.decode()
    assert 'result="wrong"' in metrics
    assert DOMAIN not in metrics
