"""What a reason names by column or setting is read in words, and whatever a product is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalogue.customs import FIELDS, Missing, why_missing
from connector.words.naming import in_words
from connector.words.reason import Reason

TEXTS = {"field_sku": "a number (sku)", "field_hs_code": "a code (hs_code)", "field_top": "{currency} (top)"}
PRODUCTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=";"), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ("Mug: hs_code, sku", "Mug: a code (hs_code), a number (sku)"),
        ("sku; Cups, blue: hs_code (+3)", "a number (sku); Cups, blue: a code (hs_code) (+3)"),
        ("Set: pot; cup: sku", "Set: pot; cup: a number (sku)"),
        ("top_in_GBP", "GBP (top)"),
        ("Mug: from_a_later_version, sku", "Mug: from_a_later_version, sku"),
        ("", ""),
    ],
)
def test_names_are_said_in_words(gaps: str, said: str) -> None:
    assert in_words(gaps, TEXTS.get) == said


@given(st.lists(st.builds(Missing, st.sampled_from(FIELDS), PRODUCTS), min_size=1, max_size=12))
def test_any_product_is_named_and_every_reason_is_kept_by_name(gaps: list[Missing]) -> None:
    """Whatever a product is called, its name is shown whole, and what is stored holds no words."""
    reason = why_missing(gaps)
    before, said = reason.to_json(), reason.say("sk")
    assert gaps[0].product in said
    assert reason.to_json() == before


def test_a_reason_of_an_older_version_is_said_in_todays_words() -> None:
    kept = {"code": "customs_missing", "params": {"gaps": "ioss_limit_in_GBP"}}
    assert "what 150 EUR are in GBP" in Reason.from_json(kept).say()
    assert Reason("customs_missing").say() == "Customs would ask, and nobody has said: …."


def test_the_fields_of_an_address_are_said_in_words() -> None:
    reason = Reason("address_corrected", {"carrier": "UPS", "fields": "postal_code, street1"})
    assert reason.say() == "UPS knows this address otherwise. It differs in: postal code, street."
    said = Reason("address_line_too_long", {"field": "street2", "form": "35"}).say()
    assert said == "A line is too long for it: second line of the street has more than 35 characters."
