"""Answer a rate call: the journey from the call to the bytes, with no database in between."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple

from carriers.address import Address
from connector import shop_settings
from connector.catalogue.memory import Products, ShopProducts
from connector.metrics import Metrics
from connector.packing.plan import Plan, Unplannable
from connector.promises.lanes import region_of
from connector.quotes.answers import AccountAnswer, KeptRate
from connector.quotes.ask import Account, Question, not_packed
from connector.quotes.behind import Difference, LiveAnswer
from connector.quotes.carrier_answers import Asking, CarrierAnswers, Found
from connector.quotes.decide import cannot_ask, decide
from connector.quotes.encoded import Encoded, EncodedAnswers, is_final, raw_key
from connector.quotes.facts import Facts
from connector.quotes.learning.lane import Asked
from connector.quotes.learning.model import LearnedPrices, Told
from connector.quotes.ledger import LedgerRow
from connector.quotes.ledger_port import Ledger
from connector.quotes.lru import OfObject
from connector.quotes.observed import Observed, Source, source_of
from connector.quotes.parcels import plans_for
from connector.quotes.patience import Patience
from connector.quotes.reduced import ReducedCart, place_of, reduce
from connector.quotes.shop import QuotingShop
from connector.quotes.shown import Shown, ShownPrices, cart_digest, differing, hold, hold_key
from connector.quotes.told import CHANNEL, Estimates, told_key
from connector.storage.ids import new_id
from connector.store import Incoming, RateCall
from webhooks.receiver import Reply

_DIGESTS: OfObject[Reply, str] = OfObject(1024)
_MARGIN_S = 0.15  # For reading, deciding and writing around the carriers' answers.


@dataclass(frozen=True, slots=True)
class Given:
    """What goes to the platform, what it says, and where its prices come from."""

    reply: Reply
    outcome: Literal["offers", "not_served", "backup"]
    quote_id: str
    source: Source = "repeat"
    signature: Literal["valid", "absent", "wrong", "unsigned"] = "unsigned"


class _Known(NamedTuple):
    """A shop as it was when answers were kept for it: equal shops share them."""

    shop: QuotingShop
    version: bytes
    needs_person: bool
    network: frozenset[str]
    products: ShopProducts
    streets: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Call:
    """A rate call, reduced: all that an answer depends on besides settings, carriers and time."""

    cart: ReducedCart
    place: str
    origin: Address | None
    location_id: str
    digest: str


class QuoteDesk:
    """Answers rate calls. `now` is business time; waiting is measured by the process's monotonic clock."""

    def __init__(
        self,
        now: Callable[[], datetime],
        keyed_hash: Callable[[bytes], str],
        ledger: Ledger,
        carriers: CarrierAnswers | None = None,
        observed: Observed | None = None,
        products: Products | None = None,
    ) -> None:
        self._now = now
        self._keyed_hash = keyed_hash
        self._ledger = ledger
        self._carriers = carriers or CarrierAnswers()
        self._carriers.on_live = self._on_live
        self._observed = observed or Observed(Metrics())
        self.products = products or Products(None)
        self._shops: dict[str, _Known] = {}
        self._encoded = EncodedAnswers()
        self._asked: OfObject[Incoming, tuple[bytes, bytes]] = OfObject(16)
        self._estimates = Estimates()
        self.shown = ShownPrices()
        self.learned = LearnedPrices()
        self.patience = Patience()

    async def aclose(self) -> None:
        """End calls to carriers that still go on in the background."""
        await self._carriers.aclose()
        await self.products.aclose()

    def again(self, shop: QuotingShop, incoming: Incoming) -> Given | None:
        """The answer to a call of the very same bytes, as long as it holds; without reading the call."""
        names = shop.store.capabilities.rate_headers
        if names is None:
            return None
        now = self._now()
        version = self._known(shop).version
        key = raw_key(incoming, version, names)
        found = self._encoded.by_raw(key, now)
        if found is None:
            self._asked.put(incoming, (version, key))
            return None
        encoded, signature = found
        self._ledger.repeat(shop.id, encoded.quote_id, now)
        return Given(encoded.reply, encoded.outcome, encoded.quote_id, "repeat", signature)

    async def give(
        self, shop: QuotingShop, call: RateCall, received_at: float, incoming: Incoming | None = None
    ) -> Given:
        """The answer to a call: the one given to the same cart before, as long as it holds, else a new one."""
        if not self.products.has(shop.id):
            await self.products.load(shop.id)
        known, now = self._known(shop), self._now()
        reduced = self._reduce(shop, known, call)
        key = _encoded_key(known, reduced, call)
        encoded = self._encoded.by_cart(key, now)
        source: Source = "repeat"
        if encoded is None:
            reply, row, source, is_final = await self._answer(shop, known, call, reduced, received_at)
            encoded = Encoded(reply, row.id, row.decision.outcome, row.decision.valid_until or now)
            if is_final:
                self._encoded.keep(key, encoded)
        else:
            self._ledger.repeat(shop.id, encoded.quote_id, now)
            is_final = True
        names = shop.store.capabilities.rate_headers
        if is_final and incoming is not None and names is not None:
            version, raw = self._asked.get(incoming) or (b"", b"")
            raw = raw if version == known.version else raw_key(incoming, known.version, names)
            self._encoded.keep_raw(raw, encoded, call.signature)
        return Given(encoded.reply, encoded.outcome, encoded.quote_id, source, call.signature)

    async def answer(
        self, shop: QuotingShop, call: RateCall, received_at: float | None = None
    ) -> tuple[Reply, LedgerRow]:
        """The platform's reply, decided afresh, and the row that explains it (already on its way to the ledger).

        `received_at` is when the call arrived, in seconds of `time.monotonic()`; deadlines count from there.
        """
        started = time.monotonic() if received_at is None else received_at
        if not self.products.has(shop.id):
            await self.products.load(shop.id)
        known = self._known(shop)
        reply, row, *_ = await self._answer(shop, known, call, self._reduce(shop, known, call), started)
        return reply, row

    async def estimate(self, shop: QuotingShop, call: RateCall, received_at: float) -> LedgerRow:
        """The answer before the checkout; for the same cart and place the checkout shows the same prices.

        A repeat is found, as long as its answer holds.
        """
        if not self.products.has(shop.id):
            await self.products.load(shop.id)
        known, now = self._known(shop), self._now()
        reduced = self._reduce(shop, known, call)
        key = _encoded_key(known, reduced, call)
        found = self._estimates.get(key, now)
        if found is not None:
            self._ledger.repeat(shop.id, found.id, now)
            return found
        _, row, _, is_final = await self._answer(shop, known, call, reduced, received_at, storefront=True)
        if is_final:
            self._estimates.keep(key, row)
        return row

    def seen(self, shop: QuotingShop, call: RateCall) -> tuple[ReducedCart, Facts]:
        """What a decision on this call would see, without asking anybody or keeping anything."""
        reduced = self._reduce(shop, self._known(shop), call)
        return reduced.cart, self._facts(shop, reduced)

    @property
    def now(self) -> Callable[[], datetime]:
        """Business time."""
        return self._now

    async def _answer(
        self,
        shop: QuotingShop,
        known: _Known,
        call: RateCall,
        reduced: _Call,
        started: float,
        *,
        storefront: bool = False,
    ) -> tuple[Reply, LedgerRow, Source, bool]:
        """Also whether the same call may be given the same answer while it holds: nothing is missing in it."""
        now, cart, origin = self._now(), reduced.cart, reduced.origin
        facts = self._facts(shop, reduced)
        planned, own = plans_for(cart, shop.settings, [(each.id, each.carrier) for each in shop.accounts])
        found, shown, key, told = Found(()), None, "", ""
        base: tuple[AccountAnswer, ...] = ()
        answers = base
        if cannot_ask(cart, facts, planned) is None and shop.accounts:
            assert origin is not None and call.cart.destination is not None and isinstance(planned, Plan)  # noqa: S101, PT018 - as cannot_ask said.
            plans = {account_id: each for account_id, each in own.items() if isinstance(each, Plan)}
            question = Question(origin, call.cart.destination, planned, cart.currency, cart.goods, cart.units, plans)
            asked = [each for each in shop.accounts if isinstance(own.get(each.id, planned), Plan)]
            left_out = [
                not_packed(each, why.why) for each in shop.accounts if isinstance(why := own.get(each.id), Unplannable)
            ]
            if known.network:
                key = hold_key(reduced.digest, shop.settings_version, reduced.place, planned.id)
                if shop.settings.storefront.on:
                    told = told_key(cart, shop.settings_version, reduced.place, planned.id)
                    key = told if storefront else key
                shown = self.shown.get(key, now) or self.shown.get(told, now)
            found = await self._carriers.find(asked, question, self._asking(shop, shown, now, started))
            base = (*found.answers, *left_out)
            answers = base
            if key:
                shown = self.shown.get(key, now) or self.shown.get(told, now)  # It may have been answered meanwhile.
                answers = hold(base, shown)
        decision = decide(cart, facts, answers, now, (planned, own))
        quote_id = new_id("quo", now)
        reply = shop.store.write_answer(decision.answer(quote_id, now), call.echo)
        row = LedgerRow(
            shop_id=shop.id,
            id=quote_id,
            at=now,
            cart=cart,
            facts=facts,
            answers=answers,
            decision=decision,
            echo=call.echo,
            signature=call.signature,
            digest=_DIGESTS.get(reply) or _DIGESTS.put(reply, hashlib.sha256(reply.body).hexdigest()),
            elapsed_ms=int((time.monotonic() - started) * 1000),
            plan_id=planned.id if isinstance(planned, Plan) else "",
            hold_key="" if storefront and known.streets else key,  # Others cannot tell whose prices need a street.
            channel=CHANNEL if storefront else "",
            plans=tuple(each for each in (planned, *own.values()) if isinstance(each, Plan)),
        )
        self._ledger.put(row)
        if key:
            kept = known.network - known.streets if storefront else known.network
            self.shown.keep(key, now, [answer for answer in answers if answer.account_id in kept])
            self._compare(row, base, shown, found)
        self._observed.stood_in(decision)
        return reply, row, source_of(decision, answers, known.network), is_final(decision, answers)

    def _asking(self, shop: QuotingShop, shown: Shown | None, now: datetime, started: float) -> Asking:
        most = float(shop.settings.learned_bound_percent * 10)
        seconds = now.timestamp()

        known: dict[str, Told] = {}

        def stand_ins(account: Account, asked: Asked) -> Told:
            told = known.get(account.id)
            if told is None:
                told = known[account.id] = self.learned.tell(account.id, asked, seconds, most)
            return told

        return Asking(
            hard_s=self._time_left(shop, started),
            soft_s=max(0.0, shop.settings.soft_deadline_ms / 1000 - (time.monotonic() - started)),
            shown=frozenset(name for name, each in shown.answers.items() if not each.has_gap) if shown else (),
            stand_ins=stand_ins,
            now=now,
        )

    def _on_live(self, account: Account, asked: Asked | None, answer: AccountAnswer) -> None:
        """A live answer came, for this request or too late for it: learn from it, and keep it for others."""
        now = self._now()
        tests = self.learned.learn(account.id, asked, answer, now.timestamp()) if asked is not None else []
        self._observed.live(account, answer, tests)
        if asked is not None and answer.state == "answered" and answer.rates and account.shop_id:
            self._ledger.live(LiveAnswer(account.shop_id, new_id("liv", now), account.id, now, asked, answer))

    def _compare(self, row: LedgerRow, base: Sequence[AccountAnswer], shown: Shown | None, found: Found) -> None:
        """Write down where live answers, those that came and those that are still to come, are not what was shown."""
        for answer, came in zip(row.answers, base, strict=True):
            task = found.under_way.get(answer.account_id)
            if task is not None:
                task.add_done_callback(partial(self._came_late, row, answer))
            elif shown is not None and came.state == "answered" and came.source == "live":
                self._differ(row, answer, came)

    def _came_late(self, row: LedgerRow, answer: AccountAnswer, task: asyncio.Task[AccountAnswer]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._differ(row, answer, task.result())

    def _differ(self, row: LedgerRow, answer: AccountAnswer, live: AccountAnswer) -> None:
        now = self._now()

        def tell(rate: KeptRate, live_minor: int | None) -> None:
            service = f"{rate.account}/{rate.carrier}/{rate.service}"[:200]
            self._ledger.difference(
                Difference(
                    row.shop_id,
                    row.id,
                    answer.account_id,
                    service,
                    now,
                    rate.stand_in or "held",
                    rate.minor,
                    live_minor,
                    rate.currency,
                )
            )

        differing(answer.rates, live, tell)

    def _known(self, shop: QuotingShop) -> _Known:
        known, products = self._shops.get(shop.id), self.products.of(shop.id)
        if known is not None and known.products is not products:
            known = None
        if known is not None and known.shop is shop:
            return known
        if known is not None and known.shop == shop:
            known = known._replace(shop=shop)
        else:
            capable = {each.id: each.connection.capabilities for each in shop.accounts}
            known = _Known(
                shop,
                secrets.token_bytes(16),
                any(each.needs_street for each in capable.values()),
                frozenset(name for name, each in capable.items() if not each.local),
                products,
                frozenset(name for name, each in capable.items() if each.needs_street),
            )
        self._shops[shop.id] = known
        return known

    def _reduce(self, shop: QuotingShop, known: _Known, call: RateCall) -> _Call:
        cart = reduce(call.cart, self._keyed_hash, known.products.find)
        location_id, origin = shop.origin_for(call.cart)
        place = location_id or repr(origin)
        return _Call(cart, place, origin, location_id, cart_digest(cart, with_person=known.needs_person))

    def _time_left(self, shop: QuotingShop, started: float) -> float:
        hard = min(shop.settings.hard_deadline_ms / 1000, shop.store.capabilities.hard_deadline_s)
        hard = self.patience.within(shop.id, hard) - _MARGIN_S
        return max(0.05, hard - (time.monotonic() - started))

    def _facts(self, shop: QuotingShop, reduced: _Call) -> Facts:
        facts = shop.facts_by_origin.get(reduced.place)
        if facts is None:
            origin = reduced.origin
            facts = Facts(
                settings_version=shop.settings_version,
                settings=shop_settings.dump(shop.settings),
                timezone=shop.timezone,
                origin=None if origin is None else place_of(origin),
                location_id=reduced.location_id,
                hard_deadline_s=shop.store.capabilities.hard_deadline_s,
                adjustments=dict(shop.adjustments) if shop.settings.price_basis == "expected" else {},
                store_location=shop.store_location(reduced.location_id),
                rate_cache_s=shop.store.capabilities.rate_cache_s,
            )
            if len(shop.facts_by_origin) < 1000:
                shop.facts_by_origin[reduced.place] = facts
        return self._on_its_way(shop, reduced, facts)

    def _on_its_way(self, shop: QuotingShop, reduced: _Call, facts: Facts) -> Facts:
        """The facts with what the shop's own deliveries say of the way to this destination, if they say anything."""
        to = reduced.cart.destination
        if not shop.lanes.estimates or to is None or facts.origin is None:
            return facts
        start = (facts.origin.country, region_of(facts.origin.province, facts.origin.postal_code))
        name, known = shop.lanes.towards(start, (to.country, region_of(to.province, to.postal_code)))
        if not known:
            return facts
        key = f"{reduced.place}\n{name}"
        with_lanes = shop.facts_by_origin.get(key)
        if with_lanes is None:
            with_lanes = facts.but(lanes=dict(known))
            if len(shop.facts_by_origin) < 1000:
                shop.facts_by_origin[key] = with_lanes
        return with_lanes


def _encoded_key(known: _Known, reduced: _Call, call: RateCall) -> tuple[bytes, str, str, str, str]:
    echo = repr(sorted(call.echo.items())) if call.echo else ""
    return known.version, reduced.place, reduced.digest, reduced.cart.locale, echo
