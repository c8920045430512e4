"""What waits for a person in a shop: where it leads, and what only a person can call done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connector.attention.board import Matter, open_matters, settled
from connector.labels.tables import labels, parcels
from connector.storage import audit
from connector.storage.audit import Actor

A_PERSON_SETTLES = frozenset(
    {
        "bought_differs",
        "cancelled_after_hand_over",
        "changed_after_hand_over",
        "changed_after_label",
        "data_requested",
        "driver_dearer",
        "manifest_refused",
        "refund_overdue",
        "shipped_without_label",
        "store_refused_correction",
        "store_refused_event",
        "store_refused_withdrawal",
        "test_order_in_live",
        "void_refused",
        "was_down",
    }
)
"""Causes whose cure happens elsewhere, so that Waybill does not see when they are done. All others go by themselves."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A matter as it is shown: the page that it is about (or nothing), and whether it may be called done by hand."""

    matter: Matter
    link: str
    by_person: bool


def waiting_of(connection: Connection, shop_id: str, base: str) -> list[Waiting]:
    """The open matters of a shop, the oldest first."""
    return [
        Waiting(each, _link(connection, shop_id, base, each), each.reason.code in A_PERSON_SETTLES)
        for each in open_matters(connection, shop_id)
    ]


def close(connection: Connection, shop_id: str, matter_id: str, actor: Actor, now: datetime) -> bool:
    """Call a matter done, where a person may; False if there is no such open matter."""
    found = next((each for each in open_matters(connection, shop_id) if each.id == matter_id), None)
    if found is None or found.reason.code not in A_PERSON_SETTLES:
        return False
    settled(connection, shop_id, found.subject, now, found.reason.code)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="attention.done",
        subject=found.subject,
        shop_id=shop_id,
        detail={"code": found.reason.code},
    )
    return True


def _link(connection: Connection, shop_id: str, base: str, matter: Matter) -> str:
    """The page of what a matter is about."""
    subject: str | None = matter.subject
    if matter.subject.startswith("checkup"):
        return f"{base}/setup"
    if matter.subject.startswith(("pick_", "man_")):
        return f"{base}/collections"
    if matter.subject.startswith("lab_"):
        subject = connection.execute(labels.select(shop_id, labels.c.parcel_id).where(labels.c.id == subject)).scalar()
    if subject and subject.startswith("par_"):
        subject = connection.execute(
            parcels.select(shop_id, parcels.c.order_id).where(parcels.c.id == subject)
        ).scalar()
    return f"{base}/orders/{subject}" if subject and subject.startswith("ord_") else ""
