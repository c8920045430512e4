"""The rate callback: what the checkout asks is understood, and answered in the bytes that it takes."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.store import Answer, CartTotals, Offer, RateCall, Refusal, UseBackup
from connector.stores.shopify.rates import read_rate_call, write_answer
from connector.stores.shopify.settings import HMACMode
from connector.stores.shopify.subunits import from_subunits, to_subunits
from tests.simulators.shopify_shop import RATE_REQUEST, SECRET, incoming


def read(body: bytes | dict[str, Any], mode: HMACMode = "prefer", secret: str | None = SECRET) -> RateCall | Refusal:
    return read_rate_call(incoming(body, secret=secret), (SECRET,), mode)


def with_field(field: str, value: object) -> dict[str, Any]:
    """The request with one field changed, named as a refusal names it."""
    body = copy.deepcopy(RATE_REQUEST)
    body["rate"]["order_totals"] = {}
    at: Any = body
    *steps, last = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", field)]
    for step in steps:
        at = at[step]
    at[last] = value
    return body


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    body = copy.deepcopy(RATE_REQUEST)
    change(body["rate"])
    return body


# --- what was documented and recorded ---------------------------------------------------------------------------------


def test_the_documented_request_is_read_byte_for_byte(reference: Path) -> None:
    call = read((reference / "shopify/carrier-service/rate-request.documented.json").read_bytes())
    assert isinstance(call, RateCall)
    cart = call.cart
    assert call.signature == "valid"
    assert cart.currency == "USD"
    assert cart.origin == Address("CA", "K2P1L4", "ON", "Ottawa", "150 Elgin St.", company="Jamie D's Emporium")
    assert cart.destination == Address("CA", "K1M1M4", "ON", "Ottawa", "24 Sussex Dr.", name="Bob Norman")
    assert cart.totals == CartTotals(Money(1999, "USD"), Money(150, "USD"), Money(2199, "USD"))
    assert cart.customer_tags == ("VIP", "wholesale")
    assert not cart.guest
    line = cart.lines[0]
    assert (line.quantity, line.price, line.weight) == (1, Money(1999, "USD"), Weight(1000))
    assert line.variant_id == "gid://shopify/ProductVariant/258644705304"
    assert line.properties == {}


def test_the_recorded_request_is_read_byte_for_byte(reference: Path) -> None:
    call = read((reference / "shopify/carrier-service/rate-request.recorded-2026-ca-market.json").read_bytes())
    assert isinstance(call, RateCall)
    cart = call.cart
    assert cart.locale == "en-CA"
    assert cart.guest
    assert cart.origin == Address("US", company="Custom Carrier Service")
    assert cart.destination == Address("CA", "A1A 2T4", "NL", "St. John's", "Toronto St")
    assert cart.totals == CartTotals(Money(74109, "USD"), Money(0, "USD"), Money(74109, "USD"))
    assert cart.lines[0].weight is None
    assert cart.lines[0].sku == ""


# --- signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "secret", "expected"),
    [
        ("require", SECRET, "valid"),
        ("require", None, Refusal(401, "signature_missing")),
        ("require", "another", Refusal(401, "signature_wrong")),
        ("prefer", SECRET, "valid"),
        ("prefer", None, "absent"),
        ("prefer", "another", "wrong"),
        ("off", SECRET, "unsigned"),
        ("off", "another", "unsigned"),
    ],
)
def test_what_a_signature_means_depends_on_the_mode(mode: HMACMode, secret: str | None, expected: object) -> None:
    call = read(RATE_REQUEST, mode, secret)
    assert (call.signature if isinstance(call, RateCall) else call) == expected


def test_the_secret_before_a_change_still_proves_a_call() -> None:
    call = read_rate_call(incoming(RATE_REQUEST, secret="older"), ("newer", "older"), "require")
    assert isinstance(call, RateCall)
    assert call.signature == "valid"


def test_a_signature_that_is_no_ascii_is_only_wrong() -> None:
    call = incoming(RATE_REQUEST)
    forged = type(call)({"x-shopify-hmac-sha256": "snö"}, {}, call.raw, call.shop)
    assert read_rate_call(forged, (SECRET,), "require") == Refusal(401, "signature_wrong")


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("rate.items", None, "missing"),
        ("rate.items", [], "missing"),
        ("rate.items", 7, "not_a_list"),
        ("rate.items[0]", None, "not_an_object"),
        ("rate.items[0].quantity", 0, "out_of_range"),
        ("rate.items[0].quantity", -1, "out_of_range"),
        ("rate.items[0].quantity", 1.5, "not_a_whole_number"),
        ("rate.items[0].quantity", True, "not_a_number"),
        ("rate.items[0].quantity", None, "missing"),
        ("rate.items[0].quantity", 10**30, "out_of_range"),
        ("rate.items[0].grams", -5, "out_of_range"),
        ("rate.items[0].price", "x", "not_a_number"),
        ("rate.items[0].price", -1, "out_of_range"),
        ("rate.currency", None, "missing"),
        ("rate.currency", "DOLLARS", "not_a_currency"),
        ("rate.destination", "home", "not_an_object"),
        ("rate.destination.country", "USA", "not_a_country"),
        ("rate.destination.postal_code", [], "not_text"),
        ("rate.destination.city", "x" * 1001, "too_long"),
        ("rate.order_totals", [], "not_an_object"),
        ("rate.order_totals.subtotal_price", "1e999999", "out_of_range"),
        ("rate.order_totals.discount_amount", "", "not_a_number"),
    ],
    ids=itertools.count(),
)
def test_a_field_that_cannot_be_is_named(field: str, value: object, code: str) -> None:
    assert read(with_field(field, value)) == Refusal(400, code, field)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"rate": NaN}', b'{"rate": {"items": [' + b"[" * 50_000])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    assert read(raw) == Refusal(400, "malformed", "body")


@pytest.mark.parametrize(
    "change",
    [
        lambda rate: rate.update(extra={"new": [1]}, customer=7, locale=None, order_totals=None),
        lambda rate: rate["items"][0].update(name=None, sku=None, vendor=None, properties=[1], variant_id="x"),
        lambda rate: rate["items"][0].update(quantity="2", price="1999", grams=None),
        lambda rate: rate.update(destination=None, origin=None),
        lambda rate: rate["destination"].update(province=None, city=None, postal_code=90277, phone=[]),
        lambda rate: rate.update(customer={"id": 1, "tags": None}),
    ],
    ids=itertools.count(),
)
def test_what_no_price_depends_on_may_be_anything(change: Callable[[dict[str, Any]], Any]) -> None:
    assert isinstance(read(changed(change)), RateCall)


def test_unknown_weight_and_unknown_addresses_are_none() -> None:
    call = read(changed(lambda rate: (rate["items"][0].update(grams=0), rate.update(destination={"city": None}))))
    assert isinstance(call, RateCall)
    assert call.cart.lines[0].weight is None
    assert call.cart.destination is None


def test_nothing_is_known_of_a_customer_that_the_call_does_not_name() -> None:
    call, guest = read(RATE_REQUEST), read(changed(lambda rate: rate.update(customer=None)))
    assert isinstance(call, RateCall)
    assert isinstance(guest, RateCall)
    assert (call.cart.customer_tags, call.cart.guest) == (None, True)
    assert (guest.cart.customer_tags, guest.cart.guest) == ((), True)


def test_text_that_no_database_takes_is_cleaned() -> None:
    call = read(b'{"rate":{"currency":"USD","items":[{"quantity":1,"price":1,"name":"a\\u0000b\\ud800"}]}}')
    assert isinstance(call, RateCall)
    assert call.cart.lines[0].name == "a b?"


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1999", "-1", "1e400", "US"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_paths = [
    ("rate",),
    ("rate", "items"),
    ("rate", "items", 0),
    *[("rate", "items", 0, name) for name in ("quantity", "grams", "price", "name", "properties", "variant_id")],
    *[("rate", name) for name in ("origin", "destination", "currency", "locale", "order_totals", "customer")],
    *[("rate", "destination", name) for name in ("country", "postal_code", "province", "address1", "name")],
    ("rate", "order_totals", "subtotal_price"),
    ("rate", "customer", "tags"),
]


@given(places=st.lists(st.tuples(st.sampled_from(_paths), _json), min_size=1, max_size=3))
def test_a_damaged_request_is_read_or_refused_by_field_and_never_raises(places: list[Any]) -> None:
    body = copy.deepcopy(RATE_REQUEST)
    body["rate"] |= {"order_totals": {"subtotal_price": "1"}, "customer": {"id": 1, "tags": []}}
    for path, value in places:
        at: Any = body
        try:
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    call = read(json.dumps(body).encode())
    assert isinstance(call, RateCall) or (call.status == 400 and call.code and call.field)


@given(places=st.lists(st.tuples(st.sampled_from(_paths), _json), max_size=2))
def test_a_call_is_read_the_same_by_the_quick_reader_and_by_the_patient_one(places: list[Any]) -> None:
    """The quick reader knows UTF-8 alone: in UTF-16 the same call is for the patient one."""
    body = copy.deepcopy(RATE_REQUEST)
    for path, value in places:
        at: Any = body
        try:
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    text = json.dumps(body)
    assert read(text.encode("utf-16")) == read(text.encode())


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused_without_raising(raw: bytes) -> None:
    assert isinstance(read(raw), Refusal)


@given(raw=st.data())
def test_a_request_cut_short_is_refused_without_raising(raw: st.DataObject) -> None:
    whole = json.dumps(RATE_REQUEST).encode()
    cut = raw.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    assert read(whole[:cut]) == Refusal(400, "malformed", "body")


# --- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subunits", "money"),
    [
        (500, Money(500, "CAD")),
        (100000, Money(1000, "JPY")),
        (129000, Money(129000, "HUF")),
        (125, Money(1250, "KWD")),
        (550000, Money(550000, "COP")),
    ],
)
def test_amounts_are_hundredths_whatever_the_currency(subunits: int, money: Money) -> None:
    assert from_subunits(subunits, money.currency) == money
    assert to_subunits(money) == subunits


def test_a_price_in_yen_comes_and_goes_exactly() -> None:
    def in_yen(rate: dict[str, Any]) -> None:
        rate.update(currency="JPY")
        rate["items"][0].update(price=198000)

    call = read(changed(in_yen))
    assert isinstance(call, RateCall)
    assert call.cart.lines[0].price == Money(1980, "JPY")
    reply = write_answer(Answer((Offer("ground", "Ground", Money(800, "JPY")),)))
    assert json.loads(reply.body)["rates"][0]["total_price"] == "80000"


@given(minor=st.integers(min_value=0, max_value=10**12), currency=st.sampled_from(["USD", "JPY", "HUF", "KRW", "EUR"]))
def test_money_comes_back_as_it_went(minor: int, currency: str) -> None:
    assert from_subunits(to_subunits(Money(minor, currency)), currency) == Money(minor, currency)


@given(minor=st.integers(min_value=0, max_value=10**12))
def test_three_decimals_lose_at_most_half_a_hundredth(minor: int) -> None:
    back = from_subunits(to_subunits(Money(minor, "KWD")), "KWD")
    assert abs(back.minor - minor) <= 5


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_offer_is_written_as_the_contract_says() -> None:
    east = timezone(timedelta(hours=-4))
    offer = Offer(
        code="express",
        name="Express Café",
        price=Money(1295, "CAD"),
        description="The fastest",
        earliest=datetime(2026, 4, 12, 14, 48, 45, tzinfo=east),
        latest=datetime(2026, 4, 14, 0, 0, tzinfo=UTC),
        phone_required=True,
    )
    reply = write_answer(Answer((offer, Offer("slow", "Slow", Money(0, "CAD")))))
    assert reply.status == 200
    assert ("content-type", "application/json") in reply.headers
    assert reply.body.decode() == (
        '{"rates":[{"service_name":"Express Café","service_code":"express","description":"The fastest",'
        '"total_price":"1295","currency":"CAD","phone_required":true,'
        '"min_delivery_date":"2026-04-12 14:48:45 -0400","max_delivery_date":"2026-04-14 00:00:00 +0000"},'
        '{"service_name":"Slow","service_code":"slow","description":"","total_price":"0","currency":"CAD"}]}'
    )


def test_an_answer_has_the_fields_of_the_documented_one(reference: Path) -> None:
    documented = json.loads((reference / "shopify/carrier-service/rate-response.documented.json").read_bytes())
    offer = Offer("a", "A", Money(1, "USD"), earliest=datetime.now(UTC), latest=datetime.now(UTC))
    ours = json.loads(write_answer(Answer((offer,))).body)
    assert ours.keys() == documented.keys()
    theirs = {name: type(value) for name, value in documented["rates"][0].items()}
    assert {name: type(value) for name, value in ours["rates"][0].items()} == theirs


def test_no_offer_is_an_empty_list_and_not_knowing_asks_for_the_backup() -> None:
    assert write_answer(Answer(())).body == b'{"rates":[]}'
    backup = write_answer(UseBackup("no_origin"))
    assert (backup.status, backup.body) == (503, b'{"error":{"code":"no_origin"}}')


def test_a_refusal_names_its_field() -> None:
    reply = write_answer(Refusal(400, "out_of_range", "rate.items[0].grams"))
    assert (reply.status, reply.body) == (400, b'{"error":{"code":"out_of_range","field":"rate.items[0].grams"}}')
