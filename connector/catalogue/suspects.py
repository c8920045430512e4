"""Which variants' recorded weight or size explains why parcels are measured otherwise than planned. Pure.

Each parcel's difference is shared by what lies in it. The variant whose change would explain most of what is open is
taken, if most of its parcels agree; what it explains is taken away, and the next one is looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from connector.catalogue.measured import Measured, Size

LEAST_PARCELS = 3
_AGREE = 0.7  # Of its parcels so many must come out right with the change.
_MOST_SUSPECTS = 200


@dataclass(frozen=True, slots=True)
class Suspect:
    """A variant whose record seems wrong: what is recorded and what would explain what was measured.

    `parcels` have it inside, `agree` of them come out right with the new value; `causes` names up to five of them.
    """

    key: str
    what: str
    recorded: str
    suggested_g: int | None
    suggested_mm: Size | None
    parcels: int
    agree: int
    causes: tuple[str, ...]


def suspects(
    measured: Sequence[Measured], weights: Mapping[str, int], sizes: Mapping[str, Size] | None = None
) -> list[Suspect]:
    """Weights first, the one that explains most leading; then sizes. `weights` g and `sizes` mm are as recorded."""
    return [*_weights(measured, weights), *_sizes(measured, sizes or {})]


def _weights(measured: Sequence[Measured], recorded: Mapping[str, int]) -> list[Suspect]:
    open_g: dict[int, float] = {}
    inside: dict[int, dict[str, int]] = {}
    noise: dict[int, float] = {}
    for number, each in enumerate(measured):
        contents, planned = _contents(each, recorded)
        if each.grams is None or planned is None or not contents:
            continue
        open_g[number] = each.grams - planned
        inside[number] = contents
        noise[number] = max(15.0, 0.02 * planned)
    of_variant: dict[str, list[int]] = defaultdict(list)
    for number, contents in inside.items():
        for key in contents:
            of_variant[key].append(number)
    found: list[Suspect] = []
    while len(found) < _MOST_SUSPECTS:
        best = max((_judge(key, of_variant[key], inside, open_g, noise) for key in of_variant), default=None)
        if best is None or best[0] <= 0:
            break
        _, key, shift = best
        numbers = of_variant.pop(key)
        agree = [n for n in numbers if abs(open_g[n] - shift * inside[n][key]) <= noise[n]]
        for n in numbers:
            open_g[n] -= shift * inside[n][key]
        if key not in recorded:
            continue
        found.append(
            Suspect(
                key,
                "weight",
                f"{recorded[key]} g",
                max(1, round(recorded[key] + shift)),
                None,
                len(numbers),
                len(agree),
                tuple(measured[n].cause for n in agree[:5]),
            )
        )
    return found


def _contents(each: Measured, recorded: Mapping[str, int]) -> tuple[dict[str, int], int | None]:
    if each.key:
        return {each.key: 1}, recorded.get(each.key)
    contents: dict[str, int] = {}
    for key, units in each.contents:
        contents[key] = contents.get(key, 0) + units
    return contents, each.planned_grams


def _judge(
    key: str,
    numbers: Sequence[int],
    inside: Mapping[int, Mapping[str, int]],
    open_g: Mapping[int, float],
    noise: Mapping[int, float],
) -> tuple[float, str, float]:
    """How many grams of what is open the best shift of this variant's weight explains; 0 where it does not convince."""
    if len(numbers) < LEAST_PARCELS:
        return 0.0, key, 0.0
    shift = median(open_g[n] / inside[n][key] for n in numbers)
    off = [n for n in numbers if abs(open_g[n]) > noise[n]]
    right = [n for n in numbers if abs(open_g[n] - shift * inside[n][key]) <= noise[n]]
    if len(off) < LEAST_PARCELS or len(right) < _AGREE * len(numbers):
        return 0.0, key, 0.0
    gain = sum(abs(open_g[n]) - abs(open_g[n] - shift * inside[n][key]) for n in numbers)
    return gain, key, shift


def _sizes(measured: Sequence[Measured], recorded: Mapping[str, Size]) -> list[Suspect]:
    """Only what was measured by itself: a unit on a scale, or a parcel that is a unit's own box."""
    seen: dict[str, list[Measured]] = defaultdict(list)
    for each in measured:
        single = len(each.contents) == 1 and each.contents[0][1] == 1 and each.own_box
        if each.size is not None and (each.key or single):
            seen[each.key or each.contents[0][0]].append(each)
    found = []
    for key, each_of in sorted(seen.items()):
        if key not in recorded or len(each_of) < LEAST_PARCELS:
            continue
        known = sorted(recorded[key], reverse=True)
        edges = [sorted(one.size or known, reverse=True) for one in each_of]
        middle = [round(median(edge[axis] for edge in edges)) for axis in range(3)]
        agree = [
            one for one, edge in zip(each_of, edges, strict=True)
            if all(_close(got, wanted) for got, wanted in zip(edge, middle, strict=True))
        ]  # fmt: skip
        wrong = not all(_close(got, wanted) for got, wanted in zip(known, middle, strict=True))
        if wrong and len(agree) >= _AGREE * len(each_of):
            size = _in_order(recorded[key], middle)
            told = "x".join(map(str, recorded[key])) + " mm"
            causes = tuple(one.cause for one in agree[:5])
            found.append(Suspect(key, "size", told, None, size, len(each_of), len(agree), causes))
    return found


def _close(one: int, other: int) -> bool:
    return abs(one - other) <= max(10, 0.03 * other)


def _in_order(recorded: Size, longest_first: Sequence[int]) -> Size:
    """The measured edges in the place of those recorded: the longest stays the longest."""
    places = sorted(range(3), key=lambda axis: -recorded[axis])
    size = [0, 0, 0]
    for place, edge in zip(places, longest_first, strict=True):
        size[place] = edge
    return size[0], size[1], size[2]
