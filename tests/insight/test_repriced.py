"""Gaps that no word of the carrier's explains, sized through the shop's own rate table, or by labels bought before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from carriers.invoice import Measures
from carriers.money import Money
from carriers.rate_table.connection import RateTableCarrier
from carriers.rate_table.settings import RateTableSettings, pack
from connector.insight.prices import Bought, lists_of
from connector.insight.truth_rows import LabelTruth, label_truths
from connector.labels.invoice_csv import InvoiceLine
from tests.carriers.rate_table.sheets import line, sheet
from tests.conftest import FrozenClock
from tests.labels.invoicing import book_invoice
from tests.labels.world import World, a_world

pytestmark = pytest.mark.anyio
PRICES = {"Near": (7, 9, 12), "Zone 5": (10, 14, 20)}


def table(clock: FrozenClock) -> RateTableCarrier:
    """Ground by the kilogram: up to 2, 3 and 6 kg, to two zones."""
    rows = [line("table", name="Contract", currency="EUR"), line("service", service="Ground")]
    rows += [line("zone", zone="Near", country="AT"), line("zone", zone="Zone 5", country="GR")]
    rows += [line("divisor", divisor="5000")]
    bands = (("0", "2"), ("2.001", "3"), ("3.001", "6"))
    rows += [
        line("price", service="Ground", zone=zone, price=f"{amount}.00", weight_from=low, weight_to=high)
        for zone, amounts in PRICES.items()
        for (low, high), amount in zip(bands, amounts, strict=True)
    ]
    return RateTableCarrier(RateTableSettings(file=pack(sheet(*rows))), clock)


@pytest.fixture
async def listed(tmp_path: Path, clock: FrozenClock) -> AsyncIterator[World]:
    """A shop whose contract is known as a rate table beside the account that sells its labels."""
    second = cast("Any", table(clock))
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock, second_carrier=second) as built:
        yield built


async def billed(world: World, total: int, measures: Measures, number: int = 1) -> LabelTruth:
    """A label bought at 7.00 for 1.82 kg to Austria, and a bill that names nothing."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    bill = InvoiceLine(2, f"TRK{number}", Money(total, "EUR"), f"R-{number}", "Correction", measures=measures)
    world.act(book_invoice, world.shop_id, [bill], "total", world.clock.now())
    return one(world, order.id)


def one(world: World, order_id: str) -> LabelTruth:
    parcel = world.parcel(order_id).id
    (found,) = world.act(label_truths, world.shop_id, world.clock.now(), parcel_id=parcel, lists=lists_of(world.shop))
    return found


async def test_weight_and_zone_are_each_worth_what_the_rate_table_says(listed: World) -> None:
    assert len(lists_of(listed.shop)) == 1
    found = await billed(listed, 1400, Measures(grams=2_900, zone="5"))
    # Heavier alone adds 2.00 (and 4.00 in the far zone), farther alone 3.00 (and 5.00 for the heavier parcel).
    assert found.attribution.parts == (("zone", 400), ("weight", 300))
    assert found.evidence.planned.zone == "near"


async def test_what_is_measured_otherwise_but_priced_alike_is_not_blamed(listed: World) -> None:
    found = await billed(listed, 1000, Measures(grams=1_950, zone="5", residential=True))
    assert found.attribution.parts == (("zone", 300),)


async def test_the_size_counts_by_the_tables_own_divisor(listed: World) -> None:
    found = await billed(listed, 900, Measures(grams=1_820, size=(300, 250, 180)))
    assert found.attribution.parts == (("dimensions", 200),)


async def test_a_home_costs_what_the_carrier_named_on_other_bills(listed: World) -> None:
    first = await listed.buy_from_quote()
    await listed.refresh(first.id)
    bill = InvoiceLine(2, "TRK1", Money(310, "EUR"), "R-1", charges=(("Residential delivery", 310),))
    listed.act(book_invoice, listed.shop_id, [bill], "adjustment", listed.clock.now())
    second = await listed.buy_from_quote()
    await listed.refresh(second.id)
    measures = Measures(grams=2_500, residential=True)
    bill = InvoiceLine(2, "TRK2", Money(510, "EUR"), "R-2", "Correction", measures=measures)
    listed.act(book_invoice, listed.shop_id, [bill], "adjustment", listed.clock.now())
    since = listed.clock.now().replace(year=2020)
    found = listed.act(label_truths, listed.shop_id, since, lists=lists_of(listed.shop))
    parts = {each.label.tracking_code: each.attribution.parts for each in found}
    assert parts == {"TRK1": (("residential", 310),), "TRK2": (("residential", 310), ("weight", 200))}


class Label:
    """A row of the ledger's labels, as far as prices look at it."""

    def __init__(self, minor: int) -> None:
        self.account_id, self.carrier, self.booked_currency, self.booked_minor = "acc_1", "ups", "EUR", minor
        self.booked_rate = {"carrier": "UPS", "service": "Ground"}


def test_where_there_is_no_list_labels_bought_before_tell_the_price() -> None:
    bought = Bought()
    for grams, minor in ((1_000, 500), (1_000, 520), (2_000, 700), (4_000, 900)):
        bought.add(Label(minor), Measures(grams=grams, zone="Zone 4"), ())
    price = bought.price_of(Label(500))
    asked = [Measures(grams=grams, zone="4") for grams in (1_000, 1_500, 3_000, 4_000, 4_001, 900)]
    assert [price(each) for each in asked] == [500, 600, 800, 900, None, None]
    assert price(Measures(grams=1_000, zone="5")) is None
    assert price(Measures(grams=1_000)) is None
