"""At the soft deadline what is known is shown; at the hard one what there is; and what was shown holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from carriers.carrier import Capabilities
from carriers.errors import CarrierError, Misconfigured, Refused, Unavailable
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import RateRequest
from carriers.rate import Problem, Rate, Rates
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.ledger import LedgerRow
from connector.store import Cart, CartLine, Incoming, RateCall
from tests.conftest import FrozenClock
from tests.quotes.test_desk import Desk
from tests.quotes.world import PlainCarrier, PlainStore, a_cart, settings

pytestmark = pytest.mark.anyio

SOON = settings(soft_deadline_ms="20", hard_deadline_ms="9000")
"""A soft deadline that is soon there, and a hard one that a test does not live to see."""

SHORT = settings(soft_deadline_ms="20", hard_deadline_ms="200")


@dataclass(eq=False)
class Steered(PlainCarrier):
    """Answers as told: at once, or not before `go`. Express is a day sooner, else it would not be shown."""

    slow: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)
    problems: tuple[Problem, ...] = ()

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        self.asked.append(request)
        if self.slow:
            await self.go.wait()
        if self.error is not None:
            raise self.error
        rates = (
            Rate("ca_1", "Fake", service, Money(minor, request.currency), transit_days=1 if service == "Express" else 2)
            for service, minor in self.prices.items()
        )
        return Rates(tuple(rates), self.problems)


@dataclass
class LaterDesk(Desk):
    """A desk whose every clock can be moved."""

    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.answers = CarrierAnswers(lambda: self.seconds)
        super().__post_init__()

    def pass_time(self, hours: float) -> None:
        """Let time pass, for business and for what is held."""
        self.seconds += hours * 3600
        self.clock.advance(seconds=int(hours * 3600))


@pytest.fixture
async def desk(clock: FrozenClock) -> AsyncIterator[LaterDesk]:
    built = LaterDesk(clock, settings=SOON)
    yield built
    await built.desk.aclose()


async def teach(desk: LaterDesk, carrier: Steered, times: int = 6) -> None:
    """Let the shop see the carrier's prices, each time for another cart; a day later it holds none, but has learned."""
    for number in range(times):
        await desk.ask(a_cart_worth(100 + number))
    carrier.slow = True
    desk.pass_time(hours=25)


def a_cart_worth(cents: int) -> Cart:
    return a_cart(CartLine(1, Money(cents, "EUR"), Weight(400), f"MUG-{cents}", "Mug", f"var_{cents}"))


async def ask(desk: LaterDesk, cents: int = 5000) -> LedgerRow:
    return await desk.ask(a_cart_worth(cents))


def shown(row: LedgerRow) -> dict[str, tuple[int, str]]:
    return {offer.code: (offer.minor, offer.source) for offer in row.decision.offers}


@pytest.mark.need(8)
@pytest.mark.complaint(25)
async def test_known_prices_are_shown_at_the_soft_deadline_while_the_call_goes_on(desk: LaterDesk) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    row = await ask(desk)
    assert shown(row) == {"fake-ground": (700, "learned"), "fake-express": (1500, "learned")}
    assert row.answers[0].state == "late"
    steps = [step.reason.code for step in row.decision.offers[0].steps]
    assert steps == ["step_carrier", "step_learned"]
    carrier.slow = False
    carrier.go.set()
    await asyncio.sleep(0.01)
    again = await ask(desk)
    assert shown(again) == shown(row)
    assert desk.ledger.differences == []


async def test_the_merchant_s_margin_is_a_step_on_learned_prices_only(desk: LaterDesk) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    desk.settings = settings(soft_deadline_ms="20", hard_deadline_ms="9000", learned_margin_percent="10")
    row = await ask(desk)
    assert shown(row)["fake-ground"] == (770, "learned")
    assert row.decision.offers[0].bought_as is not None
    assert row.decision.offers[0].bought_as.minor == 700


async def test_where_the_merchant_wants_no_learned_prices_the_carrier_is_waited_for(desk: LaterDesk) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    desk.settings = settings(soft_deadline_ms="20", hard_deadline_ms="9000", learned_bound_percent="0")
    asking = asyncio.ensure_future(ask(desk))
    await asyncio.sleep(0.1)
    assert not asking.done()
    carrier.go.set()
    assert shown(await asking)["fake-ground"] == (700, "live")


async def test_one_carrier_that_nothing_is_known_of_is_waited_for(desk: LaterDesk) -> None:
    carrier, unknown = Steered(), Steered(prices={"Night": 4000}, slow=True)
    desk.carriers = [carrier]
    await teach(desk, carrier)
    desk.carriers = [carrier, unknown]
    asking = asyncio.ensure_future(ask(desk))
    await asyncio.sleep(0.1)
    assert not asking.done()
    unknown.go.set()
    assert set(shown(await asking)) == {"fake-ground", "fake-express", "fake-night"}


async def test_at_the_hard_deadline_an_older_answer_stands_in_before_a_learned_one(desk: LaterDesk) -> None:
    carrier = Steered(prices={"Ground": 650})
    desk.carriers, desk.settings = [carrier], SHORT
    await ask(desk)
    desk.pass_time(hours=2)
    carrier.error = Unavailable("down")
    row = await ask(desk)
    assert shown(row) == {"fake-ground": (650, "cached")}
    assert [step.reason.code for step in row.decision.offers[0].steps][-1] == "step_cached"
    desk.pass_time(hours=28)
    assert (await ask(desk)).decision.outcome == "backup"


@pytest.mark.parametrize("error", [Refused("No."), Misconfigured("The key is wrong.")])
async def test_nothing_stands_in_for_a_carrier_that_said_no(desk: LaterDesk, error: CarrierError) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    carrier.slow, carrier.error = False, error
    row = await ask(desk)
    assert row.decision.outcome == "backup"


async def test_known_prices_fill_the_gap_of_one_silent_account(desk: LaterDesk) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    carrier.slow, carrier.prices = False, {"Ground": 700}
    carrier.problems = (Problem("ca_1", "Fake", "timeout"),)
    row = await ask(desk)
    assert shown(row) == {"fake-ground": (700, "live"), "fake-express": (1500, "learned")}


@pytest.mark.need(2)
@pytest.mark.parametrize(
    ("others", "free"), [({"Express": 1500}, True), ({"Economy": 800}, False)], ids=["express", "economy"]
)
async def test_a_silent_carrier_is_known_by_what_it_usually_offers(
    desk: LaterDesk, others: dict[str, int], free: bool
) -> None:
    """The cheapest is free without it where it offers nothing slower, also if none of its prices may be shown."""
    steady, other = Steered({"Ground": 700}), Steered(dict(others))
    desk.carriers = [steady, other]
    await teach(desk, other)
    desk.settings = settings(
        learned_bound_percent="0", threshold="50.00", soft_deadline_ms="20", hard_deadline_ms="200"
    )
    row = await ask(desk)
    assert shown(row) == {"fake-ground": (0 if free else 700, "live")}
    assert row.answers[1].missing is not None
    assert [each.service for each in row.answers[1].missing] == list(others)


@pytest.mark.complaint(27)
async def test_safety_rates_stand_in_only_where_nothing_is_known(desk: LaterDesk) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    wanted = {"backup": "safety", "safety_rates": "Standard:standard:6.90", "soft_deadline_ms": "20"}
    desk.settings = settings(hard_deadline_ms="200", **wanted)
    await teach(desk, carrier)
    assert {source for _, source in shown(await ask(desk)).values()} == {"learned"}
    desk.carriers = [Steered(slow=True)]
    desk.settings = settings(hard_deadline_ms="200", learned_bound_percent="0", **wanted)
    row = await ask(desk, 7777)
    assert shown(row) == {"standard": (690, "safety")}
    assert "safety" not in desk.reply.body.decode().casefold()


# --- what was shown holds -----------------------------------------------------------------------------------------


async def test_a_learned_price_that_was_shown_holds_when_the_live_one_differs_and_the_ledger_says_so(
    desk: LaterDesk,
) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    first = await ask(desk)
    carrier.prices = {"Ground": 720, "Express": 1500}
    carrier.go.set()
    await asyncio.sleep(0.01)
    (difference,) = desk.ledger.differences
    assert (difference.quote_id, difference.shown_minor, difference.live_minor) == (first.id, 700, 720)
    assert difference.stand_in == "learned"
    carrier.slow = False
    desk.pass_time(hours=29 / 60)
    assert shown(await ask(desk)) == shown(first)
    desk.pass_time(hours=31 / 60)
    assert shown(await ask(desk))["fake-ground"] == (720, "live")


async def test_another_cart_or_other_settings_are_not_held_to_it(desk: LaterDesk) -> None:
    carrier = Steered()
    desk.carriers = [carrier]
    await teach(desk, carrier)
    first = await ask(desk)
    carrier.prices, carrier.slow = {"Ground": 720, "Express": 1500}, False
    carrier.go.set()
    await asyncio.sleep(0.01)
    assert shown(await ask(desk, 6000))["fake-ground"] == (720, "live")
    assert shown(first)["fake-ground"] == (700, "learned")


# --- repeats ------------------------------------------------------------------------------------------------------


async def give(desk: LaterDesk, cents: int = 5000, locale: str = "en") -> tuple[str, bytes]:
    cart = replace(a_cart_worth(cents), locale=locale)
    given = await desk.desk.give(desk.steady_shop, RateCall(cart, {}, "valid"), time.monotonic())
    return given.quote_id, given.reply.body


async def test_an_equal_cart_is_given_the_same_bytes_and_only_its_id_is_written(desk: LaterDesk) -> None:
    first = await give(desk)
    assert await give(desk) == first
    assert len(desk.ledger.rows) == 1
    assert desk.ledger.repeats == [first[0]]
    assert (await give(desk, locale="sk"))[0] != first[0]
    assert (await give(desk, 6000))[0] != first[0]


async def test_an_answer_ends_with_its_dates_while_the_price_holds(desk: LaterDesk) -> None:
    first = await give(desk)
    until = desk.ledger.rows[0].decision.valid_until
    assert until is not None
    desk.clock.advance(seconds=int((until - desk.clock.now()) / timedelta(seconds=1)) + 1)
    assert (await give(desk))[0] != first[0]


async def test_an_answer_with_a_gap_is_not_given_again(desk: LaterDesk) -> None:
    desk.carriers, desk.settings = [PlainCarrier(), Steered(slow=True)], SHORT
    first = await give(desk)
    assert (await give(desk))[0] != first[0]


async def test_new_settings_make_a_new_answer(desk: LaterDesk) -> None:
    first = await give(desk)
    desk.settings = settings(markup_percent="50")
    again = await give(desk)
    assert again[0] != first[0]
    assert again[1] != first[1]


async def test_a_carrier_that_computes_here_is_asked_every_time_and_delays_nobody(desk: LaterDesk) -> None:
    table = PlainCarrier(capabilities=Capabilities("refused", 0, local=True, multi_parcel=True))
    desk.carriers = [table]
    for _ in range(3):
        row = await ask(desk)
    assert len(table.asked) == 3
    assert row.hold_key == ""
    assert desk.ledger.learned_from == []


@dataclass
class ReadingStore(PlainStore):
    """A store whose calls may be known again by their bytes and one header."""

    def __post_init__(self) -> None:
        self.capabilities = replace(self.capabilities, rate_headers=("x-signature",))


@pytest.mark.parametrize(
    ("header", "raw", "is_known"), [("a", b"body", True), ("b", b"body", False), ("a", b"other", False)]
)
async def test_the_same_bytes_with_the_same_signature_are_known_again(
    desk: LaterDesk, header: str, raw: bytes, is_known: bool
) -> None:
    desk.store = ReadingStore()
    shop, first = desk.steady_shop, Incoming({"x-signature": "a"}, {}, b"body", "shop")
    assert desk.desk.again(shop, first) is None
    given = await desk.desk.give(shop, RateCall(a_cart_worth(5000), {}, "valid"), time.monotonic(), first)
    found = desk.desk.again(shop, Incoming({"x-signature": header, "x-request-id": "9"}, {}, raw, "shop"))
    assert (found is not None) == is_known
    if found is not None:
        assert (found.reply, found.signature, found.source) == (given.reply, "valid", "repeat")
    desk.settings = settings(markup_percent="10")
    assert desk.desk.again(desk.steady_shop, first) is None


async def test_a_call_that_any_header_may_change_is_read_every_time(desk: LaterDesk) -> None:
    shop, incoming = desk.steady_shop, Incoming({}, {}, b"body", "shop")
    await desk.desk.give(shop, RateCall(a_cart_worth(5000), {}, "valid"), time.monotonic(), incoming)
    assert desk.desk.again(shop, incoming) is None
