"""What waits for a person in a shop: where it leads, and what only a person can call done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connector.attention.board import Matter, open_matters, settled
from connector.orders.about import About, orders_of
from connector.storage import audit
from connector.storage.audit import Actor

A_PERSON_SETTLES = frozenset(
    {
        "bought_differs",
        "bought_late",
        "bought_late_elsewhere",
        "bought_late_surplus",
        "cancelled_after_hand_over",
        "cancelled_with_label",
        "changed_after_hand_over",
        "changed_after_label",
        "claim_window_ends",
        "data_requested",
        "driver_dearer",
        "insurance_by_hand",
        "label_file_lost",
        "loss_window_ends",
        "manifest_refused",
        "refund_overdue",
        "shipped_without_label",
        "store_refused_correction",
        "store_refused_event",
        "store_refused_withdrawal",
        "test_order_in_live",
        "void_refused",
        "voided_scanned",
        "was_down",
    }
)
"""Causes whose cure happens elsewhere, so that Waybill does not see when they are done. All others go by themselves."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A matter as it is shown: the page that it is about (or nothing), and whether it may be called done by hand.

    `order` is the name of the order that it is about; empty for other matters.
    """

    matter: Matter
    link: str
    by_person: bool
    order: str = ""


def waiting_of(connection: Connection, shop_id: str, base: str) -> list[Waiting]:
    """The open matters of a shop, the oldest first."""
    found = open_matters(connection, shop_id)
    known = orders_of(connection, shop_id, [each.subject for each in found])
    return [
        Waiting(
            each,
            _link(base, each, about := known.get(each.subject)),
            each.reason.code in A_PERSON_SETTLES,
            "" if about is None else about.name,
        )
        for each in found
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


def _link(base: str, matter: Matter, about: About | None) -> str:
    """The page of what a matter is about."""
    if matter.subject.startswith("checkup"):
        return f"{base}/setup"
    if matter.subject.startswith(("pick_", "man_")):
        return f"{base}/collections"
    return "" if about is None else f"{base}/orders/{about.order_id}"
