"""Carriers' invoices against the labels that were bought: differences booked once, what is left over kept."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import Connection, or_

from carriers.invoice import NOTHING
from carriers.money import Money
from connector.labels.amounts import book
from connector.labels.invoice_csv import Amounts, InvoiceLine, Layout, measures_of
from connector.labels.invoice_tables import invoice_columns, invoice_leftovers, invoice_lines
from connector.labels.measured import record_parcel
from connector.labels.record import parcel_of
from connector.labels.tables import labels
from connector.labels.voids import money_back
from connector.quotes.adjustments import Adjustment, keep_expected
from connector.storage.audit import Actor
from connector.storage.database import insert_new

LEAST_LABELS = 20  # Fewer say nothing of the next one.
LOOK_BACK = timedelta(days=180)
RIPE = timedelta(days=21)  # Carriers adjust for up to three weeks; younger labels would look too cheap.

_LEFT_AT_ONCE = 5000

Why = Literal["no_label", "other_currency"]
_BY_INVOICE = Actor("system", "invoice")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: lines whose difference was booked, or was zero, or was known before; and those left over.

    `refunded`: voided labels whose money the invoice gave back. `matched_later`: lines of earlier files that found
    their label now.
    """

    booked: int = 0
    unchanged: int = 0
    known: int = 0
    unknown: tuple[tuple[int, str], ...] = ()
    other_currency: tuple[tuple[int, str], ...] = ()
    added: tuple[Money, ...] = ()
    refunded: int = 0
    matched_later: int = 0


@dataclass(frozen=True, slots=True)
class Leftover:
    """A line that no label has, or whose label was bought in another currency."""

    key: str
    at: datetime
    source: str
    why: Why
    line: InvoiceLine


Kept = Literal["booked", "unchanged", "known", "refunded", "no_label", "other_currency"]


def book_invoice(
    connection: Connection, shop_id: str, lines: Iterable[InvoiceLine], amounts: Amounts, now: datetime
) -> Imported:
    """Book the lines, try those of earlier files again, then learn what to expect."""
    done = book_lines(connection, shop_id, lines, amounts, now)
    later = match_leftovers(connection, shop_id, now)
    keep_expected(connection, shop_id, expect(connection, shop_id, now))
    return replace(done, matched_later=later)


def book_lines(
    connection: Connection, shop_id: str, lines: Iterable[InvoiceLine], amounts: Amounts, now: datetime
) -> Imported:
    """Book each label's difference once for each invoice, and keep what is left over."""
    counts: dict[Kept, int] = defaultdict(int)
    left: dict[Kept, list[tuple[int, str]]] = defaultdict(list)
    added = []
    for line in lines:
        kept, difference = _take(connection, shop_id, line, amounts, "file", now)
        counts[kept] += 1
        if kept == "no_label" or kept == "other_currency":  # noqa: PLR1714 - it is how mypy narrows.
            left[kept].append((line.number, line.tracking or line.reference or line.handle))
            _leave(connection, shop_id, line, amounts, kept, "file", now)
        elif kept == "booked":
            added.append(difference)
    return Imported(
        counts["booked"],
        counts["unchanged"],
        counts["known"],
        tuple(left["no_label"]),
        tuple(left["other_currency"]),
        tuple(_sums(added)),
        counts["refunded"],
    )


def match_leftovers(connection: Connection, shop_id: str, now: datetime) -> int:
    """Try the lines that were left over once more; how many found their label."""
    found = 0
    for left in leftovers(connection, shop_id, _LEFT_AT_ONCE):
        kept, _ = _take(connection, shop_id, left.line, _amounts(connection, shop_id, left.key), left.source, now)
        if kept not in {"no_label", "other_currency"}:
            found += 1
            done = invoice_leftovers.update(shop_id).where(invoice_leftovers.c.key == left.key)
            connection.execute(done.values(matched_at=now))
    return found


def leftovers(connection: Connection, shop_id: str, most: int = 1000) -> list[Leftover]:
    """The lines that still have no label, the newest first."""
    open_lines = invoice_leftovers.select(shop_id).where(invoice_leftovers.c.matched_at.is_(None))
    rows = connection.execute(open_lines.order_by(invoice_leftovers.c.at.desc()).limit(most)).all()
    return [Leftover(row.key, row.at, row.source, row.why, _line_of(row)) for row in rows]


def save_layout(connection: Connection, shop_id: str, carrier: str, layout: Layout, now: datetime) -> None:
    """Keep how a carrier writes its files, for the next one."""
    values = {"columns": layout.to_json(), "amounts": layout.amounts, "saved_at": now}
    if not insert_new(connection, invoice_columns.insert(shop_id, carrier=carrier, **values)):
        mine = invoice_columns.update(shop_id).where(invoice_columns.c.carrier == carrier)
        connection.execute(mine.values(**values))


def load_layout(connection: Connection, shop_id: str, carrier: str) -> Layout | None:
    """How this carrier's last file was read."""
    chosen = invoice_columns.select(shop_id).where(invoice_columns.c.carrier == carrier)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Layout.from_json(row.columns, row.amounts)


def expect(connection: Connection, shop_id: str, now: datetime) -> list[Adjustment]:
    """What an account's invoices added to a service's labels of the last half year, in a thousandth of their price.

    Labels without a line count as not adjusted, in accounts that had a line at all; young ones do not count.
    """
    since, until = now - LOOK_BACK, now - RIPE
    rows = connection.execute(
        labels.select(shop_id).where(labels.c.state == "bought", labels.c.sent_at >= since, labels.c.sent_at <= until)
    ).all()
    added: dict[str, int] = defaultdict(int)
    for row in connection.execute(invoice_lines.select(shop_id).where(invoice_lines.c.at >= since)).all():
        added[row.label_id] += row.minor
    invoiced = {row.account_id for row in rows if row.id in added}
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        rate = row.booked_rate or row.rate
        if row.account_id in invoiced and row.booked_minor and rate:
            price, more, count = sums[row.account_id, rate["carrier"], rate["service"]]
            sums[row.account_id, rate["carrier"], rate["service"]] = [
                price + row.booked_minor,
                more + added.get(row.id, 0),
                count + 1,
            ]
    return [
        Adjustment(*key, permille=-(-more * 1000 // price), labels=count)
        for key, (price, more, count) in sorted(sums.items())
        if count >= LEAST_LABELS
    ]


def label_of_line(connection: Connection, shop_id: str, line: InvoiceLine) -> Any | None:
    """The label that was paid for: by its number, the newest where a carrier used one again; by handle; by parcel."""
    ways = (
        (line.tracking, labels.c.tracking_code == line.tracking),
        (line.handle, or_(labels.c.booked_handle == line.handle, labels.c.handle == line.handle)),
        (line.reference, labels.c.parcel_id == line.reference),
    )
    for given, condition in ways:
        if given:
            chosen = labels.select(shop_id).where(condition, labels.c.booked_minor.is_not(None))
            found = connection.execute(chosen.order_by(labels.c.created_at.desc()).limit(1)).first()
            if found is not None:
                return found
    return None


def _take(
    connection: Connection, shop_id: str, line: InvoiceLine, amounts: Amounts, source: str, now: datetime
) -> tuple[Kept, Money]:
    label = label_of_line(connection, shop_id, line)
    if label is None:
        return "no_label", line.amount
    if line.amount.currency != label.booked_currency:
        return "other_currency", line.amount
    difference = line.amount
    if amounts == "total":
        difference = line.amount - _paid(label) - _added_before(connection, shop_id, label.id, line.amount.currency)
    if amounts == "total" and len(line.charges) == 1:
        # The one line holds the whole price: its word is for what differs.
        line = replace(line, charges=((line.charges[0][0], difference.minor),))
    kept = _keep(connection, label, line, difference, source, now)
    if kept == "known" and amounts == "adjustment" and not line.invoice:
        further = _further(connection, label, line)
        kept = kept if further is None else _keep(connection, label, further, difference, source, now)
    return kept, difference


def _further(connection: Connection, label: Any, line: InvoiceLine) -> InvoiceLine | None:
    """The line under a name of its own, where a file without invoice numbers adds something else than one before.

    None for the line that is known: the same amount, or the refund that it was taken for.
    """
    mine = invoice_lines.select(label.shop_id).where(
        invoice_lines.c.label_id == label.id, invoice_lines.c.invoice == line.invoice
    )
    known = connection.execute(mine).one()
    is_refund = label.refund == "back" and label.refund_minor == -line.amount.minor
    if is_refund or (known.minor == line.amount.minor and known.reason == line.reason):
        return None
    digest = hashlib.sha256(f"{line.amount.minor}:{line.reason}".encode()).hexdigest()
    return replace(line, invoice=f"#{digest[:16]}")


def _paid(label: Any) -> Money:
    """What the label costs before this invoice: its price, less what came back of it."""
    price = Money(label.booked_minor, label.booked_currency)
    if label.refund == "nothing":
        return Money.zero(price.currency)
    return price if label.refund != "back" else price - Money(label.refund_minor or 0, price.currency)


def _added_before(connection: Connection, shop_id: str, label_id: str, currency: str) -> Money:
    found = connection.execute(
        invoice_lines.select(shop_id, invoice_lines.c.minor).where(
            invoice_lines.c.label_id == label_id, invoice_lines.c.currency == currency
        )
    )
    return Money(sum(found.scalars()), currency)


def _keep(connection: Connection, label: Any, line: InvoiceLine, difference: Money, source: str, now: datetime) -> Kept:
    """Keep the line; money that it takes off a voided label is the refund that was waited for."""
    values = {"minor": difference.minor, "at": now, "currency": difference.currency, "reason": line.reason}
    row = {"label_id": label.id, "invoice": line.invoice, "source": source, "details": line.details()} | values
    if not insert_new(connection, invoice_lines.insert(label.shop_id, **row)):
        return "known"
    if line.measures != NOTHING:
        _measure(connection, label, line, now)
    if difference.minor < 0 and money_back(connection, label, -difference, now, line.invoice, now, _BY_INVOICE):
        mine = invoice_lines.c.label_id == label.id, invoice_lines.c.invoice == line.invoice
        connection.execute(invoice_lines.update(label.shop_id).where(*mine).values(minor=0))
        return "refunded"
    if not difference.minor:
        return "unchanged"
    book_adjusted(connection, label, difference, f"{label.id}:{line.invoice}", now)
    return "booked"


def book_adjusted(connection: Connection, label: Any, difference: Money, cause: str, now: datetime) -> None:
    """Book what an invoice adds to a label, once for each cause."""
    parcel = parcel_of(connection, label.shop_id, label.parcel_id)
    assert parcel is not None  # noqa: S101 - parcels are never deleted while a label refers to them.
    about = {"order_id": parcel.order_id, "parcel_id": parcel.id, "label_id": label.id}
    book(connection, label.shop_id, "adjusted", difference, cause=cause[:160], now=now, **about)


def _measure(connection: Connection, label: Any, line: InvoiceLine, now: datetime) -> None:
    measures = line.measures
    if measures.grams is not None or measures.size is not None:
        cause = f"invoice:{label.id}:{line.invoice}"[:160]
        record_parcel(
            connection,
            label.shop_id,
            label.parcel_id,
            grams=measures.grams,
            size=measures.size,
            source="carrier",
            cause=cause,
            now=now,
        )


def _leave(
    connection: Connection, shop_id: str, line: InvoiceLine, amounts: Amounts, why: Why, source: str, now: datetime
) -> None:
    values = {
        "invoice": line.invoice,
        "tracking": line.tracking,
        "reference": line.reference or line.handle,
        "amounts": amounts,
        "minor": line.amount.minor,
        "currency": line.amount.currency,
        "reason": line.reason,
    }
    key = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    details = (line.details() or {}) | {"handle": line.handle, "parcel": line.reference}
    row = values | {"key": key, "at": now, "source": source, "line": str(line.number), "why": why, "details": details}
    insert_new(connection, invoice_leftovers.insert(shop_id, **row))


def leave(connection: Connection, shop_id: str, line: InvoiceLine, why: Why, now: datetime) -> None:
    """Keep a bill that came by webhook and has no label (yet)."""
    _leave(connection, shop_id, line, "adjustment", why, "webhook", now)


def _line_of(row: Any) -> InvoiceLine:
    details = row.details or {}
    charges = tuple((word, minor) for word, minor in details.get("charges", ()))
    return InvoiceLine(
        int(row.line),
        row.tracking,
        Money(row.minor, row.currency),
        row.invoice,
        row.reason,
        details.get("parcel", ""),
        details.get("handle", ""),
        measures_of(details.get("captured")),
        charges,
    )


def _amounts(connection: Connection, shop_id: str, key: str) -> Amounts:
    chosen = invoice_leftovers.select(shop_id, invoice_leftovers.c.amounts).where(invoice_leftovers.c.key == key)
    return cast("Amounts", connection.execute(chosen).scalar_one())


def _sums(amounts: Iterable[Money]) -> list[Money]:
    totals: dict[str, int] = defaultdict(int)
    for each in amounts:
        totals[each.currency] += each.minor
    return [Money(minor, currency) for currency, minor in sorted(totals.items())]
