"""Seen prices of one service on one lane, by weight, and what they say of a weight between. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.quotes.learning.steps import step_of

DAY_S = 86_400.0
LIFE_S = 30 * DAY_S
"""A price that was seen longer ago says nothing."""

_AGE_PERMILLE_PER_DAY = 0.5
_MOST_WEIGHTS = 96


@dataclass(frozen=True, slots=True)
class Sample:
    """A price that a carrier named for one parcel: minor units, when (Unix seconds), and what came with it."""

    at: float
    minor: int
    list_minor: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A price that was not asked for. `bound_permille`: how far it may be off if prices grow with weight."""

    minor: int
    list_minor: int | None
    days: int | None
    bound_permille: float
    samples: int


@dataclass(slots=True)
class Samples:
    """The newest price of each weight, at most so many weights: the one seen longest ago goes."""

    weights: list[int] = field(default_factory=list)
    prices: list[Sample] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.weights)

    def __iter__(self) -> Iterator[tuple[int, Sample]]:
        return zip(self.weights, self.prices, strict=True)

    def see(self, grams: int, sample: Sample) -> None:
        """Keep a price."""
        at = bisect_left(self.weights, grams)
        if at < len(self.weights) and self.weights[at] == grams:
            self.prices[at] = sample
            return
        self.weights.insert(at, grams)
        self.prices.insert(at, sample)
        if len(self.weights) > _MOST_WEIGHTS:
            oldest = min(range(len(self.prices)), key=lambda index: self.prices[index].at)
            del self.weights[oldest], self.prices[oldest]

    def forget_before(self, at: float) -> None:
        """Let go of what was seen before then."""
        kept = [(grams, sample) for grams, sample in self if sample.at >= at]
        self.weights, self.prices = [grams for grams, _ in kept], [sample for _, sample in kept]

    def exact(self, grams: int, now: float) -> Sample | None:
        """The price that was seen for this very weight."""
        at = bisect_left(self.weights, grams)
        if at == len(self.weights) or self.weights[at] != grams or now - self.prices[at].at > LIFE_S:
            return None
        return self.prices[at]

    def alike(self, grams: int, now: float, unit: int | None) -> Sample | None:
        """The price that was seen for this very weight, or for one in the same step of a price list."""
        found = self.exact(grams, now)
        if found is not None or unit is None:
            return found
        step = step_of(grams, unit)
        same = (each for weight, each in self.beside(grams) if step_of(weight, unit) == step)
        return next((each for each in same if now - each.at <= LIFE_S), None)

    def beside(self, grams: int) -> list[tuple[int, Sample]]:
        """The next lighter and the next heavier weight that were seen."""
        at = bisect_left(self.weights, grams)
        after = at + (at < len(self.weights) and self.weights[at] == grams)
        return [(self.weights[i], self.prices[i]) for i in (at - 1, after) if 0 <= i < len(self.weights)]

    def estimate(self, grams: int, now: float, unit: int | None = None) -> Estimate | None:
        """The price of a weight that was seen, or that lies between two that were; nothing is guessed beyond.

        With the `unit` of the price list's steps, a price seen in the same step is as good as the weight's own.
        """
        found = self.alike(grams, now, unit)
        if found is not None:
            return Estimate(found.minor, found.list_minor, found.days, _age(found, now), len(self))
        return self._between(grams, now, growing=True)

    def line(self, grams: int, now: float) -> Estimate | None:
        """The price on the line between the next lighter and the next heavier weight, whatever the weight's own is.

        Its bound is only that of the prices' age: how straight the list is, is for tests to say.
        """
        return self._between(grams, now, growing=False)

    def _between(self, grams: int, now: float, *, growing: bool) -> Estimate | None:
        at = bisect_left(self.weights, grams)
        after = at + (at < len(self.weights) and self.weights[at] == grams)
        below = next((index for index in range(at - 1, -1, -1) if now - self.prices[index].at <= LIFE_S), None)
        above = next(
            (index for index in range(after, len(self.weights)) if now - self.prices[index].at <= LIFE_S), None
        )
        if below is None or above is None:
            return None
        low, high = self.prices[below], self.prices[above]
        part = (grams - self.weights[below], self.weights[above] - self.weights[below])
        minor = _between(low.minor, high.minor, *part)
        if minor <= 0:
            return None
        gap = max(abs(high.minor - minor), abs(minor - low.minor)) * 1000 / minor if growing else 0.0
        listed = None
        if low.list_minor is not None and high.list_minor is not None:
            listed = _between(low.list_minor, high.list_minor, *part)
        age = max(_age(low, now), _age(high, now))
        return Estimate(minor, listed, _later(low.days, high.days), gap + age, len(self))


def _between(low: int, high: int, part: int, whole: int) -> int:
    """On the line between two prices, rounded up."""
    return low + -(-(high - low) * part // whole)


def _age(sample: Sample, now: float) -> float:
    return max(0.0, now - sample.at) / DAY_S * _AGE_PERMILLE_PER_DAY


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
