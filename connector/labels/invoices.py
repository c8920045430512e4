"""Carriers' invoices against the labels that were bought: differences booked once, what is left over kept."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, or_

from carriers.invoice import NOTHING
from carriers.money import Money
from connector.labels.amounts import book
from connector.labels.fees import fees_within, without_fees
from connector.labels.invoice_csv import Amounts, InvoiceLine, measures_of
from connector.labels.invoice_expected import expect
from connector.labels.invoice_tables import invoice_leftovers, invoice_lines
from connector.labels.measured import record_parcel
from connector.labels.record import parcel_of
from connector.labels.tables import labels
from connector.labels.voids import money_back
from connector.quotes.adjustments import keep_expected
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.storage.schema import JSON

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


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a line, and what it adds to its label; of a line that is left over: what it asks for.

    `paid` is what the label cost before any invoice, less what came back; None without a label in that currency.
    """

    line: InvoiceLine
    kept: Kept
    difference: Money
    paid: Money | None = None

    @property
    def is_left(self) -> bool:
        """Whether it waits for a label."""
        return self.kept in {"no_label", "other_currency"}


def learn(connection: Connection, shop_id: str, now: datetime) -> int:
    """Try the lines that were left over once more, and learn what to expect; how many lines found their label."""
    later = match_leftovers(connection, shop_id, now)
    keep_expected(connection, shop_id, expect(connection, shop_id, now))
    return later


def take_lines(
    connection: Connection, shop_id: str, lines: Iterable[InvoiceLine], amounts: Amounts, now: datetime
) -> list[Taken]:
    """Book each label's difference once for each invoice, and keep what is left over."""
    found = []
    for line in lines:
        taken = _take(connection, shop_id, line, amounts, "file", now)
        if taken.kept == "no_label" or taken.kept == "other_currency":  # noqa: PLR1714 - it is how mypy narrows.
            _leave(connection, shop_id, line, amounts, taken.kept, "file", now)
        found.append(taken)
    return found


def count(found: Iterable[Taken]) -> Imported:
    """What became of all lines together."""
    counts: dict[Kept, int] = defaultdict(int)
    left: dict[Kept, list[tuple[int, str]]] = defaultdict(list)
    added = []
    for each in found:
        counts[each.kept] += 1
        if each.is_left:
            left[each.kept].append((each.line.number, each.line.name))
        elif each.kept == "booked":
            added.append(each.difference)
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
        amounts = _amounts(connection, shop_id, left.key)
        if not _take(connection, shop_id, left.line, amounts, left.source, now).is_left:
            found += 1
            done = invoice_leftovers.update(shop_id).where(invoice_leftovers.c.key == left.key)
            connection.execute(done.values(matched_at=now))
    return found


def leftovers(connection: Connection, shop_id: str, most: int = 1000, *, of: datetime | None = None) -> list[Leftover]:
    """The lines that still have no label, the newest first; with `of` those of the file that was imported then."""
    open_lines = invoice_leftovers.select(shop_id).where(invoice_leftovers.c.matched_at.is_(None))
    if of is not None:
        open_lines = open_lines.where(invoice_leftovers.c.at == of)
    rows = connection.execute(open_lines.order_by(invoice_leftovers.c.at.desc()).limit(most)).all()
    return [Leftover(row.key, row.at, row.source, row.why, _line_of(row)) for row in rows]


def set_aside(connection: Connection, shop_id: str, keys: Collection[str], actor: Actor, now: datetime) -> int:
    """Let go of lines that will never have a label, for good: they are not looked up again. How many there were."""
    mine = invoice_leftovers.update(shop_id).where(
        invoice_leftovers.c.key.in_(keys), invoice_leftovers.c.matched_at.is_(None)
    )
    found = connection.execute(mine.values(matched_at=now, why="set_aside")).rowcount
    if found:
        detail: dict[str, JSON] = {"lines": found}
        audit.record(
            connection, now=now, actor=actor, action="invoice.aside", subject=shop_id, shop_id=shop_id, detail=detail
        )
    return found


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
) -> Taken:
    label = label_of_line(connection, shop_id, line)
    if label is None:
        return Taken(line, "no_label", line.amount)
    if line.amount.currency != label.booked_currency:
        return Taken(line, "other_currency", line.amount)
    given, difference, paid = line, line.amount, _paid(label)
    if amounts == "total":
        difference = line.amount - paid - _added_before(connection, shop_id, label.id, line.amount.currency)
        line, difference = without_fees(label, line, difference)
    if amounts == "total" and len(line.charges) == 1:
        # The one line holds the whole price: its word is for what differs.
        line = replace(line, charges=((line.charges[0][0], difference.minor),))
    kept = _keep(connection, label, line, difference, source, now)
    if kept == "known" and amounts == "adjustment" and not line.invoice:
        further = _further(connection, label, line)
        kept = kept if further is None else _keep(connection, label, further, difference, source, now)
    return Taken(given, kept, difference, paid)


def _further(connection: Connection, label: Any, line: InvoiceLine) -> InvoiceLine | None:
    """The line under a name of its own, where a file without invoice numbers adds something else than one before.

    None for the line that is known: the same amount, or the refund that it was taken for.
    """
    mine = invoice_lines.select(label.shop_id).where(
        invoice_lines.c.label_id == label.id, invoice_lines.c.invoice == line.invoice
    )
    known = connection.execute(mine).one()
    came = (label.refund_minor or 0, (label.refund_minor or 0) + fees_within(label))
    is_refund = label.refund == "back" and -line.amount.minor in came
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
    if not insert_new(connection, invoice_leftovers.insert(shop_id, **row)):
        again = invoice_leftovers.update(shop_id).where(
            invoice_leftovers.c.key == key, invoice_leftovers.c.matched_at.is_(None)
        )
        connection.execute(again.values(at=now, line=str(line.number)))


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
