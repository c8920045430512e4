"""Free shipping in a whole decision: while carriers are silent, with safety rates, published, and under the guard."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.money import Money
from connector.catalogue.product import Amount, Product
from connector.quotes.answers import AccountAnswer, KeptProblem, UsualService
from connector.quotes.decide import decide
from connector.quotes.decision import Decision
from connector.quotes.reduced import ReducedTotals
from connector.quotes.services import silent_carriers
from connector.quotes.shown import with_shown
from connector.rules.classes import class_of
from connector.rules.facts import Silent
from connector.rules.ruleset import RuleSet
from connector.rules.thresholds import Threshold
from connector.shop_settings import ShopSettings
from tests.quotes.world import NOW, answered, cart, facts, line, rate, settings

EXPRESS = rate(1290, "Express", "Swift")
SAFETY = {"safety_rates": "Safe:safe:5.90,Quick:quick:14.90:express", "backup": "safety"}


def shop(threshold: dict[str, Any] | None = None, /, **changes: str) -> ShopSettings:
    body = {"name": "From 50", "amount": "50.00", "currency": "EUR", "service_class": "standard", **(threshold or {})}
    return settings(**changes).model_copy(update={"rules": RuleSet(thresholds=(Threshold.model_validate(body),))})


def prices(given: ShopSettings, *answers: AccountAnswer, price: int = 5000, **fields: Any) -> dict[str, int]:
    decision = decide(cart(line(price=price, **fields)), facts(given), answers, NOW)
    return {offer.code: offer.minor for offer in decision.offers}


def silent(
    account_id: str = "acc_2", *rates: Any, covered: bool = False, missing: tuple[UsualService, ...] | None = None
) -> AccountAnswer:
    problem = KeptProblem(account="ca_2", carrier="Ship", code="timeout")
    return AccountAnswer(
        account_id=account_id,
        carrier="ship",
        state="answered",
        rates=rates,
        problems=(problem,),
        covered=covered,
        missing=missing,
    )


def usual(service: str, days: int | None = None) -> UsualService:
    return UsualService(carrier="Ship", service=service, transit_days=days)


@pytest.mark.need(2)
def test_the_class_is_free_and_express_costs_the_difference() -> None:
    answers = [answered(rate(700), EXPRESS)]
    assert prices(shop(), *answers) == {"fake-ground": 0, "swift-express": 590}
    assert prices(shop(), *answers, price=4999) == {"fake-ground": 700, "swift-express": 1290}


def test_nothing_else_becomes_free_while_the_class_s_carrier_is_silent() -> None:
    assert prices(shop(), answered(EXPRESS), silent()) == {"swift-express": 1290}
    assert prices(shop({"service_class": ""}), answered(EXPRESS), silent()) == {"swift-express": 1290}


def test_the_safety_rate_of_the_silent_class_appears_and_is_free() -> None:
    assert prices(shop(None, **SAFETY), answered(EXPRESS), silent()) == {"swift-express": 700, "safe": 0}
    assert prices(shop(None, **SAFETY), answered(EXPRESS), silent(), price=4999) == {"swift-express": 1290}


def test_with_no_price_at_all_only_the_class_s_safety_rate_is_free() -> None:
    assert prices(shop({"faster": "full_price"}, **SAFETY), silent()) == {"safe": 0, "quick": 1490}


def test_a_part_of_a_carriers_prices_that_stands_in_is_not_all_of_them() -> None:
    """Express is known from before, standard is not: what is left is not the cheapest service."""
    cheapest = shop({"service_class": "", "faster": "full_price"})
    known = EXPRESS.but(stand_in="learned", samples=9)
    assert prices(cheapest, silent("acc_2", known)) == {"swift-express": 1290}
    assert prices(cheapest, silent("acc_2", rate(700, stand_in="learned"), known, covered=True)) == {
        "fake-ground": 0,
        "swift-express": 1290,
    }


@pytest.mark.need(2)
@pytest.mark.parametrize(
    ("missing", "free"),
    [
        (None, False),
        ((usual("Ground"),), True),
        ((usual("Express"), usual("Overnight")), True),
        ((usual("Economy"),), False),
        ((usual("Plain", 9),), False),
        ((usual("Plain", 2), usual("Economy")), False),
        ((), True),
    ],
)
def test_the_cheapest_is_free_if_the_silent_carrier_is_known_to_offer_nothing_slower(
    missing: tuple[UsualService, ...] | None, free: bool
) -> None:
    found = prices(shop({"service_class": ""}), answered(rate(700)), silent(missing=missing))
    assert found == {"fake-ground": 0 if free else 700}


def test_a_safety_rate_stands_in_only_for_a_class_that_the_silent_carrier_may_offer() -> None:
    only_express = silent(missing=(usual("Express"),))
    assert prices(shop(None, **SAFETY), answered(EXPRESS), only_express) == {"swift-express": 1290}
    ground = silent(missing=(usual("Ground"),))
    assert prices(shop(None, **SAFETY), answered(EXPRESS), ground) == {"swift-express": 700, "safe": 0}


def test_of_two_silent_accounts_of_a_carrier_both_are_missing() -> None:
    named = silent("acc_2", missing=(usual("Express"),)), silent("acc_3", missing=(usual("Economy"),))
    (carrier,) = silent_carriers(named, class_of(()))
    assert carrier == Silent("Ship", frozenset({("ship-express", "express"), ("ship-economy", "economy")}))
    (carrier,) = silent_carriers((*named, silent("acc_4")), class_of(()))
    assert carrier == Silent("Ship", None)


def test_what_is_missing_is_kept_with_the_answer() -> None:
    """A replay decides the same, and answers that were stored before are read as not knowing."""
    answer = silent(missing=(usual("Plain", 9),))
    assert AccountAnswer.from_json(answer.to_json()) == answer
    assert AccountAnswer.from_json(b'{"account_id":"a","carrier":"b","state":"late"}').missing is None


def test_a_price_shown_before_is_not_missing_any_more() -> None:
    later = silent(missing=(usual("Ground"), usual("Economy")))
    before = silent("acc_2", rate(700, "Ground", "Ship"))
    assert with_shown(later, before).missing == (usual("Economy"),)


@pytest.mark.parametrize("whole", [True, False])
def test_prices_shown_before_cover_a_silent_carrier_if_they_were_whole(whole: bool) -> None:
    before = answered(rate(700), EXPRESS, account_id="acc_2") if whole else silent("acc_2", EXPRESS)
    assert with_shown(silent(), before).covered == whole


def test_a_threshold_left_to_the_store_changes_no_price() -> None:
    assert prices(shop({"by_store": True}), answered(rate(700))) == {"fake-ground": 700}


def guarded(act: str, cost: int, **changes: str) -> Decision:
    """A cart of 50.00 that ships free; a label of 7.00."""
    rules = {"guard_fee": "0", "guard_adjustment": "0", "guard_tax": "0", "guard": act, **changes}
    product = Product(unit_cost=Amount(minor=cost, currency="EUR"))
    totals = ReducedTotals(subtotal=5000, discount=0)
    asked = cart(line(price=5000, product=product), totals=totals)
    return decide(asked, facts(shop(None, **rules)), [answered(rate(700))], NOW, with_passed=True)


@pytest.mark.need(3)
@pytest.mark.parametrize(
    ("act", "cost", "price", "said"),
    [
        ("flag", 4300, 0, ""),
        ("flag", 4301, 0, "guard_flagged"),
        ("refuse", 4301, 700, "guard_refused"),
        ("cap", 4400, 100, "guard_capped"),
        ("off", 4999, 0, ""),
    ],
)
def test_the_guard_flags_refuses_or_caps_what_the_margin_cannot_bear(
    act: str, cost: int, price: int, said: str
) -> None:
    decision = guarded(act, cost)
    (offer,) = decision.offers
    assert Money(offer.minor, offer.currency) == Money(price, "EUR")
    codes = {note.code for note in decision.notes} | {step.reason.code for step in offer.steps}
    assert {code for code in codes if code.startswith("guard_")} == ({said} if said else set())


def test_a_guard_that_cannot_tell_says_so_where_it_is_explained() -> None:
    decision = guarded("flag", 4999, guard_tax="")
    assert [why.code for name, why in decision.passed_rules if name == "Margin guard"] == ["guard_tax_unknown"]
