"""What is kept of a cart: no field that could name a person, and all that a price depends on."""

# ruff: noqa: RUF001 - letters of other scripts are the point.

from __future__ import annotations

import unicodedata
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.quotes.reduced import ReducedCart, reduce, without_person
from connector.storage.secrets import Keyring, new_key
from connector.store import Cart, CartLine, CartTotals
from tests.quotes.world import BUYER, a_cart, keyed_hash, reduced

PERSONAL = ("street1", "street2", "name", "company", "phone", "email")
CANARY = "⟦canary⟧"
_text = st.text(min_size=1, max_size=20)


def place(**changes: Any) -> Address:
    return replace(BUYER, **changes)


# --- nothing personal survives ------------------------------------------------------------------------------------


@pytest.mark.complaint(51)
@given(st.fixed_dictionaries(dict.fromkeys(PERSONAL, _text)), _text)
def test_no_personal_field_survives(words: dict[str, str], gift: str) -> None:
    """Whatever stands in the personal fields, in any script, what is kept is the same but for flags and the hash."""
    marked = {field: f"{CANARY}{word}{CANARY}" for field, word in words.items()}
    line = CartLine(1, Money(100, "EUR"), properties={"engraving": f"{CANARY}{gift}"})
    kept = reduced(line, destination=place(**marked), origin=place(**marked)).to_json().decode()
    assert CANARY not in kept
    assert CANARY not in unicodedata.normalize("NFKC", kept)
    blank = place(**dict.fromkeys(PERSONAL, ""))
    plain = reduced(CartLine(1, Money(100, "EUR")), destination=blank, origin=blank)
    found = ReducedCart.from_json(kept)
    for cart in (found, plain):
        assert cart.destination is not None
    same = {"person": "", "destination": None, "origin": None}
    assert found.but(**same) == plain.but(**same)
    assert found.destination is not None
    assert found.destination.but(po_box=False, residential=None) == plain.destination


def test_what_a_price_depends_on_is_kept() -> None:
    lines = (
        CartLine(3, Money(1000, "EUR"), Weight(400), "MUG", "Mug", "var_1", "prd_1", "Potter", taxable=False),
        CartLine(1, Money(250, "EUR"), None, requires_shipping=False),
    )
    totals = CartTotals(Money(3250, "EUR"), Money(250, "EUR"), Money(3000, "EUR"), "included")
    cart = Cart(
        lines, "EUR", Address("SK", "811 01", "BL", "Bratislava"), BUYER, totals, "el", ("vip",), guest=False,
        location_id="loc_1",
    )  # fmt: skip
    kept = reduce(cart, keyed_hash)
    first, second = kept.lines
    assert (first.quantity, first.price, first.grams, first.sku, first.vendor) == (3, 1000, 400, "MUG", "Potter")
    assert (first.variant_id, first.product_id, first.taxable, first.requires_shipping) == (
        "var_1",
        "prd_1",
        False,
        True,
    )
    assert (second.grams, second.requires_shipping) == (None, False)
    assert kept.origin is not None
    assert kept.destination is not None
    assert (kept.origin.postal_code, kept.origin.province, kept.origin.city) == ("811 01", "BL", "Bratislava")
    assert (kept.destination.country, kept.destination.postal_code, kept.destination.city) == ("AT", "1010", "Wien")
    assert kept.totals is not None
    assert (kept.totals.subtotal, kept.totals.discount, kept.totals.total, kept.totals.tax) == (
        3250,
        250,
        3000,
        "included",
    )
    assert (kept.locale, kept.customer_tags, kept.guest, kept.location_id) == ("el", ("vip",), False, "loc_1")
    assert (kept.goods, kept.units) == (Money(3000, "EUR"), 3)


def test_a_place_without_a_country_is_no_place() -> None:
    kept = reduced(destination=Address("", "1010"), origin=None)
    assert (kept.destination, kept.origin) == (None, None)


def test_a_kept_cart_is_read_again_as_it_was_even_with_fields_of_a_later_version() -> None:
    kept = reduced()
    body = kept.to_plain() | {"from_a_later_version": 1}
    assert ReducedCart.from_plain(body) == kept


# --- flags --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "street",
    [
        "PO Box 12",
        "P.O. Box 12",
        "P. O. BOX 12",
        "P.O.-Box 12",
        "c/o Shop, po box 7",
        "Post Office Box 3",
        "Postfach 10 20 30",
        "Postbus 55",
        "Postboks 9",
        "Apartado 1001",
        "Boîte postale 4",
        unicodedata.normalize("NFD", "Boîte postale 4"),
        "Casella postale 8",
        "Caixa Postal 99",
        "P. O. BOX 14, Pošta 1",
        "Poštový priečinok 6",
        "Poštovní přihrádka 6",
        "Skrytka pocztowa 15",
        "Skr. poczt. 15",
        "Τ.Θ. 1234",
        "ΤΘ 1234",
        "Ταχυδρομική Θυρίδα 5",
        "ص.ب 123",
        "ص. ب. 123",
        "صندوق بريد 123",
        "փոստարկղ 12",
        "ＰＯ　Ｂｏｘ　１２",
    ],
)  # fmt: skip
def test_a_post_office_box_is_known_in_several_languages(street: str) -> None:
    for address in (place(street1=street), place(street1="Building 4", street2=street)):
        kept = reduced(destination=address).destination
        assert kept is not None
        assert kept.po_box


@pytest.mark.parametrize(
    "street",
    ["Hlavná 12", "Boxer Street 5", "12 Po Boxing Road", "Postgasse 3", "Shop o Box", "Θησέως 5", "ص بن 4", ""],
)
def test_a_street_is_no_post_office_box(street: str) -> None:
    kept = reduced(destination=place(street1=street)).destination
    assert kept is not None
    assert not kept.po_box


@pytest.mark.parametrize(
    ("company", "said", "residential"),
    [("", None, None), ("Acme", None, False), (" ", None, None), ("Acme", True, True), ("", False, False)],
)
def test_a_company_is_no_residence_unless_the_store_says_so(
    company: str, said: bool | None, residential: bool | None
) -> None:
    address = replace(BUYER, company=company, residential=said)
    kept = reduced(destination=address).destination
    assert kept is not None
    assert kept.residential is residential
    assert without_person(address).residential is residential


@given(
    st.builds(Address, **{field.name: st.text(max_size=8) for field in fields(Address) if field.name != "residential"})
)
def test_a_carrier_that_needs_no_street_is_told_a_place_and_no_person(address: Address) -> None:
    told = without_person(address)
    kept = ("country", "postal_code", "province", "city", "residential")
    assert all(getattr(told, field.name) == "" for field in fields(Address) if field.name not in kept)
    assert (told.country, told.postal_code, told.city) == (address.country, address.postal_code, address.city)


# --- the keyed hash -----------------------------------------------------------------------------------------------


@given(st.fixed_dictionaries({"name": _text, "street1": _text, "street2": _text}))
def test_equal_people_have_equal_hashes_however_they_were_typed(words: dict[str, str]) -> None:
    person = reduced(destination=place(**words)).person
    for typed in (
        {field: f"  {word}\t" for field, word in words.items()},
        {field: unicodedata.normalize("NFD", word) for field, word in words.items()},
        {"phone": "+1 555", "email": "other@example.com", "company": "Other"} | words,
    ):
        assert reduced(destination=place(**typed)).person == person


def test_case_and_blanks_make_no_other_person() -> None:
    first = reduced(destination=place(name="Žofia  Novák", street1="HLAVNÁ 1"))
    second = reduced(destination=place(name="žofia novák", street1="Hlavná  1 "))
    assert first.person == second.person != ""


@pytest.mark.parametrize(
    "changes", [{"name": "Adam"}, {"street1": "Graben 1"}, {"postal_code": "1020"}, {"country": "SK"}]
)
def test_another_person_street_or_place_has_another_hash(changes: dict[str, str]) -> None:
    assert reduced(destination=place(**changes)).person != reduced().person


def test_words_do_not_move_from_field_to_field() -> None:
    assert (
        reduced(destination=place(name="A B", street1="C")).person
        != reduced(destination=place(name="A", street1="B C")).person
    )


def test_the_hash_is_useless_without_the_key_and_shows_nothing() -> None:
    keys = [Keyring.from_keys([new_key()]) for _ in range(2)]
    first, second = (reduce(a_cart(), key.keyed_hash).person for key in keys)
    assert first != second
    assert first == reduce(a_cart(), keys[0].keyed_hash).person
    assert "muster" not in first


def test_nobody_has_no_hash() -> None:
    assert reduced(destination=None).person == ""
