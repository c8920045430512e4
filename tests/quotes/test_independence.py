"""Carriers do not stand in each other's way, siblings change no price, and several parcels are priced all or not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.address import Address
from carriers.errors import Misconfigured, Overloaded, Refused, TooSlow, Unavailable
from carriers.measure import Weight
from carriers.money import Money
from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer, KeptProblem
from connector.quotes.ask import Account, Question, ask_one, request_for
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.decide import decide
from connector.quotes.desk import QuoteDesk
from connector.quotes.facts import Facts
from connector.quotes.parcels import plan_cart
from connector.quotes.reduced import ReducedCart
from connector.quotes.shop import QuotingShop
from connector.store import CartLine, RateCall
from tests.quotes import world
from tests.quotes.test_desk import BRATISLAVA, KeptRows
from tests.quotes.world import NOW, PlainCarrier, as_carrier, cart, line, plain_store, some_answers, some_facts

FAILURES = st.sampled_from(
    [Refused("no"), Unavailable("down"), Misconfigured("key"), Overloaded("wait"), TooSlow("late"), ZeroDivisionError()]
)


@settings(max_examples=50, deadline=None)
@given(answers=some_answers(), asked=world.reduced_carts(), using=some_facts, failing=st.integers(0, 3))
def test_an_account_without_an_answer_never_removes_another_s_offers(
    answers: tuple[AccountAnswer, ...], asked: ReducedCart, using: Facts, failing: int
) -> None:
    """Whatever offer was made from another account's price is still there, and no dearer one of it is hidden."""
    before = decide(asked, using, answers, NOW)
    without = tuple(
        each.but(state="failed", rates=(), problems=(KeptProblem(
            account="", carrier=each.carrier, code="unreachable"),))
        if number == failing
        else each
        for number, each in enumerate(answers)
    )  # fmt: skip
    lost = answers[failing].account_id if failing < len(answers) else ""
    after = decide(asked, using, without, NOW)
    bought = [(offer.code, offer.bought_as) for offer in before.offers if offer.bought_as is not None]
    kept = {code for code, each in bought if each.account_id not in {lost, ""}}
    assert kept <= {offer.code for offer in after.offers}


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.none() | FAILURES, min_size=1, max_size=4),
    st.lists(st.dictionaries(st.sampled_from("ABC"), st.integers(100, 9000), min_size=1), min_size=4, max_size=4),
)
def test_of_carriers_that_fail_in_any_way_only_their_own_prices_are_missing(
    failures: list[Exception | None], prices: list[Mapping[str, int]]
) -> None:
    async def ask() -> set[str]:
        accounts = tuple(
            Account(f"acc_{number}", "fake", as_carrier(PlainCarrier(prices[number], error=failure)))
            for number, failure in enumerate(failures)
        )
        shop = QuotingShop("shop_1", plain_store(), world.settings(), 1, "UTC", (BRATISLAVA,), accounts)
        desk = QuoteDesk(lambda: NOW, world.keyed_hash, KeptRows(), CarrierAnswers())
        _, row = await desk.answer(shop, RateCall(world.a_cart()))
        await desk.aclose()
        return {offer.code for offer in row.decision.offers}

    well = [number for number, failure in enumerate(failures) if failure is None]
    assert asyncio.run(ask()) == {f"fake-{service.lower()}" for number in well for service in prices[number]}


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(200, 4000), min_size=1, max_size=4, unique=True))
def test_a_call_s_price_does_not_depend_on_its_siblings(weights: list[int]) -> None:
    """The groups of one checkout, asked for one after the other or alone, in a process that remembers all of them."""

    async def ask(grams: list[int]) -> dict[int, list[tuple[str, int]]]:
        carrier = PlainCarrier(by_grams={each: {"Ground": 500 + each} for each in weights})
        account = Account("acc_1", "fake", as_carrier(carrier))
        shop = QuotingShop("shop_1", plain_store(), world.settings(), 1, "UTC", (BRATISLAVA,), (account,))
        desk = QuoteDesk(lambda: datetime(2026, 11, 23, 9, tzinfo=UTC), world.keyed_hash, KeptRows(), CarrierAnswers())
        found = {}
        for each in grams:
            group = CartLine(1, Money(1000, "EUR"), Weight(each), f"S{each}", "", f"var_{each}")
            _, row = await desk.answer(shop, RateCall(world.a_cart(group)))
            found[each] = [(offer.code, offer.minor) for offer in row.decision.offers]
        await desk.aclose()
        return found

    together = asyncio.run(ask(weights))
    assert together == asyncio.run(ask(weights[::-1]))
    for each in weights:
        assert asyncio.run(ask([each])) == {each: together[each]}


@pytest.mark.complaint(18)
@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([3000, 3500, 4000, 4500]),
        st.dictionaries(st.sampled_from("ABC"), st.integers(1, 9000)),
        min_size=2,
    )
)
def test_several_parcels_have_a_price_only_if_each_of_them_has_one(offered: dict[int, dict[str, int]]) -> None:
    carrier = PlainCarrier(by_grams=offered)
    account = Account("acc_1", "fake", as_carrier(carrier))
    chosen = world.settings(default_carton="300x200x150:0:5000")
    planned = plan_cart(cart(*(line(each, sku=str(each), variant_id=str(each)) for each in offered)), chosen)
    assert isinstance(planned, Plan)
    request = request_for(account, Question(Address("SK", "811 01"), world.BUYER, planned, "EUR"))
    assert len(request.parcels) == len(offered)
    answer = asyncio.run(ask_one(account, replace(request), 1))
    expected = {
        service: sum(prices[service] for prices in offered.values())
        for service in "ABC"
        if all(service in prices for prices in offered.values())
    }
    assert {each.service: each.minor for each in answer.rates} == expected
