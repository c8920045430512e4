"""Equal questions share one call, shown prices hold, and a slow account delays nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.errors import Unavailable
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import RateRequest, Shipment
from carriers.rate import Problem, Rate, Rates
from carriers.tracking import TrackingUpdate
from connector.packing.plan import Carton, Item, Plan, plan_parcels
from connector.quotes.ask import Account, Question
from connector.quotes.carrier_answers import HOLD_S, CarrierAnswers
from webhooks.ports import Fence
from webhooks.receiver import Authentic, Forged

pytestmark = pytest.mark.anyio


class Seconds:
    """A monotonic clock that moves only when told to."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class OnlyRates:
    """A carrier that is asked for prices and nothing else."""

    def __init__(self, answer: Callable[[RateRequest], Awaitable[Rates]]) -> None:
        self._answer = answer
        self.calls = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("refused", 100)

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        self.calls += 1
        return await self._answer(request)

    async def create(self, shipment: Shipment) -> Created:
        raise AssertionError

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        raise AssertionError

    async def look_up(self, handle: str, rate: Rate | None = None) -> Purchased | Rejected | NotBought:
        raise AssertionError

    async def fetch_file(self, url: str) -> tuple[str, bytes]:
        raise AssertionError

    async def void(self, handle: str, fence: Fence) -> Voided:
        raise AssertionError

    async def void_state(self, handle: str) -> Voided:
        raise AssertionError

    async def track(self, tracker: str) -> TrackingUpdate:
        raise AssertionError

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        raise AssertionError

    def read_webhook(self, raw: bytes) -> list[TrackingUpdate]:
        raise AssertionError

    async def close(self) -> None:
        return None


def priced(minor: int) -> Rates:
    return Rates((Rate("ca_1", "USPS", "Priority", Money(minor, "USD")),))


def question(grams: int = 500, postal_code: str = "94104") -> Question:
    plan = plan_parcels([Item("1", 1, Weight(grams))], Carton("none"), None)
    assert isinstance(plan, Plan)
    return Question(Address("US", "10001"), Address("US", postal_code, street1="1 Secret Street"), plan, "USD")


def account(carrier: OnlyRates, account_id: str = "acc_1") -> Account:
    return Account(account_id, "easypost", carrier)


async def test_a_hundred_equal_questions_at_once_make_one_call() -> None:
    async def slowly(_request: RateRequest) -> Rates:
        await asyncio.sleep(0.01)
        return priced(1000)

    carrier, answers = OnlyRates(slowly), CarrierAnswers()
    found = await asyncio.gather(*(answers.ask([account(carrier)], question(), 5) for _ in range(100)))
    assert carrier.calls == 1
    assert {one.rates[0].minor for (one,) in found} == {1000}


async def test_a_price_that_was_shown_holds_although_the_carrier_has_another_one_now() -> None:
    prices = iter([1000, 1200])

    async def dearer(_request: RateRequest) -> Rates:
        return priced(next(prices))

    seconds, carrier = Seconds(), OnlyRates(dearer)
    answers = CarrierAnswers(seconds)
    (first,) = await answers.ask([account(carrier)], question(), 5)
    seconds.at = HOLD_S - 1
    (held,) = await answers.ask([account(carrier)], question(), 5)
    seconds.at = HOLD_S
    (fresh,) = await answers.ask([account(carrier)], question(), 5)
    assert (first.rates[0].minor, first.source) == (1000, "live")
    assert (held.rates[0].minor, held.source) == (1000, "held")
    assert (fresh.rates[0].minor, fresh.source) == (1200, "live")


async def test_another_cart_or_place_is_another_question() -> None:
    async def by_weight(request: RateRequest) -> Rates:
        return priced(request.parcels[0].weight.grams)

    carrier, answers = OnlyRates(by_weight), CarrierAnswers()
    for asked in (question(500), question(501), question(500, "60601")):
        (one,) = await answers.ask([account(carrier)], asked, 5)
        assert one.source == "live"
    assert carrier.calls == 3


async def test_the_street_is_not_told_to_a_carrier_that_does_not_need_it() -> None:
    seen: list[RateRequest] = []

    async def note(request: RateRequest) -> Rates:
        seen.append(request)
        return priced(1)

    await CarrierAnswers().ask([account(OnlyRates(note))], question(), 5)
    assert seen[0].destination == Address("US", "94104")


@pytest.mark.complaint(25)
async def test_a_hung_account_costs_its_own_answer_only() -> None:
    async def hang(_request: RateRequest) -> Rates:
        await asyncio.Event().wait()
        raise AssertionError

    async def answer(_request: RateRequest) -> Rates:
        return priced(1000)

    answers = CarrierAnswers()
    hung, good = account(OnlyRates(hang), "acc_hung"), account(OnlyRates(answer), "acc_good")
    late, prompt = await answers.ask([hung, good], question(), 0.05)
    await answers.aclose()
    assert (late.state, late.problems[0].code) == ("late", "timeout")
    assert prompt.rates[0].minor == 1000


async def test_a_call_that_is_too_slow_for_its_question_serves_the_next_one() -> None:
    may_answer = asyncio.Event()

    async def slowly(_request: RateRequest) -> Rates:
        await may_answer.wait()
        return priced(1000)

    carrier, answers = OnlyRates(slowly), CarrierAnswers()
    (first,) = await answers.ask([account(carrier)], question(), 0.01)
    may_answer.set()
    (second,) = await answers.ask([account(carrier)], question(), 5)
    assert (first.state, second.state) == ("late", "answered")
    assert carrier.calls == 1


async def test_a_failure_is_not_held() -> None:
    outcomes = iter([True, False])

    async def fail_once(_request: RateRequest) -> Rates:
        if next(outcomes):
            raise Unavailable("The carrier is down.")
        return priced(1000)

    answers = CarrierAnswers()
    carrier = OnlyRates(fail_once)
    (failed,) = await answers.ask([account(carrier)], question(), 5)
    (answered,) = await answers.ask([account(carrier)], question(), 5)
    assert (failed.state, answered.state) == ("failed", "answered")


async def test_an_answer_without_prices_is_asked_for_again_after_a_minute() -> None:
    async def refuse(_request: RateRequest) -> Rates:
        return Rates(problems=(Problem("ca_1", "USPS", "rate_refused", "no"),))

    seconds, carrier = Seconds(), OnlyRates(refuse)
    answers = CarrierAnswers(seconds)
    await answers.ask([account(carrier)], question(), 5)
    await answers.ask([account(carrier)], question(), 5)
    seconds.at = 61
    await answers.ask([account(carrier)], question(), 5)
    assert carrier.calls == 2


async def test_a_defect_in_an_adapter_is_that_accounts_failure() -> None:
    async def break_down(_request: RateRequest) -> Rates:
        raise ZeroDivisionError

    (one,) = await CarrierAnswers().ask([account(OnlyRates(break_down))], question(), 5)
    assert (one.state, one.problems[0].code) == ("failed", "carrier_error")


async def test_questions_beyond_what_may_be_under_way_are_not_begun() -> None:
    async def hang(_request: RateRequest) -> Rates:
        await asyncio.Event().wait()
        raise AssertionError

    carrier, answers = OnlyRates(hang), CarrierAnswers()
    await asyncio.gather(*(answers.ask([account(carrier)], question(grams), 0.01) for grams in range(1, 201)))
    (one,) = await answers.ask([account(carrier)], question(1000), 0.01)
    await answers.aclose()
    assert (one.state, one.problems[0].code) == ("failed", "overloaded")
    assert carrier.calls == 200


async def test_closing_ends_calls_that_are_under_way() -> None:
    ended = asyncio.Event()

    async def hang(_request: RateRequest) -> Rates:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    answers = CarrierAnswers()
    await answers.ask([account(OnlyRates(hang))], question(), 0.01)
    await answers.aclose()
    assert ended.is_set()


async def test_a_gap_is_asked_for_again_soon_while_shown_prices_hold() -> None:
    """USPS was shown at 10.00, UPS was silent: a minute later UPS is there, and USPS still costs what was shown."""
    ups = Rate("ca_2", "UPS", "Ground", Money(1500, "USD"))
    silent = Problem("ca_2", "UPS", "timeout", "")
    outcomes = iter([Rates(priced(1000).rates, (silent,)), Rates((*priced(1100).rates, ups))])

    async def answer(_request: RateRequest) -> Rates:
        return next(outcomes)

    seconds, carrier = Seconds(), OnlyRates(answer)
    answers = CarrierAnswers(seconds)
    await answers.ask([account(carrier)], question(), 5)
    await answers.ask([account(carrier)], question(), 5)
    assert carrier.calls == 1
    seconds.at = 61
    (later,) = await answers.ask([account(carrier)], question(), 5)
    assert [(rate.carrier, rate.minor) for rate in later.rates] == [("USPS", 1000), ("UPS", 1500)]
    seconds.at = HOLD_S - 1
    (held,) = await answers.ask([account(carrier)], question(), 5)
    assert (held.source, carrier.calls) == ("held", 2)


async def test_a_shown_price_holds_although_the_carrier_fails_later() -> None:
    silent = Problem("ca_2", "UPS", "timeout", "")
    outcomes = iter([Rates(priced(1000).rates, (silent,))])

    async def answer(_request: RateRequest) -> Rates:
        found = next(outcomes, None)
        if found is None:
            raise Unavailable("The carrier is down.")
        return found

    seconds, carrier = Seconds(), OnlyRates(answer)
    answers = CarrierAnswers(seconds)
    await answers.ask([account(carrier)], question(), 5)
    seconds.at = 61
    (later,) = await answers.ask([account(carrier)], question(), 5)
    assert (later.state, later.rates[0].minor) == ("answered", 1000)
