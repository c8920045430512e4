"""A quote across a customs border says what its papers lack, and tells the buyer who pays duties."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from carriers.address import Address
from connector.quotes.explain import explain
from connector.quotes.view import shown
from connector.store import Cart, RateCall
from connector.words.reason import Reason
from tests.conftest import FrozenClock
from tests.labels.world import BUYER, MUG, World, a_world

pytestmark = pytest.mark.anyio

ABROAD = Address("CH", "8001", "ZH", "Zürich")


@pytest.fixture
async def checkout(tmp_path: Path, clock: FrozenClock) -> AsyncIterator[World]:
    """A shop in Slovakia that prices are asked of."""
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock) as built:
        yield built


def codes(notes: tuple[Reason, ...]) -> list[str]:
    return [each.code for each in notes]


@pytest.mark.need(61)
@pytest.mark.complaint(44)
async def test_a_quote_abroad_names_what_its_papers_lack(checkout: World) -> None:
    decision = (await checkout.quote(MUG, to=ABROAD)).decision
    (note,) = [each for each in decision.notes if each.code == "customs_missing"]
    assert "Mug: customs tariff code (hs_code)" in note.say()
    row = await checkout.quote(MUG, to=ABROAD)
    assert note in shown(row).notes, "on the desk's page of the quote"
    assert any(note.say() in line for line in explain(row)), "and on the command line"
    assert decision.offers, "the gap is the merchant's, so the buyer still gets a price"


async def test_the_buyer_reads_that_duties_are_not_included(checkout: World) -> None:
    decision = (await checkout.quote(MUG, to=ABROAD)).decision
    assert all(". duties and taxes are not included" in each.description.lower() for each in decision.offers)


async def test_an_estimate_stands_in_the_place_of_silence_where_the_shop_set_one(checkout: World) -> None:
    await checkout.set(duties="CH:8.1")
    decision = (await checkout.quote(MUG, to=ABROAD)).decision
    assert all("2.09" in each.description for each in decision.offers), [each.description for each in decision.offers]


async def test_a_shop_that_pays_duties_says_so(checkout: World) -> None:
    await checkout.set(incoterm="DDP")
    decision = (await checkout.quote(MUG, to=ABROAD)).decision
    assert all("not included" not in each.description.lower() for each in decision.offers)
    assert all("duties" in each.description.lower() for each in decision.offers)


@pytest.mark.parametrize("to", [BUYER, replace(BUYER, country="SK", postal_code="811 01", province="BL")])
async def test_within_the_customs_area_nothing_is_said(checkout: World, to: Address) -> None:
    decision = (await checkout.quote(MUG, to=to)).decision
    assert "customs_missing" not in codes(tuple(decision.notes))
    assert all("duties" not in each.description.lower() for each in decision.offers)


SAID = {
    "en": "duties and taxes are not included",
    "sk": "clo a dane nie sú v cene",
    "pl": "cło i podatki nie są w cenie",
    "el": "οι δασμοί και οι φόροι δεν περιλαμβάνονται",  # noqa: RUF001 - Greek it is.
    "ar": "الرسوم الجمركية والضرائب غير مشمولة",
    "hy": "մաքսատուրքերն ու հարկերը ներառված չեն",
}
BORDERS = {
    "GB": Address("GB", "SW1A 1AA", "", "London"),
    "CH": ABROAD,
    "US": Address("US", "94107", "CA", "San Francisco"),
    "Canary Islands": Address("ES", "35001", "GC", "Las Palmas"),
}


@pytest.mark.need(61)
@pytest.mark.complaint(45)
async def test_a_shop_in_slovakia_says_it_in_six_languages_at_every_border(checkout: World) -> None:
    """No option abroad is silent on duties; Northern Ireland is not abroad for goods from the Union."""
    offer_to: dict[tuple[str, str], str] = {}
    belfast = Address("GB", "BT1 5GS", "", "Belfast")
    for name, to in [*BORDERS.items(), ("Northern Ireland", belfast)]:
        for language, words in SAID.items():
            cart = Cart((MUG,), "EUR", destination=to, location_id="loc_store", locale=language)
            call = RateCall(cart, {"call": f"{name} {language}"})
            _, row = await checkout.house.quote_desk.answer(checkout.shop.quoting, call)
            for each in row.decision.offers:
                offer_to[name, language] = each.description.lower()
                assert (words in each.description.lower()) is (name != "Northern Ireland"), (name, language)
    assert len(offer_to) == 6 * len(SAID) - len(SAID)
