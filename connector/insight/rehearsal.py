"""A rehearsal: price past orders with the shop's own carriers, buy nothing, and learn the prices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from carriers.measure import Weight
from carriers.money import Money
from connector.insight.rehearsed import Rehearsed
from connector.quotes.behind import Difference, LiveAnswer
from connector.quotes.decision import DecidedOffer, Decision
from connector.quotes.desk import QuoteDesk
from connector.quotes.ledger import LedgerRow
from connector.quotes.ledger_port import Ledger
from connector.quotes.shop import QuotingShop
from connector.rules.exchange import exchange
from connector.shop_settings import ShopSettings
from connector.store import PastOrder, RateCall, Store
from connector.words.reason import Reason

AT_ONCE = 10  # Orders that are priced at the same time; carriers' own limits hold besides.
_PATIENCE_MS = 9000  # Nobody waits at a checkout: slow carriers get all the time that a platform would ever give.


class OnlyLearn:
    """A ledger that keeps no answer: a rehearsal is no quote. What carriers said goes on, to be learned from."""

    def __init__(self, behind: Ledger) -> None:
        self._behind = behind

    def put(self, row: LedgerRow) -> None:
        """Not kept."""

    def repeat(self, shop_id: str, quote_id: str, at: datetime) -> None:
        """Not kept."""

    def difference(self, difference: Difference) -> None:
        """Not kept."""

    def live(self, answer: LiveAnswer) -> None:
        """Kept: it is a price like any other."""
        self._behind.live(answer)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Prices past orders of one shop. `desk` answers into `OnlyLearn`."""

    shop: QuotingShop
    desk: QuoteDesk

    async def run(
        self, orders: AsyncIterable[PastOrder], on_progress: Callable[[int], None] = lambda _count: None
    ) -> list[Rehearsed]:
        """Every order with its price, in the order given. `on_progress` hears how many are done."""
        shop = replace(self.shop, settings=patient(self.shop.settings), facts_by_origin={})
        found: list[Rehearsed] = []
        batch: list[PastOrder] = []
        async for order in orders:
            batch.append(order)
            if len(batch) == AT_ONCE:
                found += await self._batch(shop, batch)
                batch = []
                on_progress(len(found))
        found += await self._batch(shop, batch)
        return found

    async def _batch(self, shop: QuotingShop, orders: Sequence[PastOrder]) -> list[Rehearsed]:
        return list(await asyncio.gather(*(self._price(shop, order) for order in orders)))

    async def _price(self, shop: QuotingShop, order: PastOrder) -> Rehearsed:
        _, row = await self.desk.answer(shop, RateCall(order.cart))
        grams = sum((line.grams or _usual_grams(shop.settings)) * line.quantity for line in row.cart.lines)
        place = order.cart.destination
        found = Rehearsed(
            name=order.name,
            country=place.country if place else "",
            postal_code=place.postal_code if place else "",
            grams=grams,
            goods=row.cart.goods,
            charged=order.charged,
            cost=None,
            why=row.decision.why or Reason("no_prices"),
        )
        chosen = choose(row.decision, order.shipping_title, order.charged.currency, shop.settings)
        if chosen is None:
            return found
        offer, cost, as_chosen = chosen
        return replace(found, cost=cost, service=offer.name, as_chosen=as_chosen, why=None)


def patient(settings: ShopSettings) -> ShopSettings:
    """The same settings with all the time that carriers may take, and without prices that stand in for theirs."""
    return settings.model_copy(
        update={"hard_deadline_ms": _PATIENCE_MS, "soft_deadline_ms": _PATIENCE_MS, "backup": "platform"}
    )


def choose(
    decision: Decision, title: str, currency: str, settings: ShopSettings
) -> tuple[DecidedOffer, Money, bool] | None:
    """The offer that the buyer chose then, by its name, else the one with the cheapest label; with the label's cost.

    None where no offer has a label price that can be told in the order's currency.
    """
    priced: list[tuple[DecidedOffer, Money]] = []
    for offer in decision.offers:
        cost = None if offer.bought_as is None else Money(offer.bought_as.minor, offer.bought_as.currency)
        if cost is not None and cost.currency != currency:
            exchanged = exchange(cost, currency, settings.exchange_rates)
            cost = None if exchanged is None else exchanged.money
        if cost is not None:
            priced.append((offer, cost))
    if not priced:
        return None
    wanted = title.strip().casefold()
    named = [pair for pair in priced if wanted and pair[0].name.casefold() == wanted]
    offer, cost = min(named or priced, key=lambda pair: pair[1].minor)
    return offer, cost, bool(named)


async def past_orders(store: Store, since: datetime) -> AsyncIterator[PastOrder]:
    """Every past order of the store from `since` on, with the weights that the store knows of its variants."""
    weights: dict[str, Weight | None] = {}
    after = ""
    while True:
        page = await store.past_orders(since, after)
        await _weigh(store, page.orders, weights)
        for order in page.orders:
            yield _with_weights(order, weights)
        after = page.after
        if not after:
            return


async def _weigh(store: Store, orders: Sequence[PastOrder], weights: dict[str, Weight | None]) -> None:
    wanted = {
        line.variant_id
        for order in orders
        for line in order.cart.lines
        if line.weight is None and line.variant_id and line.variant_id not in weights
    }
    if not wanted:
        return
    weights.update(dict.fromkeys(wanted))
    for each in await store.product_facts(sorted(wanted)):
        weights[each.variant_id] = each.weight


def _with_weights(order: PastOrder, weights: dict[str, Weight | None]) -> PastOrder:
    lines = tuple(
        replace(line, weight=weights.get(line.variant_id)) if line.weight is None else line for line in order.cart.lines
    )
    return replace(order, cart=replace(order.cart, lines=lines))


def _usual_grams(settings: ShopSettings) -> int:
    return settings.default_item_weight_g or 0
