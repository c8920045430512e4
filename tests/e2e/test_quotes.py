"""Rate requests over HTTP, byte for byte: prices by the simulator's rule, reasons, backup, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connector.quotes import ledger
from tests.e2e.world import CARRIER_SECRET, DOMAIN, RATE_CALL, Reply, World, world
from tests.simulators.easypost_trackers import sign
from tests.simulators.easypost_truth import expected_rates

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def house(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A web process alone, for a shop with two locations."""
    folder = tmp_path_factory.mktemp("quotes")
    with world(folder, f"sqlite:///{folder / 'waybill.db'}") as made:
        made.shopify.add_location(
            name="Ottawa", city="Ottawa", province="Ontario", province_code="ON", zip="K1A 0A9", country_code="CA"
        )
        made.add_shop()
        made.start("serve")
        made.add_carrier()
        made.wait_ready()
        yield made


def ask(house: World, raw: bytes) -> Reply:
    """As Shopify asks: signed, and the very bytes."""
    return house.post(house.rate_url, raw, house.signed(raw))


def priced(answer: Reply) -> dict[str, Decimal]:
    """The offers' prices by code, after holding the answer to Shopify's contract."""
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    rates = answer.json()["rates"]
    known = {"service_name", "service_code", "description", "total_price", "currency", "phone_required"}
    for rate in rates:
        assert set(rate) <= known | {"min_delivery_date", "max_delivery_date"}
        assert {"service_name", "service_code", "total_price", "currency"} <= set(rate)
        assert rate["total_price"].isdecimal()
        assert rate["currency"] == "USD"
    assert len({rate["service_code"] for rate in rates}) == len(rates)
    return {rate["service_code"]: Decimal(rate["total_price"]) / 100 for rate in rates}


def by_the_rule(reference: Path, origin: str, destination: dict[str, str], ounces: float) -> dict[str, Decimal]:
    """What the recorded exchanges make of such a parcel, by our codes."""
    asked = {"from_address": {"country": origin}, "to_address": destination, "parcel": {"weight": ounces}}
    found = expected_rates(asked, reference=reference)
    return {f"{carrier}-{service}".lower(): price for (_, carrier, service), price in found.items()}


def reason_of(house: World, answer: Reply) -> str:
    """What the ledger says of this answer, as `waybill quote explain` tells it."""
    digest = hashlib.sha256(answer.content).hexdigest()

    def newest() -> str | None:
        with house.database.engine.connect() as connection:
            rows = ledger.recent(connection, house.shop_id, 1)
        return rows[0].id if rows and rows[0].digest == digest else None

    explained = house.cli("quote", "explain", house.until(newest, "the ledger's row"))
    return str(explained["why"]["code"])


@pytest.mark.need(8)
def test_recorded_and_documented_requests_are_priced_from_the_recorded_exchanges(house: World, reference: Path) -> None:
    folder = reference / "shopify" / "carrier-service"
    documented = (folder / "rate-request.documented.json").read_bytes()
    recorded = (folder / "rate-request.recorded-2026-ca-market.json").read_bytes()

    # The documented one brings its own origin and weight: 1,000 g is 35.3 oz, so three pounds within Canada.
    wanted = by_the_rule(reference, "CA", {"country": "CA", "zip": "K1M1M4"}, 35.3)
    house.until(lambda: ask(house, documented).status == 200, "the shop to be known")
    assert priced(ask(house, documented)) == wanted

    # The recorded one weighs nothing: without a default nobody knows the price, and the platform's backup stands in.
    answer = ask(house, recorded)
    assert (answer.status, answer.json()["error"]["code"]) == (503, "weight_missing")
    assert reason_of(house, answer) == "weight_missing"

    house.settings("backup=safety", "safety_rates=Standard:standard:12.50,Express:express:25")
    house.until(lambda: ask(house, recorded).status == 200, "the new settings")
    answer = ask(house, recorded)
    assert priced(answer) == {"standard": Decimal("12.50"), "express": Decimal(25)}
    assert reason_of(house, answer) == "weight_missing"

    places = {place["name"]: place["id"] for place in _shop(house)["locations"]}
    house.settings(f"default_location={places['Warehouse']}", "default_item_weight_g=800", "backup=platform")
    # Its origin is a country alone, so the default location stands in: 800 g is 28.3 oz, two pounds over the border.
    wanted = by_the_rule(reference, "US", {"country": "CA", "zip": "A1A 2T4"}, 28.3)
    house.until(lambda: "standard" not in priced(ask(house, recorded)), "the new settings")
    assert priced(ask(house, recorded)) == wanted


def test_markup_and_threshold_change_prices_to_the_cent(house: World) -> None:
    """Percentage, then fixed amount, then the threshold: 49.99 is below 50.00, 50.00 is not."""
    dear, cheap = (_call(price) for price in (5000, 4999))
    house.until(lambda: ask(house, cheap).status == 200, "the shop to be known")
    plain = priced(ask(house, cheap))
    house.settings("markup_percent=12.5", "markup_fixed=0.99", "threshold=50.00:usps-groundadvantage")
    try:
        marked = {
            code: (price * Decimal("1.125")).quantize(CENT, ROUND_HALF_UP) + Decimal("0.99")
            for code, price in plain.items()
        }
        house.until(lambda: priced(ask(house, cheap)) == marked, "the marked-up prices")
        assert priced(ask(house, dear)) == marked | {"usps-groundadvantage": Decimal(0)}
    finally:
        house.settings("markup_percent=", "markup_fixed=", "threshold=")
        house.until(lambda: priced(ask(house, cheap)) == plain, "the plain prices")


def test_a_carrier_that_breaks_leaves_the_backup_to_the_platform_and_the_reason_in_the_ledger(house: World) -> None:
    house.until(lambda: ask(house, _call(1999)).status == 200, "the shop to be known")
    # A country that nobody has asked for, so that no price of it is known, nor learned from its neighbours'.
    call = _call(1999, country="JP", province="", city="Tokyo", postal_code="100-0001")
    house.easypost.fault("*", "status", times=20, status=500)
    try:
        answer = ask(house, call)
        assert answer.status == 503
        assert reason_of(house, answer) == "no_prices"
    finally:
        house.easypost.forget_faults()
        house.until(lambda: ask(house, call).status == 200, "the carrier to be asked again")


# --- bad input ----------------------------------------------------------------------------------------------------


def test_what_cannot_be_right_is_refused_and_nothing_is_kept(house: World) -> None:
    good = json.dumps(RATE_CALL).encode()
    hook, carrier_hook = house.hook_url, house.carrier_hook_url
    house.until(lambda: ask(house, good).status == 200, "the shop to be known")
    before = _rows(house, 1111)
    order = json.dumps({"id": 1}).encode()
    topic = {"x_shopify_topic": "orders/paid", "x_shopify_webhook_id": "bad input"}
    signed = house.signed(order, **topic)
    other_shop = house.signed(good, shop="other.myshopify.com")
    stranger = house.rate_url.replace(house.shop_id, "shop_01m0000000000000000000000")
    negative = json.loads(good)
    negative["rate"]["items"][0]["quantity"] = -1
    odd = json.dumps(negative).encode()

    answers: list[tuple[str, Reply, int]] = [
        ("an unknown shop", house.post(stranger, good), 404),
        ("a wrong token", house.post(house.rate_url[:-3] + "xxx", good), 404),
        ("a header shop that is not the path's", house.post(house.rate_url, good, other_shop), 404),
        ("malformed JSON", ask(house, b'{"rate": {'), 400),
        ("JSON that is no object", ask(house, b"[]"), 400),
        ("a field out of range", ask(house, odd), 400),
        ("a rate request over 1 MiB", ask(house, b" " * (MIB + 1)), 413),
        ("GET of a rate URL", house.get(house.rate_url.removeprefix(house.url)), 405),
        ("a webhook without signature", house.post(hook, order, {"x-shopify-topic": "orders/paid"}), 401),
        ("a webhook signed by another", house.post(hook, order, house.signed(order, "not ours", **topic)), 401),
        (
            "a webhook for another shop",
            house.post(hook, order, signed | {"x-shopify-shop-domain": "a.myshopify.com"}),
            404,
        ),
        ("a wrong hook token", house.post(hook[:-3] + "xxx", order, signed), 404),
        ("a signed webhook that is no JSON", house.post(hook, b"{", house.signed(b"{", **topic)), 400),
        ("a webhook over 8 MiB", house.post(hook, b" " * (8 * MIB + 1), signed), 413),
        ("PUT of a hook URL", house.post(hook, order, signed, method="PUT"), 405),
        ("tracking news without signature", house.post(carrier_hook, b"{}"), 401),
        (
            "tracking news signed by another",
            house.post(carrier_hook, b"{}", {"x-hmac-signature": sign(b"{}", "x")}),
            401,
        ),
        ("an unknown carrier token", house.post(carrier_hook[:-3] + "xxx", b"{}", _carrier_signed(b"{}")), 404),
        ("signed tracking news that is no JSON", house.post(carrier_hook, b"{", _carrier_signed(b"{")), 400),
        ("an unknown app", house.post(f"{house.url}/apps/app_none/hooks", order, signed), 404),
        ("an unknown address", house.get("/nothing/here"), 404),
    ]
    assert {what: reply.status for what, reply, _ in answers} == {what: status for what, _, status in answers}
    bodies = {reply.content for _, reply, status in answers if status == 404}
    assert len(bodies) == 1, "unknown shops, tokens and addresses can be told apart"
    named = {what: reply.json()["error"].get("field") for what, reply, _ in answers if reply.status == 400}
    assert named["a field out of range"] == "rate.items[0].quantity"
    assert all(b"Traceback" not in reply.content for _, reply, _ in answers)
    assert _rows(house, 1112) == before | {"quotes": before["quotes"] + 1}, "the good call alone is kept"


def _carrier_signed(raw: bytes) -> dict[str, str]:
    return {"x-hmac-signature": sign(raw, CARRIER_SECRET)}


def _call(subtotal: int, **destination: str) -> bytes:
    """The rate call for goods of so many cents."""
    call: dict[str, Any] = json.loads(json.dumps(RATE_CALL))
    call["rate"]["items"][0]["price"] = subtotal
    call["rate"]["destination"] |= destination
    return json.dumps(call).encode()


def _shop(house: World) -> dict[str, Any]:
    (shop,) = house.cli("shop", "list")["shops"]
    assert shop["domain"] == DOMAIN
    found: dict[str, Any] = shop
    return found


def _rows(house: World, price: int) -> dict[str, int]:
    """How many rows the tables have in which a call could leave something, behind a good call for goods of that price.

    The ledger is written behind, in the order of the calls: once this one stands in it, nothing before it is missing.
    """
    assert ask(house, _call(price)).status == 200
    house.until(lambda: _newest_price(house) == price, "the call in the ledger")
    with house.database.engine.connect() as connection:
        names = ("inbox", "quotes", "due", "stray_updates", "queued_keys")
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}  # noqa: S608


def _newest_price(house: World) -> int:
    with house.database.engine.connect() as connection:
        rows = ledger.recent(connection, house.shop_id, 1)
    return rows[0].cart.lines[0].price if rows else 0
