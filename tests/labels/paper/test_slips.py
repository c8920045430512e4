"""Packing slips in the buyer's language, cards by rule, pick lists by bin; with fonts and without."""

from __future__ import annotations

import io
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from carriers.money import Money
from connector.labels.paper.fonts import Fonts, find_fonts
from connector.labels.paper.inserts import OrderFacts, cards_for
from connector.labels.paper.picklist import Wanted, draw_picks, picks_of
from connector.labels.paper.sheets import SHEETS
from connector.labels.paper.slips import Brand, Slip, SlipLine, draw_slips
from connector.labels.paper.typeset import bars_of
from connector.paper_settings import InsertRule
from connector.settings import Settings
from connector.words import paper_texts

BRAND = Brand("Tea & Pots", "#1a4d8f")
LANGUAGES = ("en", "sk", "pl", "el", "ar", "hy")
TEA = SlipLine("Green tea", "TEA-1", 2)


def a_slip(language: str = "en", *lines: SlipLine, **more: object) -> Slip:
    known = {"language": language, "order": "#1001", "placed": "2026-11-22", "number": 1, "count": 2,
             "to": ("Jana Nová", "Hlavná 1"), "lines": lines or (TEA,), "code": "123456789012"}  # fmt: skip
    return Slip(**(known | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    found = find_fonts(str(Settings.model_fields["fonts"].default))
    if not found.faces:
        if os.environ.get("CI") == "true":
            pytest.fail("no fonts: apt-get install fonts-dejavu-core")
        pytest.skip("no fonts: apt-get install fonts-dejavu-core")
    return found


def texts(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_every_language_has_every_text() -> None:
    catalogues = paper_texts._catalogues()
    slip = {code for code in catalogues["en"] if code.startswith("slip.")}
    assert all(slip <= set(catalogues[language]) for language in LANGUAGES)


def test_the_fonts_have_every_letter_of_every_text(fonts: Fonts) -> None:
    assert fonts.complete
    for catalogue in paper_texts._catalogues().values():
        for text in catalogue.values():
            assert fonts.missing(text) == ""


@pytest.mark.need(26)
@pytest.mark.parametrize("language", ["en", "sk", "pl", "el", "hy"])
def test_a_slip_says_what_is_in_the_parcel_in_the_buyers_language(fonts: Fonts, language: str) -> None:
    content, spans = draw_slips([a_slip(language, inserts=("Welcome card",))], BRAND, SHEETS["4x6"], fonts)
    (text,) = texts(content)
    assert spans == [(0, 1)]
    for said in (paper_texts.say("slip.title", language), "Tea & Pots", "Green tea", "TEA-1", "Welcome card",
                 "Jana Nová", "123456789012"):  # fmt: skip
        assert said in text


def test_arabic_is_joined_and_runs_from_right_to_left(fonts: Fonts) -> None:
    """The letters of a word are drawn joined: other glyphs than those of the letters by themselves."""
    content, _ = draw_slips([a_slip("ar", SlipLine("شاي", "TEA-1", 2))], BRAND, SHEETS["a4"], fonts)
    page = PdfReader(io.BytesIO(content)).pages[0]
    places: dict[str, float] = {}

    def see(text: str, _cm: object, matrix: list[float], _font: object, _size: object) -> None:
        if text.strip():
            places.setdefault(text.strip(), matrix[4])

    page.extract_text(visitor_text=see)
    middle = SHEETS["a4"].width / 2
    assert places["TEA-1"] < middle
    assert any(x > middle for text, x in places.items() if "TEA" not in text and not text.isascii())


def test_a_slip_of_many_lines_goes_on_on_more_pages(fonts: Fonts) -> None:
    lines = tuple(SlipLine(f"Article {number}", f"A-{number}", number) for number in range(1, 61))
    content, spans = draw_slips([a_slip("en", *lines), a_slip()], BRAND, SHEETS["4x6"], fonts)
    found = texts(content)
    first, last = spans[0]
    assert last - first > 1
    assert spans[1] == (last, last + 1)
    assert all(any(f"A-{number}" in text for text in found[first:last]) for number in range(1, 61))
    assert all("123456789012" in text for text in found)


def test_without_fonts_western_letters_still_print() -> None:
    content, _ = draw_slips([a_slip("en", SlipLine("Thé vert", "T-1", 1))], BRAND, SHEETS["4x6"], Fonts())
    (text,) = texts(content)
    assert "Thé vert" in text
    assert not Fonts().complete
    assert Fonts().missing("Aш") == "ш"


def test_folders_without_fonts_are_no_fault(tmp_path: Path) -> None:
    assert find_fonts(f"{tmp_path}:{tmp_path}/none") == Fonts()


def test_the_bars_are_a_code_128_of_digits() -> None:
    """Start and stop of the code, and pairs of digits in one symbol: short enough for a small slip."""
    modules = bars_of("123456789012")
    assert modules.startswith("11010011100")
    assert modules.endswith("1100011101011")
    assert len(modules) == 11 * 8 + 13


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=120), st.text(max_size=60))
def test_no_text_makes_a_slip_fail(name: str, brand: str) -> None:
    content, _ = draw_slips(
        [a_slip("en", SlipLine(name, name, 1), to=(name,))], Brand(brand, name), SHEETS["4x6"], Fonts()
    )
    assert content.startswith(b"%PDF-")


@pytest.mark.need(26)
@pytest.mark.parametrize(
    ("rule", "facts", "fires"),
    [
        ({}, {}, True),
        ({"first_order": True}, {"first_order": True}, True),
        ({"first_order": True}, {}, False),
        ({"tag": "VIP"}, {"tags": frozenset({"vip"})}, True),
        ({"tag": "VIP"}, {"tags": frozenset({"vipers"})}, False),
        ({"countries": ("DE", "AT")}, {"country": "at"}, True),
        ({"countries": ("DE", "AT")}, {"country": "SK"}, False),
        ({"over": Decimal(50), "currency": "EUR"}, {"goods": Money(5000, "EUR")}, True),
        ({"over": Decimal(50), "currency": "EUR"}, {"goods": Money(4999, "EUR")}, False),
        ({"over": Decimal(50), "currency": "EUR"}, {"goods": Money(9000, "USD")}, False),
        ({"over": Decimal(50), "currency": "EUR"}, {}, False),
        ({"first_order": True, "tag": "vip"}, {"first_order": True}, False),
    ],
)
def test_a_card_is_laid_in_only_where_its_rule_holds(
    rule: dict[str, object], facts: dict[str, object], fires: bool
) -> None:
    found = cards_for([InsertRule(card="Card", **rule)], OrderFacts(**facts))  # type: ignore[arg-type]
    assert found == (("Card",) if fires else ())


@pytest.mark.need(17)
@given(st.lists(st.tuples(st.sampled_from(["A1", "A2", "A10", ""]), st.sampled_from("abc"), st.integers(1, 9),
                          st.sampled_from(["#1", "#2"])), max_size=20))  # fmt: skip
def test_picks_sum_to_what_the_orders_hold(lines: list[tuple[str, str, int, str]]) -> None:
    picks = picks_of([Wanted(key, key, key, place, units, order) for place, key, units, order in lines])
    assert sum(pick.units for pick in picks) == sum(units for _, _, units, _ in lines)
    assert all(pick.units == sum(units for _, units in pick.orders) for pick in picks)


def test_bins_are_walked_as_people_count(fonts: Fonts) -> None:
    wanted = [Wanted(place, place, place, place, 1, "#1") for place in ("A10", "", "B1", "A2", "A1")]
    assert [pick.bin for pick in picks_of(wanted)] == ["A1", "A2", "A10", "B1", ""]
    (text,) = texts(draw_picks(picks_of(wanted), 1, SHEETS["a4"], fonts))
    assert text.index("A2") < text.index("A10")
    assert "no bin" in text


@pytest.mark.need(17)
def test_of_many_orders_a_pick_names_the_first_and_counts_the_others(fonts: Fonts) -> None:
    wanted = [Wanted("tea", "TEA-1", "Green tea", "A1", 3, f"#{1001 + number}") for number in range(50)]
    (text,) = texts(draw_picks(picks_of(wanted), 50, SHEETS["a4"], fonts))
    found = " ".join(text.split())
    assert "150" in found
    assert "3 x #1006" in found
    assert "and 44 more" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_heads_of_the_columns_fit_into_one_line(fonts: Fonts, language: str) -> None:
    """What does not fit would be cut off with dots."""
    content, _ = draw_slips([a_slip(language, SlipLine("Tea", "T-1", 1))], BRAND, SHEETS["4x6"], fonts)
    assert "…" not in texts(content)[0]
