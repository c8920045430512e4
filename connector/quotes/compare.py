"""Past carts answered again under other settings: how many answers change, by how much, and who would have no rate."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from carriers.money import Money
from connector import shop_settings
from connector.packing.plan import Plan
from connector.quotes.decide import decide, plan
from connector.quotes.decision import Decision
from connector.quotes.ledger import LedgerRow
from connector.shop_settings import ShopSettings

_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """One answer whose cheapest price moved; `after` is None where the buyer would see no price."""

    quote_id: str
    before: Money | None
    after: Money | None


@dataclass(slots=True)
class Compared:
    """What other settings would have answered.

    `anew`: parcels or origin differ, so that carriers would have to be asked anew; these are in no other figure.
    `no_rate`, `rate_again`: answers that lose or gain prices altogether. `by_currency` holds how far the cheapest price
    moved, in minor units, answer by answer; `offers` counts each offer that is gone, new, dearer or cheaper.
    """

    answers: int = 0
    changed: int = 0
    anew: int = 0
    no_rate: int = 0
    rate_again: int = 0
    by_currency: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    offers: Counter[tuple[str, str]] = field(default_factory=Counter)
    largest: list[Moved] = field(default_factory=list)

    def moves(self) -> list[Movement]:
        """How far the cheapest price moved, by currency, where it did."""
        return [Movement.of(currency, by) for currency, by in sorted(self.by_currency.items())]


@dataclass(frozen=True, slots=True)
class Movement:
    """The cheapest prices that moved, in one currency: how many, the sum, the median, and both ends."""

    dearer: int
    cheaper: int
    total: Money
    median: Money
    least: Money
    most: Money

    @classmethod
    def of(cls, currency: str, by: list[int]) -> Movement:
        """From the differences in minor units; at least one."""
        return cls(
            dearer=sum(each > 0 for each in by),
            cheaper=sum(each < 0 for each in by),
            total=Money(sum(by), currency),
            median=Money(int(statistics.median_low(by)), currency),
            least=Money(min(by), currency),
            most=Money(max(by), currency),
        )


def compare(rows: Iterable[LedgerRow], settings: ShopSettings) -> Compared:
    """Decide each kept answer again with these settings; the carriers' answers stay as they were."""
    found, body = Compared(), shop_settings.dump(settings)
    for row in rows:
        found.answers += 1
        if _must_be_asked_anew(row, settings):
            found.anew += 1
            continue
        after = decide(row.cart, row.facts.but(settings=body), row.answers, row.at)
        _count(found, row, after)
    found.largest.sort(key=lambda each: -_size(each))
    return found


def _must_be_asked_anew(row: LedgerRow, settings: ShopSettings) -> bool:
    before: Mapping[str, Any] = row.facts.settings
    if before.get("default_location", "") != settings.default_location:
        return True
    planned = plan(row.cart, settings)
    return row.plan_id != (planned.id if isinstance(planned, Plan) else "")


def _count(found: Compared, row: LedgerRow, after: Decision) -> None:
    old = {offer.code: Money(offer.minor, offer.currency) for offer in row.decision.offers}
    new = {offer.code: Money(offer.minor, offer.currency) for offer in after.offers}
    if old == new and row.decision.outcome == after.outcome:
        return
    found.changed += 1
    found.no_rate += bool(old) and not new
    found.rate_again += bool(new) and not old
    for code in old.keys() | new.keys():
        change = _change(old.get(code), new.get(code))
        if change:
            found.offers[code, change] += 1
    moved = Moved(row.id, _cheapest(old), _cheapest(new))
    if moved.before is not None and moved.after is not None and moved.before != moved.after:
        found.by_currency[moved.after.currency].append(moved.after.minor - moved.before.minor)
    if moved.before != moved.after:
        found.largest.append(moved)
        if len(found.largest) > 20 * _EXAMPLES:
            found.largest.sort(key=lambda each: -_size(each))
            del found.largest[_EXAMPLES:]


def _change(before: Money | None, after: Money | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    if before == after:
        return ""
    return "dearer" if after.minor > before.minor else "cheaper"


def _cheapest(offers: Mapping[str, Money]) -> Money | None:
    return min(offers.values(), key=lambda price: price.minor, default=None)


def _size(moved: Moved) -> int:
    """How much a change matters: losing or gaining all prices before any amount."""
    if moved.before is None or moved.after is None:
        return 10**18
    return abs(moved.after.minor - moved.before.minor)
