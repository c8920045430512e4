"""What EasyPost is asked, in its own words."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from carriers.customs import Customs, CustomsItem
from carriers.easypost import asking
from carriers.measure import Size, Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest
from tests.contracts.carrier_contract import BUYER, SHIPMENT, SHOP, request_for

ITEM = CustomsItem("Shirt", 2, Money(4650, "USD"), Weight(311), hs_code="610910", origin_country="SK", sku="S-1")


def _shipment(**changes: object) -> asking.Body:
    body: asking.Body = asking.create_body(replace(SHIPMENT, **changes), ())["shipment"]  # type: ignore[arg-type]
    return body


def test_a_parcel_is_told_in_ounces_and_inches_rounded_up() -> None:
    assert _shipment()["parcel"] == {"weight": 31.8, "length": 11.9, "width": 7.9, "height": 4.0}


def test_a_carriers_own_packaging_replaces_the_size() -> None:
    parcel = Parcel(Weight(100), Size(1, 2, 3), packaging="FlatRateEnvelope")
    assert _shipment(parcel=parcel)["parcel"] == {"weight": 3.6, "predefined_package": "FlatRateEnvelope"}


def test_nothing_weighs_nothing() -> None:
    assert _shipment(parcel=Parcel(Weight(0)))["parcel"] == {"weight": 0.1}


def test_what_is_not_known_of_an_address_is_left_out() -> None:
    partial = replace(BUYER, street1="", name="", phone="", email="", residential=None)
    assert _shipment(destination=partial)["to_address"] == {
        "city": "Redondo Beach",
        "state": "CA",
        "zip": "90277",
        "country": "US",
    }


def test_a_return_is_asked_for_with_the_addresses_of_the_way_out() -> None:
    """The buyer sends: EasyPost wants the shop as sender, and swaps the two itself."""
    back = _shipment(origin=BUYER, destination=SHOP, is_return=True)
    assert back["is_return"] is True
    assert back["from_address"]["company"] == SHOP.company
    assert back["to_address"]["name"] == BUYER.name


def test_our_reference_format_and_currency_go_along() -> None:
    asked = _shipment(label_format="zpl", signature="adult")
    assert asked["reference"] == SHIPMENT.reference
    assert asked["options"] == {"currency": "USD", "delivery_confirmation": "ADULT_SIGNATURE", "label_format": "ZPL"}


def test_accounts_of_the_question_win_over_those_of_the_connection() -> None:
    request = request_for(SHIPMENT)
    ((connection, _),) = asking.rate_bodies(request, ("ca_1",))
    ((question, _),) = asking.rate_bodies(replace(request, accounts=("ca_2", "ca_3")), ("ca_1",))
    assert connection["shipment"]["carrier_accounts"] == ["ca_1"]
    assert question["shipment"]["carrier_accounts"] == ["ca_2", "ca_3"]


def test_equal_parcels_are_asked_for_once() -> None:
    request = RateRequest(SHOP, BUYER, (Parcel(Weight(1)), Parcel(Weight(2)), Parcel(Weight(1))), "USD")
    assert [count for _, count in asking.rate_bodies(request, ())] == [2, 1]


def test_customs_lines_are_totals_and_weigh_no_more_than_the_parcel() -> None:
    customs = Customs((ITEM,), incoterm="DDP", signer="Shop", export_filing="NOEEI 30.37(a)")
    asked = _shipment(customs=customs)
    assert asked["options"]["incoterm"] == "DDP"
    assert asked["customs_info"] == {
        "contents_type": "merchandise",
        "contents_explanation": "",
        "restriction_type": "none",
        "non_delivery_option": "return",
        "customs_certify": True,
        "customs_signer": "Shop",
        "eel_pfc": "NOEEI 30.37(a)",
        "customs_items": [
            {
                "description": "Shirt",
                "quantity": 2,
                "value": 46.5,
                "currency": "USD",
                "weight": 10.97,
                "origin_country": "SK",
                "hs_tariff_number": "610910",
                "code": "S-1",
            }
        ],
    }


def test_a_product_goes_by_all_its_numbers() -> None:
    item = replace(ITEM, mpn="4420-BLK", gtin="4006381333931")
    told = _shipment(customs=Customs((item,)))["customs_info"]["customs_items"][0]
    numbers = ("S-1", "4420-BLK", "4006381333931")
    assert (told["code"], told["manufacturer_product_id"], told["standardized_product_id"]) == numbers


def test_into_the_union_carriers_hear_who_sells_to_whom() -> None:
    in_union = replace(BUYER, country="DE", province="", postal_code="10115")
    sold = _shipment(destination=in_union, customs=Customs((ITEM,)))["options"]
    assert sold["commerce_type"] == "B2C"
    assert sold["carrier_options"] == {"ups": {"shipper_type": "business", "consignee_type": "consumer"}}
    for other in (
        _shipment(destination=in_union, customs=Customs((ITEM,), contents="gift")),
        _shipment(destination=in_union),
        _shipment(destination=replace(BUYER, country="GB"), customs=Customs((ITEM,))),
    ):
        assert {"commerce_type", "carrier_options"}.isdisjoint(other["options"])


def test_an_export_claims_what_it_is_told_to_claim_and_nothing_else() -> None:
    customs = Customs((ITEM,))
    assert "eel_pfc" not in _shipment(customs=customs)["customs_info"]
    filed = replace(customs, export_filing="AES X20261122123456")
    assert _shipment(customs=filed)["customs_info"]["eel_pfc"] == "AES X20261122123456"


def test_contents_of_no_listed_kind_are_explained() -> None:
    lines = tuple(replace(ITEM, description=f"Part {n} of a machine") for n in range(20))
    explained = _shipment(customs=Customs(lines, contents="other"))["customs_info"]["contents_explanation"]
    assert explained.startswith("Part 0 of a machine, Part 1")
    assert len(explained) == 255


def test_papers_are_printed_where_they_do_not_go_as_data() -> None:
    assert _shipment(customs=Customs((ITEM,)))["options"] == {"currency": "USD", "label_format": "PDF"}
    printed = _shipment(customs=Customs((ITEM,), paperless=False, reference="1001"))["options"]
    assert (printed["suppress_etd"], printed["commercial_invoice_format"]) == (True, "PNG")
    assert printed["invoice_number"] == "1001"


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=12))
def test_the_lines_of_a_declaration_weigh_together_no_more_than_the_parcel(grams: list[int]) -> None:
    lines = tuple(replace(ITEM, weight=Weight(each)) for each in grams)
    written = json.dumps(_shipment(customs=Customs(lines), parcel=Parcel(Weight(sum(grams)))))
    read = json.loads(written, parse_float=Decimal, parse_int=Decimal)
    weights = [each["weight"] for each in read["customs_info"]["customs_items"]]
    assert min(weights) > 0
    assert sum(weights) <= read["parcel"]["weight"]


@given(st.integers(0, 10**11), st.integers(0, 10**7))
def test_numbers_are_written_with_exactly_their_own_digits(minor: int, grams: int) -> None:
    item = replace(ITEM, value=Money(minor, "USD"), weight=Weight(grams))
    written = json.dumps(_shipment(customs=Customs((item,)), parcel=Parcel(Weight(grams))), allow_nan=False)
    read = json.loads(written, parse_float=Decimal)
    assert read["customs_info"]["customs_items"][0]["value"] == Money(minor, "USD").amount
    assert read["parcel"]["weight"] == max(Weight(grams).ounces(), Decimal("0.1"))
    assert read["customs_info"]["customs_items"][0]["weight"] <= read["parcel"]["weight"]
