"""The desk: an answer in time whatever carriers do, from the right place, and a row for the ledger."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

import pytest

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.errors import Unavailable
from carriers.money import Money
from carriers.parcel import RateRequest
from carriers.rate import Rates
from connector.quotes.ask import Account
from connector.quotes.behind import Difference, LiveAnswer
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.desk import QuoteDesk
from connector.quotes.facts import Facts
from connector.quotes.ledger import LedgerRow
from connector.quotes.replay import replay
from connector.quotes.shop import Origin, QuotingShop
from connector.shop_settings import ShopSettings
from connector.store import Cart, CartLine, RateCall, Store, StoreCapabilities
from tests.conftest import FrozenClock
from tests.quotes.world import PlainCarrier, PlainStore, a_cart, as_carrier, keyed_hash, settings

pytestmark = pytest.mark.anyio

BRATISLAVA = Origin("loc_ba", "gid-1", Address("SK", "811 01", "BL", "Bratislava", "Skladova 1", name="Warehouse"))
WIEN = Origin("loc_wi", "gid-2", Address("AT", "1010", "9", "Wien", "Graben 1"))
NOWHERE = Origin("loc_no", "gid-3", Address(""))


@dataclass
class KeptRows:
    """A ledger in memory."""

    rows: list[LedgerRow] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)
    learned_from: list[LiveAnswer] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def put(self, row: LedgerRow) -> None:
        self.rows.append(row)

    def repeat(self, shop_id: str, quote_id: str, at: datetime) -> None:
        self.repeats.append(quote_id)

    def live(self, answer: LiveAnswer) -> None:
        self.learned_from.append(answer)

    def difference(self, difference: Difference) -> None:
        self.differences.append(difference)


@dataclass(eq=False)
class Hung(PlainCarrier):
    """Never answers, and does not even stop when told to."""

    stubborn: bool = False
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        if self.stubborn:
            await asyncio.shield(asyncio.ensure_future(self.let_go.wait()))
        else:
            await self.let_go.wait()
        return Rates()


@dataclass
class Desk:
    """A desk with its ledger, and a shop that a test changes."""

    clock: FrozenClock
    ledger: KeptRows = field(default_factory=KeptRows)
    carriers: list[PlainCarrier] = field(default_factory=lambda: [PlainCarrier()])
    origins: tuple[Origin, ...] = (replace(BRATISLAVA, is_default=True), WIEN)
    settings: ShopSettings = field(default_factory=settings)
    store: PlainStore = field(default_factory=PlainStore)
    answers: CarrierAnswers = field(default_factory=CarrierAnswers)

    def __post_init__(self) -> None:
        self._steady: QuotingShop | None = None
        self.desk = QuoteDesk(self.clock.now, keyed_hash, self.ledger, self.answers)

    @property
    def shop(self) -> QuotingShop:
        accounts = tuple(
            Account(f"acc_{i}", "fake", as_carrier(each), "shop_1") for i, each in enumerate(self.carriers)
        )
        store = cast("Store", self.store)
        return QuotingShop("shop_1", store, self.settings, 7, "Europe/Bratislava", self.origins, accounts)

    @property
    def steady_shop(self) -> QuotingShop:
        """The shop as a process holds it: the same object for as long as nothing changes."""
        shop = self.shop
        if self._steady is None or self._steady != shop:
            self._steady = shop
        return self._steady

    async def ask(self, cart: Cart | None = None, received_at: float | None = None) -> LedgerRow:
        call = RateCall(cart or a_cart(), {"call": "c1"}, "valid")
        self.reply, row = await self.desk.answer(self.shop, call, received_at)
        return row

    def origin_of(self, cart: Cart) -> str | None:
        """The location's id (empty for a place of the call's own), None where nothing is known."""
        location_id, address = self.shop.origin_for(cart)
        return None if address is None else location_id


@pytest.fixture
async def desk(clock: FrozenClock) -> AsyncIterator[Desk]:
    built = Desk(clock)
    yield built
    await built.desk.aclose()


# --- in time ------------------------------------------------------------------------------------------------------


@pytest.mark.need(8)
@pytest.mark.complaint(25)
@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_hung_carrier_is_late_and_the_others_prices_are_shown(desk: Desk, stubborn: bool) -> None:
    hung = Hung(stubborn=stubborn)
    desk.carriers = [PlainCarrier(), hung]
    desk.settings = settings(hard_deadline_ms="300")
    row = await desk.ask()
    hung.let_go.set()
    assert [answer.state for answer in row.answers] == ["answered", "late"]
    assert {offer.code for offer in row.decision.offers} == {"fake-ground", "fake-express"}
    assert [each.reason.code for each in row.decision.withheld] == ["problem_timeout"]


async def test_time_that_passed_before_the_call_was_read_counts(desk: Desk) -> None:
    """An hour late already: carriers get the least there is, and the answer says that it is not known."""
    desk.carriers = [Hung()]
    row = await desk.ask(received_at=time.monotonic() - 3600)
    assert row.decision.outcome == "backup"
    assert row.answers[0].state == "late"
    assert row.elapsed_ms >= 3_600_000


async def test_the_platform_s_own_patience_counts_where_it_is_shorter(desk: Desk) -> None:
    desk.carriers = [Hung()]
    desk.store.capabilities = StoreCapabilities(0.2, 0, 60)
    desk.settings = settings(hard_deadline_ms="9000")
    row = await desk.ask()
    assert row.answers[0].elapsed_ms <= 200


@pytest.mark.complaint(25)
async def test_every_carrier_down_is_the_platform_s_backup_and_no_empty_list(desk: Desk) -> None:
    desk.carriers = [PlainCarrier(error=Unavailable("down")), PlainCarrier(error=ZeroDivisionError())]
    row = await desk.ask()
    assert (desk.reply.status, row.decision.outcome) == (503, "backup")
    assert [answer.state for answer in row.answers] == ["failed", "failed"]


async def test_without_an_origin_or_weight_no_carrier_is_asked(desk: Desk) -> None:
    desk.origins = ()
    await desk.ask()
    desk.origins = (BRATISLAVA,)
    await desk.ask(a_cart(CartLine(1, Money(100, "EUR"))))
    assert desk.carriers[0].asked == []
    assert [row.decision.why and row.decision.why.code for row in desk.ledger.rows] == [
        "origin_missing",
        "weight_missing",
    ]


# --- from where ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "location_id", "expected"),
    [
        (None, "", "loc_ba"),  # The default.
        (None, "gid-2", "loc_wi"),  # The store names it.
        (None, "gid-unknown", "loc_ba"),
        (Address("AT", "1010"), "", "loc_wi"),  # The same postal code is the same place.
        (Address("AT", " 10 10 "), "", "loc_wi"),
        (Address("SK", "1010"), "", ""),  # Not in another country.
        (Address("DE", "10115"), "", ""),  # A place that we do not know.
        (Address("AT", ""), "", "loc_ba"),  # Not enough to price from.
        (Address("", "1010"), "", "loc_ba"),
        (Address("DE", "10115"), "gid-2", "loc_wi"),
    ],
)
async def test_where_the_goods_leave_from(desk: Desk, origin: Address | None, location_id: str, expected: str) -> None:
    assert desk.origin_of(a_cart(origin=origin, location_id=location_id)) == expected


async def test_the_call_s_own_full_origin_is_priced_as_it_is(desk: Desk) -> None:
    row = await desk.ask(a_cart(origin=Address("DE", "10115", city="Berlin")))
    assert desk.carriers[0].asked[0].origin == Address("DE", "10115", city="Berlin")
    assert row.facts.origin is not None
    assert (row.facts.origin.city, row.facts.location_id) == ("Berlin", "")


async def test_a_matched_location_gives_its_whole_address(desk: Desk) -> None:
    row = await desk.ask(a_cart(origin=Address("AT", "1010")))
    assert desk.carriers[0].asked[0].origin == WIEN.address
    assert row.facts.location_id == "loc_wi"
    assert b"Graben" not in row.facts.to_json()


@pytest.mark.parametrize(
    ("named", "origins", "expected"),
    [
        ("", (BRATISLAVA,), "loc_ba"),  # The only one.
        ("", (BRATISLAVA, WIEN), None),  # Nobody can know.
        ("", (BRATISLAVA, replace(WIEN, is_default=True)), "loc_wi"),
        ("loc_wi", (replace(BRATISLAVA, is_default=True), WIEN), "loc_wi"),
        ("gid-2", (replace(BRATISLAVA, is_default=True), WIEN), "loc_wi"),
        ("loc_closed", (BRATISLAVA,), None),  # A choice that is gone is not guessed around.
        ("", (), None),
        ("", (NOWHERE,), None),  # Without a country carriers cannot be asked.
        ("", (replace(NOWHERE, is_default=True), WIEN), "loc_wi"),
        ("loc_no", (NOWHERE, WIEN), None),
    ],
)
async def test_the_default_location(desk: Desk, named: str, origins: tuple[Origin, ...], expected: str | None) -> None:
    desk.settings = settings(default_location=named)
    desk.origins = origins
    assert desk.origin_of(a_cart()) == expected


async def test_a_location_without_an_address_gives_way_to_the_call_s_own_origin(desk: Desk) -> None:
    desk.origins = (NOWHERE,)
    assert desk.origin_of(a_cart(location_id="gid-3", origin=Address("DE", "10115"))) == ""
    row = await desk.ask(a_cart(location_id="gid-3"))
    assert row.decision.why is not None
    assert row.decision.why.code == "origin_missing"


# --- what is kept -------------------------------------------------------------------------------------------------


async def test_every_answer_is_kept_with_all_that_led_to_it(desk: Desk) -> None:
    row = await desk.ask()
    assert desk.ledger.rows == [row]
    assert (row.shop_id, row.at, row.echo, row.signature) == ("shop_1", desk.clock.now(), {"call": "c1"}, "valid")
    assert row.digest == hashlib.sha256(desk.reply.body).hexdigest()
    assert row.plan_id
    assert (row.facts.settings_version, row.facts.location_id) == (7, "loc_ba")

    def write(answer: object, echo: object) -> bytes:
        return desk.store.write_answer(answer, echo).body  # type: ignore[arg-type]

    assert replay(row, write).same


async def test_quotes_have_ids_of_their_own_that_sort_by_time(desk: Desk) -> None:
    ids = []
    for _ in range(3):
        ids.append((await desk.ask()).id)
        desk.clock.advance(seconds=1)
    assert ids == sorted(set(ids))
    assert all(each.startswith("quo_") for each in ids)


async def test_the_quote_s_id_and_times_reach_the_store(desk: Desk) -> None:
    row = await desk.ask()
    (answer,) = desk.store.written
    assert answer == row.decision.answer(row.id, desk.clock.now())


@pytest.mark.complaint(51)
async def test_no_person_is_in_what_is_kept(desk: Desk) -> None:
    desk.carriers = [PlainCarrier(capabilities=Capabilities("refused", 60, needs_street=True))]
    row = await desk.ask(a_cart(origin=Address("DE", "10115", street1="Secret Street 1", name="Canary")))
    kept = row.cart.to_json() + row.facts.to_json() + row.decision.to_json()
    kept += b"".join(answer.to_json() for answer in row.answers)
    assert not [
        word for word in ("Eva", "Muster", "Stephansplatz", "1234567", "Canary", "Secret") if word.encode() in kept
    ]
    assert desk.carriers[0].asked[0].destination.name == "Sample Buyer"


async def test_equal_facts_have_equal_hashes_and_a_new_settings_version_other_ones(desk: Desk) -> None:
    first, second = await desk.ask(), await desk.ask()
    assert first.facts.hash() == second.facts.hash()
    stored = Facts.from_json(first.facts.to_json())
    assert stored.hash() == first.facts.hash()
    assert stored.but(settings_version=8).hash() != first.facts.hash()


@pytest.mark.complaint(33)
async def test_the_settings_that_hold_now_are_used_and_named_on_the_answer(desk: Desk) -> None:
    """No answer to an earlier call hides a changed setting; each quote names the version that made it."""
    before = await desk.ask()
    desk.settings = settings(markup_percent="100")
    after = await desk.ask()
    assert [min(offer.minor for offer in row.decision.offers) for row in (before, after)] == [700, 1400]
    assert after.answers[0].source == "held"
    assert after.facts.settings_version == 7
