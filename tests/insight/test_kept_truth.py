"""The report that is kept in memory is the one that the database would give."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carriers.money import Money
from connector.insight.kept_truth import KeptTruth
from connector.insight.truth import Truth
from connector.insight.truth_rows import truth
from connector.labels.invoice_csv import InvoiceLine
from tests.labels.invoicing import book_invoice
from tests.labels.world import World, a_world, world

__all__ = ["a_world", "world"]
pytestmark = pytest.mark.anyio


async def test_what_is_kept_moves_with_every_order_purchase_and_bill(world: World) -> None:
    kept, since, limit = KeptTruth(), world.clock.now() - timedelta(days=1), Money(100, "EUR")

    def both() -> Truth:
        shown = world.act(kept.truth, world.shop_id, "EUR", since, limit, {})
        assert shown == world.act(truth, world.shop_id, "EUR", since, limit)
        return shown

    assert both().known == 0
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert (both().known, both().billed) == (1, Money(700, "EUR"))
    bill = InvoiceLine(2, "TRK1", Money(900, "EUR"), "R-1", "Weight")
    world.act(book_invoice, world.shop_id, [bill], "total", world.clock.now())
    assert (both().invoiced, both().billed, both().losing) == (1, Money(900, "EUR"), 1)
    found = world.act(kept.truth, world.shop_id, "EUR", since, Money(500, "EUR"), {})
    assert found.losing == 0
