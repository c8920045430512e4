"""Plan the parcels of a cart: what the quote asks prices for is what the label is bought for.

Items in, a `Plan` with parcels, contents and reasons out. `plan_parcels` goes by weight and one default carton;
`sized.plan_sized` packs items of known size into several cartons.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from carriers.measure import Size, Weight
from connector.packing.goods import ANY_WAY, Extents, Handling
from connector.packing.result import Packing
from connector.words.reason import Reason

_NOTHING = Weight(0)
_encode = json.JSONEncoder(separators=(",", ":")).encode
MOST_PARCELS = 200
"""More is a mistyped quantity or an attack: each parcel may be a question to every carrier."""


@dataclass(frozen=True, slots=True)
class Item:
    """Equal pieces to be packed. `line` is the caller's key; weight and size are per piece, None where unknown.

    A piece is one unit, or a case of `units` of them that stays closed; only pieces of known size are cases.
    """

    line: str
    quantity: int
    weight: Weight | None = None
    sku: str = ""
    size: Extents | None = None
    handling: Handling = ANY_WAY
    units: int = 1

    @property
    def key(self) -> str:
        """The line and the case: what tells pieces of one line apart."""
        return self.line if self.units == 1 else f"{self.line} x{self.units}"

    @property
    def called(self) -> str:
        """As a merchant knows it."""
        return self.sku or self.line


@dataclass(frozen=True, slots=True)
class Carton:
    """A carton: outer size, own weight, and the most it may weigh packed (None: no limit but the carrier's)."""

    name: str
    size: Size | None = None
    tare: Weight = _NOTHING
    max_gross: Weight | None = None


@dataclass(frozen=True, slots=True)
class PlannedParcel:
    """One packed carton: what lies in it (line, units), gross weight with tare, outer size where known.

    `packaging` is the carrier's own name of it, where it is one of the carrier's. `billed` g is what the carrier
    counts, where that was planned with.
    """

    carton: str
    contents: tuple[tuple[str, int], ...]
    gross: Weight
    tare: Weight
    size: Size | None
    packaging: str = ""
    billed: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The parcels of a cart; `id` is a hash of them, equal for equal plans. `notes` say what was assumed.

    `packing` says where each piece lies, its keys being the items'; None for a plan by weight alone.
    """

    id: str
    parcels: tuple[PlannedParcel, ...]
    notes: tuple[Reason, ...] = ()
    packing: Packing | None = None


@dataclass(frozen=True, slots=True)
class Unplannable:
    """The cart cannot be packed as it is known: why."""

    why: Reason


def plan_parcels(items: Sequence[Item], carton: Carton, default_weight: Weight | None) -> Plan | Unplannable:
    """Fill cartons with the items in their order, heavy ones first, up to the carton's greatest gross weight.

    An item without weight takes `default_weight` (noted), or makes the cart unplannable where there is none. A unit
    that is too heavy for the carton alone, or more parcels than anyone sends at once, make it unplannable, too.
    """
    notes: list[Reason] = []
    units: list[tuple[Item, Weight]] = []
    for item in items:
        weight = item.weight
        if weight is None:
            if default_weight is None:
                return Unplannable(Reason("weight_missing", {"item": item.called}))
            weight = default_weight
            notes.append(Reason("weight_assumed", {"item": item.called, "grams": weight.grams}))
        units.append((item, weight))
    room = None if carton.max_gross is None else carton.max_gross.grams - carton.tare.grams
    heaviest_first = sorted(range(len(units)), key=lambda i: (-units[i][1].grams, i))
    loads: list[dict[str, int]] = []
    left: list[int] = []
    grams: list[int] = []
    for index in heaviest_first:
        item, weight = units[index]
        if room is not None and weight.grams > room:
            return Unplannable(Reason("too_heavy", {"item": item.called, "grams": weight.grams}))
        waiting = item.quantity
        slot = 0
        while waiting:
            if slot == len(loads):
                if slot == MOST_PARCELS:
                    return Unplannable(Reason("too_many_parcels", {"most": MOST_PARCELS}))
                loads.append({})
                left.append(-1 if room is None else room)
                grams.append(0)
            fits = waiting if room is None or not weight.grams else min(waiting, left[slot] // weight.grams)
            if fits:
                loads[slot][item.line] = loads[slot].get(item.line, 0) + fits
                left[slot] -= fits * weight.grams
                grams[slot] += fits * weight.grams
                waiting -= fits
            slot += 1
    order = {item.line: position for position, item in enumerate(items)}
    parcels = tuple(
        PlannedParcel(
            carton=carton.name,
            contents=tuple(sorted(load.items(), key=lambda pair: order[pair[0]])),
            gross=Weight(weight) + carton.tare,
            tare=carton.tare,
            size=carton.size,
        )
        for load, weight in zip(loads, grams, strict=True)
    )
    return Plan(identity(parcels), parcels, tuple(notes))


def identity(parcels: Sequence[PlannedParcel]) -> str:
    """The id of a plan with these parcels: carton, contents, gross weight and size of each."""
    body = [[p.carton, p.contents, p.gross.grams, str(p.size)] for p in parcels]
    return hashlib.sha256(_encode(body).encode()).hexdigest()[:24]
