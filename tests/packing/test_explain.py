"""What is said and drawn of a parcel."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings

from connector.packing.carton import Carton
from connector.packing.explain import explain, packing_steps
from connector.packing.goods import Extents, Goods, Handling
from connector.packing.pack import pack
from connector.packing.picture import back_to_front, draw
from connector.packing.result import Placed
from connector.packing.rules import Rules
from tests.packing.worlds import CARTONS, RULES, goods


def box(name: str, width: int, length: int, depth: int, max_gross: int | None = None) -> Carton:
    size = Extents(width, length, depth)
    return Carton(name, size, size, 20, max_gross)


CARTON = box("chosen", 200, 200, 130)


def why(ordered: list[Goods], *smaller: Carton) -> list[str]:
    """What keeps these goods out of the smaller cartons."""
    cartons = [CARTON, *smaller]
    (said,) = explain(pack(ordered, cartons), ordered, cartons, Rules())
    return [reason.say() for reason in said.why_not]


def test_the_smaller_carton_is_so_many_mm_too_low() -> None:
    plates = [Goods("plate", 4, Extents(180, 180, 18), 100)]
    assert why(plates, box("flat", 200, 200, 60)) == ["Not flat: together the goods are 12 mm too tall for it."]


def test_the_smaller_carton_does_not_take_one_of_them() -> None:
    rod = [Goods("rod", 1, Extents(195, 10, 10), 100), Goods("die", 1, Extents(9, 9, 9), 1)]
    assert why(rod, box("short", 180, 190, 90)) == ["Not short: rod is 5 mm too large for its length."]


def test_the_smaller_carton_is_too_weak_or_too_small() -> None:
    bricks = [Goods("brick", 12, Extents(60, 60, 60), 500)]
    assert why(bricks, box("weak", 190, 190, 100, 5020), box("tiny", 130, 130, 130)) == [
        "Not weak: the goods are 1000 g too heavy for it.",
        "Not tiny: the goods would take 118 % of its room.",
    ]


@pytest.mark.complaint(20)
def test_tare_and_dimensional_weight_are_told_apart() -> None:
    foam = [Goods("foam", 1, Extents(150, 150, 90), 100)]
    (said,) = explain(pack(foam, [CARTON]), foam, [CARTON], Rules())
    assert [reason.say() for reason in said.figures] == [
        "chosen holds 1 units and is 39 % full.",
        "It weighs 120 g, of which the empty carton is 20 g.",
        "The carrier bills 1040 g for its size (200x200x130 mm), more than the 120 g on the scale.",
    ]


def test_alike_units_are_one_step_for_the_packer() -> None:
    bricks = [Goods("brick", 12, Extents(60, 60, 30), 100, Handling(may_stand=(False, False, True)))]
    (parcel,) = pack(bricks, [box("tray", 120, 180, 60)]).cartons
    (step,) = packing_steps(parcel)
    assert (step.params["units"], step.params["columns"], step.params["layers"]) == (12, 6, 2)


@given(goods(most=4), CARTONS, RULES)
@settings(max_examples=40, deadline=None)
def test_every_parcel_can_be_explained_and_drawn(ordered: list[Goods], cartons: list[Carton], rules: Rules) -> None:
    packing = pack(ordered, cartons, rules)
    for parcel, said in zip(packing.cartons, explain(packing, ordered, cartons, rules), strict=True):
        assert sum(int(str(step.params["units"])) for step in said.steps) == parcel.units
        assert all("…" not in reason.say() for reason in (*said.figures, *said.why_not, *said.steps))
        heights = [int(str(step.params.get("z", 0))) for step in said.steps]
        assert all(below <= above for below, above in pairwise(heights))
        root = ET.fromstring(draw(parcel, "a <title> & more"))  # noqa: S314 - our own picture.
        polygons = root.findall(".//{http://www.w3.org/2000/svg}polygon")
        assert len(polygons) == 3 + 3 * len(parcel.placed)


def test_what_stands_in_front_is_drawn_later() -> None:
    far, near = Placed("far", 0, 0, 0, 10, 10, 90), Placed("near", 10, 0, 0, 10, 10, 10)
    top = Placed("top", 10, 0, 10, 10, 10, 5)
    assert back_to_front([top, near, far]) == [far, near, top]
