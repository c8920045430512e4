"""Parcels that the store does not want any more: cancelled before they are bought, voided before they leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connector.attention.board import need_person, settled
from connector.directory import ShopEntry
from connector.labels import awaited, record
from connector.labels.collect_rows import on_lists
from connector.labels.voids import NotVoidable, request_void
from connector.storage.audit import Actor
from connector.store import Order
from connector.tracking.tables import trackings
from connector.words.reason import Reason
from connector.work.port import Work

BY_CANCELLATION = Actor("rule", "void_on_cancel")
BY_EDIT = Actor("rule", "void_on_edit")


def cancel(
    connection: Connection,
    work: Work,
    shop: ShopEntry,
    order: Order,
    known: Sequence[Any],
    why: Reason,
    now: datetime,
) -> None:
    """Let go of these parcels of an order.

    A label that nobody has scanned yet is voided, its money asked back and its number taken back from the store, or
    with `void_on_cancel = no` a person is asked. Behind the first scan a person has to stop the parcel.
    """
    for row in known:
        if row.state in {"planned", "held", "refused", "voided"}:
            record.set_parcel(connection, shop.id, row.id, "cancelled", now, why)
            settled(connection, shop.id, row.id, now)
        elif row.state in {"buying", "unknown"}:
            label = record.live_label(connection, shop.id, row.id)
            if label is None or record.drop(connection, label, now):  # Nothing of it was bought.
                record.set_parcel(connection, shop.id, row.id, "cancelled", now, why)
                settled(connection, shop.id, row.id, now)
            else:
                at = now + awaited.until_ended([label], now)
                awaited.read_again(connection, work, shop.id, row.order_id, order.id, at)
        elif row.state == "bought" and why.code == "order_cancelled":
            _void_or_ask(connection, work, shop, row, why, now)


def void_edited(connection: Connection, work: Work, shop: ShopEntry, row: Any, why: Reason, now: datetime) -> None:
    """Take the label of an edited order out of use: its goods are planned anew, so that nothing is left of the parcel.

    The money is asked back and the number taken back from the store, as for a cancelled order. Raises NotVoidable, also
    where it was scanned meanwhile.
    """
    label = record.live_label(connection, shop.id, row.id)
    if label is not None and has_left(connection, shop.id, label.id):
        raise NotVoidable("This parcel is on its way.", detail=row.id)
    request_void(connection, work, shop.id, row.id, why.code, BY_EDIT, now)
    record.set_parcel(connection, shop.id, row.id, "cancelled", now, why)
    settled(connection, shop.id, row.id, now)


def has_left(connection: Connection, shop_id: str, label_id: str) -> bool:
    """Whether a label's parcel was scanned by the carrier, or stands on a list that the carrier has or may have.

    A scan or a list that leaves just now is waited for, or comes after this transaction, and finds the label as it left
    it.
    """
    scanned = trackings.select(shop_id, trackings.c.handed_over_at).where(trackings.c.label_id == label_id)
    if connection.execute(scanned.with_for_update()).scalar() is not None:
        return True
    return bool(on_lists(connection, shop_id, [label_id], held=True))


def _void_or_ask(connection: Connection, work: Work, shop: ShopEntry, row: Any, why: Reason, now: datetime) -> None:
    label = record.live_label(connection, shop.id, row.id)
    if label is not None and has_left(connection, shop.id, label.id):
        need_person(connection, shop.id, row.id, Reason("cancelled_after_hand_over"), now)
        return
    if not shop.settings.buying.void_on_cancel:
        need_person(connection, shop.id, row.id, Reason("cancelled_with_label"), now)
        return
    try:
        request_void(connection, work, shop.id, row.id, why.code, BY_CANCELLATION, now)
    except NotVoidable:
        need_person(connection, shop.id, row.id, Reason("cancelled_after_hand_over"), now)
