"""A quote across a customs border says what its papers lack, and tells the buyer who pays duties."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from carriers.address import Address
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


@pytest.mark.need(50)
async def test_a_quote_abroad_names_what_its_papers_lack(checkout: World) -> None:
    decision = (await checkout.quote(MUG, to=ABROAD)).decision
    (note,) = [each for each in decision.notes if each.code == "customs_missing"]
    assert "Mug: hs_code" in note.say()
    assert decision.offers, "the gap is the merchant's, so the buyer still gets a price"


async def test_the_buyer_reads_that_duties_are_not_included(checkout: World) -> None:
    decision = (await checkout.quote(MUG, to=ABROAD)).decision
    assert all("not included" in each.description.lower() for each in decision.offers)


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
