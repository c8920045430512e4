"""An order as a merchant looks at it, and the acts on it: buy its labels, void one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_

from carriers.money import Money
from connector.labels import amounts, gates, record
from connector.labels.tables import labels, parcels
from connector.orders.refresh import buy_at
from connector.orders.tables import orders
from connector.storage import audit
from connector.storage.audit import Actor
from connector.tracking.record import events_of
from connector.tracking.tables import store_events, trackings
from connector.words.reason import Reason
from connector.work.port import Work
from webhooks.errors import WaybillError


class NoSuchOrder(WaybillError):
    """Waybill has not seen this order."""


class NothingToBuy(WaybillError):
    """No parcel of the order waits for a label."""


class CapReached(WaybillError):
    """The shop's cap for a day is reached, and the person did not say that this purchase may pass it."""


@dataclass(frozen=True, slots=True)
class ParcelView:
    """One parcel with its label and where it is."""

    id: str
    number: int
    count: int
    state: str
    why: Reason | None
    grams: int
    quote_id: str | None
    offer_code: str
    label: Any | None
    tracking: Any | None
    milestones: tuple[str, ...]
    told_store: tuple[tuple[str, datetime, str], ...]
    files: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its parcels and amounts."""

    id: str
    external_id: str
    name: str
    currency: str
    paid: bool
    cancelled: bool
    charged: Money
    placed_at: datetime
    parcels: tuple[ParcelView, ...]
    amounts: tuple[amounts.Entry, ...]


def find(connection: Connection, shop_id: str, reference: str) -> Any:
    """The order's row by our id, the store's id (with or without its prefix) or its name. Raises NoSuchOrder."""
    row = connection.execute(
        orders.select(shop_id)
        .where(
            or_(
                orders.c.id == reference,
                orders.c.external_id == reference,
                orders.c.external_id.endswith(f"/{reference}", autoescape=True),
                orders.c.name == reference,
                orders.c.name == f"#{reference}",
            )
        )
        .order_by(orders.c.placed_at.desc())
    ).first()
    if row is None:
        raise NoSuchOrder("There is no such order here.", detail=reference)
    return row


def show(connection: Connection, shop_id: str, reference: str) -> OrderView:
    """Everything about an order. Raises NoSuchOrder."""
    row = find(connection, shop_id, reference)
    found = connection.execute(
        parcels.select(shop_id).where(parcels.c.order_id == row.id).order_by(parcels.c.created_at, parcels.c.number)
    ).all()
    return OrderView(
        id=row.id,
        external_id=row.external_id,
        name=row.name,
        currency=row.currency,
        paid=row.paid,
        cancelled=row.cancelled,
        charged=Money(row.charged_minor, row.currency),
        placed_at=row.placed_at,
        parcels=tuple(_parcel(connection, each) for each in found),
        amounts=tuple(amounts.of_order(connection, shop_id, row.id)),
    )


def request_purchase(
    connection: Connection,
    work: Work,
    shop_id: str,
    reference: str,
    actor: Actor,
    now: datetime,
    *,
    over_cap: str = "",
) -> list[str]:
    """Buy the labels of every parcel of the order that has none; returns the parcels' ids.

    A purchase whose outcome stayed unclear is looked up, and made again if nothing was bought. `over_cap` is why this
    purchase may pass the shop's cap for a day; it goes to the audit.

    Raises NoSuchOrder, NothingToBuy with the reason, or CapReached.
    """
    row = find(connection, shop_id, reference)
    if not over_cap and (reached := gates.cap_reached(connection, shop_id)) is not None:
        raise CapReached(f"{reached.say()} Say why this purchase may pass it, or raise the cap.", detail=row.name)
    waiting = connection.execute(
        parcels.select(shop_id)
        .where(parcels.c.order_id == row.id, parcels.c.state.in_(("planned", "held", "refused", "voided", "unknown")))
        .with_for_update()
    ).all()
    if not waiting:
        raise NothingToBuy("No parcel of this order waits for a label.", detail=row.name)
    for parcel in waiting:
        if parcel.state != "unknown":
            record.set_parcel(connection, shop_id, parcel.id, "planned", now)
        buy_at(connection, work, shop_id, parcel.id, actor, now, now, over_cap=bool(over_cap))
    if over_cap:
        audit.record(
            connection,
            now=now,
            actor=actor,
            action="label.over_cap",
            subject=row.id,
            shop_id=shop_id,
            detail={"reason": over_cap[:300], "parcels": len(waiting)},
        )
    return [str(parcel.id) for parcel in waiting]


def shop_of_parcel(connection: Connection, parcel_id: str) -> str | None:
    """Whose parcel this is: for the command line, which is told the parcel's id alone."""
    row = connection.execute(parcels.across_shops(parcels.c.shop_id).where(parcels.c.id == parcel_id)).first()
    return None if row is None else str(row[0])


def _parcel(connection: Connection, row: Any) -> ParcelView:
    label = connection.execute(
        labels.select(row.shop_id)
        .where(labels.c.parcel_id == row.id, labels.c.state != "dropped")
        .order_by(labels.c.created_at.desc(), labels.c.id.desc())
    ).first()
    tracking = None
    told: tuple[tuple[str, datetime, str], ...] = ()
    milestones: tuple[str, ...] = ()
    if label is not None:
        tracking = connection.execute(
            trackings.select(row.shop_id).where(trackings.c.label_id == label.id)
        ).one_or_none()
        milestones = tuple(
            f"{event.at:%Y-%m-%d %H:%M} {event.status}{f' {event.city}' if event.city else ''}"
            for event in events_of(connection, row.shop_id, label.id)
        )
        told = tuple(
            (each.status, each.at, each.state)
            for each in connection.execute(
                store_events.select(row.shop_id).where(store_events.c.label_id == label.id).order_by(store_events.c.at)
            ).all()
        )
    return ParcelView(
        id=row.id,
        number=row.number,
        count=row.count,
        state=row.state,
        why=None if row.why is None else Reason.from_json(row.why),
        grams=row.grams,
        quote_id=row.quote_id,
        offer_code=row.offer_code,
        label=label,
        tracking=tracking,
        milestones=milestones,
        told_store=told,
        files=tuple(record.files_of(connection, row.shop_id, label.id)) if label is not None else (),
    )
