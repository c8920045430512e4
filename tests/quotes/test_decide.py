"""The decision: pure, complete in its reasons, and one carrier's trouble is nobody else's."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from connector.quotes.answers import AccountAnswer, KeptProblem
from connector.quotes.decide import decide
from connector.quotes.decision import Decision
from connector.quotes.facts import Facts
from connector.quotes.guarding import GUARD
from connector.quotes.reduced import Place, ReducedCart
from connector.quotes.services import service_code, service_name
from connector.store import Answer, UseBackup
from connector.words.reason import Reason, codes
from tests.quotes.world import (
    NOW,
    WIEN,
    answered,
    cart,
    facts,
    line,
    moments,
    rate,
    reduced_carts,
    refused,
    settings,
    some_answers,
    some_facts,
)

SAFETY = {"safety_rates": "Standard:standard:6.90,Express:express:14.90", "backup": "safety"}


def code(reason: Reason | None) -> str:
    assert reason is not None
    return reason.code


def prices(decision: Decision) -> dict[str, int]:
    return {offer.code: offer.minor for offer in decision.offers}


def why_withheld(decision: Decision) -> list[tuple[str, str, str]]:
    return [(each.account_id, each.service, code(each.reason)) for each in decision.withheld]


# --- pure ---------------------------------------------------------------------------------------------------------


@effort(max_examples=60)
@given(reduced_carts(), some_facts, some_answers(), moments)
def test_equal_input_gives_equal_output_also_after_it_was_stored(
    asked: ReducedCart, using: Facts, answers: tuple[AccountAnswer, ...], now: Any
) -> None:
    decision = decide(asked, using, answers, now)
    again = decide(
        ReducedCart.from_json(asked.to_json()),
        Facts.from_plain(json.loads(json.dumps(using.to_plain()))),
        [AccountAnswer.from_json(each.to_json()) for each in answers],
        now,
    )
    assert again == decision
    assert Decision.from_json(decision.to_json()) == decision
    assert again.answer("quo_1", now) == decision.answer("quo_1", now)


@effort(max_examples=60)
@given(reduced_carts(), some_facts, some_answers(), moments)
def test_what_is_decided_is_whole_and_has_its_reasons(
    asked: ReducedCart, using: Facts, answers: tuple[AccountAnswer, ...], now: Any
) -> None:
    decision = decide(asked, using, answers, now, with_passed=True)
    assert (decision.outcome == "offers") == bool(decision.offers)
    assert decision.why is not None or decision.outcome == "offers"
    assert len({offer.code for offer in decision.offers}) == len(decision.offers)
    for offer in decision.offers:
        assert offer.currency == asked.currency
        assert offer.steps[-1].minor == offer.minor >= 0
        if offer.source == "live":
            assert offer.bought_as is not None
            first = offer.steps[0]
            assert code(first.reason) == "step_carrier"
            assert (first.minor, first.currency) == (offer.bought_as.minor, offer.bought_as.currency)
    said = [decision.why, *(each.reason for each in decision.withheld), *decision.notes]
    said += [why for _, why in decision.passed_rules] + [step.reason for o in decision.offers for step in o.steps]
    assert {code(each) for each in said if each} <= codes()


@effort(max_examples=60)
@given(some_answers(), moments)
def test_each_rate_is_offered_or_withheld_and_each_account_accounted_for(
    answers: tuple[AccountAnswer, ...], now: Any
) -> None:
    decision = decide(cart(), facts(), answers, now)
    rates = sum(len(answer.rates) for answer in answers)
    silent = sum(not answer.rates and not answer.problems for answer in answers)
    problems = sum(len(answer.problems) for answer in answers)
    live = sum(offer.source == "live" for offer in decision.offers)
    assert live + len(decision.withheld) == rates + problems + silent
    shown = {offer.bought_as.account_id for offer in decision.offers if offer.bought_as}
    assert shown | {each.account_id for each in decision.withheld} == {answer.account_id for answer in answers}


@pytest.mark.need(8)
@pytest.mark.complaint(25)
@pytest.mark.complaint(26)
@effort(max_examples=60)
@given(some_answers(), some_answers())
def test_what_fails_takes_nothing_from_the_others(
    answers: tuple[AccountAnswer, ...], others: tuple[AccountAnswer, ...]
) -> None:
    """More accounts never make an offer dearer or take one away: least of all accounts that fail."""
    more = tuple(each.but(account_id=f"more_{i}") for i, each in enumerate(others))
    before = prices(decide(cart(), facts(), answers, NOW))
    after = prices(decide(cart(), facts(), (*answers, *more), NOW))
    assert all(after[name] <= price for name, price in before.items())


@pytest.mark.need(8)
def test_the_cheapest_of_several_carriers_comes_first() -> None:
    answers = (
        answered(rate(900, "Ground", "UPS"), rate(650, "Priority", "USPS"), account_id="acc_1"),
        refused("timeout", account_id="acc_2", state="late"),
        answered(rate(600, "Economy", "DHL"), account_id="acc_3"),
    )
    decision = decide(cart(), facts(), answers, NOW)
    assert prices(decision) == {"dhl-economy": 600, "usps-priority": 650, "ups-ground": 900}
    assert [offer.minor for offer in decision.offers] == [600, 650, 900]
    assert why_withheld(decision) == [("acc_2", "", "problem_timeout")]


# --- the choice ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_of_accounts_with_the_same_service_the_cheapest_counts(turned: bool) -> None:
    accounts = [answered(rate(900), account_id="dear"), answered(rate(700), account_id="cheap")]
    decision = decide(cart(), facts(), accounts[::-1] if turned else accounts, NOW)
    (offer,) = decision.offers
    assert offer.bought_as is not None
    assert (offer.minor, offer.bought_as.account_id, offer.bought_as.minor) == (700, "cheap", 700)
    assert why_withheld(decision) == [("dear", "Ground", "dearer_double")]


def test_of_equal_prices_the_first_account_counts() -> None:
    decision = decide(cart(), facts(), [answered(rate(700), account_id=name) for name in ("one", "two")], NOW)
    (offer,) = decision.offers
    assert offer.bought_as is not None
    assert offer.bought_as.account_id == "one"
    assert why_withheld(decision) == [("two", "Ground", "dearer_double")]


def test_a_price_in_another_currency_is_withheld_with_both_named() -> None:
    decision = decide(cart(), facts(), [answered(rate(700), rate(500, "Express", currency="USD"))], NOW)
    assert prices(decision) == {"fake-ground": 700}
    (withheld,) = decision.withheld
    said = withheld.reason.say()
    assert said == "The price of 5.00 USD is not in EUR, and no exchange rate is set."


def test_an_offer_says_what_it_is_bought_as_and_how_its_price_came_about() -> None:
    using = facts(settings(markup_percent="10", markup_fixed="0.30", threshold="50.00:fake-ground"))
    decision = decide(cart(line(price=5000)), using, [answered(rate(700), rate(1500, "Express"))], NOW)
    ground, express = decision.offers
    assert [(code(step.reason), step.minor) for step in ground.steps] == [
        ("step_carrier", 700),
        ("step_percent", 770),
        ("step_fixed", 800),
        ("step_threshold_free", 0),
    ]
    assert [step.minor for step in express.steps] == [1500, 1650, 1680]
    assert ground.bought_as is not None
    assert ground.bought_as.whole() == {
        "account_id": "acc_1",
        "account": "ca_1",
        "carrier": "Fake",
        "service": "Ground",
        "minor": 700,
        "currency": "EUR",
        "how": "service",
        "limit_minor": None,
        "parts": (),
    }


def test_a_rule_that_did_not_apply_is_told_with_what_was_missing_where_that_is_asked_for() -> None:
    asked, using = cart(line(price=4999)), facts(settings(threshold="50.00"))
    assert decide(asked, using, [answered(rate())], NOW).passed_rules == ()
    decision = decide(asked, using, [answered(rate())], NOW, with_passed=True)
    ((name, why),) = [each for each in decision.passed_rules if each[0] != GUARD]
    assert (name, why.say()) == (
        "Free shipping threshold",
        "0.01 EUR is missing to 50.00 EUR.",
    )


def test_days_of_arrival_are_each_service_s_own() -> None:
    days = {"Slow": 5, "Fast": 1, "Unknown": None, "Impossible": -3, "Absurd": 10**12}
    answers = [answered(*(rate(100, name, transit_days=count) for name, count in days.items()))]
    offers = {offer.code: offer for offer in decide(cart(locale="sk"), facts(), answers, NOW).offers}
    assert str(offers["fake-fast"].earliest) == "2026-11-25 12:00:00+01:00"
    assert str(offers["fake-slow"].latest) == "2026-12-01 12:00:00+01:00"
    assert offers["fake-fast"].description == "Doručíme st\u00a025.\u00a0novembra"
    for name in ("unknown", "impossible", "absurd"):
        assert (offers[f"fake-{name}"].earliest, offers[f"fake-{name}"].description) == (
            None,
            "Doručenie so sledovaním",
        )


def test_an_answer_is_out_of_date_when_the_shop_s_day_ends() -> None:
    decision = decide(cart(), facts(timezone="America/New_York"), [answered(rate())], NOW)
    assert decision.valid_until is not None
    assert decision.valid_until.isoformat() == "2026-11-24T05:00:00+00:00"


# --- codes and names ----------------------------------------------------------------------------------------------


@pytest.mark.complaint(32)
@effort(max_examples=60)
@given(some_answers(), st.integers(0, 10**6), st.integers(0, 400), moments)
def test_codes_and_names_depend_on_carrier_and_service_alone(
    answers: tuple[AccountAnswer, ...], more: int, days: int, now: Any
) -> None:
    """No price, date, account or id shows in them, so that a checkout knows the option again."""

    def named(decision: Decision) -> dict[tuple[str, str], tuple[str, str]]:
        return {(o.bought_as.carrier, o.bought_as.service): (o.code, o.name) for o in decision.offers if o.bought_as}

    later = [
        answer.but(
            account_id=f"{answer.account_id}_{more}",
            rates=tuple(each.but(minor=each.minor + more) for each in answer.rates),
        )
        for answer in answers
    ]
    first = named(decide(cart(), facts(), answers, now))
    second = named(decide(cart(), facts(settings_version=9), later, now + timedelta(days=days)))
    assert first == second


@pytest.mark.parametrize(
    ("carrier", "service", "expected"),
    [
        ("USPS", "GroundAdvantage", ("usps-groundadvantage", "USPS Ground Advantage")),
        ("UPS", "2ndDayAirAM", ("ups-2nddayairam", "UPS 2nd Day Air AM")),
        ("FedEx", "FEDEX_2_DAY", ("fedex-fedex-2-day", "FEDEX 2 DAY")),
        ("Pošta", "Doporučene", ("pošta-doporučene", "Pošta Doporučene")),
        ("", "Economy", ("economy", "Economy")),
        ("DHL", "", ("dhl", "DHL")),
        ("", "!", ("shipping", "!")),
    ],
)
def test_codes_and_names_read_well(carrier: str, service: str, expected: tuple[str, str]) -> None:
    assert (service_code(carrier, service), service_name(carrier, service)) == expected


def test_services_in_any_script_are_services_of_their_own() -> None:
    answers = [answered(rate(700, "Посылка", "СДЭК"), rate(900, "Экспресс", "СДЭК"), rate(800, "特快", "顺丰"))]
    assert len(decide(cart(), facts(), answers, NOW).offers) == 3


@given(st.text(max_size=15), st.text(max_size=15))
def test_a_code_is_one_word_and_never_empty(carrier: str, service: str) -> None:
    assert re.fullmatch(r"\w[\w-]*", service_code(carrier, service))


# --- no prices ----------------------------------------------------------------------------------------------------


def test_nobody_goes_there_is_an_empty_answer() -> None:
    answers = [refused("no_service", "no_service"), refused("no_service", account_id="acc_2")]
    decision = decide(cart(), facts(settings(**SAFETY)), answers, NOW)
    assert (decision.outcome, code(decision.why)) == ("not_served", "no_carrier_serves")
    assert decision.answer("quo_1", NOW) == Answer((), "quo_1", NOW, decision.valid_until)
    assert len(decision.withheld) == 3


@pytest.mark.complaint(25)
@pytest.mark.parametrize(
    "other",
    [
        refused("timeout", account_id="acc_2", state="late"),
        refused("unreachable", account_id="acc_2", state="failed"),
        refused("no_service", "timeout", account_id="acc_2"),
        refused("no_service", account_id="acc_2", state="failed"),
        refused("from_a_later_version", account_id="acc_2"),
        answered(account_id="acc_2"),
        answered(rate(currency="USD"), account_id="acc_2"),
        answered(
            rate(currency="USD"),
            account_id="acc_2",
            problems=(KeptProblem(account="ca_2", carrier="Fake", code="no_service"),),
        ),
    ],
)
def test_not_knowing_is_never_an_empty_answer(other: AccountAnswer) -> None:
    decision = decide(cart(), facts(), [refused("no_service"), other], NOW)
    assert (decision.outcome, code(decision.why)) == ("backup", "no_prices")
    assert decision.answer("quo_1", NOW) == UseBackup("no_prices")
    assert {each.account_id for each in decision.withheld} == {"acc_1", "acc_2"}


def test_a_problem_of_a_later_version_has_a_reason_all_the_same() -> None:
    decision = decide(cart(), facts(), [refused("from_a_later_version")], NOW)
    assert why_withheld(decision) == [("acc_1", "", "problem_carrier_error")]


def test_a_service_that_does_not_take_every_parcel_is_named() -> None:
    problem = KeptProblem(account="ca_1", carrier="Fake", code="not_every_parcel", message="Economy")
    decision = decide(cart(), facts(), [answered(rate(), problems=(problem,))], NOW)
    assert why_withheld(decision) == [("acc_1", "Economy", "problem_not_every_parcel")]
    assert decision.withheld[0].said == ""


@pytest.mark.parametrize(
    ("asked", "using", "expected"),
    [
        (cart(), facts(origin=None), "origin_missing"),
        (cart(destination=None), facts(), "destination_missing"),
        (cart(line(None, sku="AIR")), facts(), "weight_missing"),
        (cart(), facts(settings()), "no_carriers"),
        (
            cart(line(5000)),
            facts(settings(default_carton="300x200x150:180:4000")),
            "too_heavy",
        ),
    ],
)
def test_what_is_not_known_is_named_and_the_platform_s_backup_used(
    asked: ReducedCart, using: Facts, expected: str
) -> None:
    decision = decide(asked, using, (), NOW)
    assert (decision.outcome, code(decision.why)) == ("backup", expected)


def test_a_product_without_weight_is_named_and_a_default_weight_noted() -> None:
    asked = cart(line(None, sku="AIR"), line(None, sku="", name="Feather"))
    assert "AIR" in (decide(asked, facts(), (), NOW).why or Reason("none")).say()
    decision = decide(asked, facts(settings(default_item_weight_g="250")), [answered(rate())], NOW)
    assert [note.say() for note in decision.notes] == [
        "AIR has no weight; 250 g a unit was assumed.",
        "Feather has no weight; 250 g a unit was assumed.",
    ]


@pytest.mark.parametrize("using", [facts(), facts(origin=None), facts(settings(**SAFETY))])
def test_nothing_that_needs_shipping_is_an_empty_answer_wherever_it_leaves_from(using: Facts) -> None:
    for destination in (WIEN, None):
        asked = cart(line(requires_shipping=False), destination=destination)
        decision = decide(asked, using, (), NOW)
        assert (decision.outcome, code(decision.why)) == ("not_served", "nothing_to_ship")


def test_lines_that_need_no_shipping_need_no_weight() -> None:
    decision = decide(cart(line(), line(None, requires_shipping=False)), facts(), [answered(rate())], NOW)
    assert prices(decision) == {"fake-ground": 700}


# --- the merchant's own rates -------------------------------------------------------------------------------------


@pytest.mark.complaint(27)
@pytest.mark.parametrize(
    ("asked", "using", "answers", "expected"),
    [
        (cart(), {}, [refused("timeout", state="late")], "no_prices"),
        (cart(), {}, [], "no_carriers"),
        (cart(), {"origin": None}, [], "origin_missing"),
        (cart(line(None)), {}, [], "weight_missing"),
    ],
)
def test_with_safety_rates_a_price_that_is_not_known_is_the_merchant_s_own_with_the_reason(
    asked: ReducedCart, using: dict[str, Any], answers: list[AccountAnswer], expected: str
) -> None:
    decision = decide(asked, facts(settings(**SAFETY, markup_percent="50"), **using), answers, NOW)
    assert (decision.outcome, code(decision.why)) == ("offers", expected)
    assert [(offer.code, offer.name, offer.minor, offer.source) for offer in decision.offers] == [
        ("standard", "Standard", 690, "safety"),
        ("express", "Express", 1490, "safety"),
    ]
    assert all([code(step.reason) for step in offer.steps] == ["step_safety"] for offer in decision.offers)
    assert [offer.bought_as.how for offer in decision.offers if offer.bought_as] == ["cheapest", "cheapest"]


def test_safety_rates_do_not_mix_with_prices_that_are_known() -> None:
    decision = decide(cart(), facts(settings(**SAFETY)), [answered(rate()), refused("timeout")], NOW)
    assert [offer.source for offer in decision.offers] == ["live"]


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
def test_safety_rates_in_another_currency_are_withheld(currency: str) -> None:
    """6.90 EUR are not 6.90 dollars, and no yen at all."""
    decision = decide(cart(currency=currency), facts(settings(**SAFETY)), [refused("timeout", state="late")], NOW)
    assert (decision.outcome, code(decision.why)) == ("backup", "no_prices")
    assert [code(each.reason) for each in decision.withheld] == ["problem_timeout", "other_currency", "other_currency"]


def test_a_place_that_no_carrier_goes_to_gets_no_safety_rates() -> None:
    asked = cart(destination=Place(country="AQ"))
    assert decide(asked, facts(settings(**SAFETY)), [refused("no_service")], NOW).outcome == "not_served"


# --- currencies, price basis, bought as ---------------------------------------------------------------------------


def test_a_price_in_another_currency_is_exchanged_by_the_merchant_s_rate_and_the_step_shows_it() -> None:
    using = facts(settings(exchange_rates="USD/EUR:0.92:2026-11-20:ECB"))
    decision = decide(cart(), using, (answered(rate(1005, currency="USD")),), NOW)
    (offer,) = decision.offers
    assert (offer.minor, offer.currency) == (925, "EUR")  # 9.246
    assert [(step.minor, step.currency) for step in offer.steps] == [(1005, "USD"), (925, "EUR")]
    assert offer.steps[1].reason.say() == "exchanged at 1 USD = 0.92 EUR (ECB, 2026-11-20)"
    assert offer.bought_as is not None
    assert (offer.bought_as.minor, offer.bought_as.currency) == (1005, "USD")


def test_a_rate_serves_the_other_way_too_and_the_one_set_for_this_way_goes_first() -> None:
    back = facts(settings(exchange_rates="EUR/USD:1.25"))
    both = facts(settings(exchange_rates="EUR/USD:1.25,USD/EUR:0.9"))
    answers = (answered(rate(1000, currency="USD")),)
    assert prices(decide(cart(), back, answers, NOW)) == {"fake-ground": 800}
    assert prices(decide(cart(), both, answers, NOW)) == {"fake-ground": 900}


def test_without_an_exchange_rate_an_offer_is_withheld_with_the_reason() -> None:
    using = facts(settings(exchange_rates="GBP/EUR:1.17"))
    decision = decide(cart(), using, (answered(rate(1005, currency="USD"), rate(900, "Express")),), NOW)
    assert prices(decision) == {"fake-express": 900}
    assert why_withheld(decision) == [("acc_1", "Ground", "other_currency")]


def test_services_in_several_currencies_are_compared_in_the_cart_s_own() -> None:
    using = facts(settings(exchange_rates="JPY/EUR:0.006"))
    dear, cheap = answered(rate(1500, currency="JPY"), account_id="yen"), answered(rate(901), account_id="euro")
    decision = decide(cart(), using, (dear, cheap), NOW)
    assert prices(decision) == {"fake-ground": 900}
    assert why_withheld(decision) == [("euro", "Ground", "dearer_double")]


def test_a_safety_rate_is_exchanged_as_well() -> None:
    using = facts(settings(**SAFETY, exchange_rates="EUR/USD:1.10"))
    decision = decide(cart(currency="USD"), using, (refused("timeout"),), NOW)
    assert prices(decision) == {"standard": 759, "express": 1639}


def test_the_list_price_is_a_step_where_the_shop_sells_at_list_prices() -> None:
    listed = answered(rate(700, list_minor=950), rate(1500, "Express"))
    decision = decide(cart(), facts(settings(price_basis="list")), (listed,), NOW)
    assert prices(decision) == {"fake-ground": 950, "fake-express": 1500}
    ground = decision.offers[0]
    assert [step.minor for step in ground.steps] == [700, 950]
    assert ground.bought_as is not None
    assert ground.bought_as.minor == 700, "the label costs what the account pays"
    assert prices(decide(cart(), facts(), (listed,), NOW)) == {"fake-ground": 700, "fake-express": 1500}


def test_an_offer_is_bought_as_the_merchant_set_it() -> None:
    chosen = settings(**SAFETY, bought_as="standard:USPS/GroundAdvantage:8.00,express:by_hand,fake-ground:cheapest")
    decision = decide(cart(), facts(chosen), (refused("timeout"),), NOW)
    standard, express = (offer.bought_as for offer in decision.offers)
    assert standard is not None
    assert express is not None
    assert (standard.how, standard.carrier, standard.service, standard.limit_minor) == (
        "service",
        "USPS",
        "GroundAdvantage",
        800,
    )
    assert (express.how, express.said()) == ("by_hand", "Bought by hand")
    (ground,) = decide(cart(), facts(chosen), (answered(rate()),), NOW).offers
    assert ground.bought_as is not None
    assert (ground.bought_as.how, ground.bought_as.account_id, ground.bought_as.minor) == ("cheapest", "", 700)
