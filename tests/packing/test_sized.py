"""Carts of sized products, and what happens where a size, a weight or a carton is missing."""

from __future__ import annotations

import pytest

from carriers.measure import Size, Weight
from connector.packing import plan
from connector.packing.carton import Carton
from connector.packing.goods import Extents, Handling
from connector.packing.plan import Item, Plan, Unplannable, plan_parcels
from connector.packing.rules import Rules
from connector.packing.sized import Missing, plan_sized

SMALL = Carton("small", Extents(105, 105, 105), Extents(100, 100, 100), tare=50)
LARGE = Carton("large", Extents(210, 210, 210), Extents(200, 200, 200), tare=150)
RULES = Rules(objective="billed")


def planned(*items: Item, missing: Missing | None = None) -> Plan:
    found = plan_sized(items, [SMALL, LARGE], RULES, missing or Missing())
    assert isinstance(found, Plan)
    return found


def item(line: str, quantity: int, edge: int, handling: Handling | None = None) -> Item:
    return Item(line, quantity, Weight(100), f"sku-{line}", Extents(edge, edge, edge), handling or Handling())


@pytest.mark.complaint(15)
def test_a_cart_is_planned_into_the_cartons_that_it_needs() -> None:
    found = planned(item("0", 1, 90), item("1", 1, 150))
    assert [(parcel.carton, parcel.contents, parcel.gross) for parcel in found.parcels] == [
        ("large", (("1", 1),), Weight(250)),
        ("small", (("0", 1),), Weight(150)),
    ]
    assert found.parcels[1].size == Size(105, 105, 105)
    assert found.packing is not None
    assert found == planned(item("0", 1, 90), item("1", 1, 150))


def test_the_plan_is_another_one_when_its_parcels_are() -> None:
    assert planned(item("0", 1, 90)).id != planned(item("0", 2, 90)).id


def test_a_missing_weight_is_assumed_and_said_or_makes_the_cart_unplannable() -> None:
    light = Item("0", 1, None, "sku", Extents(10, 10, 10))
    refused = plan_sized([light], [SMALL], RULES, Missing())
    assert isinstance(refused, Unplannable)
    assert refused.why.code == "weight_missing"
    found = planned(light, missing=Missing(weight=Weight(30)))
    assert [note.code for note in found.notes] == ["weight_assumed"]
    assert found.parcels[0].gross == Weight(80)


def test_a_missing_size_is_taken_from_the_weight_by_density() -> None:
    found = planned(Item("0", 1, Weight(1000), "sku"), missing=Missing(density=1000))
    assert [(note.code, note.params["mm"]) for note in found.notes] == [("size_assumed", 100)]
    assert [parcel.carton for parcel in found.parcels] == ["small"]


def test_without_a_density_what_has_no_size_goes_by_weight_into_the_default_carton() -> None:
    default = plan.Carton("default", Size(300, 200, 100), Weight(80), Weight(1000))
    found = planned(item("0", 1, 90), Item("1", 3, Weight(400), "sku"), missing=Missing(carton=default))
    assert [parcel.carton for parcel in found.parcels] == ["small", "default", "default"]
    assert [note.code for note in found.notes] == ["size_missing"]
    too_heavy = plan_sized([Item("1", 1, Weight(2000))], [SMALL], RULES, Missing(carton=default))
    assert isinstance(too_heavy, Unplannable)
    assert too_heavy.why.code == "too_heavy"


def test_what_fits_no_carton_is_withheld_by_its_name_or_ships_in_its_own_box() -> None:
    sofa = item("7", 1, 900)
    refused = plan_sized([sofa], [SMALL, LARGE], RULES, Missing())
    assert isinstance(refused, Unplannable)
    assert refused.why.say() == "sku-7 fits no carton: it is 700 mm too large for the width of the nearest one (large)."
    found = planned(sofa, item("0", 1, 90), missing=Missing(unfit="own_box"))
    assert [(parcel.carton, parcel.tare) for parcel in found.parcels] == [("small", Weight(50)), ("own box", Weight(0))]
    assert [note.code for note in found.notes] == ["pack_unit_too_large"]


def test_plans_by_weight_alone_keep_their_ids() -> None:
    """Quotes that were kept are replayed: their plan's id is part of them."""
    carton = plan.Carton("default", Size(300, 200, 100), Weight(80), Weight(1000))
    found = plan_parcels([Item("0", 3, Weight(400), "a"), Item("1", 1, None, "b")], carton, Weight(50))
    assert isinstance(found, Plan)
    assert found.id == "f63fe4efc9ea80f173ac544d"
    assert found.packing is None
