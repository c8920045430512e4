"""What a restore marks: purchases under way are looked up and never repeated by themselves, plans wait for a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from connector.care.caution import careful, take_care
from connector.labels.tables import labels, parcels
from connector.orders.restored import is_uncertain
from connector.tracking.tables import store_events
from connector.wiring import House, open_house
from connector.work import due
from connector.work.due import DueRun
from connector.work.port import Task
from tests.kept.kept import Kept


def rewind(connection: Connection, shop_id: str, order: str, parcel_state: str, **label: Any) -> str:
    """Let an order's parcel and label stand where they once stood; the parcel's id."""
    chosen = parcels.select(shop_id, parcels.c.id).where(parcels.c.order_external_id == order)
    parcel_id = str(connection.execute(chosen).scalar_one())
    connection.execute(parcels.update(shop_id).where(parcels.c.id == parcel_id).values(state=parcel_state, why=None))
    if label:
        connection.execute(labels.update(shop_id).where(labels.c.parcel_id == parcel_id).values(**label))
    return parcel_id


def test_everything_whose_outcome_a_backup_cannot_know_is_marked(kept: Kept) -> None:
    shop_id, orders = kept.tea, kept.notes["orders"]
    house = open_house(kept.settings)
    try:
        house.database.run_here(_story, house, shop_id, orders)
    finally:
        house.close()


def _story(connection: Connection, house: House, shop_id: str, orders: dict[str, str]) -> None:
    now = house.clock.now()
    intent = rewind(connection, shop_id, orders["bought"], "buying", state="intent", sent_at=None)
    nothing = {"rate": None, "minor": None, "currency": None, "intent_at": None, "sent_at": None}
    created = rewind(connection, shop_id, orders["travels"], "buying", state="created", **nothing)
    planned = rewind(connection, shop_id, orders["risky"], "planned")
    connection.execute(store_events.update(shop_id).values(state="due"))
    house.work.later(connection, Task("labels.buy", "waits", shop_id, (planned, "rule", "buy=on_paid")), now)

    caution = take_care(connection, house.work, [shop_id], now)

    assert caution.held == 1
    assert caution.looked_up == 3  # These two, and the one that was unclear when the backup was made.
    for parcel_id in (intent, created):
        row = connection.execute(labels.select(shop_id).where(labels.c.parcel_id == parcel_id)).one()
        assert (row.state, row.sent_at, row.tries > 3) == ("unknown", now, True)
        assert row.minor is not None
        assert due.waiting(connection, f"settle:{row.id}") == now
    held = connection.execute(parcels.select(shop_id).where(parcels.c.id == planned)).one()
    assert (held.state, held.why["code"]) == ("held", "restored_backup")
    assert due.waiting(connection, "waits") is None
    assert {row.state for row in connection.execute(store_events.select(shop_id))} == {"sent"}
    assert is_uncertain(connection, shop_id, now.replace(year=2020))
    assert not is_uncertain(connection, shop_id, now)


def test_purchases_in_flight_are_not_queued_again() -> None:
    runs = [DueRun(name, Task(name, name, "shop")) for name in ("labels.buy", "labels.settle", "orders.refresh")]
    assert [run.task.name for run in careful(runs)] == ["labels.settle", "orders.refresh"]
