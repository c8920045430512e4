"""What is known of a variant: sources in their order, whole sizes, what is kept, and how it is packed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.catalogue.fields import read_names, values_of, write_names
from connector.catalogue.product import Amount, Packaging, Place, Product, Values, key_of, merge
from connector.packing.goods import Extents

OWN = Values(length_mm=300, width_mm=200, height_mm=100, upright=True)
STORE = Values(weight_g=400, hs_code="691200", vendor="Acme", places={"loc_1": Place(stock=4)})


def test_each_value_knows_its_source_and_the_first_source_wins() -> None:
    fields = Values(weight_g=450, origin_country="SK")
    found = merge("1", "MUG", (("own", OWN), ("field", fields), ("store", STORE)))
    assert (found.weight_g, found.source("weight_g")) == (450, "field")
    assert (found.size, found.source("length_mm")) == ((300, 200, 100), "own")
    assert (found.vendor, found.source("vendor")) == ("Acme", "store")
    assert found.source("hazmat") is None


def test_a_size_is_taken_whole_from_one_source() -> None:
    half = Values(length_mm=10)
    whole = Values(length_mm=30, width_mm=20, height_mm=10)
    assert merge("1", "", (("own", half), ("field", whole))).size == (30, 20, 10)


def test_places_are_merged_location_by_location() -> None:
    own = Values(places={"loc_1": Place(bin="A-3"), "loc_2": Place(stock=1)})
    found = merge("1", "", (("own", own), ("store", STORE)))
    assert found.places == {"loc_1": Place(stock=4, bin="A-3"), "loc_2": Place(stock=1)}


def test_a_measured_value_of_the_own_table_is_named_as_measured() -> None:
    found = merge("1", "", (("own", Values(weight_g=5)), ("store", STORE)), frozenset({"weight_g"}))
    assert found.source("weight_g") == "measured"


values = st.builds(
    Values,
    weight_g=st.none() | st.integers(1, 10_000),
    upright=st.none() | st.booleans(),
    hs_code=st.sampled_from(["", "691200"]),
    tags=st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
    unit_cost=st.none() | st.builds(Amount, minor=st.integers(0, 999), currency=st.just("EUR")),
    packagings=st.lists(
        st.builds(Packaging, units=st.integers(2, 12), weight_g=st.none() | st.just(5)), max_size=2
    ).map(tuple),
    places=st.dictionaries(st.sampled_from(["a", "b"]), st.builds(Place, stock=st.none() | st.integers(0, 9))),
)


@settings(max_examples=25, deadline=None)
@given(values, values)
def test_a_product_survives_being_kept(own: Values, store: Values) -> None:
    found = merge("1", "MUG", (("own", own), ("store", store)))
    assert Product.model_validate_json(found.model_dump_json()) == found
    assert Values.model_validate(own.model_dump(mode="json")) == own


def test_what_a_quote_keeps_has_no_shelf_and_no_name() -> None:
    found = merge("1", "MUG", (("store", Values(name="Mug", weight_g=4, barcode="1", places={"a": Place(stock=1)})),))
    assert found.body["name"] == "Mug"
    assert found.for_quote().body == {"weight_g": 4, "key": "1", "sku": "MUG", "sources": {"weight_g": "store"}}


def test_cases_are_packed_before_single_units_and_need_a_size_and_a_weight() -> None:
    case = Packaging(units=6, length_mm=300, width_mm=200, height_mm=150, weight_g=2500)
    product = merge("1", "", (("own", Values(weight_g=400, packagings=(case, Packaging(units=12, weight_g=1)))),))
    assert [(piece.units, piece.size) for piece in product.pieces] == [(6, Extents(200, 300, 150)), (1, None)]


def test_handling_follows_what_is_said() -> None:
    said = Values(length_mm=3, width_mm=2, height_mm=1, upright=True, fragile=True, ships_alone=True, hazmat="3")
    (piece,) = merge("1", "", (("own", said),)).pieces
    assert piece.handling.may_stand == (False, False, True)
    assert (piece.handling.bears, piece.handling.alone, piece.handling.group) == (False, True, "hazmat 3")


@pytest.mark.parametrize(
    ("variant_id", "sku", "key"),
    [("gid://shopify/ProductVariant/42", "A", "42"), ("42", "", "42"), ("", "A", "sku:A")],
)
def test_a_variant_has_one_key_whichever_form_its_id_has(variant_id: str, sku: str, key: str) -> None:
    assert key_of(variant_id, sku) == key


# --- the store's fields -------------------------------------------------------------------------------------------

NAMES = read_names("length=custom.l:cm,width=custom.w:cm,height=custom.h:cm,weight=custom.kg:kg,upright=custom.up")


def test_fields_are_read_in_the_unit_that_the_setting_or_the_field_itself_names() -> None:
    fields = {"custom.l": "30", "custom.w": "20.05", "custom.h": '{"value": 4, "unit": "INCHES"}', "custom.up": "true"}
    found, bad = values_of(fields | {"custom.kg": "0.4"}, NAMES)
    assert (found.size, found.weight_g, found.upright, bad) == ((300, 201, 102), 400, True, ())


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"custom.l": "30"}, ("custom.l", "custom.w", "custom.h")),
        ({"custom.kg": "-1"}, ("custom.kg",)),
        ({"custom.kg": "heavy"}, ("custom.kg",)),
        ({"custom.kg": '{"value": 1}'}, ("custom.kg",)),
        ({"custom.kg": "{"}, ("custom.kg",)),
        ({"custom.l": "1", "custom.w": "1", "custom.h": "1", "custom.kg": "900"}, ("custom.kg",)),
    ],
)
def test_a_field_that_cannot_be_is_named_and_left_out(fields: dict[str, str], bad: tuple[str, ...]) -> None:
    found, named = values_of(fields, NAMES)
    assert set(named) <= set(bad)
    assert named
    assert found.weight_g is None


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from([name.name for name in NAMES]), st.text(max_size=20)))
def test_no_field_breaks_the_reading(fields: dict[str, str]) -> None:
    values_of(fields, NAMES)


def test_names_are_written_as_they_are_read() -> None:
    assert read_names(write_names(NAMES)) == NAMES
