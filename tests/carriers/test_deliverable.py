"""Addresses that a carrier will refuse are found before anything is bought, and what can be tidied is tidied."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Address
from carriers.deliverable import faults, serves_po_boxes, tidy

GOOD = Address("US", "94104", "CA", "San Francisco", "417 Montgomery Street", name="Ria Sun", phone="415 555 0100")


def codes(address: Address, carrier: str, **more: object) -> list[str]:
    return [fault.code for fault in faults(tidy(address), carrier, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize("carrier", ["USPS", "UPSDAP", "FedExDefault", "DHLExpress", "DPD", "Somebody"])
def test_a_whole_address_is_taken_by_all(carrier: str) -> None:
    assert codes(GOOD, carrier, origin_country="DE") == []


@pytest.mark.parametrize(
    ("carrier", "changes", "found"),
    [
        ("UPS", {"phone": ""}, ["phone_missing"]),
        ("UPSDAP", {"phone": "12-34"}, ["phone_missing"]),
        ("USPS", {"phone": ""}, []),
        ("FedEx", {"street1": "Main Street"}, ["street_number_missing"]),
        ("FedEx", {"street1": "Rosengarten", "street2": "7 B"}, []),
        ("UPS", {"street1": "Main Street"}, []),
        ("USPS", {"street1": ""}, ["street_missing"]),
        ("USPS", {"city": " "}, ["city_missing"]),
        ("USPS", {"name": ""}, ["name_missing"]),
        ("USPS", {"name": "", "company": "Tea Ltd"}, []),
        ("USPS", {"province": ""}, ["province_missing"]),
        ("USPS", {"postal_code": ""}, ["postal_code_missing"]),
        ("USPS", {"postal_code": "9410"}, ["postal_code_wrong"]),
        ("FedEx", {"street1": "9 " + "x" * 34}, ["line_too_long"]),
    ],
)
def test_what_a_carrier_insists_on_is_named(carrier: str, changes: dict[str, str], found: list[str]) -> None:
    assert codes(replace(GOOD, **changes), carrier) == found  # type: ignore[arg-type]


def test_abroad_a_post_wants_a_phone_too() -> None:
    assert codes(replace(GOOD, phone=""), "USPS", origin_country="DE") == ["phone_missing"]
    assert codes(replace(GOOD, phone=""), "USPS", origin_country="US") == []


@pytest.mark.parametrize(
    ("carrier", "service", "served"),
    [
        ("USPS", "Priority", True),
        ("UPS", "Ground", False),
        ("FedEx", "FEDEX_GROUND", False),
        ("FedEx", "SMART_POST", True),
        ("UPSMailInnovations", "Priority", True),
        ("DHLExpress", "", False),
        ("DHLeCommerce", "", True),
        ("Unknown", "", True),
    ],
)
def test_couriers_do_not_reach_post_office_boxes(carrier: str, service: str, served: bool) -> None:
    assert serves_po_boxes(carrier, service) is served


def test_a_post_office_box_is_told_from_its_missing_house_number() -> None:
    box = replace(GOOD, street1="Postfach ABC")
    assert codes(box, "FedEx", po_box=True) == ["po_box_refused"]
    assert codes(box, "USPS", po_box=True) == []


@pytest.mark.parametrize(
    ("country", "typed", "tidied"),
    [
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", " m1 1ae ", "M1 1AE"),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("US", "941041234", "94104-1234"),
        ("US", "94104 ", "94104"),
        ("PL", "00950", "00-950"),
        ("NL", "1234ab", "1234 AB"),
        ("SK", "81101", "811 01"),
        ("SE", "S-11455", "114 55"),
        ("DE", "D-10115", "10115"),
        ("CH", "CH-8001", "8001"),
        ("JP", "1000001", "100-0001"),
        ("IE", " d02  x285", "D02 X285"),
    ],
)
def test_a_postal_code_is_put_into_its_country_s_form(country: str, typed: str, tidied: str) -> None:
    assert tidy(replace(GOOD, country=country, postal_code=typed)).postal_code == tidied
    assert codes(replace(GOOD, country=country, postal_code=typed, province="X"), "Somebody") == []


def test_a_wrong_postal_code_is_left_as_it_is_and_its_form_is_shown() -> None:
    address = tidy(replace(GOOD, country="GB", postal_code="9410"))
    (fault,) = faults(address, "DPD")
    assert (address.postal_code, fault.code, fault.form) == ("9410", "postal_code_wrong", "SW1A 1AA")


def test_countries_without_postal_codes_need_none() -> None:
    assert codes(replace(GOOD, country="AE", postal_code="", province=""), "Aramex") == []


def test_outer_and_doubled_blanks_go() -> None:
    assert tidy(replace(GOOD, name="  Ria \t Sun ", street1="417  Montgomery Street ")) == GOOD


@given(st.text(max_size=20), st.sampled_from(["US", "GB", "PL", "SE", "DE", "FR", "IE", "XX"]))
def test_tidying_twice_changes_nothing_more(code: str, country: str) -> None:
    once = tidy(replace(GOOD, country=country, postal_code=code))
    assert tidy(once) == once
