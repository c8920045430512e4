"""The checker notices what is wrong: a sound packing, spoilt in one way each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.packing.carton import Carton, Limits
from connector.packing.goods import UPRIGHT, Extents, Goods, Handling
from connector.packing.pack import pack
from connector.packing.result import Left, PackedCarton, Packing, Placed
from connector.packing.rules import Rules
from connector.words.reason import Reason
from tests.packing.checker import faults

SIZE = Extents(100, 100, 100)
CARTON = Carton("cube", SIZE, SIZE, tare=10, max_gross=2000)
GOODS = [
    Goods("slab", 2, Extents(100, 100, 30), 400, Handling(may_stand=UPRIGHT)),
    Goods("dice", 1, Extents(30, 30, 30), 100, Handling(bears=False)),
]
RULES = Rules(support=1)


def sound() -> Packing:
    packing = pack(GOODS, [CARTON], RULES)
    assert faults(GOODS, [CARTON], RULES, packing) == []
    return packing


def with_parcel(change: Callable[[PackedCarton], PackedCarton]) -> Packing:
    packing = sound()
    (parcel,) = packing.cartons
    return replace(packing, cartons=(change(parcel),))


def with_placed(key: str, **changes: int) -> Packing:
    """The first unit of that key lies elsewhere."""

    def change(parcel: PackedCarton) -> PackedCarton:
        placed = list(parcel.placed)
        at = next(number for number, each in enumerate(placed) if each.key == key)
        placed[at] = placed[at]._replace(**changes)  # type: ignore[arg-type]  # Only its numbers are changed.
        return replace(parcel, placed=tuple(placed))

    return with_parcel(change)


def dice_below() -> Packing:
    """The slabs stand on the dice, which bears nothing."""
    placed = (Placed("dice", 0, 0, 0, 30, 30, 30), *(Placed("slab", 0, 0, z, 100, 100, 30) for z in (30, 60)))
    return with_parcel(lambda parcel: replace(parcel, placed=placed))


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda: with_placed("dice", x=80), "x from 80 to 110"),
        (lambda: with_placed("dice", z=-1), "z from -1"),
        (lambda: with_placed("dice", z=20), "overlap"),
        (lambda: with_placed("dice", z=65), "0 of 900 mm2"),
        (lambda: with_placed("slab", width=30, depth=100), "lies as (30, 100, 100)"),
        (lambda: with_placed("dice", width=31), "lies as"),
        (lambda: with_placed("slab", units=2), "2 units in one place"),
        (dice_below, "lies above dice"),
        (lambda: with_parcel(lambda p: replace(p, placed=p.placed[1:])), "ordered, "),
        (lambda: with_parcel(lambda p: replace(p, placed=p.placed[:1] * 3)), "answered for"),
        (lambda: with_parcel(lambda p: replace(p, gross=p.gross - 1)), "weighs 910 g, not 909 g"),
        (lambda: with_parcel(lambda p: replace(p, billed=p.billed - 1)), "is billed"),
        (lambda: with_parcel(lambda p: replace(p, carton=replace(CARTON, name="other"))), "no carton in stock"),
        (lambda: with_parcel(lambda p: replace(p, inner=Extents(100, 100, 120))), "measures"),
        (lambda: with_parcel(lambda p: replace(p, own_box=True)), "without a carton"),
        (lambda: with_parcel(lambda p: replace(p, placed=())), "an empty cube"),
        (lambda: replace(sound(), left=(Left("dice", 1, Reason("pack_no_carton", {})),)), "2 answered for"),
    ],
)
def test_a_spoilt_packing_is_found_out(spoilt: Callable[[], Packing], said: str) -> None:
    assert any(said in fault for fault in faults(GOODS, [CARTON], RULES, spoilt())), said


@pytest.mark.parametrize(
    ("carton", "rules", "said"),
    [
        (replace(CARTON, max_gross=900), RULES, "more than 900 g"),
        (CARTON, replace(RULES, limits=Limits(gross=900)), "the carrier takes 900 g"),
        (CARTON, replace(RULES, limits=Limits(longest=99)), "the carrier takes 99 mm"),
        (CARTON, replace(RULES, limits=Limits(length_and_girth=499)), "the carrier takes 499 mm"),
    ],
)
def test_a_limit_that_is_passed_is_found_out(carton: Carton, rules: Rules, said: str) -> None:
    packing = with_parcel(lambda parcel: replace(parcel, carton=carton))
    assert any(said in fault for fault in faults(GOODS, [carton], rules, packing))


@pytest.mark.parametrize(
    ("handling", "said"),
    [
        (Handling(may_stand=UPRIGHT, alone=True), "ships alone"),
        (Handling(may_stand=UPRIGHT, own_box=True), "ships in its own box"),
    ],
)
def test_wrong_company_is_found_out(handling: Handling, said: str) -> None:
    spoilt = [replace(GOODS[0], handling=handling), GOODS[1]]
    assert any(said in fault for fault in faults(spoilt, [CARTON], RULES, sound()))


def test_mixed_groups_are_found_out() -> None:
    spoilt = [
        replace(each, handling=replace(each.handling, group=group))
        for each, group in zip(GOODS, ("food", "paint"), strict=True)
    ]
    assert any("mixes" in fault for fault in faults(spoilt, [CARTON], RULES, sound()))
