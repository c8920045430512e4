"""What shipping past orders would have cost against what their buyers paid. Pure: figures from rehearsed orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from carriers.money import Money
from connector.words.reason import Reason

_BANDS_G = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One past order and what its label would cost now, in the order's currency.

    `cost` is None where no carrier named a price, and `why` says why. `as_chosen`: the price is of the service that
    the buyer chose; otherwise of the cheapest one. `goods` is the value after discounts.
    """

    name: str
    country: str
    postal_code: str
    grams: int
    goods: Money
    charged: Money
    cost: Money | None
    service: str = ""
    as_chosen: bool = False
    why: Reason | None = None

    @property
    def left(self) -> int:
        """What the shipping charge left over after the label, in minor units; negative is a loss."""
        return 0 if self.cost is None else self.charged.minor - self.cost.minor


@dataclass(frozen=True, slots=True)
class Group:
    """Orders with something in common: how many, what buyers paid and what labels cost."""

    key: str
    orders: int
    charged: Money
    cost: Money

    @property
    def left(self) -> Money:
        """What was left over; negative is a loss."""
        return self.charged - self.cost


@dataclass(frozen=True, slots=True)
class Threshold:
    """Free shipping from `amount` on: orders that it would have made free, their labels, and the income given up."""

    amount: Money
    free_orders: int
    labels: Money
    income_lost: Money


@dataclass(frozen=True, slots=True)
class DeadZone:
    """A country where some orders had no price: how many, out of how many, and the most frequent reason."""

    country: str
    orders: int
    of: int
    why: Reason


@dataclass(frozen=True, slots=True)
class Report:
    """What a rehearsal found, in one currency. `other_currency` orders are in no figure."""

    currency: str
    orders: int
    priced: int
    as_chosen: int
    charged: Money
    cost: Money
    losing: int
    by_country: tuple[Group, ...]
    by_weight: tuple[Group, ...]
    worst: tuple[Rehearsed, ...]
    dead_zones: tuple[DeadZone, ...]
    thresholds: tuple[Threshold, ...]
    other_currency: int = 0

    @property
    def left(self) -> Money:
        """What all shipping charges left over after the labels; negative is a loss."""
        return self.charged - self.cost


def report(found: Iterable[Rehearsed], currency: str, thresholds: Sequence[Money]) -> Report:
    """The figures of all orders that were charged in `currency`."""
    everything = list(found)
    ours = [each for each in everything if each.charged.currency == currency]
    priced = [each for each in ours if each.cost is not None]
    total = _group("", priced, currency)
    return Report(
        currency=currency,
        orders=len(ours),
        priced=len(priced),
        as_chosen=sum(each.as_chosen for each in priced),
        charged=total.charged,
        cost=total.cost,
        losing=sum(each.left < 0 for each in priced),
        by_country=tuple(
            sorted(
                _groups(priced, lambda each: each.country or "?", currency), key=lambda each: (-each.orders, each.key)
            )
        ),
        by_weight=_by_weight(priced, currency),
        worst=tuple(sorted((each for each in priced if each.left < 0), key=lambda each: each.left)[:10]),
        dead_zones=_dead_zones(ours),
        thresholds=tuple(_threshold(amount, priced, currency) for amount in thresholds),
        other_currency=len(everything) - len(ours),
    )


def band(grams: int) -> str:
    """The weight band: "0-0.5 kg" to "over 30 kg"."""
    low = 0
    for high in _BANDS_G:
        if grams <= high:
            return f"{low / 1000:g}-{high / 1000:g} kg"
        low = high
    return f"over {low / 1000:g} kg"


def _by_weight(priced: Sequence[Rehearsed], currency: str) -> tuple[Group, ...]:
    order = {band(grams): place for place, grams in enumerate((*_BANDS_G, _BANDS_G[-1] + 1))}
    found = _groups(priced, lambda each: band(each.grams), currency)
    return tuple(sorted(found, key=lambda each: order[each.key]))


def _groups(priced: Sequence[Rehearsed], key: Callable[[Rehearsed], str], currency: str) -> list[Group]:
    parts: dict[str, list[Rehearsed]] = defaultdict(list)
    for each in priced:
        parts[key(each)].append(each)
    return [_group(name, members, currency) for name, members in parts.items()]


def _group(key: str, members: Sequence[Rehearsed], currency: str) -> Group:
    charged = sum(each.charged.minor for each in members)
    cost = sum(each.cost.minor for each in members if each.cost is not None)
    return Group(key, len(members), Money(charged, currency), Money(cost, currency))


def _dead_zones(ours: Sequence[Rehearsed]) -> tuple[DeadZone, ...]:
    of = Counter(each.country or "?" for each in ours)
    without: dict[str, list[Reason]] = defaultdict(list)
    for each in ours:
        if each.cost is None and each.why is not None:
            without[each.country or "?"].append(each.why)
    zones = []
    for country, reasons in without.items():
        ((code, _),) = Counter(reason.code for reason in reasons).most_common(1)
        why = next(reason for reason in reasons if reason.code == code)
        zones.append(DeadZone(country, len(reasons), of[country], why))
    return tuple(sorted(zones, key=lambda zone: (-zone.orders, zone.country)))


def _threshold(amount: Money, priced: Sequence[Rehearsed], currency: str) -> Threshold:
    free = [each for each in priced if each.goods >= amount]
    made = _group("", free, currency)
    return Threshold(amount, len(free), made.cost, made.charged)
