"""What customs is told: where a declaration is needed, what it holds, what is missing, and what the buyer reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.customs import Customs
from carriers.money import Money
from connector.catalogue import customs_settings
from connector.catalogue.borders import Spot, meets_customs
from connector.catalogue.customs import DeclaredLine, Missing, declaration, duties_note, kinds, why_missing
from connector.catalogue.customs_settings import CustomsSettings
from connector.catalogue.product import Amount, Product

HOME, ABROAD = Spot("SK", "", "81101"), Spot("GB", "", "SW1A 1AA")
SETTINGS = CustomsSettings(signer="Tea Ltd")
MUG = DeclaredLine("Mug", "MUG", 2, Money(1200, "EUR"), Product(hs_code="691110", origin_country="SK", weight_g=300))
POT = DeclaredLine("Pot", "POT", 1, Money(3000, "EUR"), grams=900, hs_code="691110", origin_country="CN")


def settings(**changes: Any) -> CustomsSettings:
    return CustomsSettings.model_validate({"signer": "Tea Ltd", **changes})


def told(*lines: DeclaredLine, **changes: Any) -> Customs:
    found = declaration(lines, changes.pop("settings", SETTINGS), HOME, ABROAD, gross_g=2000, **changes)
    assert isinstance(found, Customs), found
    return found


def gaps(*lines: DeclaredLine, by: CustomsSettings = SETTINGS, origin: Spot = HOME, to: Spot = ABROAD) -> list[Missing]:
    found = declaration(lines, by, origin, to, gross_g=2000)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("origin", "destination", "meets"),
    [
        (Spot("SK"), Spot("SK"), False),
        (Spot("SK"), Spot("DE"), False),
        (Spot("SK"), Spot("GB"), True),
        (Spot("SK"), Spot("CH"), True),
        (Spot("US"), Spot("US", "CA"), False),
        (Spot("US"), Spot("US", "GU"), True),
        (Spot("US"), Spot("US", "AE"), True),
        (Spot("US"), Spot("PR"), True),
        (Spot("ES", "", "28001"), Spot("ES", "", "35001"), True),
        (Spot("DE"), Spot("ES", "", "38001"), True),
        (Spot("FR", "", "75001"), Spot("FR", "", "97400"), True),
        (Spot("FR"), Spot("MC", "", "98000"), False),
        (Spot("FI"), Spot("FI", "", "22100"), True),
        (Spot("GB", "", "SW1A 1AA"), Spot("GB", "", "BT1 1AA"), False),
        (Spot("GB", "", "BT1 1AA"), Spot("IE"), False),
        (Spot("GB", "", "SW1A 1AA"), Spot("IE"), True),
        (Spot("GB"), Spot("IM"), False),
        (Spot(""), Spot("DE"), True),
    ],
)
def test_customs_is_met_at_borders_and_at_a_country_s_odd_corners(origin: Spot, destination: Spot, meets: bool) -> None:
    assert meets_customs(origin, destination) is meets
    assert meets_customs(destination, origin) is meets


def test_a_declaration_holds_totals_for_each_line() -> None:
    customs = told(MUG, POT, reference="1001")
    mug, pot = customs.items
    assert (mug.quantity, mug.value, mug.weight.grams, mug.hs_code) == (2, Money(2400, "EUR"), 600, "691110")
    assert (pot.value, pot.weight.grams, pot.origin_country) == (Money(3000, "EUR"), 900, "CN")
    assert (customs.signer, customs.incoterm, customs.reference) == ("Tea Ltd", "DAP", "1001")


def test_the_catalogue_goes_before_the_store() -> None:
    product = Product(
        hs_code="7013.37", origin_country="PL", customs_description="Glass cup", value=Amount(minor=900, currency="EUR")
    )
    (item,) = told(replace(POT, product=product)).items
    assert (item.hs_code, item.origin_country, item.description, item.value) == (
        "701337",
        "PL",
        "Glass cup",
        Money(900, "EUR"),
    )


def test_what_is_missing_is_named_by_product_and_field() -> None:
    bare = DeclaredLine("Gift", "GIFT", 1, Money(0, "EUR"))
    found = gaps(MUG, bare, by=CustomsSettings())
    assert found == [
        Missing("customs_signer"),
        Missing("hs_code", "Gift"),
        Missing("origin_country", "Gift"),
        Missing("value", "Gift"),
    ]
    assert why_missing(found).say() == (
        "Customs would ask, and nobody has said: who signs the declaration (setting customs_signer); "
        "Gift: customs tariff code (hs_code), country of origin (origin_country), value of a unit (value_…)."
    )
    assert why_missing(found).params == {"gaps": "customs_signer; Gift: hs_code, origin_country, value"}


def test_a_parcel_of_nothing_is_no_declaration() -> None:
    assert gaps() == [Missing("goods")]


def test_values_of_two_currencies_are_no_declaration() -> None:
    assert gaps(MUG, replace(POT, price=Money(3000, "GBP"))) == [Missing("currency")]


def test_the_store_s_word_on_duties_goes_first() -> None:
    assert told(MUG, incoterm="DDP").incoterm == "DDP"
    assert told(MUG, incoterm="DAP", settings=settings(incoterm="DDP")).incoterm == "DAP"
    assert told(MUG, settings=settings(incoterm="DDP")).incoterm == "DDP"


NUMBERS = [
    {"kind": "IOSS", "number": "IM0123456789", "issuer": "EU"},
    {"kind": "EORI", "number": "GB123456789000", "issuer": "GB"},
    {"kind": "EORI", "number": "SK1234567890", "issuer": "SK"},
    {"kind": "EORI", "number": "XI123456789000", "issuer": "XI"},
    {"kind": "VAT", "number": "NO123456789", "issuer": "NO"},
]
CANARIES, BELFAST = Spot("ES", "", "38001"), Spot("GB", "", "BT1 1AA")


@pytest.mark.parametrize(
    ("origin", "to", "minor", "told_of"),
    [
        (ABROAD, Spot("DE"), 15_000, ["IM0123456789", "GB123456789000"]),
        (ABROAD, Spot("DE"), 15_001, ["GB123456789000"]),
        (ABROAD, Spot("US"), 1000, ["GB123456789000"]),
        (HOME, ABROAD, 1000, ["GB123456789000", "SK1234567890"]),
        (HOME, Spot("NO"), 1000, ["SK1234567890", "NO123456789"]),
        (HOME, CANARIES, 1000, ["SK1234567890"]),
        (ABROAD, CANARIES, 1000, ["GB123456789000"]),
        (Spot("US"), BELFAST, 1000, ["IM0123456789", "GB123456789000", "XI123456789000"]),
    ],
)
def test_tax_numbers_are_told_where_they_count(origin: Spot, to: Spot, minor: int, told_of: list[str]) -> None:
    """The one-stop shop's only into the Union's VAT area (Northern Ireland is in it, the Canaries are not)."""
    line = replace(MUG, units=1, price=Money(minor, "EUR"))
    found = declaration([line], settings(tax_numbers=NUMBERS), origin, to, gross_g=500)
    assert isinstance(found, Customs), found
    assert [each.number for each in found.tax_ids] == told_of


@pytest.mark.parametrize(
    ("limit", "minor", "outcome"),
    [("", 1000, "ioss_limit_in_GBP"), (":130", 13_000, ["IOSS"]), (":130", 13_001, [])],
)
def test_the_one_stop_shop_s_limit_is_asked_for_in_other_currencies(
    limit: str, minor: int, outcome: str | list[str]
) -> None:
    body: dict[str, Any] = {"signer": "Tea Ltd"}
    customs_settings.put(body, "tax_numbers", f"IOSS:IM0123456789:EU{limit}", "GBP")
    by = CustomsSettings.model_validate(body)
    assert customs_settings.text_of(by, "tax_numbers") == f"IOSS:IM0123456789:EU{limit}"
    line = replace(MUG, units=1, price=Money(minor, "GBP"))
    found = declaration([line], by, ABROAD, Spot("DE"), gross_g=500)
    if isinstance(found, Customs):
        assert [each.kind for each in found.tax_ids] == outcome
    else:
        assert found == [Missing(str(outcome))]
    assert isinstance(declaration([line], by, ABROAD, Spot("US"), gross_g=500), Customs)


@pytest.mark.parametrize("code", ["6912", "69 12", "mugs", "69120012345678"])
def test_a_code_of_less_than_six_digits_is_none(code: str) -> None:
    assert gaps(replace(POT, hs_code=code)) == [Missing("hs_code", "Pot")]


def test_an_export_from_the_united_states_is_filed_above_its_limit_but_not_to_canada() -> None:
    dear = replace(MUG, units=3, price=Money(90_000, "USD"))
    us = Spot("US", "CA", "94104")
    assert gaps(dear, origin=us, to=Spot("DE")) == [Missing("export_filing", "691110")]
    to_canada = declaration([dear], SETTINGS, us, Spot("CA"), gross_g=900)
    assert isinstance(to_canada, Customs)
    assert to_canada.export_filing == "NOEEI 30.36"


@pytest.mark.parametrize(
    ("codes", "price", "filed"),
    [
        (("691110", "691110"), Money(125_000, "USD"), False),
        (("691110", "691110"), Money(125_001, "USD"), True),
        (("691110", "701337"), Money(250_000, "USD"), False),
        (("691110", "701337"), Money(62_500, "EUR"), False),
        (("691110", "701337"), Money(62_501, "EUR"), True),  # Nobody tells us the rate: a euro may be worth much.
    ],
)
def test_no_filing_is_claimed_for_little_of_one_code_only(codes: tuple[str, str], price: Money, filed: bool) -> None:
    lines = [replace(POT, hs_code=code, price=price) for code in codes]
    found = declaration(lines, SETTINGS, Spot("US", "CA", "94104"), Spot("DE"), gross_g=3000)
    if filed:
        assert isinstance(found, list)
        assert {gap.field for gap in found} == {"export_filing"}
    else:
        assert isinstance(found, Customs)
        assert found.export_filing == "NOEEI 30.37(a)"


def test_no_filing_is_claimed_where_nobody_asks_for_one() -> None:
    assert told(MUG).export_filing == ""


@given(
    st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(0, 5000)), min_size=1, max_size=6),
    st.integers(6, 60_000),
)
def test_the_lines_weigh_together_no_more_than_the_parcel(lines: list[tuple[int, int | None]], gross: int) -> None:
    declared = [replace(POT, units=units, grams=grams) for units, grams in lines]
    found = declaration(declared, SETTINGS, HOME, ABROAD, gross_g=gross)
    assert isinstance(found, Customs)
    weights = [item.weight.grams for item in found.items]
    assert min(weights) >= 1
    assert sum(weights) <= gross
    known = [units * grams for units, grams in lines if grams is not None]
    if len(known) == len(lines) and min(known) > 0 and sum(known) <= gross:
        assert weights == known


@pytest.mark.parametrize(
    ("by", "goods", "code"),
    [
        ({}, 1000, "offer_duties_extra"),
        ({"incoterm": "DDP"}, 1000, "offer_duties_included"),
        ({"duties": [{"country": "GB", "percent": "20", "above": "135"}]}, 13_499, "offer_duties_none"),
        ({"duties": [{"country": "GB", "percent": "20", "above": "135"}]}, 13_500, "offer_duties_about"),
        ({"duties": [{"country": "CH", "percent": "20"}]}, 13_500, "offer_duties_extra"),
    ],
)
@pytest.mark.need(61)
@pytest.mark.complaint(45)
def test_a_buyer_is_told_of_duties(by: dict[str, Any], goods: int, code: str) -> None:
    note = duties_note(settings(**by), HOME, ABROAD, Money(goods, "EUR"), 1)
    assert note is not None
    assert note.code == code
    assert duties_note(settings(**by), HOME, Spot("DE"), Money(goods, "EUR"), 1) is None


def test_an_estimate_is_rounded_up() -> None:
    by = settings(duties=[{"country": "GB", "percent": "8.1"}])
    note = duties_note(by, HOME, ABROAD, Money(999, "EUR"), 1)
    assert note is not None
    assert note.params["amount"] == Money(81, "EUR")


@pytest.mark.parametrize(
    ("goods", "there", "about"),
    [
        (15000, Spot("DE"), 300 * 2),
        (15001, Spot("DE"), 0),
        (15000, Spot("FR"), 300 * 2 + 3000),
        (15001, Spot("FR"), 3001),
        (15000, Spot("ES", "", "35001"), None),
    ],
    ids=["to the limit", "above it", "with a percentage", "the percentage alone", "the Canary Islands are outside"],
)
def test_the_unions_duty_for_every_kind_of_goods_is_estimated_up_to_its_limit(
    goods: int, there: Spot, about: int | None
) -> None:
    """Regulation (EU) 2026/382: 3 EUR for each line of a declaration, in consignments of up to 150 EUR."""
    duties = [{"country": "EU", "percent": 0, "each": 3, "up_to": 150}]
    duties.append({"country": "FR", "percent": 20, "each": 3, "up_to": 150})
    note = duties_note(settings(duties=duties), Spot("US"), there, Money(goods, "EUR"), 2)
    assert note is not None
    if about is None:
        assert note.code == "offer_duties_extra"
    elif about == 0:
        assert note.code == "offer_duties_none"
    else:
        assert note.params["amount"] == Money(about, "EUR")


def test_goods_of_one_code_and_origin_are_one_kind() -> None:
    lid = replace(MUG, name="Lid", sku="LID")
    assert kinds([MUG, lid]) == 1
    assert kinds([MUG, lid, POT]) == 2, "of another origin"
    nothing = DeclaredLine("Gift", "", 1, Money(100, "EUR"))
    assert kinds([nothing, nothing]) == 2, "nobody knows what they are"


@pytest.mark.parametrize("text", ["EU:0:0:3:150", "GB:20:135", "CH:8.1", "DE:19:0:2.50"])
def test_an_estimate_is_written_as_it_was_typed(text: str) -> None:
    body: dict[str, Any] = {}
    customs_settings.put(body, "duties", text, "EUR")
    assert customs_settings.text_of(CustomsSettings.model_validate(body), "duties") == text
    with pytest.raises(ValueError, match="0:0:3:150:1"):
        customs_settings.put(body, "duties", "EU:0:0:3:150:1", "EUR")


def test_into_the_union_goods_carry_the_numbers_by_which_customs_knows_them() -> None:
    mug = replace(MUG, product=Product(**MUG.product.body | {"mpn": "4420-BLK", "barcode": "4006381333931"}))  # type: ignore[union-attr]
    sold = declaration([mug, replace(POT, sku="", key="4711")], SETTINGS, Spot("US"), Spot("DE"), gross_g=2000)
    assert isinstance(sold, Customs), sold
    assert [(each.sku, each.mpn, each.gtin) for each in sold.items] == [
        ("MUG", "4420-BLK", "4006381333931"),
        ("4711", "4711", ""),
    ]


def test_goods_without_any_number_are_named_before_a_label_into_the_union_is_bought() -> None:
    nameless = replace(POT, sku="")
    assert gaps(nameless, origin=Spot("US"), to=Spot("DE")) == [Missing("sku", "Pot")]
    assert isinstance(declaration([nameless], SETTINGS, Spot("US"), Spot("JP"), gross_g=2000), Customs)
    assert isinstance(declaration([nameless], SETTINGS, HOME, ABROAD, gross_g=2000), Customs)
