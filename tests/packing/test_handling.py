"""What goods ask for, one by one: each rule shown on the smallest cart that needs it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carriers.money import Money
from connector.packing.carton import Carton, Limits, Oversize
from connector.packing.errors import PackingError
from connector.packing.goods import UPRIGHT, Extents, Goods, Handling
from connector.packing.pack import pack
from connector.packing.rules import Rules
from tests.packing.checker import faults


def box(name: str, width: int, length: int, depth: int, *, tare: int = 0, max_gross: int | None = None) -> Carton:
    size = Extents(width, length, depth)
    return Carton(name, size, size, tare, max_gross)


def goods(
    key: str, quantity: int, width: int, length: int, depth: int, *, weight: int = 100, handling: Handling | None = None
) -> Goods:
    return Goods(key, quantity, Extents(width, length, depth), weight, handling or Handling())


CUBE = box("cube", 100, 100, 100)


def test_what_must_stand_upright_is_not_laid_down_to_fit() -> None:
    bottle = goods("bottle", 1, 40, 40, 120, handling=Handling(may_stand=UPRIGHT))
    (left,) = pack([bottle], [box("low", 150, 150, 100)]).left
    assert (left.why.code, left.why.params["over"], left.why.params["side"]) == ("pack_unit_too_large", 20, "depth")
    assert pack([replace(bottle, handling=Handling())], [box("low", 150, 150, 100)]).left == ()


@pytest.mark.need(14)
def test_nothing_lies_above_what_bears_nothing() -> None:
    cake = goods("cake", 1, 100, 100, 30, handling=Handling(bears=False, may_stand=UPRIGHT))
    book = goods("book", 7, 100, 100, 10, handling=Handling(may_stand=UPRIGHT))
    (parcel,) = pack([cake, book], [CUBE]).cartons
    assert max(placed.z for placed in parcel.placed) == next(each.z for each in parcel.placed if each.key == "cake")
    two_cakes = goods("cake", 2, 100, 100, 30, handling=Handling(bears=False, may_stand=UPRIGHT))
    assert len(pack([two_cakes], [CUBE]).cartons) == 2


@pytest.mark.complaint(17)
def test_what_ships_alone_gets_a_carton_each() -> None:
    lamp = goods("lamp", 3, 20, 20, 20, handling=Handling(alone=True))
    packing = pack([lamp, goods("book", 2, 20, 20, 20)], [CUBE])
    assert sorted(parcel.units for parcel in packing.cartons) == [1, 1, 1, 2]


def test_what_has_its_own_box_goes_without_a_carton_and_is_billed_as_it_is() -> None:
    chair = goods("chair", 2, 500, 500, 100, weight=2000, handling=Handling(own_box=True))
    packing = pack([chair], [CUBE], Rules(divisor=5000))
    assert [(parcel.own_box, parcel.gross, parcel.billed) for parcel in packing.cartons] == [(True, 2000, 5000)] * 2


def test_incompatible_goods_never_share_a_carton_and_neutral_ones_join_either() -> None:
    food = goods("food", 1, 50, 50, 50, handling=Handling(group="food"))
    paint = goods("paint", 1, 50, 50, 50, handling=Handling(group="paint"))
    packing = pack([food, paint, goods("book", 4, 50, 50, 50)], [CUBE])
    assert len(packing.cartons) == 2
    assert not any({"food", "paint"} <= {placed.key for placed in parcel.placed} for parcel in packing.cartons)


def test_a_nested_stack_grows_by_its_increment_only() -> None:
    buckets = goods("bucket", 8, 100, 100, 60, handling=Handling(nests_by=5, may_stand=UPRIGHT))
    (parcel,) = pack([buckets], [CUBE]).cartons
    (stack,) = parcel.placed
    assert (stack.units, stack.depth) == (8, 95)
    assert len(pack([replace(buckets, handling=Handling(may_stand=UPRIGHT))], [CUBE]).cartons) == 8


def test_different_goods_do_not_nest_into_each_other() -> None:
    handling = Handling(nests_by=5, may_stand=UPRIGHT)
    red, blue = (goods(key, 1, 100, 100, 60, handling=handling) for key in ("red", "blue"))
    assert len(pack([red, blue], [CUBE]).cartons) == 2


def test_the_greatest_gross_weight_includes_the_tare() -> None:
    strong = box("strong", 100, 100, 100, tare=100, max_gross=600)
    packing = pack([goods("iron", 10, 20, 20, 20)], [strong])
    assert [parcel.gross for parcel in packing.cartons] == [600, 600]


def test_padding_stays_free_on_every_side() -> None:
    padded = Carton("padded", Extents(100, 100, 100), Extents(100, 100, 100), padding=10)
    assert pack([goods("cube", 1, 81, 80, 80)], [padded]).left
    (parcel,) = pack([goods("cube", 1, 80, 80, 80)], [padded]).cartons
    assert (parcel.placed[0].x, parcel.placed[0].y, parcel.placed[0].z) == (10, 10, 10)


def test_a_bag_is_billed_as_thick_as_it_is_stuffed() -> None:
    bag = Carton("bag", Extents(300, 400, 1), Extents(300, 400, 1), bulge=100)
    thin = pack([goods("shirt", 1, 200, 250, 20)], [bag]).cartons[0]
    thick = pack([goods("shirt", 4, 200, 250, 20)], [bag]).cartons[0]
    assert (thin.outer.depth, thick.outer.depth) == (20, 80)
    assert thin.inner == Extents(280, 380, 20)
    assert thick.billed > thin.billed
    assert pack([goods("box", 1, 250, 350, 90)], [bag]).left, "its skin goes around the thickness"


@pytest.mark.need(15)
def test_a_carriers_limit_splits_a_parcel_or_rules_a_carton_out() -> None:
    large, small = box("large", 400, 400, 400), box("small", 100, 100, 100)
    iron = goods("iron", 8, 50, 50, 50, weight=3000)
    by_weight = pack([iron], [large], Rules(limits=Limits(gross=12_000)))
    assert [parcel.gross for parcel in by_weight.cartons] == [12_000, 12_000]
    by_girth = pack([iron], [large, small], Rules(limits=Limits(length_and_girth=600)))
    assert {parcel.carton.name for parcel in by_girth.cartons} == {"small"}
    (left,) = pack([goods("rod", 1, 10, 10, 300)], [large], Rules(limits=Limits(longest=200))).left
    assert left.why.code == "pack_no_carton"
    pole = goods("pole", 1, 10, 10, 300, handling=Handling(own_box=True))
    (left,) = pack([pole], [large], Rules(limits=Limits(longest=200))).left
    assert left.why.code == "pack_carrier_longest"


def test_an_oversize_surcharge_makes_two_small_cartons_cheaper_than_one_long_one() -> None:
    long, short = box("long", 100, 100, 400), box("short", 100, 100, 200)
    two = [goods("tube", 2, 100, 100, 190)]
    plain = Rules(objective="billed", price_per_kg=Money(1000, "EUR"))
    surcharge = Limits(oversize=(Oversize(longest=300, fee=Money(900, "EUR")),))
    assert [parcel.carton.name for parcel in pack(two, [long, short], plain).cartons] == ["long"]
    assert len(pack(two, [long, short], replace(plain, limits=surcharge)).cartons) == 2


def test_money_decides_once_a_kilogram_has_its_price() -> None:
    """Two light cartons are billed less than one large one, until their cardboard costs more than that saves."""
    large = replace(box("large", 200, 200, 200), cost=Money(50, "EUR"))
    small = replace(box("small", 200, 200, 80), cost=Money(50, "EUR"))
    plates = [goods("plate", 8, 200, 200, 16, handling=Handling(may_stand=UPRIGHT))]
    least = Rules(objective="billed", price_per_kg=Money(1, "EUR"))
    assert [p.carton.name for p in pack(plates, [large, small], least).cartons] == ["large"]
    assert [p.carton.name for p in pack(plates, [large, small], Rules(objective="billed")).cartons] == ["small"] * 2


def test_costs_in_two_currencies_are_refused() -> None:
    cartons = [replace(CUBE, cost=Money(1, "EUR")), replace(CUBE, name="other", cost=Money(1, "USD"))]
    with pytest.raises(PackingError, match="EUR, USD"):
        pack([goods("cube", 1, 10, 10, 10)], cartons)


def test_a_flat_rate_package_is_billed_by_its_price_and_not_by_weight() -> None:
    flat = replace(CUBE, name="flat", flat_rate=True, cost=Money(700, "EUR"))
    rules = Rules(objective="billed", price_per_kg=Money(500, "EUR"))
    light, heavy = ([goods("brick", 1, 90, 90, 90, weight=grams)] for grams in (500, 5000))
    assert pack(light, [flat, CUBE], rules).cartons[0].carton.name == "cube"
    assert pack(heavy, [flat, CUBE], rules).cartons[0].carton.name == "flat"


def test_only_cartons_in_stock_that_the_carrier_takes_are_used() -> None:
    gone = replace(CUBE, name="gone", in_stock=False)
    theirs = replace(CUBE, name="theirs", carriers=frozenset({"dhl"}))
    one = [goods("cube", 1, 10, 10, 10)]
    assert pack(one, [gone, theirs], Rules(carrier="dhl")).cartons[0].carton.name == "theirs"
    assert pack(one, [gone, theirs], Rules(carrier="ups")).left[0].why.code == "pack_no_carton"


@pytest.mark.complaint(19)
def test_billed_weight_is_the_larger_of_gross_and_size_rounded_up() -> None:
    cube = box("cube", 200, 200, 200, tare=50)
    (light,) = pack([goods("foam", 1, 150, 150, 150)], [cube], Rules(divisor=5000, rounding=500)).cartons
    (heavy,) = pack([goods("lead", 1, 150, 150, 150, weight=1801)], [cube], Rules(rounding=500)).cartons
    assert (light.gross, light.dimensional, light.billed) == (150, 1600, 2000)
    assert heavy.billed == 2000
    assert pack([goods("foam", 1, 150, 150, 150)], [cube], Rules(divisor=None)).cartons[0].billed == 150


@pytest.mark.complaint(16)
@pytest.mark.parametrize("quantity", [1, 12, 24])
def test_sizes_are_not_multiplied_by_quantity(quantity: int) -> None:
    packing = pack([goods("soap", quantity, 50, 30, 20)], [CUBE, box("huge", 900, 900, 900)])
    assert [parcel.carton.name for parcel in packing.cartons] == ["cube"]


@pytest.mark.complaint(16)
@pytest.mark.parametrize("objective", ["count", "billed"])
def test_more_of_one_product_is_never_billed_less(objective: str) -> None:
    cartons = [box("s", 120, 100, 60, tare=40), box("m", 200, 150, 100, tare=80), box("l", 300, 300, 200, tare=200)]
    rules = Rules(objective="count" if objective == "count" else "billed")
    for size in ((70, 50, 40), (90, 90, 20), (33, 47, 58)):
        before = (0, 0)
        for quantity in range(1, 60):
            packing = pack([goods("x", quantity, *size, weight=150)], cartons, rules)
            now = (len(packing.cartons), packing.billed)
            if objective == "count":
                assert now >= before, (size, quantity)
            else:
                assert now[1] >= before[1], (size, quantity)
            before = now


def test_thousands_of_units_are_answered_within_the_effort() -> None:
    cart = [goods(f"s{n}", 1000, 20 + n, 30 + n, 40 + n) for n in range(8)]
    cartons = [box("m", 200, 150, 100, tare=80), box("l", 300, 300, 200, tare=200, max_gross=30_000)]
    rules = Rules(effort=2000)
    packing = pack(cart, cartons, rules)
    assert packing.left == ()
    assert sum(parcel.units for parcel in packing.cartons) == 8000
    assert packing.steps < 3 * rules.effort
    assert faults(cart, cartons, rules, packing) == []


def test_a_thousand_different_products_are_packed() -> None:
    cart = [goods(f"s{n}", 1, 20 + n % 61, 30 + n % 83, 10 + n % 47, weight=n) for n in range(1000)]
    cartons = [box("l", 400, 300, 250, tare=200, max_gross=30_000)]
    packing = pack(cart, cartons)
    assert faults(cart, cartons, Rules(), packing) == []
    assert packing.left == ()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("width", lambda: goods("x", 1, 0, 1, 1)),
        ("length", lambda: goods("x", 1, 1, -5, 1)),
        ("depth", lambda: goods("x", 1, 1, 1, 20_001)),
        ("weight", lambda: goods("x", 1, 1, 1, 1, weight=-1)),
        ("quantity", lambda: goods("x", 0, 1, 1, 1)),
        ("nests_by", lambda: goods("x", 1, 9, 9, 9, handling=Handling(nests_by=10))),
        ("may_stand", lambda: goods("x", 1, 9, 9, 9, handling=Handling(may_stand=(False, False, False)))),
        ("inner depth", lambda: Carton("x", Extents(9, 9, 9), Extents(9, 9, 10))),
        ("outer width", lambda: Carton("x", Extents(0, 9, 9), Extents(0, 9, 9))),
        ("empty weight", lambda: Carton("x", Extents(9, 9, 9), Extents(9, 9, 9), -1)),
        ("maximum gross weight", lambda: Carton("x", Extents(9, 9, 9), Extents(9, 9, 9), 10, 10)),
        ("divisor", lambda: Rules(divisor=0)),
        ("rounding", lambda: Rules(rounding=0)),
        ("support", lambda: Rules(support=1.5)),
        ("effort", lambda: Rules(effort=0)),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field: str, make: object) -> None:
    with pytest.raises(PackingError) as refused:
        make()  # type: ignore[operator]
    assert refused.value.detail == field
