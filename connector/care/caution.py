"""After a restore: the outside went on while the database went back, so nothing is done twice before it is looked at.

What was being bought when the backup was made is looked up at the carrier, and is not bought again by itself. What
was only planned is held: a label bought after the backup has left no trace here. Every order with such a parcel is
read again, and where the store says that the goods have left, the parcel goes. Pushes to the store look first anyway;
events of the timeline that were about to be told are looked up, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Table, delete

from carriers.rate import Rate
from connector.attention.board import need_person
from connector.labels import record
from connector.labels.choose import Chosen, choose
from connector.labels.gates import waits
from connector.labels.tables import LIVE, labels, parcels
from connector.orders import restored
from connector.orders.plan import STORES_HOLDS
from connector.orders.refresh import REFRESH
from connector.storage.schema import metadata
from connector.tracking.tables import store_events
from connector.words.reason import Reason
from connector.work.due import DueRun
from connector.work.port import Task, Work

_RATE = TypeAdapter(Rate)
_NO_MORE_TRIES = 99


@dataclass(frozen=True, slots=True)
class Caution:
    """How many purchases are looked up, and how many parcels wait for a person."""

    looked_up: int
    held: int


def careful(runs: Iterable[DueRun]) -> Iterator[DueRun]:
    """The work in flight without purchases: whatever asked for them, they are asked for anew."""
    return (run for run in runs if run.task.name != record.BUY)


def take_care(connection: Connection, work: Work, shop_ids: Iterable[str], now: datetime) -> Caution:
    """Mark everything whose outcome the backup cannot know."""
    looked_up = held = 0
    connection.execute(delete(_due()).where(_due().c.name == record.BUY))
    for shop_id in shop_ids:
        restored.note(connection, shop_id, now)
        connection.execute(waits.delete(shop_id))  # Who waits for money is held like the others.
        looked_up += _look_up_purchases(connection, work, shop_id, now)
        held += _hold_plans(connection, work, shop_id, now)
        begun = store_events.update(shop_id).where(store_events.c.state == "due")
        connection.execute(begun.values(state="sent"))
    return Caution(looked_up, held)


def _look_up_purchases(connection: Connection, work: Work, shop_id: str, now: datetime) -> int:
    count = 0
    for label in connection.execute(labels.select(shop_id).where(labels.c.state.in_(LIVE))).all():
        if label.state == "bought":
            continue
        parcel = record.parcel_of(connection, shop_id, label.parcel_id)
        if label.state in {"created", "intent"} and not _as_if_sent(connection, label, parcel, now):
            record.drop(connection, label, now)
            continue
        record.set_parcel(connection, shop_id, label.parcel_id, "unknown", now, Reason("purchase_unclear"))
        record.settle_at(connection, work, record.label_of(connection, shop_id, label.id), now)
        count += 1
    return count


def _as_if_sent(connection: Connection, label: Any, parcel: Any, now: datetime) -> bool:
    """The purchase may have left after the backup; with all its tries used up, only a person has it repeated."""
    rate = record.rate_of(label)
    if rate is None:
        rates = record.rates_of(label)
        chosen = choose(rates, parcel.bought_as if parcel else None, by_person=True)
        rate = chosen.rate if isinstance(chosen, Chosen) else next(iter(rates), None)
    if rate is None:
        return False
    values = {
        "state": "unknown",
        "rate": _RATE.dump_python(rate, mode="json"),
        "minor": rate.price.minor,
        "currency": rate.price.currency,
        "intent_at": label.intent_at or now,
        "sent_at": now,
        "tries": _NO_MORE_TRIES,
        "version": label.version + 1,
    }
    connection.execute(labels.update(label.shop_id).where(labels.c.id == label.id).values(**values))
    return True


def _hold_plans(connection: Connection, work: Work, shop_id: str, now: datetime) -> int:
    waiting = parcels.select(shop_id).where(parcels.c.state.in_(("planned", "buying", "held")))
    orders: set[str] = set()
    count = 0
    for parcel in connection.execute(waiting).all():
        released_by_store = parcel.state == "held" and (parcel.why or {}).get("code") in STORES_HOLDS
        if parcel.state == "held" and not released_by_store:
            continue  # Only a person buys it.
        record.set_parcel(connection, shop_id, parcel.id, "held", now, restored.WHY)
        need_person(connection, shop_id, parcel.id, restored.WHY, now)
        orders.add(parcel.order_external_id)
        count += 1
    for order_id in sorted(orders):
        key = f"restored:{shop_id}:{order_id}:{now.isoformat()}"
        work.later(connection, Task(REFRESH, key, shop_id, (order_id,)), now)
    return count


def _due() -> Table:
    return metadata.tables["due"]
