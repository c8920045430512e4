"""The learned prices of a process: told from past live answers, tested by each new one, dropped when carriers change.

Each live answer is first told, then seen: how far off the telling was is the held-back error that bounds the next one.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil

from connector.quotes.answers import AccountAnswer, KeptRate, UsualService
from connector.quotes.learning.lane import Asked
from connector.quotes.learning.record import Record
from connector.quotes.learning.samples import Estimate, Sample, Samples
from connector.quotes.learning.zones import Zones
from connector.quotes.lru import Bounded

ServiceKey = tuple[str, str, str]
Found = tuple[str, str, list[Estimate]]
"""A level, a currency, and the estimate of each parcel."""

_MOST_BYTES = 24 * 1024 * 1024
_MOST_SERVICES = 20_000
_ANSWERS_KEPT = 8
_EXPECTED_SHARE = 4  # A service that one of so many answers had is expected.
_LEAST_ANSWERS = 2
_SAME_PERMILLE = 5.0  # A price of the same lane and weight that moved by more is another price list.
_NEAR, _ZONE, _LINE, _WIDE = "near", "zone", "line", "wide"


@dataclass(frozen=True, slots=True)
class Told:
    """What would be shown without a live answer. `whole`: nothing is missing that the account usually offers there.

    `usual` is what it usually offers there, with or without a price that is known well enough, by the carrier's own
    account; empty where that is not known.
    """

    rates: tuple[KeptRate, ...] = ()
    whole: bool = False
    usual: tuple[tuple[ServiceKey, UsualService], ...] = ()


@dataclass(frozen=True, slots=True)
class Tested:
    """A told price beside the one that came: error and bound in permille of the one that came; None: not told."""

    service: ServiceKey
    error_permille: float | None
    bound_permille: float | None
    changed: bool = False


@dataclass(slots=True)
class _Book:
    """What was seen on one lane of one account."""

    services: dict[ServiceKey, Samples] = field(default_factory=dict)
    currencies: dict[ServiceKey, str] = field(default_factory=dict)
    offered: deque[frozenset[ServiceKey]] = field(default_factory=lambda: deque(maxlen=_ANSWERS_KEPT))

    def size(self) -> int:
        """About how many bytes it takes."""
        return 600 + sum(500 + 160 * len(samples) for samples in self.services.values())

    def expected(self) -> list[ServiceKey]:
        """The services that a live answer would likely have, in an order of their own."""
        counts: dict[ServiceKey, int] = {}
        for keys in self.offered:
            for key in keys:
                counts[key] = counts.get(key, 0) + 1
        return sorted(key for key, count in counts.items() if count * _EXPECTED_SHARE >= len(self.offered))

    def usual(self, key: ServiceKey) -> UsualService:
        """One of these services, with the days that came with its newest price."""
        newest = max(self.services.get(key) or (), key=lambda each: each[1].at, default=None)
        return UsualService(carrier=key[1], service=key[2], transit_days=newest[1].days if newest else None)


class LearnedPrices:
    """What past answers of each account say; bounded in bytes, the lanes used longest ago go first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._books: Bounded[tuple[str, str], _Book] = Bounded(most_bytes)
        self._records: OrderedDict[tuple[str, ServiceKey], Record] = OrderedDict()
        self._zones: dict[tuple[str, ServiceKey], Zones] = {}

    @property
    def bytes(self) -> int:
        """About how much is kept."""
        return self._books.bytes

    def tell(self, account_id: str, asked: Asked, now: float, most_permille: float) -> Told:
        """The prices that are known well enough: each with its bound, which is `most_permille` or less.

        With 0 none is told, only what is usually offered.
        """
        history = self._history(account_id, asked)
        if history is None:
            return Told()
        expected = history.expected()
        rates = []
        for key in expected:
            rate = self._tell_one(account_id, key, asked, now, most_permille) if most_permille > 0 else None
            if rate is not None:
                rates.append(rate)
        whole = bool(rates) and len(rates) == len(expected)
        return Told(tuple(rates), whole, tuple([(key, history.usual(key)) for key in expected]))

    def learn(self, account_id: str, asked: Asked, answer: AccountAnswer, now: float) -> list[Tested]:
        """Take in a live answer; how well it had been known before."""
        if answer.state != "answered" or any(rate.stand_in for rate in answer.rates):
            return []
        tests = [self._test(account_id, rate, asked, now) for rate in answer.rates]
        for lane in asked.lanes:
            key = (account_id, lane)
            book = self._books.get(key) or _Book()
            for rate in answer.rates:
                sample = _see(book, rate, asked.grams, now)
                if sample is not None and lane == asked.lanes[0]:
                    zones = self._zones.setdefault((account_id, rate.key), Zones())
                    zones.see(lane, book.services[rate.key], asked.grams[0], sample)
            if not answer.has_gap and answer.rates:
                book.offered.append(frozenset(rate.key for rate in answer.rates))
            self._books.put(key, book, book.size())
        return tests

    def _history(self, account_id: str, asked: Asked) -> _Book | None:
        """The narrowest lane of which it is known what is offered there."""
        for lane in asked.lanes:
            book = self._books.get((account_id, lane))
            if book is not None and len(book.offered) >= _LEAST_ANSWERS:
                return book
        return None

    def _tell_one(
        self, account_id: str, key: ServiceKey, asked: Asked, now: float, most_permille: float
    ) -> KeptRate | None:
        """The price of the level that may be off the least, of those that have been tested."""
        record = self._records.get((account_id, key))
        if record is None:
            return None
        best = _best(record, self._estimates(account_id, key, asked, now), now)
        return None if best is None or ceil(best[0]) > most_permille else _told(key, *best)

    def _estimates(self, account_id: str, key: ServiceKey, asked: Asked, now: float) -> Iterator[Found]:
        """Every parcel's price by each lane that has them all; a price for some of them is none."""
        for number, lane in enumerate(asked.lanes):
            book = self._books.get((account_id, lane))
            samples = book.services.get(key) if book is not None else None
            if book is None or samples is None:
                continue
            parts = [part for grams in asked.grams if (part := samples.estimate(grams, now)) is not None]
            if len(parts) == len(asked.grams):
                yield _level(number, asked), book.currencies[key], parts
        zones = self._zones.get((account_id, key))
        if zones is not None:
            lane = asked.lanes[0]
            parts = [part for grams in asked.grams if (part := zones.estimate(lane, grams, now)) is not None]
            book = self._books.get((account_id, lane))
            if len(parts) == len(asked.grams) and book is not None and key in book.currencies:
                yield _ZONE if len(parts) == 1 else f"{_ZONE} of several", book.currencies[key], parts
            parts = [part for grams in asked.grams if (part := zones.line(lane, grams, now)) is not None]
            if len(parts) == len(asked.grams) and book is not None and key in book.currencies:
                yield _LINE if len(parts) == 1 else f"{_LINE} of several", book.currencies[key], parts

    def _test(self, account_id: str, rate: KeptRate, asked: Asked, now: float) -> Tested:
        """Tell a price that has come in; keep how far off that was, and forget what it contradicts."""
        record = self._record(account_id, rate.key)
        estimates = list(self._estimates(account_id, rate.key, asked, now))
        told = _best(record, estimates, now)
        changed = self._contradicts(account_id, rate, asked, now)
        if changed:
            self._forget(account_id, rate.key, record, asked, now)
        elif rate.minor > 0:
            for level, currency, parts in estimates:
                if currency == rate.currency:
                    error = abs(sum(part.minor for part in parts) - rate.minor) * 1000 / rate.minor
                    record.note(level, now, max(0.0, error - max(part.bound_permille for part in parts)))
        if told is None or rate.minor <= 0 or told[1] != rate.currency:
            return Tested(rate.key, None, None, changed)
        error = abs(sum(part.minor for part in told[2]) - rate.minor) * 1000 / rate.minor
        return Tested(rate.key, error, ceil(told[0]), changed)

    def _contradicts(self, account_id: str, rate: KeptRate, asked: Asked, now: float) -> bool:
        """Whether the very same parcel had another price on the very same lane."""
        book = self._books.get((account_id, asked.lanes[0])) if len(asked.grams) == 1 else None
        samples = book.services.get(rate.key) if book is not None else None
        seen = samples.exact(asked.grams[0], now) if samples is not None else None
        if book is None or seen is None or rate.minor <= 0:
            return False
        moved = abs(seen.minor - rate.minor) * 1000 / rate.minor
        return book.currencies[rate.key] != rate.currency or moved > _SAME_PERMILLE

    def _forget(self, account_id: str, key: ServiceKey, record: Record, asked: Asked, now: float) -> None:
        """A lane's prices have changed; where a second lane's have, too, the carrier has changed them all."""
        for lane in asked.lanes:
            book = self._books.get((account_id, lane))
            if book is not None:
                book.services.pop(key, None)
                book.currencies.pop(key, None)
        zones = self._zones.get((account_id, key))
        if zones is not None:
            zones.leave(asked.lanes[0])
        if record.doubt(asked.lanes[0], now):
            self._drop_everywhere(account_id, key, record.changed_at)

    def _drop_everywhere(self, account_id: str, key: ServiceKey, before: float) -> None:
        self._zones.pop((account_id, key), None)
        for (owner, _), book in self._books.items():
            samples = book.services.get(key) if owner == account_id else None
            if samples is not None:
                samples.forget_before(before)

    def _record(self, account_id: str, key: ServiceKey) -> Record:
        record = self._records.get((account_id, key))
        if record is None:
            record = self._records[account_id, key] = Record()
            if len(self._records) > _MOST_SERVICES:
                forgotten, _ = self._records.popitem(last=False)
                self._zones.pop(forgotten, None)
        return record


def _best(record: Record, estimates: Iterable[Found], now: float) -> tuple[float, str, list[Estimate]] | None:
    """The estimate with the least bound (permille), of those whose level has been tested."""
    best: tuple[float, str, list[Estimate]] | None = None
    for level, currency, parts in estimates:
        beyond = record.beyond(level, now)
        if beyond is not None:
            bound = max(part.bound_permille for part in parts) + beyond
            if best is None or bound < best[0]:
                best = (bound, currency, parts)
    return best


def _told(key: ServiceKey, bound: float, currency: str, parts: Sequence[Estimate]) -> KeptRate:
    listed = _listed(parts)
    return KeptRate(
        account=key[0],
        carrier=key[1],
        service=key[2],
        minor=sum(part.minor for part in parts),
        currency=currency,
        transit_days=_slowest(parts),
        list_minor=listed,
        list_currency="" if listed is None else currency,
        stand_in="learned",
        samples=min(part.samples for part in parts),
        bound_permille=ceil(bound),
    )


def _see(book: _Book, rate: KeptRate, grams: Sequence[int], now: float) -> Sample | None:
    """Keep what one parcel costs; from several only if they are alike, so that a share is a price."""
    if len(set(grams)) != 1 or rate.minor % len(grams) or (rate.list_minor or 0) % len(grams):
        return None
    if book.currencies.get(rate.key, rate.currency) != rate.currency:
        book.services.pop(rate.key, None)
    book.currencies[rate.key] = rate.currency
    listed = rate.list_minor if rate.list_currency in {"", rate.currency} else None
    one = None if listed is None else listed // len(grams)
    sample = Sample(now, rate.minor // len(grams), one, rate.transit_days)
    book.services.setdefault(rate.key, Samples()).see(grams[0], sample)
    return sample


def _level(number: int, asked: Asked) -> str:
    """Which errors count: those of the same width, and of one or several parcels."""
    width = _WIDE if number == len(asked.lanes) - 1 else _NEAR
    return width if len(asked.grams) == 1 else f"{width} of several"


def _slowest(parts: Sequence[Estimate]) -> int | None:
    days = [part.days for part in parts if part.days is not None]
    return max(days) if len(days) == len(parts) else None


def _listed(parts: Sequence[Estimate]) -> int | None:
    listed = [part.list_minor for part in parts if part.list_minor is not None]
    return sum(listed) if len(listed) == len(parts) else None
