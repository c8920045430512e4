"""The first packing: by weight into one default carton; nothing lost, nothing twice, equal plans for equal carts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.measure import Size, Weight
from connector.packing.plan import Carton, Item, Plan, Unplannable, plan_parcels

NOTHING = Carton("none")
ITEMS = st.lists(
    st.tuples(st.integers(1, 60), st.one_of(st.none(), st.integers(0, 4000).map(Weight))), min_size=1, max_size=6
).map(lambda found: [Item(f"line {i}", quantity, weight) for i, (quantity, weight) in enumerate(found)])
CARTONS = st.builds(
    lambda tare, room: Carton("box", Size(300, 200, 150), Weight(tare), None if room is None else Weight(tare + room)),
    st.integers(0, 500),
    st.one_of(st.none(), st.integers(30_000, 200_000)),
)
DEFAULT = Weight(250)


def planned(items: list[Item], carton: Carton = NOTHING, default: Weight | None = DEFAULT) -> Plan:
    plan = plan_parcels(items, carton, default)
    assert isinstance(plan, Plan)
    return plan


@given(ITEMS, CARTONS)
def test_nothing_is_lost_and_nothing_is_packed_twice(items: list[Item], carton: Carton) -> None:
    packed: dict[str, int] = {}
    for parcel in planned(items, carton).parcels:
        assert parcel.contents
        for line, units in parcel.contents:
            assert units > 0
            packed[line] = packed.get(line, 0) + units
    assert packed == {item.line: item.quantity for item in items}


@given(ITEMS, CARTONS)
def test_a_parcel_weighs_its_contents_and_its_carton_and_no_more_than_it_may(items: list[Item], carton: Carton) -> None:
    weights = {item.line: (item.weight or DEFAULT).grams for item in items}
    for parcel in planned(items, carton).parcels:
        contents = sum(weights[line] * units for line, units in parcel.contents)
        assert parcel.gross.grams == contents + carton.tare.grams
        assert (parcel.tare, parcel.size, parcel.carton) == (carton.tare, carton.size, carton.name)
        assert carton.max_gross is None or parcel.gross <= carton.max_gross


@given(ITEMS, CARTONS)
def test_equal_carts_have_equal_plans_with_one_id(items: list[Item], carton: Carton) -> None:
    assert planned(items, carton) == planned(list(items), carton)


def test_another_carton_quantity_or_weight_is_another_plan() -> None:
    ids = {
        planned([Item("a", 1, Weight(100))]).id,
        planned([Item("a", 2, Weight(100))]).id,
        planned([Item("a", 1, Weight(200))]).id,
        planned([Item("a", 1, Weight(100))], Carton("box")).id,
        planned([Item("a", 1, Weight(100))], Carton("none", tare=Weight(1))).id,
    }
    assert len(ids) == 5


def test_without_a_limit_everything_goes_into_one_parcel() -> None:
    assert len(planned([Item("a", 900, Weight(5000)), Item("b", 1, Weight(1))]).parcels) == 1


def test_cartons_are_filled_up_to_their_greatest_gross_weight() -> None:
    carton = Carton("box", tare=Weight(100), max_gross=Weight(1100))
    parcels = planned([Item("a", 5, Weight(500))], carton).parcels
    assert [parcel.gross.grams for parcel in parcels] == [1100, 1100, 600]


def test_an_item_without_weight_and_without_a_default_makes_the_cart_unplannable() -> None:
    plan = plan_parcels([Item("1", 1, None, "MUG-1")], NOTHING, None)
    assert isinstance(plan, Unplannable)
    assert plan.why.say().startswith("The weight of MUG-1 is not known")


def test_a_default_weight_is_used_and_noted() -> None:
    plan = planned([Item("1", 3, None, "MUG-1")], default=Weight(400))
    assert plan.parcels[0].gross == Weight(1200)
    assert [note.say() for note in plan.notes] == ["MUG-1 has no weight; 400 g a unit was assumed."]


def test_a_unit_that_no_carton_may_hold_makes_the_cart_unplannable() -> None:
    plan = plan_parcels([Item("1", 1, Weight(5000), "ANVIL")], Carton("box", max_gross=Weight(4000)), None)
    assert isinstance(plan, Unplannable)
    assert plan.why.code == "too_heavy"


@pytest.mark.parametrize("quantity", [10**6, 10**12])
def test_any_number_of_light_units_is_packed_at_once(quantity: int) -> None:
    carton = Carton("box", max_gross=Weight(10**13))
    assert len(planned([Item("a", quantity, Weight(1))], carton).parcels) == 1


def test_more_parcels_than_a_shop_sends_are_not_planned() -> None:
    """A mistyped quantity must not become a million questions to carriers."""
    plan = plan_parcels([Item("a", 10**12, Weight(1000), "ANVIL")], Carton("box", max_gross=Weight(1500)), None)
    assert isinstance(plan, Unplannable)
    assert plan.why.code == "too_many_parcels"
