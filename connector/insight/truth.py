"""What shipping really cost: quoted, charged, bought, invoiced; by order, over time, by cause of each gap. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from carriers.money import Money
from connector.insight.gaps import CAUSES, Attribution, Cause


@dataclass(frozen=True, slots=True)
class OrderCost:
    """One order in its currency. What is not known is None: no quote, nothing bought yet, no invoice yet.

    `bought` and `invoiced` are less what came back. `gaps` are those of its labels; `dearer` are the parcels (number,
    our id) whose carrier added something to the label.
    """

    order_id: str
    name: str
    placed: date
    charged: Money
    quoted: Money | None
    bought: Money | None
    invoiced: Money | None
    gaps: tuple[Attribution, ...] = ()
    dearer: tuple[tuple[int, str], ...] = ()

    @property
    def cost(self) -> Money | None:
        """What it cost as far as is known: the invoice, else the label."""
        return self.bought if self.invoiced is None else self.invoiced

    @property
    def loss(self) -> int | None:
        """What it cost more than the buyer paid, in minor units; negative where something was left over."""
        return None if self.cost is None else self.cost.minor - self.charged.minor

    @property
    def lost(self) -> Money | None:
        """The same as an amount."""
        return None if self.loss is None else Money(self.loss, self.charged.currency)

    @property
    def added(self) -> Money | None:
        """What its carriers' invoices added to what the labels were bought at; None without an invoice."""
        return None if self.invoiced is None or self.bought is None else self.invoiced - self.bought

    @property
    def causes(self) -> tuple[tuple[Cause, Money], ...]:
        """What the gap of its labels comes of, the most first."""
        sums = causes_of(self.gaps)
        largest = sorted(sums.items(), key=lambda each: (-abs(each[1][1]), CAUSES.index(each[0])))
        return tuple((cause, Money(minor, self.charged.currency)) for cause, (_, minor) in largest)

    @property
    def main_cause(self) -> Cause | None:
        """What most of it comes of."""
        return self.causes[0][0] if self.causes else None


@dataclass(frozen=True, slots=True)
class Period:
    """The orders of some days, and how many of them are invoiced; sums of those amounts that are known."""

    since: date
    orders: int
    invoiced: int
    quoted: Money
    charged: Money
    bought: Money
    cost: Money


@dataclass(frozen=True, slots=True)
class Truth:
    """The report in one currency. `median_loss` and `p90_loss` are of invoiced orders: invoiced less charged.

    `losing`: orders that lost more than `limit`, of those whose cost is known (`known`).
    """

    currency: str
    limit: Money
    orders: tuple[OrderCost, ...]
    known: int
    invoiced: int
    quoted: Money
    charged: Money
    bought: Money
    billed: Money
    median_loss: Money | None
    p90_loss: Money | None
    losing: int
    causes: tuple[tuple[Cause, int, Money], ...]
    periods: tuple[Period, ...]
    other_currency: int = 0

    @property
    def losing_permille(self) -> int:
        """The share of orders that lost more than the limit."""
        return 0 if not self.known else self.losing * 1000 // self.known


def report(found: Iterable[OrderCost], currency: str, limit: Money, *, other_currency: int = 0) -> Truth:
    """The figures of all orders; they are in `currency`. Orders of which nothing was bought count as not known."""
    orders = tuple(sorted(found, key=lambda order: (order.placed, order.name), reverse=True))
    known = [each for each in orders if each.cost is not None]
    invoiced = [each for each in orders if each.invoiced is not None]
    losses = sorted(each.loss for each in invoiced if each.loss is not None)
    sums = causes_of(gap for each in orders for gap in each.gaps)
    return Truth(
        currency=currency,
        limit=limit,
        orders=orders,
        known=len(known),
        invoiced=len(invoiced),
        quoted=_sum((each.quoted for each in orders), currency),
        charged=_sum((each.charged for each in known), currency),
        bought=_sum((each.bought for each in orders), currency),
        billed=_sum((each.cost for each in orders), currency),
        median_loss=quantile(losses, 500, currency),
        p90_loss=quantile(losses, 900, currency),
        losing=sum(each.loss > limit.minor for each in known if each.loss is not None),
        causes=tuple((cause, *_counted(sums[cause], currency)) for cause in CAUSES if cause in sums),
        periods=_periods(known, currency),
        other_currency=other_currency,
    )


def causes_of(gaps: Iterable[Attribution]) -> dict[Cause, tuple[int, int]]:
    """How many labels each cause touched, and minor units of it."""
    found: dict[Cause, list[int]] = defaultdict(lambda: [0, 0])
    for gap in gaps:
        for cause, minor in gap.parts:
            found[cause][0] += 1
            found[cause][1] += minor
    return {cause: (count, minor) for cause, (count, minor) in found.items()}


def quantile(ordered: Sequence[int], permille: int, currency: str) -> Money | None:
    """The smallest of the ordered amounts that at least so many of a thousand do not pass; None of nothing."""
    if not ordered:
        return None
    place = -(-len(ordered) * permille // 1000) - 1
    return Money(ordered[max(0, place)], currency)


def _counted(sums: tuple[int, int], currency: str) -> tuple[int, Money]:
    return sums[0], Money(sums[1], currency)


def _sum(amounts: Iterable[Money | None], currency: str) -> Money:
    return Money(sum(each.minor for each in amounts if each is not None), currency)


def _periods(orders: Sequence[OrderCost], currency: str) -> tuple[Period, ...]:
    """By weeks from Monday; months where that would be more than half a year of them."""
    if not orders:
        return ()
    first, last = min(each.placed for each in orders), max(each.placed for each in orders)
    by_month = last - first > timedelta(weeks=26)
    parts: dict[date, list[OrderCost]] = defaultdict(list)
    for each in orders:
        start = each.placed.replace(day=1) if by_month else each.placed - timedelta(days=each.placed.weekday())
        parts[start].append(each)
    return tuple(
        Period(
            start,
            len(parts[start]),
            sum(each.invoiced is not None for each in parts[start]),
            _sum((each.quoted for each in parts[start]), currency),
            _sum((each.charged for each in parts[start]), currency),
            _sum((each.bought for each in parts[start]), currency),
            _sum((each.cost for each in parts[start]), currency),
        )
        for start in sorted(parts)
    )
