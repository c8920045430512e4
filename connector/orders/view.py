"""An order as a merchant looks at it, and the acts on it: buy its labels, or another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_

from carriers.money import Money
from connector.labels import amounts, gates, kept, record
from connector.labels.by_hand import is_by_hand
from connector.labels.kept import OnShelf
from connector.labels.seen import seen_in
from connector.labels.tables import BUYABLE, labels, parcels
from connector.labels.voids import request_void, standing
from connector.orders.addresses import ADDRESS_HOLDS
from connector.orders.buying import buy_at
from connector.orders.cancelling import has_left
from connector.orders.due import guard_said
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


class ReasonNeeded(NothingToBuy):
    """These goods had a label before: another one is bought only for a reason."""


class CapReached(WaybillError):
    """The shop's cap for a day is reached, and the person did not say that this purchase may pass it."""


@dataclass(frozen=True, slots=True)
class ParcelView:
    """One parcel with its label and where it is; `file` is how its file stands, where Waybill bought it."""

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
    earlier: tuple[Any, ...] = ()
    file: OnShelf | None = None

    @property
    def shown(self) -> str:
        """How it stands in one word: its state, or that the file of its label comes, is missing or gone."""
        return kept.shown(self.state, self.file)

    @property
    def said(self) -> Reason | None:
        """Why it stands as it does: first of all, why its label cannot be printed."""
        return self.why if self.file is None or self.file.why is None else self.file.why

    @property
    def refunds(self) -> tuple[tuple[str, Reason], ...]:
        """How the money of its voided labels stands, the newest first: tracking number and words."""
        labels = (*(() if self.label is None else (self.label,)), *self.earlier)
        return tuple((each.tracking_code, said) for each in labels if (said := standing(each)) is not None)

    @property
    def chosen(self) -> Reason | None:
        """Why its label is the one that it is: as promised, in whose place and for how much more, or let pass."""
        return None if self.label is None or self.label.why is None else Reason.from_json(self.label.why)

    @property
    def had_label(self) -> bool:
        """Whether its goods had a label before, so that another one takes a reason."""
        return had_label(self.state, None if self.why is None else self.why.to_json())


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its parcels and amounts; `margin` is what the margin guard said of the offer that was chosen."""

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
    margin: Reason | None = None


def find(connection: Connection, shop_id: str, reference: str) -> Any:
    """The order's row by our id, the store's id (with or without its prefix) or its name. Raises NoSuchOrder."""
    ways = (  # The last one reads every order of the shop, so it comes when no index knows the reference.
        orders.c.id == reference,
        or_(orders.c.external_id == reference, orders.c.name.in_((reference, f"#{reference}"))),
        orders.c.external_id.endswith(f"/{reference}", autoescape=True),
    )
    row = None
    for way in ways:
        row = connection.execute(orders.select(shop_id).where(way).order_by(orders.c.placed_at.desc()).limit(1)).first()
        if row is not None:
            break
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
        margin=guard_said(connection, shop_id, row.id),
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
    another: str = "",
    seen: bool = True,
) -> list[str]:
    """Buy the labels of every parcel of the order that has none; returns the parcels' ids.

    Who clicks at a parcel that is held has seen why: one held for its address is bought as it was typed, one that is
    dearer or later than promised up to that price and day. Not `seen`, as of one among many, nothing is let pass.
    A purchase whose outcome stayed unclear is looked up, and made again if nothing was bought. `over_cap` is why this
    purchase may pass the shop's cap for a day, `another` why goods that had a label get one more; both go to the
    audit. Without `another` such parcels are left out.

    Raises NoSuchOrder, NothingToBuy (ReasonNeeded where `another` would help), or CapReached.
    """
    row = find(connection, shop_id, reference)
    if not over_cap and (reached := gates.cap_reached(connection, shop_id)) is not None:
        raise CapReached(f"{reached.say()} Say why this purchase may pass it, or raise the cap.", detail=row.name)
    waiting = _to_buy(connection, row, again=bool(another))
    for parcel in waiting:
        if seen:
            _let_pass(connection, parcel)
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
    for parcel in waiting:
        if had_label(parcel.state, parcel.why):
            _audit_another(connection, shop_id, parcel.id, another, actor, now)
    return [str(parcel.id) for parcel in waiting]


def _let_pass(connection: Connection, parcel: Any) -> None:
    """Note what a person who has this parcel bought now has seen of it."""
    if parcel.why is None:
        return
    why = Reason.from_json(parcel.why)
    code = why.code if parcel.state == "held" and why.code in ADDRESS_HOLDS else seen_in(why)
    if code:
        record.let_pass(connection, parcel, code)


def _to_buy(connection: Connection, order: Any, *, again: bool) -> list[Any]:
    """The order's parcels that a click buys, locked; with `again` those too whose goods had a label before."""
    mine = parcels.select(order.shop_id).where(parcels.c.order_id == order.id, parcels.c.state.in_(BUYABLE))
    waiting = connection.execute(mine.with_for_update()).all()
    if not waiting:
        raise NothingToBuy("No parcel of this order waits for a label.", detail=order.name)
    chosen = [parcel for parcel in waiting if again or not had_label(parcel.state, parcel.why)]
    if not chosen:
        raise ReasonNeeded("These goods had a label before: say why they get another one.", detail=order.name)
    return chosen


def had_label(state: str, why: Mapping[str, Any] | None) -> bool:
    """Whether a parcel's goods had a label before, by its state and its stored reason."""
    return state == "voided" or (why or {}).get("code") in {"label_was_voided", "label_exists_already"}


def another_label(
    connection: Connection, work: Work, shop_id: str, parcel_id: str, reason: str, actor: Actor, now: datetime
) -> str:
    """Buy another label for a parcel, and void the one that it has; the parcel's id. The reason goes to the audit.

    Raises NothingToBuy where the parcel is not wanted, has left, or its purchase is under way, or CapReached.
    """
    record.lock_parcel(connection, shop_id, parcel_id)
    parcel, label = record.parcel_and_label(connection, shop_id, parcel_id)
    if parcel is None or parcel.state == "cancelled":
        raise NothingToBuy("This parcel is not wanted any more.", detail=parcel_id)
    if (reached := gates.cap_reached(connection, shop_id)) is not None:
        raise CapReached(f"{reached.say()} Raise the cap, or wait for the new day.", detail=parcel_id)
    if label is not None and label.state != "bought":
        raise NothingToBuy("A purchase for this parcel is under way.", detail=parcel_id)
    if label is not None and has_left(connection, shop_id, label.id):
        raise NothingToBuy(
            "Its label was scanned, or is on a list that the carrier has: it would be paid for twice. "
            "Send the goods again as an order of their own.",
            detail=label.tracking_code,
        )
    if label is not None:
        request_void(connection, work, shop_id, parcel_id, reason, actor, now)
    record.set_parcel(connection, shop_id, parcel_id, "planned", now)
    buy_at(connection, work, shop_id, parcel_id, actor, now, now)
    _audit_another(connection, shop_id, parcel_id, reason, actor, now)
    return str(parcel.id)


def _audit_another(
    connection: Connection, shop_id: str, parcel_id: str, reason: str, actor: Actor, now: datetime
) -> None:
    detail = {"reason": reason[:300]}
    audit.record(
        connection, now=now, actor=actor, action="label.another", subject=parcel_id, shop_id=shop_id, detail=detail
    )


def shop_of_parcel(connection: Connection, parcel_id: str) -> str | None:
    """Whose parcel this is: for the command line, which is told the parcel's id alone."""
    row = connection.execute(parcels.across_shops(parcels.c.shop_id).where(parcels.c.id == parcel_id)).first()
    return None if row is None else str(row[0])


def _parcel(connection: Connection, row: Any) -> ParcelView:
    found = connection.execute(
        labels.select(row.shop_id)
        .where(labels.c.parcel_id == row.id, labels.c.state != "dropped")
        .order_by(labels.c.created_at.desc(), labels.c.id.desc())
    ).all()
    label = found[0] if found else None
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
    file = None
    if label is not None and label.state == "bought" and not is_by_hand(label):
        file = kept.files_of(connection, row.shop_id, [label.id])[label.id]
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
        earlier=tuple(found[1:]),
        file=file,
    )
