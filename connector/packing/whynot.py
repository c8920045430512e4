"""Why goods do not fit: the reason that is nearest to fitting, in words a merchant can act on."""

from __future__ import annotations

from collections.abc import Sequence

from connector.packing.forms import Form
from connector.packing.goods import Goods
from connector.packing.kinds import turns_of
from connector.words.reason import Reason

SIDES = ("width", "length", "depth")


def why_nothing_fits(goods: Goods, forms: Sequence[Form]) -> Reason:
    """Why no carton takes a single unit: none there, too heavy, or too long for the one that comes nearest."""
    if not forms:
        return Reason("pack_no_carton", {"item": goods.key})
    heavy_only = [form for form in forms if overshoot(goods, form.room)[0] == 0]
    if heavy_only:
        roomiest = max(heavy_only, key=lambda form: form.net)
        return Reason(
            "pack_unit_too_heavy",
            {
                "item": goods.key,
                "grams": goods.weight,
                "over": goods.weight - roomiest.net,
                "carton": roomiest.carton.name,
            },
        )
    nearest = min(forms, key=lambda form: (overshoot(goods, form.room)[0], -form.volume))
    over, side = overshoot(goods, nearest.room)
    return Reason("pack_unit_too_large", {"item": goods.key, "over": over, "side": side, "carton": nearest.carton.name})


def overshoot(goods: Goods, room: tuple[int, int, int]) -> tuple[int, str]:
    """By how many mm a unit misses a room in its best turn, and on which side; 0 where it fits."""
    best: tuple[int, int, str] | None = None
    for turn in turns_of(goods.size, goods.handling.may_stand):
        over = [max(0, edge - free) for edge, free in zip(turn.edges, room, strict=True)]
        worst = max(over)
        entry = (worst, sum(over), SIDES[over.index(worst)])
        if best is None or entry < best:
            best = entry
    assert best is not None  # noqa: S101 - Goods makes sure of a turn.
    return best[0], best[2]


def why_carrier_refuses(key: str, limit: str) -> Reason:
    """Why the carrier does not take an item in its own box; `limit` as Limits.refuses names it."""
    if limit == "longest":
        return Reason("pack_carrier_longest", {"item": key})
    if limit == "girth":
        return Reason("pack_carrier_girth", {"item": key})
    return Reason("pack_carrier_weight", {"item": key})
