"""Which rate of a created shipment is bought: what the offer is bought as, within its limit."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.money import Money
from carriers.rate import Rate
from connector.labels.choose import Chosen, choose
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


def bought(bought_as: dict[str, Any], *, by_person: bool = False) -> tuple[str, str, int] | str:
    outcome = choose(RATES, bought_as, by_person=by_person)
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


def test_a_person_may_go_beyond_the_limit() -> None:
    assert bought(as_("cheapest", limit_minor=1), by_person=True) == ("ca_2", "Ground", 650)


def test_prices_in_other_currencies_alone_are_not_compared() -> None:
    assert bought(as_("cheapest", currency="GBP")) == "currency_changed"


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


def test_a_person_buys_the_chosen_service_at_any_price_or_the_cheapest_where_it_is_not_known() -> None:
    assert bought(as_("offer", carrier="", service="ups-saver", minor=100), by_person=True) == ("ca_3", "Saver", 500)
    unknown = choose(RATES, as_("offer", carrier="", service="store-standard"), by_person=True)
    assert isinstance(unknown, Chosen)
    assert unknown.why.code == "cheapest_without_quote"
