"""How a purchase ends before money is spent: not wanted, held, refused, or left to a click. Each a transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connector.attention.board import need_person
from connector.labels import record
from connector.words.reason import Reason


def let_go(connection: Connection, parcel: Any, label: Any | None, now: datetime) -> bool:
    """Drop the shipment that was not bought; False if another run is at this parcel meanwhile."""
    if label is not None:
        return record.drop(connection, label, now)
    return record.live_label(connection, parcel.shop_id, parcel.id) is None


def not_wanted(
    connection: Connection, parcel: Any, label: Any | None, why: Reason | None, now: datetime, *, cancelled: bool
) -> None:
    """The store wants it no more. What another run has sent meanwhile is left to that run's own end."""
    if let_go(connection, parcel, label, now):
        state = "cancelled" if cancelled else "held"
        record.set_parcel(connection, parcel.shop_id, parcel.id, state, now, why)


def stand_back(connection: Connection, label: Any | None, now: datetime) -> None:
    """The merchant does not let rules buy any more: what a rule began is dropped, and the parcel waits for a click."""
    if label is not None and label.actor_kind == "rule" and record.drop(connection, label, now):
        record.set_parcel(connection, label.shop_id, label.parcel_id, "planned", now)


def give_up(connection: Connection, parcel: Any, label: Any | None, why: Reason, now: datetime) -> None:
    """A person has to look first."""
    if let_go(connection, parcel, label, now):
        record.hold(connection, parcel.shop_id, parcel.id, why, now)


def refuse(connection: Connection, parcel: Any, label: Any | None, why: Reason, now: datetime) -> None:
    """Not as promised, so not at all: the parcel is refused, and a person is told."""
    if let_go(connection, parcel, label, now) and record.set_parcel(
        connection, parcel.shop_id, parcel.id, "refused", now, why
    ):
        need_person(connection, parcel.shop_id, parcel.id, why, now)
