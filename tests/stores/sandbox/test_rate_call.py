"""The sandbox's rate call: a cart survives the way there and back, and a wrong field is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from connector.store import Answer, Incoming, Offer, RateCall, Refusal, StoreRetryable, UseBackup
from connector.stores.sandbox import SandboxStore
from connector.stores.sandbox.mapping import read_offers, read_rate_call, write_answer, write_cart
from tests.stores.sandbox.conftest import CART, OFFER


def incoming(raw: bytes, headers: dict[str, str] | None = None) -> Incoming:
    return Incoming(headers or {}, {}, raw, "shop.sandbox.example")


def test_a_cart_is_read_as_it_was_written(store: SandboxStore) -> None:
    call = store.shopkeeper.rate_call(CART, "7")
    read = store.read_rate_call(Incoming(call.headers, {}, call.body, "shop.sandbox.example"))
    assert read == RateCall(CART, {"call": "7"}, "valid")


@pytest.mark.parametrize(
    "cart",
    [
        replace(CART, origin=None, destination=None, totals=None),
        replace(CART, customer_tags=None, guest=True),
        replace(CART, customer_tags=(), guest=True),
        replace(CART, currency="JPY", lines=(replace(CART.lines[0], price=Money(1200, "JPY")),), totals=None),
        replace(CART, currency="KWD", lines=(replace(CART.lines[0], price=Money(1234, "KWD")),), totals=None),
    ],
)
def test_what_is_not_known_stays_unknown(cart: Any) -> None:
    assert read_rate_call(write_cart(cart, "")) == RateCall(cart, {"call": ""})


def test_how_the_call_is_proved_is_told_and_not_judged(store: SandboxStore) -> None:
    call = store.shopkeeper.rate_call(CART)
    for headers, signature in (({}, "absent"), ({"x-sandbox-signature": "sha256=00"}, "wrong")):
        read = store.read_rate_call(incoming(call.body, headers))
        assert isinstance(read, RateCall)
        assert read.signature == signature


def body(**changes: Any) -> bytes:
    return json.dumps(json.loads(write_cart(CART, "1")) | changes).encode()


ITEM = {"quantity": 1, "price": "1.00"}


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b"", "malformed", "body"),
        (b"[1]", "not_an_object", "body"),
        (b"{", "malformed", "body"),
        (b'{"items": [], "currency": "EUR"}', "missing", "items"),
        (body(currency=None), "not_text", "currency"),
        (body(currency="euro"), "out_of_range", "currency"),
        (body(items=7), "not_a_list", "items"),
        (body(items=[ITEM | {"quantity": 0}]), "out_of_range", "items[0].quantity"),
        (body(items=[ITEM | {"quantity": "many"}]), "not_a_number", "items[0].quantity"),
        (body(items=[ITEM, ITEM | {"price": "-1"}]), "out_of_range", "items[1].price"),
        (body(items=[ITEM | {"price": "1e999999"}]), "out_of_range", "items[0].price"),
        (body(items=[ITEM | {"price": "NaN"}]), "out_of_range", "items[0].price"),
        (body(items=[ITEM | {"price": "1.001"}]), "not_an_amount", "items[0].price"),
        (body(items=[{"quantity": 1}]), "missing", "items[0].price"),
        (body(destination={"country": "Slovakia"}), "out_of_range", "destination.country"),
        (body(destination={"country": "SK", "city": "x" * 1001}), "too_long", "destination.city"),
        (body(totals={"subtotal": []}), "not_a_number", "totals.subtotal"),
    ],
)
def test_a_wrong_field_is_named(raw: bytes, code: str, field: str) -> None:
    assert read_rate_call(raw) == Refusal(400, code, field)


def test_unknown_fields_and_nulls_are_accepted() -> None:
    raw = body(
        new={"a": [None]},
        origin=None,
        destination={"country": "sk", "city": None, "planet": "Earth"},
        totals=None,
        locale=None,
        items=[ITEM | {"grams": None, "sku": None, "properties": None, "requires_shipping": None, "colour": 3}],
    )
    read = read_rate_call(raw)
    assert isinstance(read, RateCall)
    assert read.cart.lines[0].weight is None
    assert read.cart.lines[0].requires_shipping
    assert read.cart.destination is not None
    assert read.cart.destination.country == "SK"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(["currency", "items", "origin", "destination", "totals", "locale", "customer", "call"])


@given(st.dictionaries(fields, json_values, max_size=4), st.dictionaries(st.sampled_from(sorted(ITEM)), json_values))
def test_no_json_makes_reading_raise(changes: dict[str, Any], item: dict[str, Any]) -> None:
    for raw in (body(**changes), body(items=[ITEM | item])):
        assert isinstance(read_rate_call(raw), RateCall | Refusal)


@given(st.binary(max_size=60))
def test_no_bytes_make_reading_raise(raw: bytes) -> None:
    assert isinstance(read_rate_call(raw), RateCall | Refusal)


def test_the_checkout_reads_the_offers_that_were_answered() -> None:
    day = datetime(2026, 11, 30, tzinfo=UTC)
    offers = (OFFER, Offer("express", "Express", Money(1200, "JPY"), "Tomorrow", day, day, phone_required=True))
    reply = write_answer(Answer(offers, "quo_1"), {"call": "7"})
    assert (reply.status, read_offers(reply.body)) == (200, offers)
    assert json.loads(reply.body)["call"] == "7"
    assert write_answer(Answer(offers, "quo_2"), {"call": "7"}) == reply


def test_no_offer_is_an_empty_list_and_not_knowing_is_the_backup() -> None:
    assert json.loads(write_answer(Answer(()), {}).body)["offers"] == []
    backup = write_answer(UseBackup("no_prices"), {})
    assert (backup.status, json.loads(backup.body)) == (503, {"error": {"code": "no_prices"}})
    refused = write_answer(Refusal(400, "missing", "items"), {})
    assert (refused.status, json.loads(refused.body)["error"]["field"]) == (400, "items")


def test_an_answer_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(StoreRetryable):
        read_offers(b'{"offers": [{}]}')
