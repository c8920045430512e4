"""A sum shared out among the differences that made it, by what each costs in a list of prices. Pure.

Each difference's part is what it adds to the price, averaged over every order in which the differences could have come
about: which is named first makes no difference, and the parts add up to what all of them cost together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations, permutations
from typing import TypeVar

D = TypeVar("D")
Parts = list[tuple[D, int]]

_NEAR = 8  # One part in so many: what percentages on top (fuel) add to a price without being told.
_SMALL = 15  # Minor units that roundings make.


def share_out(
    rest: int, differing: Sequence[D], price: Callable[[frozenset[D]], int | None], fees: Mapping[D, int | None]
) -> tuple[Parts[D], int]:
    """Parts of `rest`, and what no difference explains; together they are `rest`. Nothing where prices are not known.

    `price` is the list's with some differences in effect; `fees` are differences that cost a fixed amount whatever
    else differs, None where the amount is not known: then it is what the others leave.
    """
    listed = [each for each in differing if each not in fees]
    worth: dict[frozenset[D], int] = {}
    for chosen in _subsets(listed, least=0):
        found = price(frozenset(chosen)) if listed else 0
        if found is None:
            return [], rest
        worth[frozenset(chosen)] = found
    near = max(_SMALL, abs(rest) // _NEAR)
    best: tuple[int, Parts[D]] | None = None
    for chosen in sorted(_subsets(differing, least=1), key=len, reverse=True):
        parts = _parts(rest, chosen, worth, fees, near)
        if parts is None:
            continue
        off = abs(rest - sum(minor for _, minor in parts))
        if best is None or off < best[0]:
            best = (off, parts)
        if off <= near:
            break
    if best is None:
        return [], rest
    return _to_the_cent(rest, best[1], near)


def _parts(
    rest: int,
    chosen: Collection[D],
    worth: Mapping[frozenset[D], int],
    fees: Mapping[D, int | None],
    near: int,
) -> Parts[D] | None:
    """What these differences cost; None where one with a fee that is not known is left with nothing."""
    parts = _averaged([each for each in chosen if each not in fees], worth)
    unknown = []
    for each in chosen:
        fee = fees.get(each, 0)
        if fee is None:
            unknown.append(each)
        elif each in fees:
            parts.append((each, fee))
    left = rest - sum(minor for _, minor in parts)
    if not unknown:
        return parts
    if len(unknown) > 1 or left <= near:
        return None
    return [*parts, (unknown[0], left)]


def _averaged(chosen: Sequence[D], worth: Mapping[frozenset[D], int]) -> Parts[D]:
    sums = dict.fromkeys(chosen, 0)
    orders = list(permutations(chosen))
    for order in orders:
        there: frozenset[D] = frozenset()
        for each in order:
            sums[each] += worth[there | {each}] - worth[there]
            there |= {each}
    return _even([(each, sums[each] / len(orders)) for each in chosen], worth[frozenset(chosen)] - worth[frozenset()])


def _to_the_cent(rest: int, parts: Parts[D], near: int) -> tuple[Parts[D], int]:
    """What is a little off is the list's, and spread over the parts; what is far off is something else."""
    total = sum(minor for _, minor in parts)
    left = rest - total
    if not total or (total > 0) != (rest > 0):
        return [], rest
    same_way = all((minor > 0) == (rest > 0) for _, minor in parts if minor)
    if same_way and (abs(left) <= near or rest <= 2 * total <= 4 * rest or rest >= 2 * total >= 4 * rest):
        return _even([(each, minor * rest / total) for each, minor in parts], rest), 0
    return parts, left


def _even(parts: Sequence[tuple[D, float]], total: int) -> Parts[D]:
    """Whole units that add up; the largest part takes what rounding leaves."""
    whole = [(each, round(minor)) for each, minor in parts]
    if not whole:
        return []
    largest = max(range(len(whole)), key=lambda place: abs(whole[place][1]))
    each, minor = whole[largest]
    whole[largest] = (each, minor + total - sum(found for _, found in whole))
    return whole


def _subsets(of: Sequence[D], least: int) -> list[tuple[D, ...]]:
    return [chosen for count in range(least, len(of) + 1) for chosen in combinations(of, count)]
