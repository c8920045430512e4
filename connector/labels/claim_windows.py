"""Until when carriers take claims, and a reminder before a label's window ends without one.

Only what carriers or those who sell their labels publish stands in the table (read on 22 November 2026); for a carrier
that is not in it nobody is reminded:

- USPS, wrong adjustments: 60 days from the notice of it (docs.xpsship.com, "How to Dispute a USPS Shipment Adjustment";
  help.etsy.com 360026258134; support.pirateship.com 5954655).
- USPS, lost or damaged: 60 days from the mailing (zenventory.com, "Carrier Claim FAQs"; sixteenseedsshipping.com,
  "How to handle lost or damaged packages"; both say 60 days for domestic mail).
- FedEx, damaged: 60 days from the delivery; lost: nine months from the hand-over (support.shipopti.com, "Parcel Claim
  FAQs: FedEx"). The shorter one counts, from the hand-over.
- UPS, lost or damaged: 60 days from the shipping (zenventory.com, "Carrier Claim FAQs"; shipsaver.zendesk.com
  200244708).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.attention.board import matters, need_person, settled
from connector.labels.amounts import entries
from connector.labels.invoice_tables import invoice_lines
from connector.labels.tables import labels
from connector.storage.database import in_parts
from connector.tracking.tables import trackings
from connector.words.reason import Reason

Code = Literal["claim_window_ends", "loss_window_ends"]
CODES: tuple[Code, ...] = ("claim_window_ends", "loss_window_ends")
REMIND = timedelta(days=14)
"""So long before the end a person is told."""

_DAYS: dict[Code, tuple[tuple[str, int], ...]] = {
    "claim_window_ends": (("usps", 60),),
    "loss_window_ends": (("usps", 60), ("fedex", 60), ("ups", 60)),
}
_LONGEST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Ending:
    """A label whose window ends soon: since when it is open, and what a person is told."""

    label_id: str
    since: datetime
    why: Reason


def window_days(code: Code, carrier: str) -> int | None:
    """How long this carrier takes such claims, in days; None where that is not known. "FedExDefault" is FedEx."""
    name = carrier.casefold()
    return next((days for start, days in _DAYS[code] if name.startswith(start)), None)


def remind(connection: Connection, shop_id: str, least: Callable[[Money], Money], now: datetime) -> None:
    """Put each label before a person, once, whose window ends soon without a claim; over is what has a claim or ended.

    `least` is how much an adjustment of a label of that price has to exceed to be worth a claim.
    """
    for code, found in (
        ("claim_window_ends", list(_adjusted(connection, shop_id, least, now))),
        ("loss_window_ends", list(_lost(connection, shop_id, now))),
    ):
        claimed = _claimed(connection, shop_id, [each.label_id for each in found])
        due = {each.label_id: each for each in found if each.label_id not in claimed}
        mine = matters.select(shop_id).where(matters.c.code == code, matters.c.opened_at > now - _LONGEST)
        told = connection.execute(mine).all()
        for row in told:
            if row.resolved_at is None and row.subject not in due:
                settled(connection, shop_id, row.subject, now, code)
        seen = {row.subject: row.opened_at for row in told}
        for each in due.values():
            if each.label_id not in seen or seen[each.label_id] < each.since:
                need_person(connection, shop_id, each.label_id, each.why, now)


def _adjusted(connection: Connection, shop_id: str, least: Callable[[Money], Money], now: datetime) -> Iterator[Ending]:
    soon = invoice_lines.select(shop_id).where(
        invoice_lines.c.at > now - _LONGEST, invoice_lines.c.at <= now - _LONGEST + REMIND, invoice_lines.c.minor > 0
    )
    since: dict[str, datetime] = {}
    for line in connection.execute(soon.order_by(invoice_lines.c.at.desc())).all():
        since[line.label_id] = line.at
    added: dict[str, int] = defaultdict(int)
    for some in in_parts(sorted(since)):
        for line in connection.execute(invoice_lines.select(shop_id).where(invoice_lines.c.label_id.in_(some))).all():
            added[line.label_id] += line.minor
    for label in _labels(connection, shop_id, sorted(since)):
        price, more = (Money(minor, label.booked_currency) for minor in (label.booked_minor, added[label.id]))
        if more > least(price):
            yield from _ending("claim_window_ends", label, since[label.id], now, {"amount": more})


def _lost(connection: Connection, shop_id: str, now: datetime) -> Iterator[Ending]:
    failed = trackings.select(shop_id).where(
        trackings.c.status == TrackingStatus.FAILED, trackings.c.began_at > now - 2 * _LONGEST
    )
    since = {row.label_id: row.handed_over_at or row.began_at for row in connection.execute(failed).all()}
    for label in _labels(connection, shop_id, sorted(since)):
        yield from _ending("loss_window_ends", label, since[label.id], now, {})


def _ending(code: Code, label: Any, since: datetime, now: datetime, more: dict[str, Money]) -> Iterator[Ending]:
    carrier = str((label.booked_rate or {}).get("carrier") or label.carrier)
    days = window_days(code, carrier)
    if days is not None and since + timedelta(days=days) - REMIND <= now < since + timedelta(days=days):
        until = f"{since + timedelta(days=days):%Y-%m-%d}"
        about = {"number": label.tracking_code, "carrier": carrier, "until": until, **more}
        yield Ending(label.id, since, Reason(code, about))


def _labels(connection: Connection, shop_id: str, ids: list[str]) -> Iterator[Any]:
    for some in in_parts(ids):
        paid_for = labels.select(shop_id).where(labels.c.id.in_(some), labels.c.booked_minor.is_not(None))
        yield from connection.execute(paid_for).all()


def _claimed(connection: Connection, shop_id: str, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for some in in_parts(ids):
        claims = entries.select(shop_id, entries.c.label_id).where(
            entries.c.label_id.in_(some), entries.c.kind == "claimed"
        )
        found |= set(connection.execute(claims).scalars())
    return found
