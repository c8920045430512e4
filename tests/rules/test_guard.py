"""The margin guard: what a loss is, when it is flagged, capped or refused, and when nobody can tell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from connector.rules.exchange import ExchangeRate
from connector.rules.facts import CallFacts, CartSums, LineFacts
from connector.rules.guard import Guarded, Verdict, look
from connector.rules.guard_settings import GuardSettings
from connector.words.reason import codes

NOTHING = Money(0, "EUR")


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


def settings(**fields: Any) -> GuardSettings:
    """Without fee, adjustment and tax, so that a test's figures are the whole sum."""
    return GuardSettings(**{"fee_percent": 0, "adjustment_percent": 0, "tax_percent": 0, **fields})


def call(goods: str = "50.00", cost: str | None = "30.00", discount: str = "0", **fields: Any) -> CallFacts:
    line = LineFacts(1, eur(goods).minor, name="Mug", unit_cost=None if cost is None else eur(cost))
    return CallFacts("EUR", (line,), CartSums(eur(goods).minor, eur(discount).minor, shipping_discount=0), **fields)


def offer(price: str = "0", bound: str | None = "6.90", before: str | None = "6.90", *, sure: bool = True) -> Guarded:
    return Guarded(
        "std", eur(price), None if before is None else eur(before), None if bound is None else eur(bound), sure
    )


def verdict(rule: GuardSettings, asked: CallFacts, given: Guarded, cartons: Money = NOTHING) -> Verdict | None:
    found = look(rule, asked, [given], cartons)
    assert all(each.why.code in codes() for each in found)
    return found[0] if found else None


@pytest.mark.need(3)
@pytest.mark.parametrize(
    ("cost", "bound", "flagged"),
    [("30.00", "19.99", False), ("30.00", "20.00", False), ("30.00", "20.01", True), ("43.10", "6.90", False)],
)
def test_a_loss_is_flagged_from_a_cent_above_the_margin_on(cost: str, bound: str, flagged: bool) -> None:
    """Goods of 50.00 that cost 30.00 leave 20.00: a free label of just that is not flagged."""
    found = verdict(settings(), call(cost=cost), offer(bound=bound))
    assert (found is not None and found.state == "flagged") == flagged


@pytest.mark.parametrize(
    ("share", "bound", "flagged"), [("50", "10.00", False), ("50", "10.01", True), ("0", "0.01", True)]
)
def test_only_a_share_of_the_margin_may_go(share: str, bound: str, flagged: bool) -> None:
    found = verdict(settings(share_percent=Decimal(share)), call(), offer(bound=bound))
    assert (found is not None) == flagged


def test_a_negative_margin_is_flagged_even_if_shipping_is_paid() -> None:
    found = verdict(settings(), call(cost="50.01"), offer(price="6.90", before=None))
    assert found is not None
    assert found.state == "flagged"


@pytest.mark.parametrize(
    ("rule", "flagged"),
    [
        ({"fee_percent": 10}, False),  # 5.00 of fee leaves 15.00; the loss is 15.00.
        ({"fee_percent": 10, "fee_fixed": "0.01", "fee_currency": "EUR"}, True),
        ({"adjustment_percent": 33}, False),  # 15.00 and 4.95 are 19.95.
        ({"adjustment_percent": 34}, True),  # 15.00 and 5.10 are 20.10.
        ({"tax_percent": 25}, True),  # 40.00 without tax leaves 10.00.
    ],
)
def test_fee_adjustment_and_tax_count(rule: dict[str, Any], flagged: bool) -> None:
    assert (verdict(settings(**rule), call(), offer(bound="15.00")) is not None) == flagged


def test_cartons_are_part_of_the_loss() -> None:
    assert verdict(settings(), call(), offer(bound="19.50"), eur("0.50")) is None
    assert verdict(settings(), call(), offer(bound="19.50"), eur("0.51")) is not None


def test_what_the_buyer_pays_counts_without_tax() -> None:
    """6.00 with 20 % in it are 5.00: a label of 15.00 then loses 10.00, and goods of 60.00 leave 50.00 - 40.00."""
    rule, asked = settings(tax_percent=20), call("60.00", "40.00")
    assert verdict(rule, asked, offer(price="6.00", bound="15.00")) is None
    assert verdict(rule, asked, offer(price="5.98", bound="15.00")) is not None


def test_prices_without_tax_need_no_rate() -> None:
    asked = CallFacts("EUR", call().lines, CartSums(5000, 0, tax="excluded"))
    assert verdict(settings(tax_percent=None), asked, offer(bound="20.01")) is not None


@pytest.mark.parametrize(
    ("rule", "asked", "given", "code"),
    [
        (settings(tax_percent=None), call(), offer(), "guard_tax_unknown"),
        (settings(), call(cost=None), offer(), "guard_cost_unknown"),
        (settings(), call(), offer(bound=None), "guard_no_bound"),
    ],
)
def test_what_is_not_known_switches_it_off_and_is_named(
    rule: GuardSettings, asked: CallFacts, given: Guarded, code: str
) -> None:
    found = verdict(rule, asked, given)
    assert found is not None
    assert (found.state, found.why.code) == ("off", code)


def test_an_unknown_cost_is_the_shops_share_never_nothing() -> None:
    rule = settings(cost_share_percent=60)
    assert verdict(rule, call(cost=None), offer(bound="20.00")) is None
    assert verdict(rule, call(cost=None), offer(bound="20.01")) is not None


def test_a_cost_in_another_currency_is_exchanged_or_not_known() -> None:
    line = LineFacts(1, 5000, unit_cost=Money(3000, "USD"))
    asked = CallFacts("EUR", (line,), CartSums(5000, 0))
    assert verdict(settings(), asked, offer()) is not None
    rate = ExchangeRate(of="USD", into="EUR", rate=Decimal("0.9"))
    assert (
        verdict(settings(), CallFacts("EUR", (line,), CartSums(5000, 0), rates=(rate,)), offer(bound="23.00")) is None
    )


def test_refusing_goes_back_to_the_price_before_the_threshold() -> None:
    found = verdict(settings(act="refuse"), call(cost="45.00"), offer())
    assert found is not None
    assert (found.state, found.price) == ("refused", eur("6.90"))


def test_a_cap_asks_for_just_what_keeps_the_loss_within_the_share() -> None:
    """5.00 of margin may go: of 6.90 the buyer pays 1.90."""
    found = verdict(settings(act="cap"), call(cost="45.00"), offer())
    assert found is not None
    assert (found.state, found.price) == ("capped", eur("1.90"))
    again = offer(price="1.90")
    assert verdict(settings(), call(cost="45.00"), again) is None


@pytest.mark.parametrize("act", ["cap", "refuse"])
@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (call(cost="30.00", discount="15.00"), offer()),  # The coupon, not the goods, takes the margin.
        (call(cost="45.00"), offer(sure=False)),  # A price that stands in tells of a failure, not of the goods.
        (call(cost="45.00"), offer(before=None)),  # No threshold made it cheap.
    ],
)
def test_what_a_buyer_cannot_be_told_before_only_flags(act: str, asked: CallFacts, given: Guarded) -> None:
    found = verdict(settings(act=act), asked, given)
    assert found is not None
    assert (found.state, found.price) == ("flagged", None)


def test_off_is_off() -> None:
    assert look(settings(act="off"), call(cost="60.00"), [offer()], NOTHING) == []


@given(
    st.integers(1, 20_000),
    st.integers(0, 20_000),
    st.integers(0, 5000),
    st.integers(1, 5000),
    st.sampled_from(["cap", "refuse"]),
)
def test_an_offer_that_is_acted_on_stays_and_costs_no_more_than_before(
    goods: int, cost: int, bound: int, before: int, act: str
) -> None:
    """There is always a paid offer left, and a cap keeps the loss within the share where the old price allows it."""
    line = LineFacts(1, goods, unit_cost=Money(cost, "EUR"))
    asked = CallFacts("EUR", (line,), CartSums(goods, 0))
    given_offer = Guarded("a", NOTHING, Money(before, "EUR"), Money(bound, "EUR"), sure=True)
    found = verdict(settings(act=act), asked, given_offer)
    if found is None or found.price is None:
        return
    assert 0 <= found.price.minor <= before
    if found.state == "capped" and found.price.minor < before and cost <= goods:
        assert bound - found.price.minor <= goods - cost
