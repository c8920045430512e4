"""Which rate of a created shipment is bought: what the offer is bought as, within its limit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from carriers.rate import Rate
from connector.labels.choose import USUAL, Chosen, Terms, choose
from connector.labels.points import is_to_a_point, point_of
from connector.labels.seen import DEARER, LATER, day_seen, price_seen, seen_in
from connector.words.reason import Reason

RATES = (
    Rate("ca_1", "USPS", "Ground", Money(700, "EUR")),
    Rate("ca_2", "USPS", "Ground", Money(650, "EUR")),
    Rate("ca_1", "USPS", "Express", Money(1500, "EUR")),
    Rate("ca_3", "UPS", "Saver", Money(500, "USD")),
)


def as_(how: str = "service", **changes: Any) -> dict[str, Any]:
    usual = {"account_id": "", "account": "", "carrier": "USPS", "service": "Ground", "minor": 700, "currency": "EUR"}
    return usual | {"how": how, "limit_minor": None} | changes


def bought(bought_as: dict[str, Any], *, by_person: bool = False, terms: Terms = USUAL) -> tuple[str, str, int] | str:
    """Account, service and minor units of what is bought, or the code of the reason."""
    outcome = choose(RATES, bought_as, by_person=by_person, terms=terms)
    if isinstance(outcome, Reason):
        return outcome.code
    assert isinstance(outcome, Chosen)
    return outcome.rate.account, outcome.rate.service, outcome.rate.price.minor


def test_a_service_of_any_account_is_the_cheapest_of_them() -> None:
    assert bought(as_()) == ("ca_2", "Ground", 650)


def test_a_service_of_one_account_is_that_account_s_also_where_another_is_cheaper() -> None:
    assert bought(as_(account="ca_1")) == ("ca_1", "Ground", 700)


def test_a_quote_of_the_release_before_names_no_way() -> None:
    old = {"account_id": "a", "account": "ca_1", "carrier": "USPS", "service": "Ground", "minor": 700}
    assert bought(old | {"currency": "EUR"}) == ("ca_1", "Ground", 700)


def test_the_cheapest_is_found_among_prices_of_the_offer_s_currency() -> None:
    assert bought(as_("cheapest", carrier="", service="")) == ("ca_2", "Ground", 650)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"minor": 600}, ("ca_2", "Ground", 650)),  # Half a euro dearer is within the tolerance.
        ({"minor": 599}, "dearer_than_quoted"),
        ({"minor": 599, "limit_minor": 650}, ("ca_2", "Ground", 650)),
        ({"minor": 700, "limit_minor": 649}, "dearer_than_quoted"),
    ],
)
def test_the_merchant_s_limit_stands_for_the_tolerance(changes: dict[str, Any], outcome: object) -> None:
    assert bought(as_("cheapest", **changes)) == outcome


def test_a_click_alone_does_not_go_beyond_the_limit_and_one_that_saw_the_price_does() -> None:
    assert bought(as_("cheapest", limit_minor=1), by_person=True) == "dearer_than_quoted"
    saw = Terms(let_pass=["dearer_than_quoted 650 EUR"])
    assert bought(as_("cheapest", limit_minor=1), by_person=True, terms=saw) == ("ca_2", "Ground", 650)


def test_prices_in_other_currencies_alone_are_not_compared() -> None:
    assert bought(as_("cheapest", currency="GBP")) == "currency_changed"


# --- as promised, or what the shop chose -----------------------------------------------------------------------------

DAYS = {"Ground": date(2026, 11, 27), "Express": date(2026, 11, 25), "Saver": date(2026, 11, 24)}


def terms(otherwise: str = "hold", latest: date | None = date(2026, 11, 26), **changes: Any) -> Terms:
    return Terms(otherwise=otherwise, latest=latest, arrives=lambda rate: DAYS.get(rate.service), **changes)  # type: ignore[arg-type]


def test_a_service_that_would_come_late_waits_for_a_person() -> None:
    outcome = choose(RATES, as_(), by_person=False, terms=terms())
    assert isinstance(outcome, Reason)
    assert outcome.code == "later_than_promised"
    assert (outcome.params["now"], outcome.params["promised"]) == ("2026-11-27", "2026-11-26")


def test_a_person_buys_what_comes_late_once_they_saw_the_day() -> None:
    assert bought(as_(), by_person=True, terms=terms()) == "later_than_promised"
    saw = terms(let_pass=["later_than_promised 2026-11-27"])
    outcome = choose(RATES, as_(), by_person=True, terms=saw)
    assert isinstance(outcome, Chosen)
    assert (outcome.rate.service, outcome.why.code) == ("Ground", "beyond_promise")
    assert (outcome.why.params["promised"], outcome.why.params["arrives"]) == ("2026-11-26", "2026-11-27")
    earlier = terms(let_pass=["later_than_promised 2026-11-26"])
    assert bought(as_(), by_person=True, terms=earlier) == "later_than_promised"


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (["dearer_than_quoted 650 EUR"], ("ca_2", "Ground", 650)),
        (["dearer_than_quoted 600 EUR"], ("ca_2", "Ground", 650)),  # Half a euro more is within the tolerance.
        (["dearer_than_quoted 599 EUR"], "dearer_than_quoted"),
        (["dearer_than_quoted 650 USD"], "dearer_than_quoted"),
        (["dearer_than_quoted", "over_value"], "dearer_than_quoted"),
        (["dearer_than_quoted 100 EUR", "beyond_quote 650 EUR"], ("ca_2", "Ground", 650)),
    ],
)
def test_what_a_person_saw_bounds_what_is_bought(seen: list[str], outcome: object) -> None:
    assert bought(as_(minor=100), by_person=True, terms=Terms(let_pass=seen)) == outcome


def test_what_was_bought_beyond_the_promise_says_so_with_the_difference() -> None:
    outcome = choose(RATES, as_(minor=100), by_person=True, terms=Terms(let_pass=["dearer_than_quoted 650 EUR"]))
    assert isinstance(outcome, Chosen)
    assert (outcome.why.code, outcome.why.params["difference"]) == ("beyond_promise", Money(550, "EUR"))


@given(st.sampled_from(sorted(DEARER)), st.integers(0, 10**9), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_price_that_was_seen_is_read_again_as_it_was(code: str, minor: int, currency: str) -> None:
    kept = seen_in(Reason(code, {"now": Money(minor, currency)}))
    assert price_seen([kept, "risk_flagged"], currency) == Money(minor, currency)
    assert (price_seen([kept], "CHF"), day_seen([kept])) == (None, None)


def test_a_day_that_was_seen_is_read_again_as_it_was_and_other_reasons_are_none() -> None:
    kept = seen_in(Reason(LATER, {"now": "2026-11-27"}))
    assert (day_seen([kept]), price_seen([kept], "EUR")) == (date(2026, 11, 27), None)
    assert [seen_in(Reason(code)) for code in ("risk_flagged", LATER, "dearer_than_quoted")] == ["", "", ""]


@pytest.mark.parametrize("latest", [None, date(2026, 11, 27), date(2026, 11, 30)])
def test_what_comes_in_time_or_was_promised_for_no_day_is_bought(latest: date | None) -> None:
    assert bought(as_(), terms=terms(latest=latest)) == ("ca_2", "Ground", 650)


def test_a_service_whose_day_nobody_tells_is_kept() -> None:
    told = Terms(latest=date(2026, 11, 24), arrives=lambda _rate: None)
    assert bought(as_(), terms=told) == ("ca_2", "Ground", 650)


def test_a_substitute_comes_no_later_and_says_what_it_costs_more() -> None:
    outcome = choose(RATES, as_(), by_person=False, terms=terms("substitute"))
    assert isinstance(outcome, Chosen)
    assert (outcome.rate.service, outcome.why.code) == ("Express", "substituted")
    assert outcome.why.params["difference"] == Money(800, "EUR")
    assert "2026-11-27" in str(outcome.why.params["cause"])


@pytest.mark.parametrize(
    ("bought_as", "latest", "why"),
    [
        (as_(), date(2026, 11, 24), "later_than_promised"),  # Nothing in the offer's currency is there by then.
        (as_(service="Gone"), None, "service_gone"),  # Nothing says what "no later" is.
        (as_(limit_minor=1499), date(2026, 11, 26), "later_than_promised"),  # The merchant's own limit.
    ],
)
def test_where_nothing_fits_the_reason_stays(bought_as: dict[str, Any], latest: date | None, why: str) -> None:
    assert bought(bought_as, terms=terms("substitute", latest)) == why


def test_a_substitute_for_a_post_office_box_reaches_it() -> None:
    rates = (
        Rate("c", "USPS", "Ground", Money(700, "EUR")),
        Rate("c", "UPS", "Express", Money(900, "EUR")),
        Rate("c", "USPS", "Express", Money(1200, "EUR")),
    )
    outcome = choose(rates, as_(), by_person=False, terms=terms("substitute", po_box=True))
    assert isinstance(outcome, Chosen)
    assert (outcome.rate.carrier, outcome.rate.service) == ("USPS", "Express")


def test_what_its_carrier_would_refuse_the_address_for_stands_in_for_nothing() -> None:
    rates = (
        Rate("c", "UPS", "Express", Money(900, "EUR")),
        Rate("c", "USPS", "Express", Money(1200, "EUR")),
    )
    no_phone = Reason("address_refused", {"carrier": "UPS", "faults": "No phone."})
    told = terms("substitute", refuses=lambda rate: no_phone if rate.carrier == "UPS" else None)
    outcome = choose(rates, as_(), by_person=False, terms=told)
    assert isinstance(outcome, Chosen)
    assert (outcome.rate.carrier, outcome.rate.service) == ("USPS", "Express")
    alone = choose(rates[:1], as_(), by_person=False, terms=told)
    assert isinstance(alone, Reason)
    assert alone.code == "service_gone"


def test_where_the_cheapest_reaches_no_post_office_box_it_is_not_called_late() -> None:
    """Its address is looked at with its carrier next."""
    rates = (Rate("c", "UPS", "Express", Money(700, "EUR")),)
    outcome = choose(rates, as_("cheapest"), by_person=False, terms=terms(po_box=True))
    assert isinstance(outcome, Chosen)


def test_a_service_that_is_gone_is_stood_in_for() -> None:
    outcome = choose(RATES, as_(service="Gone"), by_person=False, terms=terms("substitute"))
    assert isinstance(outcome, Chosen)
    assert outcome.rate.service == "Express"


def test_the_cheapest_is_the_cheapest_that_keeps_the_promise() -> None:
    outcome = choose(RATES, as_("cheapest", minor=1500), by_person=False, terms=terms())
    assert isinstance(outcome, Chosen)
    assert outcome.rate.service == "Express"


@pytest.mark.parametrize(
    ("percent", "amount", "quoted", "allowed"),
    [
        ("5", "0.50", Money(1000, "EUR"), 50),
        ("5", "0.50", Money(2000, "EUR"), 100),
        ("0", "0", Money(1000, "EUR"), 1),
        ("10", "0", Money(999, "EUR"), 100),
        ("5", "0.50", Money(100, "JPY"), 5),
        ("0", "0.50", Money(100, "JPY"), 1),
        ("0", "0.50", Money(10000, "KWD"), 500),
    ],
)
def test_the_shop_s_tolerance_is_the_larger_of_both_and_at_least_one_minor_unit(
    percent: str, amount: str, quoted: Money, allowed: int
) -> None:
    shop = Terms(percent=Decimal(percent), amount=Decimal(amount))
    assert shop.tolerance(quoted) == Money(allowed, quoted.currency)


# --- an order whose quote is lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "paid", "currency", "outcome"),
    [
        ("usps-ground", 650, "EUR", ("ca_2", "Ground", 650)),
        ("usps-ground", 600, "EUR", ("ca_2", "Ground", 650)),
        ("usps-ground", 599, "EUR", "quote_lost_dearer"),
        ("usps-ground", 0, "EUR", "quote_lost_dearer"),
        ("ups-saver", 500, "EUR", "quote_lost_dearer"),
        ("store-standard", 650, "EUR", "quote_lost"),
    ],
)
def test_without_a_quote_the_chosen_service_is_priced_again_and_bought_for_what_was_paid(
    service: str, paid: int, currency: str, outcome: object
) -> None:
    assert bought(as_("offer", carrier="", service=service, minor=paid, currency=currency)) == outcome


def test_a_person_buys_the_chosen_service_at_the_price_they_saw_or_the_cheapest_where_it_is_not_known() -> None:
    lost, saw = as_("offer", carrier="", service="ups-saver", minor=100), Terms(let_pass=["quote_lost_dearer 500 USD"])
    assert bought(lost, by_person=True) == "quote_lost_dearer"
    assert bought(lost, by_person=True, terms=saw) == ("ca_3", "Saver", 500)
    unknown = choose(RATES, as_("offer", carrier="", service="store-standard"), by_person=True)
    assert isinstance(unknown, Chosen)
    assert unknown.why.code == "cheapest_without_quote"


# --- pick-up points --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["UPSAccessPointEconomy", "ParcelShop", "PICK_UP_POINT", "Locker", "Relais Colis"])
def test_a_service_to_a_pick_up_point_is_known_by_its_name(service: str) -> None:
    assert is_to_a_point(service)
    assert point_of({"carrier": "UPS", "service": service}) == {"carrier": "UPS", "service": service}


@pytest.mark.parametrize("service", ["Ground", "PriorityMailExpress", "FEDEX_2_DAY", "Saver", ""])
def test_other_services_go_to_the_door(service: str) -> None:
    assert not is_to_a_point(service)


@pytest.mark.parametrize(
    ("point", "chosen"),
    [("", "Express"), ("UPS", "AccessPoint"), ("DPD", None)],
)
def test_what_stands_in_ends_where_the_buyer_chose(point: str, chosen: str | None) -> None:
    """To a point of the same network for a parcel to a point, and to the door for all others, though it costs more."""
    rates = (
        Rate("ca_1", "USPS", "Express", Money(1500, "EUR")),
        Rate("ca_3", "UPS", "AccessPoint", Money(600, "EUR")),
        Rate("ca_4", "GLS", "ParcelShop", Money(500, "EUR")),
    )
    there = Terms(otherwise="substitute", latest=date(2026, 11, 26), arrives=lambda _: date(2026, 11, 25), point=point)
    outcome = choose(rates, as_(service="Gone"), by_person=False, terms=there)
    assert (outcome.rate.service if isinstance(outcome, Chosen) else None) == chosen


def test_goods_that_nobody_quoted_are_bought_by_a_person_only() -> None:
    outcome = choose(RATES, as_(minor=0), by_person=False, terms=terms("substitute", latest=date(2026, 11, 30)))
    assert isinstance(outcome, Reason)
    assert outcome.code == "beyond_quote"
    assert bought(as_(minor=0), by_person=True) == "beyond_quote"
    assert isinstance(
        choose(RATES, as_(minor=0), by_person=True, terms=Terms(let_pass=["beyond_quote 650 EUR"])), Chosen
    )
