"""Whatever EasyPost's JSON turns into, reading it ends in a value or in one of our errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.easypost import mapping, tracking, webhook, wire
from carriers.easypost.errors import error_of, raise_for, refused_purchase
from carriers.errors import CarrierError
from carriers.label import Rejected, Unknown
from carriers.tracking import TrackingEvent, TrackingUpdate
from tests.simulators.easypost_truth import Truth, default_reference
from webhooks.outgoing import HTTPAnswer

READERS: list[Callable[[object], object]] = [
    mapping.rates,
    mapping.created,
    mapping.purchased,
    mapping.voided,
    mapping.rate,
    tracking.update,
]
if not default_reference().is_dir():
    pytest.skip("No reference data to mutate.", allow_module_level=True)

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(
            ["1e999999", "NaN", "-1", "9" * 400, "2026-13-45T99:00:00Z", "0001-01-01T00:00:00+14:00", "US"]
        ),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@cache
def _samples() -> tuple[str, ...]:
    truth = Truth()
    return (
        json.dumps(truth.answer("shipment", "shipment_buy", 1)),
        json.dumps(truth.answer("shipment_multicarrier_messages", "rate_service/retrieve")),
        json.dumps(truth.answer("tracker", "tracker_create")),
        json.dumps(truth.webhook_body()),
        json.dumps(truth.answer("error", "error")),
    )


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key or index within it."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        found.append((value, key))
        found += _places(one)
    return found


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A recorded answer with some values replaced by junk or left out, sometimes cut off."""
    value = json.loads(draw(st.sampled_from(_samples())))
    for _ in range(draw(st.integers(1, 6))):
        places = _places(value)
        if not places:
            break
        container, key = places[draw(st.integers(0, len(places) - 1))]
        if draw(st.booleans()):
            container[key] = draw(JUNK)
        else:
            del container[key]
    raw = json.dumps(value).encode()
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw


def _read(reader: Callable[[object], object], raw: bytes) -> object | None:
    try:
        return reader(wire.parse(raw))
    except CarrierError:
        return None


@settings(max_examples=150)
@given(mutated(), st.sampled_from(READERS))
def test_a_spoilt_answer_is_read_or_refused_with_our_error(raw: bytes, reader: Callable[[object], object]) -> None:
    _read(reader, raw)


@settings(max_examples=100)
@given(st.binary(max_size=60) | JUNK.map(lambda junk: json.dumps(junk).encode()), st.sampled_from(READERS))
def test_junk_is_read_or_refused_with_our_error(raw: bytes, reader: Callable[[object], object]) -> None:
    _read(reader, raw)


@settings(max_examples=100)
@given(mutated())
def test_a_spoilt_delivery_never_raises_and_its_events_are_sound(raw: bytes) -> None:
    webhook.verify(raw, {"x-hmac-signature": "x"}, "secret")
    for update in webhook.news(raw):
        if not isinstance(update, TrackingUpdate):
            continue
        assert update.tracker
        events: tuple[TrackingEvent, ...] = update.events
        assert all(event.at.tzinfo is not None and event.key for event in events)


@settings(max_examples=100)
@given(mutated() | st.binary(max_size=40), st.integers(100, 599))
def test_no_answer_to_a_purchase_is_an_accident(raw: bytes, status: int) -> None:
    """A 2xx aside, it is a refusal or unknown; server errors and what cannot be read are never a refusal."""
    answer = HTTPAnswer(status, {"retry-after": "soon"}, raw, 0.1)
    outcome = refused_purchase(answer, "shp_1")
    assert isinstance(outcome, Rejected | Unknown)
    if status >= 500 or (error_of(answer) is None and status != 429):
        assert isinstance(outcome, Unknown)
    if not 200 <= status < 300:
        with pytest.raises(CarrierError):
            raise_for(answer)
