"""From goods of known size to parcels: the same for quote and order, by carrier, and told to whoever asks why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carriers.measure import Weight
from connector import shop_settings
from connector.catalogue.product import Packaging, Product, Values, merge
from connector.packing.plan import Plan, Unplannable
from connector.quotes.decide import decide
from connector.quotes.parcels import (
    Line,
    goods_in,
    plan_cart,
    plan_from_json,
    plan_lines,
    plan_to_json,
    plans_for,
)
from connector.quotes.parcels_shown import ShownParcels, parcels_of_quote
from connector.quotes.replay import replay
from connector.shop_settings import ShopSettings
from tests.quotes.world import NOW, answered, cart, facts, line, plain_store, rate, row_of, settings

SMALL = {"name": "small", "length_mm": 210, "width_mm": 160, "height_mm": 110, "tare_g": 90, "cost": "0.40"}
LARGE = {"name": "large", "length_mm": 410, "width_mm": 310, "height_mm": 310, "tare_g": 300, "cost": "1.10"}


def shop(*cartons: dict[str, object], **changes: str) -> ShopSettings:
    body = shop_settings.dump(settings(**changes))
    listed = [{"currency": "EUR", **each} for each in cartons or (SMALL, LARGE)]
    return shop_settings.load(body | {"packing": {**body.get("packing", {}), "cartons": listed}})


def product(length: int, width: int, height: int, grams: int = 400, **said: object) -> Product:
    body = {"length_mm": length, "width_mm": width, "height_mm": height, "weight_g": grams, **said}
    return merge("var_1", "MUG", (("own", Values.model_validate(body)),))


def goods(key: str, quantity: int, known: Product | None) -> Line:
    return Line(key, key, quantity, None, known)


def planned(*lines: Line, using: ShopSettings | None = None) -> Plan:
    found = plan_lines(lines, using or shop())
    assert isinstance(found, Plan)
    return found


@pytest.mark.need(13)
@pytest.mark.complaint(15)
def test_goods_of_known_size_go_into_the_carton_that_they_need() -> None:
    mug = planned(goods("mug", 1, product(120, 100, 95)))
    assert [(p.carton, p.gross, p.contents) for p in mug.parcels] == [("small", Weight(490), (("mug", 1),))]
    vase = planned(goods("vase", 1, product(300, 300, 300)))
    assert [p.carton for p in vase.parcels] == ["large"]


@pytest.mark.complaint(16)
def test_twenty_four_small_items_are_one_small_parcel_not_a_giant_one() -> None:
    plan = planned(goods("card", 24, product(100, 70, 5, 20)))
    assert [p.carton for p in plan.parcels] == ["small"]


def test_equal_goods_have_one_plan_in_whatever_order_their_lines_stand() -> None:
    a, b = goods("a", 2, product(100, 100, 50)), goods("b", 1, product(90, 80, 70))
    assert planned(a, b).id == planned(b, a).id == planned(b, replace(a, quantity=1), replace(a, quantity=1)).id


def test_a_closed_case_stays_closed_and_counts_its_units() -> None:
    case = Packaging(units=6, length_mm=380, width_mm=280, height_mm=120, weight_g=2600).model_dump()
    mug = product(120, 100, 95, packagings=(case,))
    plan = planned(goods("mug", 8, mug))
    assert goods_in(plan) == {"mug": 8}
    assert sum(p.gross.grams - p.tare.grams for p in plan.parcels) == 2600 + 2 * 400


def test_the_weight_of_the_call_counts_before_the_one_that_the_catalogue_has_from_the_store() -> None:
    store = merge("v", "", (("store", Values(weight_g=999)),))
    own = merge("v", "", (("own", Values(weight_g=999)),))
    using = settings(default_carton="300x200x150")
    assert planned(Line("v", "v", 1, 400, store), using=using).parcels[0].gross == Weight(400)
    assert planned(Line("v", "v", 1, 400, own), using=using).parcels[0].gross == Weight(999)
    assert planned(Line("v", "v", 1, None, store), using=using).parcels[0].gross == Weight(999)


def test_goods_without_a_size_follow_the_setting_and_are_marked() -> None:
    unknown = Line("x", "X", 1, 1000, None)
    by_weight = planned(unknown, using=shop(default_carton="300x200x150"))
    assert ([p.carton for p in by_weight.parcels], [n.code for n in by_weight.notes]) == (["default"], ["size_missing"])
    guessed = planned(unknown, using=shop(unsized="1000"))
    assert ([p.carton for p in guessed.parcels], [n.code for n in guessed.notes]) == (["small"], ["size_assumed"])


def test_what_fits_nothing_is_named_and_handled_as_the_shop_wants() -> None:
    rod = goods("rod", 1, product(900, 20, 20))
    withheld = plan_lines([rod], shop())
    assert isinstance(withheld, Unplannable)
    assert "rod fits no carton" in withheld.why.say()
    boxed = planned(rod, using=shop(unfit="own_box"))
    assert ([p.carton for p in boxed.parcels], [n.code for n in boxed.notes]) == (["own box"], ["pack_unit_too_large"])


def test_a_shop_without_any_carton_is_planned_by_weight_as_before() -> None:
    plan = planned(goods("mug", 3, product(120, 100, 95)), using=settings())
    assert [(p.carton, p.size, p.gross) for p in plan.parcels] == [("none", None, Weight(1200))]


@pytest.mark.parametrize("quantity", [5000, 1_000_000])
def test_quantities_of_thousands_have_an_answer(quantity: int) -> None:
    found = plan_lines([goods("pin", quantity, product(10, 10, 10, 5))], shop())
    assert isinstance(found, Plan | Unplannable)
    if quantity == 5000:
        assert isinstance(found, Plan)


def test_accounts_with_other_cartons_or_divisors_have_plans_of_their_own() -> None:
    flat = {"name": "flat", "length_mm": 300, "width_mm": 220, "height_mm": 40, "cost": "9.00", "flat_rate": True}
    flat |= {"packaging": "FlatRateEnvelope", "carriers": ["easypost"]}
    using = shop(SMALL, LARGE, flat, price_per_billed_kg="20.00")
    book = line(variant_id="book", product=product(250, 200, 30, 900))
    usual, own = plans_for(cart(book), using, [("acc_1", "easypost"), ("acc_2", "rate_table")])
    assert isinstance(usual, Plan)
    assert set(own) == {"acc_1"}
    theirs = own["acc_1"]
    assert isinstance(theirs, Plan)
    assert [p.packaging for p in theirs.parcels] == ["FlatRateEnvelope"]
    assert [p.packaging for p in usual.parcels] == [""]


def test_limits_of_a_carrier_split_its_parcels_only() -> None:
    using = shop(carrier_packing="easypost:gross=1000")
    asked = cart(line(None, quantity=4, product=product(100, 100, 50, 400)))
    usual, own = plans_for(asked, using, [("acc_1", "easypost"), ("acc_2", "other")])
    theirs = own["acc_1"]
    assert isinstance(usual, Plan)
    assert isinstance(theirs, Plan)
    assert len(theirs.parcels) > len(usual.parcels)
    assert all(p.gross.grams <= 1000 for p in theirs.parcels)


def test_an_offer_names_its_plan_where_its_account_was_asked_for_another_one_than_the_quotes() -> None:
    using = shop(carrier_packing="easypost:gross=1000")
    asked = cart(line(None, quantity=4, product=product(100, 100, 50, 400)))
    theirs = answered(rate(parts=(300, 400)), account_id="acc_1").but(carrier="easypost")
    others = answered(rate(900, "Slow", "Other"), account_id="acc_2")
    decision = decide(asked, facts(using), (theirs, others), NOW)
    usual, own = plans_for(asked, using, [("acc_1", "easypost"), ("acc_2", "fake")])
    assert isinstance(usual, Plan)
    ids = {offer.code: offer.plan_id for offer in decision.offers}
    assert ids == {"fake-ground": getattr(own["acc_1"], "id", ""), "other-slow": ""}
    assert decision.offers[0].bought_as is not None
    assert decision.offers[0].bought_as.parts == (300, 400)


def test_a_plan_is_kept_and_read_again_with_its_id() -> None:
    plan = planned(goods("mug", 9, product(120, 100, 95)))
    again = plan_from_json(plan.id, plan_to_json(plan))
    assert (again.id, again.parcels) == (plan.id, plan.parcels)


def test_a_quote_with_known_sizes_replays_byte_for_byte() -> None:
    asked = cart(
        line(product=product(120, 100, 95), quantity=7), line(sku="P", variant_id="p", product=product(250, 200, 180))
    )
    store = plain_store()
    row = row_of(asked, facts(shop()), (answered(rate()),), store)
    assert replay(row, lambda answer, echo: store.write_answer(answer, echo).body).same


def test_the_parcels_of_a_quote_say_why_and_can_be_drawn() -> None:
    asked = cart(line(product=product(250, 200, 180)))
    row = row_of(asked, facts(shop()), (answered(rate()),), plain_store())
    shown = parcels_of_quote(row, pictures=True)
    assert isinstance(shown, ShownParcels)
    (parcel,) = shown.parcels
    assert (parcel.carton, parcel.contents, shown.same) == ("large", (("MUG", 1),), True)
    assert [why.say() for why in parcel.why_not] == ["Not small: MUG is 70 mm too large for its depth."]
    assert parcel.svg is not None
    assert "<svg" in parcel.svg
    assert parcel.steps


def test_parcels_of_guessed_sizes_are_shown_too() -> None:
    row = row_of(cart(line(1000)), facts(shop(unsized="1000")), (answered(rate()),), plain_store())
    shown = parcels_of_quote(row)
    assert isinstance(shown, ShownParcels)
    assert shown.parcels[0].figures


def test_the_plan_of_a_cart_is_found_again_not_made_again() -> None:
    asked, using = cart(line(product=product(120, 100, 95))), shop()
    assert plan_cart(asked, using) is plan_cart(asked, shop())
