"""Why a label cost something else than was quoted: the gap taken apart by its causes, from what is known. Pure.

Two steps lead from the quote to the invoice. What changed until the purchase is the quote's own: a price that stood in
for the carrier's, or else the carrier's new price. What changed after it is the carrier's: its own words for each
charge count first; what it did not name is told by what it measured, and, where the price list is known, by the
difference in price that each measure makes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from carriers.invoice import NOTHING, Measures
from connector.insight.sharing import share_out

Cause = Literal[
    "dimensions", "weight", "zone", "residential", "surcharge", "address_correction", "stand_in", "label_fee", "other"
]
CAUSES: tuple[Cause, ...] = (
    "dimensions",
    "weight",
    "zone",
    "residential",
    "surcharge",
    "address_correction",
    "stand_in",
    "label_fee",
    "other",
)
PriceOf = Callable[[Measures], int | None]
"""The price in minor units of what is measured so (whether it is a home plays no part); None where it is not known."""

_WORDS: tuple[tuple[str, Cause], ...] = (
    (r"addr\w*[ ./-]*(corr|chang|fix|adj|err|valid|inva)", "address_correction"),
    (r"(corr|wrong|bad|incomplete)\w*[ ./-]*addr", "address_correction"),
    (r"delivery area|\bdas\b|extended area|remote|additional handling|\bahs?\b", "surcharge"),
    (r"\bres\b|\bresi\b|resid|home deliver|private addr", "residential"),
    (r"\bdim|dimension|volum|cubic|girth|over ?size|large pack|nonstandard|non-standard|\bsize\b|length", "dimensions"),
    (r"\bzone|distance|\bzn\b", "zone"),
    (r"weigh|\bwt\b|\bwgt\b|\blbs?\b|\bkg\b|\boz\b|heav", "weight"),
    (r"surch|fuel|peak|demand|handling|signature|saturday|toll|season|declared|\bfee\b|security|energy", "surcharge"),
    (r"address", "address_correction"),
)
_SLACK = 1.03
"""Scales and rounding differ by so much without meaning anything."""

DIVISOR = 5_000
"""Cubic millimetres for a gram where the carrier's is not known: 5,000 cubic centimetres for a kilogram."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A line of the carrier's bill for this parcel beside the price it was bought at: its word, and minor units."""

    word: str
    minor: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one label. Amounts are minor units of one currency.

    `quoted` is None where the quote is lost; `stand_in`: its price was not the carrier's own. `divisor` is in cubic
    millimetres for a gram. `home_fee` is what a delivery to a home costs, as far as it is known. `fees` were taken with
    the purchase, beside `bought`.
    """

    quoted: int | None
    bought: int
    invoiced: int
    stand_in: bool = False
    charges: tuple[Charge, ...] = ()
    planned: Measures = NOTHING
    captured: Measures = NOTHING
    divisor: int = DIVISOR
    price_of: PriceOf | None = None
    home_fee: int | None = None
    fees: int = 0


@dataclass(frozen=True, slots=True)
class Attribution:
    """The parts of a gap, the largest first; they add up to the gap. `main` is None where there is no gap."""

    parts: tuple[tuple[Cause, int], ...]

    @property
    def main(self) -> Cause | None:
        """What most of it comes of."""
        return self.parts[0][0] if self.parts else None

    @property
    def gap(self) -> int:
        """All parts together."""
        return sum(minor for _, minor in self.parts)


def attribute(evidence: Evidence) -> Attribution:
    """Take the gap between quote (or purchase, where the quote is lost) and invoice with fees apart."""
    parts: dict[Cause, int] = defaultdict(int)
    parts["label_fee"] += evidence.fees
    if evidence.quoted is not None:
        parts["stand_in" if evidence.stand_in else "other"] += evidence.bought - evidence.quoted
    for charge in evidence.charges:
        cause = by_word(charge.word)
        if cause is not None:
            parts[cause] += charge.minor
    rest = unnamed(evidence)
    if rest:
        for cause, minor in _by_measures(evidence, rest):
            parts[cause] += minor
    found = [(cause, minor) for cause, minor in parts.items() if minor]
    return Attribution(tuple(sorted(found, key=lambda part: (-abs(part[1]), CAUSES.index(part[0])))))


def unnamed(evidence: Evidence) -> int:
    """What the carrier added without a word that names a cause, in minor units."""
    named = sum(charge.minor for charge in evidence.charges if by_word(charge.word) is not None)
    return evidence.invoiced - evidence.bought - named


@lru_cache(maxsize=4096)
def by_word(word: str) -> Cause | None:
    """The cause that a carrier's own word for a charge names; None where it names none."""
    return next((cause for pattern, cause in _WORDS if re.search(pattern, word, re.IGNORECASE)), None)


def billed(measures: Measures, divisor: int) -> int | None:
    """What a carrier bills by, in grams: the weight, or the volume's where that is more."""
    if measures.billed_grams is not None:
        return measures.billed_grams
    volume = _volume_grams(measures, divisor)
    known = [grams for grams in (measures.grams, volume) if grams is not None]
    return max(known) if known else None


def _volume_grams(measures: Measures, divisor: int) -> int | None:
    if measures.size is None:
        return None
    length, width, height = measures.size
    return -(-length * width * height // divisor)


def _by_measures(evidence: Evidence, rest: int) -> list[tuple[Cause, int]]:
    """What nobody named, by what differs between the plan and the carrier's measures."""
    differing = list(dict.fromkeys(_differing(evidence)))
    if not differing:
        return [("other", rest)]
    return _by_price(evidence, differing, rest) or [(differing[0], rest)]


def _differing(evidence: Evidence) -> Iterator[Cause]:
    """What differs, the likeliest first."""
    planned, captured = evidence.planned, evidence.captured
    before, now = billed(planned, evidence.divisor), billed(captured, evidence.divisor)
    if before is not None and now is not None and _differs(now, before):
        yield _heavier_or_larger(evidence, now)
        volume = _volume_grams(captured, evidence.divisor)
        if captured.grams is not None and captured.grams > before and _differs(captured.grams, planned.grams or 0):
            yield "weight"
        if volume is not None and volume > before and _differs(volume, _volume_grams(planned, evidence.divisor) or 0):
            yield "dimensions"
    if planned.zone and captured.zone and zone_name(planned.zone) != zone_name(captured.zone):
        yield "zone"
    if captured.residential is not None and captured.residential != bool(planned.residential):
        yield "residential"


def zone_name(zone: str) -> str:
    """A zone as it is compared: "Zone 05" and "5" are one."""
    return zone.casefold().replace("zone", "").strip().lstrip("0") or "0"


def _heavier_or_larger(evidence: Evidence, now: int) -> Cause:
    """Whether scale or tape made the difference in what is billed."""
    planned, captured = evidence.planned, evidence.captured
    volume = _volume_grams(captured, evidence.divisor)
    if captured.grams is None and volume is None:
        # Only the billed weight is told: a plan that was billed by volume is taken to be larger, not heavier.
        by_volume = _volume_grams(planned, evidence.divisor) or 0
        return "dimensions" if by_volume >= (planned.grams or 0) else "weight"
    if volume is not None and captured.grams is not None:
        return "dimensions" if volume > captured.grams else "weight"
    if captured.grams is not None:
        explained = captured.grams * _SLACK >= now and _differs(captured.grams, planned.grams or 0)
        return "weight" if explained else "dimensions"
    return "dimensions"


def _by_price(evidence: Evidence, differing: list[Cause], rest: int) -> list[tuple[Cause, int]]:
    """By what each difference makes in the price list; empty without one."""
    ask = evidence.price_of
    if ask is None and (evidence.home_fee is None or differing == ["residential"]):
        return []
    listed = None if ask is None else ask(evidence.planned)

    def price(chosen: frozenset[Cause]) -> int | None:
        found = None if ask is None else ask(_with(evidence, chosen))
        if found is None or listed is None or listed <= 0:
            return None
        return found * evidence.bought // listed  # What the carrier takes off its list, it takes off of this too.

    fees: dict[Cause, int | None] = {"residential": evidence.home_fee} if "residential" in differing else {}
    if len(differing) > len(fees) and price(frozenset(differing)) is None:
        return []
    parts, left = share_out(rest, differing, price, fees)
    if not parts:
        return [("other", rest)]
    return [*parts, ("other", left)]


def _with(evidence: Evidence, chosen: frozenset[Cause]) -> Measures:
    """The plan with some of its measures as the carrier has them."""
    captured, found = evidence.captured, evidence.planned
    if "zone" in chosen:
        found = replace(found, zone=captured.zone)
    if captured.grams is None and captured.size is None:
        return replace(found, billed_grams=captured.billed_grams) if chosen & {"weight", "dimensions"} else found
    if "weight" in chosen:
        found = replace(found, grams=captured.grams)
    if "dimensions" in chosen:
        size = captured.size or found.size
        found = replace(found, size=size, billed_grams=None if captured.size else captured.billed_grams)
    return found


def _differs(now: int, before: int) -> bool:
    return max(now, before) > min(now, before) * _SLACK + 15
