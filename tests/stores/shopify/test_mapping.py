"""Shopify's objects as Waybill's values: states, weights, prices, provinces, carriers' names."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.measure import Weight
from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.store import FulfilRequest, GroupState, StoreEventRequest, StoreRetryable
from connector.stores.shopify import timeline
from connector.stores.shopify.mapping import (
    fulfilment,
    fulfilment_input,
    gid,
    group_state,
    order,
    text_of,
    tracking_input,
    understood,
    weight_of,
)
from tests.simulators.shopify_graphql import load_schema
from tests.simulators.shopify_world import Body, World


def group(**changes: Any) -> Body:
    return {
        "status": "OPEN",
        "deliveryMethod": {"methodType": "SHIPPING"},
        "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
        "fulfillmentHolds": [],
    } | changes


@pytest.mark.parametrize(
    ("changes", "state", "reasons"),
    [
        ({}, GroupState.READY, ()),
        ({"supportedActions": []}, GroupState.NOT_YET, ()),
        ({"supportedActions": [{"action": "REQUEST_FULFILLMENT"}]}, GroupState.NOT_OURS, ()),
        ({"status": "IN_PROGRESS"}, GroupState.NOT_YET, ()),
        ({"status": "SCHEDULED"}, GroupState.SCHEDULED, ()),
        ({"status": "CLOSED"}, GroupState.DONE, ()),
        ({"status": "CANCELLED"}, GroupState.CANCELLED, ()),
        ({"status": "INCOMPLETE"}, GroupState.HELD, ("incomplete",)),
        ({"status": "SOMETHING_NEW"}, GroupState.NOT_YET, ()),
        ({"deliveryMethod": {"methodType": "PICK_UP"}}, GroupState.NOT_OURS, ()),
        ({"deliveryMethod": {"methodType": "LOCAL"}}, GroupState.NOT_OURS, ()),
        ({"deliveryMethod": {"methodType": "NONE"}}, GroupState.NOT_OURS, ()),
        ({"deliveryMethod": {"methodType": "RETAIL"}}, GroupState.NOT_OURS, ()),
        ({"deliveryMethod": {"methodType": "PICKUP_POINT"}}, GroupState.NOT_OURS, ()),
        ({"deliveryMethod": None}, GroupState.NOT_OURS, ()),
        (
            {"status": "ON_HOLD", "fulfillmentHolds": [{"reason": "INCORRECT_ADDRESS"}, {"reason": "OTHER"}]},
            GroupState.HELD,
            ("incorrect_address", "other"),
        ),
    ],
)
def test_only_an_open_group_that_we_may_ship_is_ready(
    changes: Body, state: GroupState, reasons: tuple[str, ...]
) -> None:
    assert group_state(group(**changes)) == (state, reasons)


def test_every_state_and_method_of_the_schema_is_placed(reference: Path) -> None:
    types: Any = load_schema(reference).type_map
    for status in types["FulfillmentOrderStatus"].values:
        for method in types["DeliveryMethodType"].values:
            state, _ = group_state(group(status=status, deliveryMethod={"methodType": method}))
            assert (state is GroupState.READY) == ((status, method) == ("OPEN", "SHIPPING"))


@pytest.mark.parametrize(
    ("unit", "value", "grams"),
    [
        ("GRAMS", "500", 500),
        ("GRAMS", "499.2", 500),
        ("KILOGRAMS", "0.5", 500),
        ("KILOGRAMS", "1.2345", 1235),
        ("KILOGRAMS", "0.1", 100),
        ("OUNCES", "16", 454),
        ("POUNDS", "1", 454),
        ("POUNDS", "2.2", 998),
    ],
)
def test_every_unit_becomes_whole_grams(unit: str, value: str, grams: int) -> None:
    assert weight_of({"unit": unit, "value": Decimal(value)}) == Weight(grams)


@pytest.mark.parametrize("node", [None, {"unit": "GRAMS", "value": 0}, {"unit": "STONES", "value": 1}])
def test_no_weight_and_zero_are_unknown(node: Any) -> None:
    assert weight_of(node) is None


@given(value=st.decimals(min_value=Decimal("0.001"), max_value=1000, places=3))
def test_a_weight_is_never_rounded_down(value: Decimal) -> None:
    weight = weight_of({"unit": "KILOGRAMS", "value": value})
    assert weight is not None
    assert 0 <= weight.grams - value * 1000 < 1


def placed(**spec: Any) -> Body:
    """An order as the GraphQL answer has it."""
    node = World().place(spec)
    for entry in node["fulfillmentOrders"]:
        entry["lineItems"] = {"nodes": entry["lineItems"]}
        entry["supportedActions"] = [{"action": "CREATE_FULFILLMENT"}]
    to = node["shippingAddress"]
    return node | {
        "shippingLines": {"nodes": node["shippingLines"]},
        "shippingAddress": to | {"countryCode": to["countryCodeV2"]},
    }


def test_the_order_tells_its_address_with_the_provinces_code() -> None:
    node = placed()
    assert node["fulfillmentOrders"][0]["destination"]["province"] == "California"
    read = order(node, node["fulfillmentOrders"])
    assert read.groups[0].destination is not None
    assert read.groups[0].destination.province == "CA"
    assert read.groups[0].destination.email == node["email"]
    assert read.groups[0].origin is not None
    assert read.groups[0].origin.province == "CA"


def test_an_address_that_is_edited_after_a_group_was_closed_is_told() -> None:
    """Shopify keeps a closed group's destination as it was."""
    world = World()
    node = placed()
    node["fulfillmentOrders"][0]["status"] = "CLOSED"
    world.edit(node, {"destination": {"address1": "2 Ocean Drive", "zip": "33139"}})
    assert node["fulfillmentOrders"][0]["destination"]["zip"] != "33139"
    read = order(node, node["fulfillmentOrders"])
    assert read.groups[0].destination is not None
    assert (read.groups[0].destination.street1, read.groups[0].destination.postal_code) == ("2 Ocean Drive", "33139")


def test_without_the_orders_address_the_groups_counts_as_it_is() -> None:
    node = placed() | {"shippingAddress": None}
    node["fulfillmentOrders"][0]["destination"] |= {"province": "Bratislava Region", "countryCode": "SK"}
    read = order(node, node["fulfillmentOrders"])
    assert read.groups[0].destination is not None
    assert read.groups[0].destination.province == "Bratislava Region"


def test_a_closed_group_does_not_speak_for_an_order_whose_address_is_withheld() -> None:
    node = placed() | {"shippingAddress": None}
    node["fulfillmentOrders"][0]["status"] = "CLOSED"
    assert order(node, node["fulfillmentOrders"]).groups[0].destination is None


def test_units_at_different_prices_have_their_mean() -> None:
    node = placed(lines=[{"quantity": 3}])
    money = World().money
    node["fulfillmentOrders"][0]["lineItems"]["nodes"][0]["financialSummaries"] = [
        {"quantity": 2, "approximateDiscountedUnitPriceSet": money("10.00")},
        {"quantity": 1, "approximateDiscountedUnitPriceSet": money("5.00")},
    ]
    assert order(node, node["fulfillmentOrders"]).groups[0].lines[0].price == Money(833, "USD")


def test_protected_data_that_is_withheld_leaves_the_order_readable() -> None:
    node = placed()
    node |= {"email": None, "phone": None, "shippingAddress": None, "customerLocale": None}
    node["fulfillmentOrders"][0]["destination"] = None
    read = order(node, node["fulfillmentOrders"])
    assert read.groups[0].destination is None
    assert (read.email, read.locale) == ("", "en")


@pytest.mark.parametrize(
    ("financial", "paid"),
    [
        ("PAID", True),
        ("PARTIALLY_REFUNDED", True),
        ("AUTHORIZED", False),
        ("PARTIALLY_PAID", False),
        ("PENDING", False),
        ("REFUNDED", False),
        ("VOIDED", False),
    ],
)
def test_paid_is_money_that_was_captured_and_is_still_there(financial: str, *, paid: bool) -> None:
    node = placed() | {"displayFinancialStatus": financial}
    assert order(node, []).paid is paid


def test_a_risky_order_says_so() -> None:
    assert order(placed(risk="INVESTIGATE"), []).risky
    assert not order(placed(), []).risky


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (42, "gid://shopify/Order/42"),
        (" 43 ", "gid://shopify/Order/43"),
        ("gid://shopify/Order/42", "gid://shopify/Order/42"),
        ("gid://shopify/Product/42", ""),
        ("#1001", ""),
        (None, ""),
        ("42; drop", ""),
    ],
)
def test_an_id_is_a_global_one_or_none(value: object, expected: str) -> None:
    assert gid("Order", value) == expected


@given(text=st.text())
def test_text_can_always_be_stored(text: str) -> None:
    clean = text_of(text)
    assert clean.encode().decode() == clean
    assert "\x00" not in clean


def test_an_answer_that_lacks_what_the_schema_promises_is_not_built_on() -> None:
    with pytest.raises(StoreRetryable), understood("order"):
        order({"id": "gid://shopify/Order/1"}, [])


@pytest.mark.parametrize("status", ["CANCELLED", "ERROR", "FAILURE"])
def test_a_fulfilment_that_failed_is_not_live(status: str) -> None:
    assert fulfilment({"id": "1", "status": status, "trackingInfo": []}).cancelled


@pytest.mark.complaint(37)
def test_a_fulfilment_is_asked_for_with_the_company_as_shopify_spells_it() -> None:
    request = FulfilRequest("o", "g", (("line", 2),), "UPSDAP", "1Z1", "https://t.example/1Z1", notify_buyer=True)
    assert fulfilment_input(request) == {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": "g", "fulfillmentOrderLineItems": [{"id": "line", "quantity": 2}]}
        ],
        "trackingInfo": {"company": "UPS", "number": "1Z1", "url": "https://t.example/1Z1"},
        "notifyCustomer": True,
    }
    assert tracking_input("USPS", "1", "") == {"company": "USPS", "number": "1"}


# --- the timeline -----------------------------------------------------------------------------------------------------


def test_every_status_has_a_word_of_the_schema_or_is_declared_unshown(reference: Path) -> None:
    known: Any = load_schema(reference).type_map["FulfillmentEventStatus"]
    shown = {timeline.status_of(status) for status in TrackingStatus if status not in timeline.UNSHOWN}
    assert shown <= set(known.values)
    assert {TrackingStatus.UNKNOWN, TrackingStatus.CANCELLED} == timeline.UNSHOWN
    assert all(timeline.status_of(status) is None for status in timeline.UNSHOWN)


@pytest.mark.complaint(38)
def test_a_label_that_was_made_is_not_shown_in_transit() -> None:
    assert timeline.status_of(TrackingStatus.LABEL_MADE) == "LABEL_PURCHASED"
    assert timeline.status_of(TrackingStatus.IN_TRANSIT) == "IN_TRANSIT"


def test_every_company_is_spelt_as_shopify_spells_it(reference: Path) -> None:
    docs = gzip.decompress((reference / "shopify/admin-2026-10.with-docs.graphql.gz").read_bytes()).decode()
    listed = docs.split("### Supported tracking companies", 1)[1].split('"""', 1)[0]
    names = {part.strip(" *.\n") for line in listed.split("*") for part in line.replace(":", ",").split(",")}
    names = {" ".join(name.split()) for name in names}
    assert set(timeline._COMPANIES.values()) - names == set()


@pytest.mark.parametrize(
    ("carrier", "company"),
    [
        ("USPS", "USPS"),
        ("UPSDAP", "UPS"),
        ("FedExDefault", "FedEx"),
        ("DhlEcs", "DHL eCommerce"),
        ("DHLExpress", "DHL Express"),
        ("CanadaPost", "Canada Post"),
        ("LasershipV2", "Lasership"),
        ("Royal Mail", "Royal Mail"),
        ("Better Trucks", "Better Trucks"),
    ],
)
def test_a_carrier_is_called_as_shopify_calls_it(carrier: str, company: str) -> None:
    assert timeline.company_of(carrier) == company


def test_a_step_leaves_out_what_is_not_known() -> None:
    at = datetime(2026, 11, 23, 9, 0, 0, 999, tzinfo=UTC)
    step = StoreEventRequest("o", "f", TrackingStatus.DELIVERED, at, city="Reno")
    assert timeline.event_input(step, "DELIVERED") == {
        "fulfillmentId": "f",
        "status": "DELIVERED",
        "happenedAt": "2026-11-23T09:00:00Z",
        "city": "Reno",
    }


def test_a_step_is_recognised_in_any_zone_and_to_the_second() -> None:
    at = datetime(2026, 11, 23, 9, 0, 0, 500_000, tzinfo=UTC)
    assert timeline.same_step({"status": "DELIVERED", "happenedAt": "2026-11-23T04:00:00-05:00"}, "DELIVERED", at)
    assert not timeline.same_step({"status": "DELIVERED", "happenedAt": "2026-11-23T09:00:01Z"}, "DELIVERED", at)
    assert not timeline.same_step({"status": "DELIVERED", "happenedAt": None}, "DELIVERED", at)
