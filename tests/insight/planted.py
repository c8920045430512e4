"""Parcels whose invoices differ for a cause that is known, because it was planted: what attribution is measured by.

Written apart from the attribution, from what carriers' invoices look like: it has a tariff, wording and measures of
its own, and shares no constant with the product. A third of the bills name nothing; some carry a small second charge;
scales and tapes are a little off; words are written in several ways, some with slips.

Beside those of one cause there are labels of two or three at once, of which the bill names none: one sum, with a fuel
percentage in it. What each is worth follows from the tariff; the shop's own list is dearer by a discount that it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

WORDINGS: dict[str, tuple[str, ...]] = {
    "dimensions": (
        "DIMENSIONAL WEIGHT ADJUSTMENT",
        "Shipping charge correction: dims 14x12x10",
        "Volumetric recalculation",
        "Cubic volume adj",
        "OVERSIZE PIECE",
        "Audited Dimensions",
        "Dim. correction",
    ),
    "weight": (
        "Weight correction 2.0 to 5.0",
        "Actual wt exceeds declared",
        "WGT ADJ",
        "Overweight 3.1 kg",
        "Weigh audit",
        "Heavier than manifested (lbs)",
    ),
    "zone": ("Zone adjustment 4 > 7", "ZONE CHG", "Billed zone differs", "Distance band corrected"),
    "residential": ("Residential Surcharge", "RESI DELIVERY", "Residential adj.", "Private residence delivery"),
    "surcharge": (
        "Fuel Surcharge",
        "Peak season demand charge",
        "Delivery Area Surcharge - Resi",
        "Additional handling weight",
        "Extended area",
        "Signature required",
        "Saturday delivery",
        "Energy levy fee",
    ),
    "address_correction": (
        "Address Correction",
        "ADDR CORR FEE",
        "Incorrect address surcharge",
        "Address change by carrier",
        "Addr. Corr. Ground",
    ),
}
UNNAMED = ("", "ADJ", "Shipping charge correction", "Misc", "Audit", "CORRECTION", "Re-rate")


@dataclass(frozen=True)
class Box:
    """What a carrier's machine saw, or what we said: grams, millimetres, zone, home or not; None is not told."""

    grams: int | None
    sides: tuple[int, int, int] | None
    zone: str
    home: bool | None


@dataclass(frozen=True)
class Planted:
    """A label with its planted cause; amounts in cents."""

    cause: str
    quoted: int
    bought: int
    invoiced: int
    guessed: bool
    charges: tuple[tuple[str, int], ...]
    said: Box
    seen: Box


def tariff(box: Box) -> int:
    """Cents for a box: by started half kilogram of weight or volume, dearer by zone, and 2.95 for a home."""
    assert box.grams is not None
    assert box.sides is not None
    volume = box.sides[0] * box.sides[1] * box.sides[2] / 1_000_000 * 200 * 1_000 / 1_000
    started = -(-max(box.grams, int(volume)) // 500)
    return 520 + started * (38 + 9 * int(box.zone)) + (295 if box.home else 0)


def plant(random: Random, cause: str) -> Planted:
    """One label."""
    said = Box(
        random.randint(300, 6_000),
        (random.randint(150, 380), random.randint(120, 300), random.randint(60, 220)),
        str(random.randint(2, 6)),
        home=False,
    )
    quoted = tariff(said)
    bought, extra = quoted, 0
    seen = _seen(random, cause, said)
    if cause == "stand_in":
        bought = quoted + random.choice((-1, 1)) * random.randint(90, 600)
    elif cause == "other":
        extra = random.choice((-1, 1)) * random.randint(60, 500)
    else:
        extra = {"surcharge": random.randint(120, 900), "address_correction": random.randint(900, 2_200)}.get(cause, 0)
    added = tariff(seen) - quoted + extra
    named = cause in {"surcharge", "address_correction"} or (cause in WORDINGS and random.random() < 0.65)
    charges: list[tuple[str, int]] = []
    if added:
        charges.append((_slip(random, random.choice(WORDINGS[cause])) if named else random.choice(UNNAMED), added))
    if cause != "other" and random.random() < 0.2:
        small = max(1, abs(added or bought - quoted) // 6)
        charges.append(("Fuel Surcharge", small))
        added += small
    return Planted(
        cause,
        quoted,
        bought,
        bought + added,
        cause == "stand_in",
        tuple(each for each in charges if each[0]),
        said,
        _as_told(random, seen, needed=not named),
    )


def _seen(random: Random, cause: str, said: Box) -> Box:
    """What the carrier's machine saw: as was said, but for the cause."""
    sides = said.sides
    assert sides is not None
    assert said.grams is not None
    match cause:
        case "dimensions":
            longest = said.grams * 5_000 // (sides[1] * sides[2]) + random.randint(160, 420)
            return Box(said.grams, (max(sides[0] + 120, longest), sides[1], sides[2]), said.zone, home=False)
        case "weight":
            volume = sides[0] * sides[1] * sides[2] // 5_000
            return Box(max(said.grams, volume) + random.randint(700, 6_000), sides, said.zone, home=False)
        case "zone":
            return Box(said.grams, sides, str(int(said.zone) + random.randint(1, 3)), home=False)
        case "residential":
            return Box(said.grams, sides, said.zone, home=True)
    return said


def _as_told(random: Random, seen: Box, *, needed: bool) -> Box:
    """What the invoice tells of it: a little off, and with gaps where it names the cause in words."""
    assert seen.grams is not None
    grams: int | None = seen.grams + random.randint(-4, 8)
    sides = seen.sides and (seen.sides[0], seen.sides[1] + random.choice((0, 0, 1)), seen.sides[2])
    if needed:
        return Box(grams, sides, seen.zone, seen.home)
    return Box(
        grams if random.random() < 0.6 else None,
        sides if random.random() < 0.6 else None,
        seen.zone if random.random() < 0.5 else "",
        seen.home if random.random() < 0.5 else None,
    )


def _slip(random: Random, text: str) -> str:
    """As somebody typed it: case and spaces vary, now and then a letter behind the sixth is doubled."""
    text = random.choice((str.upper, str.lower, str))(text)
    if random.random() < 0.1 and len(text) > 12:
        at = random.randint(10, len(text) - 1)
        text = text[:at] + text[at] + text[at:]
    return text


def planted(seed: int, of_each: int) -> list[Planted]:
    """So many labels of each cause, shuffled."""
    random = Random(seed)  # noqa: S311 - what can be repeated.
    causes = (*WORDINGS, "stand_in", "other")
    found = [plant(random, cause) for cause in causes for _ in range(of_each)]
    random.shuffle(found)
    return found


@dataclass(frozen=True)
class Mixed:
    """A label with several causes at once: cents by cause, the sum on the bill, and what the shop gets off its list."""

    worth: dict[str, int]
    bought: int
    invoiced: int
    off_percent: int
    said: Box
    seen: Box


def mix(random: Random) -> Mixed:
    """One label on whose bill nothing is named."""
    causes = ["weight", "dimensions", "zone", "residential"]
    said = plant(random, "other").said
    while True:
        chosen = random.sample(causes, random.choice((2, 2, 3)))
        seen = said
        for cause in chosen:
            seen = _with(seen, _seen(random, cause, seen if cause != "zone" else said), cause)
        if "dimensions" not in chosen or "weight" not in chosen or _both_count(said, seen):
            break
    off, fuel = random.choice((0, 10, 25, 40)), random.choice((0, 0, 4, 8))

    def price(box: Box) -> int:
        return tariff(box) * (100 - off) // 100

    worth = {cause: _worth(cause, chosen, said, seen, price) for cause in chosen}
    bought = price(said)
    added = (price(seen) - bought) * (100 + fuel) // 100
    return Mixed(worth, bought, bought + added, off, said, seen)


def _with(before: Box, seen: Box, cause: str) -> Box:
    """One thing seen otherwise, all else as before."""
    return Box(
        seen.grams if cause == "weight" else before.grams,
        seen.sides if cause == "dimensions" else before.sides,
        seen.zone if cause == "zone" else before.zone,
        seen.home if cause == "residential" else before.home,
    )


def _both_count(said: Box, seen: Box) -> bool:
    """Whether heavier and larger would each have cost more alone."""
    plain = tariff(said)
    return tariff(_with(said, seen, "weight")) > plain and tariff(_with(said, seen, "dimensions")) > plain


def _worth(cause: str, chosen: list[str], said: Box, seen: Box, price: Callable[[Box], int]) -> int:
    """What the bill would be lower by, and what it would be higher by, without the rest: the middle of both."""
    alone = price(_with(said, seen, cause)) - price(said)
    rest = said
    for other in chosen:
        if other != cause:
            rest = _with(rest, seen, other)
    return (alone + price(seen) - price(rest)) // 2


def mixed(seed: int, count: int) -> list[Mixed]:
    """So many labels with several causes."""
    random = Random(seed)  # noqa: S311 - what can be repeated.
    return [mix(random) for _ in range(count)]
