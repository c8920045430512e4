"""Carriers' invoices against the labels that were bought: differences booked once, and what to expect next."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from carriers.money import Money, MoneyError
from connector.labels.amounts import book
from connector.labels.invoice_tables import invoice_lines
from connector.labels.record import parcel_of
from connector.labels.tables import labels
from connector.quotes.adjustments import Adjustment, keep_expected
from connector.storage.database import insert_new
from webhooks.errors import WaybillError

FIELDS = ("tracking", "amount", "currency", "invoice", "reason")
LEAST_LABELS = 20  # Fewer say nothing of the next one.
LOOK_BACK = timedelta(days=180)
RIPE = timedelta(days=21)  # Carriers adjust for up to three weeks; younger labels would look too cheap.

Amounts = Literal["total", "adjustment"]



class InvoiceError(WaybillError):
    """A line that cannot be read; `detail` is `line N: field`."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One label on an invoice; `amount` is in whole or what was added, as the file says."""

    number: int
    tracking: str
    amount: Money
    invoice: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: lines whose difference was booked, or was zero, or was known before; and those left over."""

    booked: int = 0
    unchanged: int = 0
    known: int = 0
    unknown: tuple[tuple[int, str], ...] = ()
    other_currency: tuple[tuple[int, str], ...] = ()
    added: tuple[Money, ...] = ()


def read_invoice(lines: Iterable[str], columns: Mapping[str, str], currency: str) -> list[InvoiceLine]:
    """A carrier's invoice as CSV with a header line; `columns` maps our fields to its columns.

    Without a currency column amounts are in `currency`; without an invoice column the file counts as one invoice.
    Raises InvoiceError, naming line and field, before anything is booked.
    """
    table = csv.DictReader(lines)
    for field in ("tracking", "amount"):
        if columns[field] not in (table.fieldnames or ()):
            raise InvoiceError(f"The file has no column {columns[field]!r} for {field}.", detail=field)
    found = []
    for row in table:
        values = {field: (row.get(columns[field]) or "").strip() for field in FIELDS}
        if not any(values.values()):
            continue
        if not values["tracking"]:
            raise InvoiceError(
                f"Line {table.line_num}: there is no tracking number.", detail=f"line {table.line_num}: tracking"
            )
        try:
            amount = Money.rounded(values["amount"], values["currency"] or currency)
        except MoneyError as error:
            raise InvoiceError(
                f"Line {table.line_num}: {values['amount']!r} is not an amount.",
                detail=f"line {table.line_num}: amount",
            ) from error
        found.append(
            InvoiceLine(table.line_num, values["tracking"], amount, values["invoice"][:80], values["reason"][:200])
        )
    return found


def book_invoice(
    connection: Connection, shop_id: str, lines: Iterable[InvoiceLine], amounts: Amounts, now: datetime
) -> Imported:
    """Book each label's difference once for each invoice, then learn what to expect."""
    booked = unchanged = known = 0
    unknown, other_currency, added = [], [], []
    for line in lines:
        label = _label(connection, shop_id, line.tracking)
        if label is None:
            unknown.append((line.number, line.tracking))
            continue
        price = Money(label.booked_minor, label.booked_currency)
        if line.amount.currency != price.currency:
            other_currency.append((line.number, line.tracking))
            continue
        difference = line.amount
        if amounts == "total":
            difference = line.amount - price - _added_before(connection, shop_id, label.id, price.currency)
        if not _keep(connection, label, line, difference, now):
            known += 1
        elif difference.minor:
            booked += 1
            added.append(difference)
        else:
            unchanged += 1
    keep_expected(connection, shop_id, expect(connection, shop_id, now))
    return Imported(booked, unchanged, known, tuple(unknown), tuple(other_currency), tuple(_sums(added)))


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


def _label(connection: Connection, shop_id: str, tracking: str) -> Any | None:
    """The label with this number that was paid for; the newest, where a carrier used a number again."""
    found = labels.select(shop_id).where(labels.c.tracking_code == tracking, labels.c.booked_minor.is_not(None))
    return connection.execute(found.order_by(labels.c.created_at.desc()).limit(1)).first()


def _added_before(connection: Connection, shop_id: str, label_id: str, currency: str) -> Money:
    found = connection.execute(
        invoice_lines.select(shop_id, invoice_lines.c.minor).where(
            invoice_lines.c.label_id == label_id, invoice_lines.c.currency == currency
        )
    )
    return Money(sum(found.scalars()), currency)


def _keep(connection: Connection, label: Any, line: InvoiceLine, difference: Money, now: datetime) -> bool:
    fresh = insert_new(
        connection,
        invoice_lines.insert(
            label.shop_id,
            label_id=label.id,
            invoice=line.invoice,
            at=now,
            minor=difference.minor,
            currency=difference.currency,
            reason=line.reason,
        ),
    )
    parcel = parcel_of(connection, label.shop_id, label.parcel_id)
    if fresh and difference.minor and parcel is not None:
        book(
            connection,
            label.shop_id,
            "adjusted",
            difference,
            order_id=parcel.order_id,
            cause=f"{label.id}:{line.invoice}",
            now=now,
            parcel_id=parcel.id,
            label_id=label.id,
        )
    return fresh


def _sums(amounts: Iterable[Money]) -> list[Money]:
    totals: dict[str, int] = defaultdict(int)
    for each in amounts:
        totals[each.currency] += each.minor
    return [Money(minor, currency) for currency, minor in sorted(totals.items())]
