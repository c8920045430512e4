"""Single answers of EasyPost and the meaning that we give them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from carriers.easypost import mapping, tracking, wire
from carriers.easypost.client import media_type_of
from carriers.easypost.combining import combine
from carriers.easypost.errors import retry_after
from carriers.errors import Garbled, Retryable
from carriers.label import Purchased
from carriers.money import Money
from carriers.rate import Problem, Rate, Rates
from carriers.tracking import TrackingStatus

RATE = {"carrier": "USPS", "service": "Ground", "rate": "6.07", "currency": "USD", "carrier_account_id": "ca_1"}


def _read(**changes: Any) -> Rate:
    return mapping.rate(RATE | changes)


@pytest.mark.parametrize(
    ("rate", "currency", "price"),
    [
        ("6.07000", "USD", Money(607, "USD")),
        ("1200", "JPY", Money(1200, "JPY")),
        ("1200.00", "JPY", Money(1200, "JPY")),
        ("10.005", "USD", Money(1001, "USD")),
        (Decimal("34.15"), "USD", Money(3415, "USD")),
        (7, "USD", Money(700, "USD")),
    ],
)
def test_an_amount_is_read_exactly(rate: Any, currency: str, price: Money) -> None:
    assert _read(rate=rate, currency=currency).price == price


@pytest.mark.parametrize("rate", ["", None, "-1.00", "1e3", "NaN", "1,5", True, [], {}, "9" * 12])
def test_what_is_no_amount_is_no_rate(rate: Any) -> None:
    with pytest.raises(Garbled):
        _read(rate=rate)


@pytest.mark.parametrize("currency", ["", None, "usd", "$", 3])
def test_a_price_without_a_currency_is_no_rate(currency: Any) -> None:
    with pytest.raises(Garbled):
        _read(currency=currency)


def test_one_garbled_rate_spoils_no_other() -> None:
    found = mapping.rates(
        {"rates": [RATE, RATE | {"rate": None, "carrier": "UPS"}, 7], "messages": ["Out of order", 3]}
    )
    assert [rate.carrier for rate in found.rates] == ["USPS"]
    assert [(problem.carrier, problem.code) for problem in found.problems] == [
        ("UPS", "garbled"),
        ("", "garbled"),
        ("", "rate_refused"),
        ("", "garbled"),
    ]
    assert found.problems[2].message == "Out of order"


@pytest.mark.parametrize(("modes", "test_mode"), [(["test"], True), (["test", "production"], False), ([None], None)])
def test_production_anywhere_is_production(modes: list[str | None], test_mode: bool | None) -> None:
    rates = [{**RATE, "mode": mode} for mode in modes]
    assert mapping.rates({"rates": rates}).test_mode is test_mode


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Invalid credentials", "credentials"),
        ("Invalid Access License number", "credentials"),
        ("Request timed out", "timeout"),
        ("Service temporarily unavailable", "unreachable"),
        ("The requested service is not available between the selected locations", "no_service"),
        ("shipment.parcel.weight exceeds the limit", "rate_refused"),
    ],
)
def test_a_carriers_sentence_has_one_of_our_codes(message: str, code: str) -> None:
    line = {"carrier": "UPS", "carrier_account_id": "ca_1", "type": "rate_error", "message": message}
    (problem,) = mapping.rates({"rates": [], "messages": [line]}).problems
    assert problem == Problem("ca_1", "UPS", code, message)


def test_a_paid_label_is_not_lost_for_a_missing_rate() -> None:
    """The postage fee says the price then."""
    bought = mapping.purchased(
        {
            "id": "shp_1",
            "tracking_code": "1Z",
            "selected_rate": {"rate": None},
            "postage_label": {"label_url": "https://x/1.pdf"},
            "tracker": {"id": "trk_1", "carrier": "UPS"},
            "fees": [{"type": "PostageFee", "amount": "11.03000"}],
        }
    )
    assert isinstance(bought, Purchased)
    assert bought.rate.price == Money(1103, "USD")
    assert bought.rate.carrier == "UPS"
    assert bought.files[0].media_type == "application/pdf"


def test_a_purchase_that_looks_half_done_is_asked_for_again() -> None:
    with pytest.raises(Retryable):
        mapping.purchased({"id": "shp_1", "selected_rate": RATE, "postage_label": None, "tracking_code": None})


def test_a_label_whose_files_are_gone_is_still_bought() -> None:
    """EasyPost keeps label files for 180 days."""
    bought = mapping.purchased(
        {"id": "shp_1", "tracking_code": "1Z", "selected_rate": RATE, "postage_label": {"label_url": None}}
    )
    assert isinstance(bought, Purchased)
    assert bought.files == ()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.4 x", "application/pdf"),
        (b"\x89PNG\r\n\x1a\nx", "image/png"),
        (b"\r\n^XA^FD", "application/zpl"),
        (b"\nN\nA50", "application/epl2"),
    ],
)
def test_a_label_file_is_known_by_its_first_bytes(content: bytes, media_type: str) -> None:
    assert media_type_of(content) == media_type


@pytest.mark.parametrize("content", [b"", b"<html>", b"<?xml version='1.0'?><Error/>", b"GIF89a", b'{"error":{}}'])
def test_anything_else_is_no_label(content: bytes) -> None:
    with pytest.raises(Garbled):
        media_type_of(content)


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30", 30.0),
        ("0.5", 0.5),
        ("Mon, 23 Nov 2026 09:00:20 GMT", 20.0),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(said: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": said}, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "detail", "message", "expected"),
    [
        ("in_transit", "weather_delay", "", TrackingStatus.DELAYED),
        ("in_transit", "delivery_exception", "Delivery attempted, no access", TrackingStatus.ATTEMPTED),
        ("in_transit", "lost", "", TrackingStatus.FAILED),
        ("in_transit", "return", "", TrackingStatus.RETURNING),
        ("in_transit", "brand_new_word", "", TrackingStatus.IN_TRANSIT),
        ("delivered", "return", "", TrackingStatus.DELIVERED),
        ("brand_new_status", "delayed", "", TrackingStatus.UNKNOWN),
    ],
)
def test_a_scan_has_our_word(status: str, detail: str, message: str, expected: TrackingStatus) -> None:
    assert tracking.status_of(status, detail, message) is expected


def _tracker(**changes: Any) -> dict[str, Any]:
    scan = {"status": "in_transit", "datetime": "2026-11-24T02:00:00Z", "message": "Arrived"}
    return {
        "id": "trk_1",
        "tracking_code": "1Z",
        "status": "in_transit",
        "updated_at": "2026-11-24T03:00:00Z",
        "tracking_details": [scan],
    } | changes


def test_a_status_that_no_scan_shows_is_an_event_dated_by_the_last_scan() -> None:
    events = tracking.update(_tracker(status="cancelled")).events
    assert [event.status for event in events] == [TrackingStatus.IN_TRANSIT, TrackingStatus.CANCELLED]
    assert events[1].at == events[0].at
    assert tracking.update(_tracker(status="cancelled", updated_at="2026-11-29T03:00:00Z")).events == events


def test_a_status_without_any_scan_is_dated_by_the_tracker() -> None:
    (event,) = tracking.update(_tracker(status="pre_transit", tracking_details=[])).events
    assert event.at == datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def test_an_unknown_status_is_kept_in_the_detail() -> None:
    events = tracking.update(_tracker(status="teleported", status_detail="beamed")).events
    assert (events[1].status, events[1].detail) == (TrackingStatus.UNKNOWN, "teleported/beamed")


def test_times_are_utc_whatever_offset_they_come_with() -> None:
    scans = [
        {"status": "in_transit", "datetime": "2026-11-24T02:00:00-05:00"},
        {"status": "in_transit", "datetime": "2026-11-24T08:00:00"},
        {"status": "in_transit", "datetime": None},
        {"status": "in_transit", "datetime": "yesterday"},
    ]
    events = tracking.update(_tracker(tracking_details=scans)).events
    assert [event.at for event in events] == [
        datetime(2026, 11, 24, 7, 0, tzinfo=UTC),
        datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
    ]


def test_an_option_counts_only_if_every_parcel_has_it() -> None:
    ground, air = Rate("a", "C", "Ground", Money(100, "USD"), transit_days=3), Rate("a", "C", "Air", Money(900, "USD"))
    slower = Rate("a", "C", "Ground", Money(150, "USD"), transit_days=5, rate_id="rate_1")
    found = combine([(Rates((ground, air), test_mode=True), 1), (Rates((slower,), test_mode=True), 2)])
    assert [(rate.service, rate.price, rate.transit_days, rate.rate_id) for rate in found.rates] == [
        ("Ground", Money(400, "USD"), 5, "")
    ]
    assert [(problem.code, problem.message) for problem in found.problems] == [("not_every_parcel", "Air")]


def test_json_that_is_no_json_is_garbled() -> None:
    for raw in (b"", b"<html>", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}", b"\xff"):
        with pytest.raises(Garbled):
            wire.parse(raw)
