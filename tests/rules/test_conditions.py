"""Each kind of condition: where it holds, where it does not, and when its answer changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connector.rules import kinds
from connector.rules.facts import CartSums, Destination, ParcelFacts
from tests.rules.facts import NOON, SERVICES, a_call, prices, rules_of, run

OF_CALLS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"kind": "subtotal_at_least", "amount": "70.00", "currency": "EUR"}, {}, True),
    ({"kind": "subtotal_at_least", "amount": "70.01", "currency": "EUR"}, {}, False),
    ({"kind": "subtotal_at_least", "amount": "80.00", "currency": "EUR", "basis": "before_discounts"}, {}, True),
    ({"kind": "subtotal_at_least", "amount": "1.00", "currency": "USD"}, {}, False),
    ({"kind": "subtotal_at_least", "amount": "26.25", "currency": "EUR", "items": {"skus": ["MUG-*"]}}, {}, True),
    ({"kind": "subtotal_at_least", "amount": "26.26", "currency": "EUR", "items": {"skus": ["MUG-*"]}}, {}, False),
    ({"kind": "subtotal_at_least", "amount": "1.00", "currency": "EUR", "tax": "without_tax"}, {}, False),
    (
        {"kind": "subtotal_at_least", "amount": "58.33", "currency": "EUR", "tax": "without_tax", "tax_percent": "20"},
        {"sums": CartSums(8000, 1000, tax="included")},
        True,
    ),
    ({"kind": "subtotal_at_least", "amount": "70.00", "currency": "EUR"}, {"sums": None}, True),
    ({"kind": "subtotal_below", "amount": "70.01", "currency": "EUR"}, {}, True),
    ({"kind": "subtotal_below", "amount": "70.00", "currency": "EUR"}, {}, False),
    ({"kind": "weight", "at_least_g": 2000, "below_g": 2001}, {}, True),
    ({"kind": "weight", "at_least_g": 2001}, {}, False),
    ({"kind": "weight", "at_least_g": 2300, "of": "parcels"}, {}, True),
    ({"kind": "weight", "below_g": 9999, "of": "parcels"}, {"parcels": ()}, False),
    ({"kind": "quantity", "at_least": 3, "at_most": 3}, {}, True),
    ({"kind": "quantity", "at_least": 3, "items": {"tags": ["Fragile"]}}, {}, False),
    ({"kind": "items", "items": {"vendors": ["steel"]}}, {}, True),
    ({"kind": "items", "items": {"collections": ["garden"]}}, {}, False),
    ({"kind": "items", "match": "all", "items": {"collections": ["Kitchen"]}}, {}, False),
    ({"kind": "items", "match": "none", "items": {"hazmat": True}}, {}, True),
    ({"kind": "items", "match": "any", "items": {"variants": ["gid://shopify/ProductVariant/12"]}}, {}, True),
    ({"kind": "items", "items": {"products": ["3"], "ships": True}}, {}, False),
    ({"kind": "items", "match": "all", "items": {"skus": ["EBOOK"], "inverted": True}}, {}, False),
    ({"kind": "parcel_count", "at_most": 1}, {}, True),
    ({"kind": "parcel_count", "at_least": 2}, {}, False),
    ({"kind": "parcel_size", "longest_mm": 400}, {}, True),
    ({"kind": "parcel_size", "girth_mm": 1401}, {}, False),
    ({"kind": "parcel_size", "girth_mm": 1400, "volume_cm3": 24000}, {}, True),
    ({"kind": "parcel_size", "longest_mm": 1}, {"parcels": (ParcelFacts(9),)}, False),
    ({"kind": "parcel_size", "weight_g": 9, "which": "each"}, {"parcels": (ParcelFacts(9), ParcelFacts(8))}, False),
    ({"kind": "country_in", "countries": ["AT", "SK"]}, {}, True),
    ({"kind": "country_in", "countries": ["AT"]}, {"destination": None}, False),
    ({"kind": "province_in", "country": "AT", "provinces": ["AT-9"]}, {}, True),
    ({"kind": "province_in", "country": "DE", "provinces": ["9"]}, {}, False),
    ({"kind": "postal_code_in", "country": "AT", "patterns": ["10*"]}, {}, True),
    ({"kind": "postal_code_in", "country": "AT", "patterns": ["1000..1009", "1?11", "1011"]}, {}, False),
    ({"kind": "zone_in", "zones": ["near"]}, {}, True),
    ({"kind": "zone_in", "zones": ["near"]}, {"destination": Destination("AT", "", "", "8010")}, False),
    ({"kind": "destination_known"}, {}, True),
    ({"kind": "destination_known"}, {"destination": None}, False),
    ({"kind": "location_in", "locations": ["loc_1"]}, {}, True),
    ({"kind": "location_in", "locations": ["77"]}, {"store_location": "77"}, True),
    ({"kind": "residential"}, {}, False),
    ({"kind": "residential", "unknown": True}, {}, True),
    ({"kind": "residential"}, {"destination": Destination("AT", residential=True)}, True),
    ({"kind": "po_box"}, {}, False),
    ({"kind": "po_box"}, {"destination": Destination("AT", po_box=True)}, True),
    ({"kind": "customer_tag", "tags": ["VIP"]}, {"customer_tags": frozenset({"vip"})}, True),
    ({"kind": "customer_tag", "tags": ["VIP"]}, {"customer_tags": None}, False),
    ({"kind": "guest"}, {"guest": False}, False),
    ({"kind": "guest"}, {}, True),
    ({"kind": "currency_in", "currencies": ["USD"]}, {}, False),
    ({"kind": "currency_in", "currencies": ["EUR"]}, {}, True),
    ({"kind": "weekday_in", "days": ["tue"]}, {}, True),
    ({"kind": "weekday_in", "days": ["mon", "sun"]}, {}, False),
    ({"kind": "time_between", "start": "12:00", "end": "13:00"}, {}, True),
    ({"kind": "time_between", "start": "11:00", "end": "12:00"}, {}, False),
    ({"kind": "time_between", "start": "22:00", "end": "12:01"}, {}, True),
    ({"kind": "date_between", "start": "2026-11-24", "end": "2026-11-24"}, {}, True),
    ({"kind": "date_between", "end": "2026-11-23"}, {}, False),
    ({"kind": "all", "conditions": [{"kind": "guest"}, {"kind": "po_box"}]}, {}, False),
    ({"kind": "any", "conditions": [{"kind": "guest"}, {"kind": "po_box"}]}, {}, True),
    ({"kind": "not", "condition": {"kind": "po_box"}}, {}, True),
]
OF_SERVICES: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": "carrier_in", "carriers": ["wing"]}, {"air"}),
    ({"kind": "carrier_in", "carriers": ["p*"]}, {"ground", "slow"}),
    ({"kind": "service_in", "services": ["Ground", "a*"]}, {"ground", "air"}),
    ({"kind": "service_class_in", "classes": ["economy", "overnight"]}, {"air", "slow"}),
    ({"kind": "transit_days", "at_least": 4, "at_most": 8}, {"ground"}),
    ({"kind": "price", "at_least": "9.00", "below": "19.00", "currency": "EUR"}, {"slow"}),
    ({"kind": "price", "at_least": "0", "currency": "USD"}, set()),
    ({"kind": "not", "condition": {"kind": "carrier_in", "carriers": ["Wing"]}}, {"ground", "slow"}),
    ({"kind": "any", "conditions": [{"kind": "po_box"}, {"kind": "transit_days", "at_most": 1}]}, {"air"}),
    ({"kind": "all", "conditions": [{"kind": "guest"}, {"kind": "transit_days", "at_least": 9}]}, {"slow"}),
]
ZONES = [{"name": "near", "areas": [{"country": "AT", "postal_codes": ["1*"]}, {"country": "SK"}]}]
MARK = [{"kind": "fixed_change", "amount": "100.00", "currency": "EUR"}]


@pytest.mark.parametrize(("condition", "changes", "holds"), OF_CALLS)
def test_a_condition_on_the_call_holds_or_not(condition: dict[str, Any], changes: dict[str, Any], holds: bool) -> None:
    found = run(rules_of({"when": [condition], "then": MARK}, zones=ZONES), a_call(**changes))
    assert (prices(found)["ground"] == 10700) is holds
    assert [each.rule for each in found.passed] == ([] if holds else ["rule 0"])
    assert all("{" not in each.why.say() for each in found.passed)


@pytest.mark.parametrize(("condition", "chosen"), OF_SERVICES)
def test_a_condition_on_services_chooses_them(condition: dict[str, Any], chosen: set[str]) -> None:
    found = run(rules_of({"when": [condition], "then": MARK}))
    assert {code for code, minor in prices(found).items() if minor > 10_000} == chosen


def test_every_kind_of_condition_is_tried_here() -> None:
    tried = {condition["kind"] for condition, *_ in OF_CALLS} | {condition["kind"] for condition, _ in OF_SERVICES}
    assert tried == {kind.name for kind in kinds.conditions()}


@pytest.mark.parametrize(
    ("condition", "until"),
    [
        ({"kind": "weekday_in", "days": ["mon"]}, datetime(2026, 11, 24, 23, 0, tzinfo=UTC)),
        ({"kind": "time_between", "start": "08:00", "end": "14:30"}, datetime(2026, 11, 24, 13, 30, tzinfo=UTC)),
        ({"kind": "date_between", "start": "2026-12-24"}, datetime(2026, 12, 23, 23, 0, tzinfo=UTC)),
        (
            {"kind": "not", "condition": {"kind": "date_between", "end": "2026-12-24"}},
            datetime(2026, 12, 24, 23, tzinfo=UTC),
        ),
        ({"kind": "guest"}, None),
    ],
)
def test_an_answer_that_depends_on_the_moment_says_until_when_it_holds(
    condition: dict[str, Any], until: datetime | None
) -> None:
    assert run(rules_of({"when": [condition], "then": MARK})).valid_until == until


def test_a_window_in_the_hour_that_clocks_leave_out_still_ends() -> None:
    """On 29 March 2026 the clocks of Bratislava go from 02:00 to 03:00."""
    before = NOON.replace(month=3, day=29, hour=1, minute=30)
    rules = rules_of({"when": [{"kind": "time_between", "start": "01:00", "end": "02:30"}], "then": MARK})
    found = run(rules, a_call(now=before))
    assert found.valid_until is not None
    assert found.valid_until > before


@pytest.mark.parametrize(
    ("pattern", "code", "holds"),
    [
        ("80*", "8010", True), ("80*", "80", True), ("80*", "780", False), ("SW1A 1AA", "sw1a1aa", True),
        ("00-950", "00950", True), ("1000..1999", "1999", True), ("1000..1999", "2000", False),
        ("1000..1999", "1500-1234", True), ("1000..1999", "15", False), ("?A1*", "KA1 2BB", True),
        ("?A1*", "A1 2BB", False),
        ("811*", "", False),
    ],
)  # fmt: skip
def test_a_postal_code_fits_a_pattern_or_not(pattern: str, code: str, holds: bool) -> None:
    condition = {"kind": "postal_code_in", "country": "GB", "patterns": [pattern]}
    found = run(rules_of({"when": [condition], "then": MARK}), a_call(destination=Destination("GB", postal_code=code)))
    assert (prices(found)["ground"] == 10700) is holds


def test_an_unknown_weight_lies_nowhere() -> None:
    condition = {"kind": "weight", "below_g": 10_000, "items": {"skus": ["EBOOK"]}}
    assert prices(run(rules_of({"when": [condition], "then": MARK})))["ground"] == 700


def test_no_condition_minds_a_call_without_anything() -> None:
    """The price before the checkout may know neither place nor goods."""
    call = a_call(lines=(), sums=None, destination=None, parcels=(), location="")
    for condition, *_ in OF_CALLS:
        run(rules_of({"when": [condition], "then": MARK}, zones=ZONES), call, SERVICES)
