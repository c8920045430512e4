"""EasyPost's bills after the sale and its refunds: read leniently, in our units, and never half."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.easypost import mapping, webhook
from carriers.invoice import NOTHING, Invoiced, MoneyBack
from carriers.label import Voided
from carriers.money import Money

BILL: dict[str, Any] = {
    "id": "shpinv_1",
    "object": "ShipmentInvoice",
    "shipment_id": "shp_1",
    "tracking_code": "9400",
    "status": "processed",
    "quoted_amount": "7.40",
    "initially_paid_amount": "7.40",
    "adjustment_reason": "Weight",
    "adjustment_amount": "2.15",
    "total_cost": "9.55",
    "claimed_details": {"weight": 16.0, "length": 8, "width": 6, "height": 4},
    "captured_details": {"weight": 35.5, "length": 8, "width": 6, "height": 4, "zone": 5},
    "updated_at": "2026-11-20T10:00:00Z",
}


def event(description: str, result: Any) -> bytes:
    return json.dumps({"id": "evt_1", "description": description, "mode": "production", "result": result}).encode()


def test_a_bill_says_what_was_added_and_what_was_measured() -> None:
    (bill,) = webhook.news(event("shipment.invoice.created", BILL))
    assert isinstance(bill, Invoiced)
    assert (bill.invoice, bill.handle, bill.tracking_code) == ("shpinv_1", "shp_1", "9400")
    assert (bill.adjustment, bill.reason) == (Money(215, "USD"), "Weight")
    assert bill.at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (bill.claimed.grams, bill.claimed.size) == (454, (204, 153, 102))
    assert (bill.captured.grams, bill.captured.zone) == (1007, "5")


def test_without_a_difference_it_is_what_it_came_to_less_what_was_paid() -> None:
    less = {name: value for name, value in BILL.items() if name != "adjustment_amount"}
    (bill,) = webhook.news(event("shipment.invoice.updated", less | {"claimed_details": None}))
    assert isinstance(bill, Invoiced)
    assert (bill.adjustment, bill.claimed) == (Money(215, "USD"), NOTHING)


def test_a_refund_that_came_names_its_shipment() -> None:
    told = {"id": "rfnd_1", "shipment_id": "shp_1", "tracking_code": "9400", "updated_at": "2026-11-21T08:00:00Z"}
    (back,) = webhook.news(event("refund.successful", told))
    assert back == MoneyBack("shp_1", "9400", "", datetime(2026, 11, 21, 8, tzinfo=UTC), "rfnd_1")


@pytest.mark.parametrize("without", ["id", "shipment_id"])
def test_a_bill_of_nothing_is_no_news(without: str) -> None:
    told = {name: value for name, value in BILL.items() if name not in {without, "tracking_code"}}
    assert webhook.news(event("shipment.invoice.created", told)) == []


@given(
    st.dictionaries(st.sampled_from(sorted(BILL)), st.none() | st.booleans() | st.integers() | st.text() | st.floats())
)
def test_no_bill_is_a_crash(changes: dict[str, Any]) -> None:
    for each in webhook.news(event("shipment.invoice.created", BILL | changes)):
        assert isinstance(each, Invoiced)


@pytest.mark.parametrize(
    ("status", "billing", "told"),
    [
        ("submitted", "easypost", Voided("requested")),
        ("refunded", "easypost", Voided("voided")),
        ("refunded", "carrier", Voided("accepted")),
        ("rejected", "easypost", Voided("refused", may_change=True)),
        ("not_applicable", "carrier", Voided("nothing_charged")),
    ],
)
def test_refunded_is_money_only_where_easypost_was_paid(status: str, billing: str, told: Voided) -> None:
    rate = {"carrier": "UPS", "service": "Ground", "rate": "1.00", "currency": "USD", "billing_type": billing}
    assert mapping.voided({"id": "shp_1", "refund_status": status, "selected_rate": rate}) == told
