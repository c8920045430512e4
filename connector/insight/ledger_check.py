"""Whether the ledger of amounts ties: every entry with its label, void, invoice and order, to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func

from carriers.money import Money
from connector.labels.amounts import MOVES, entries
from connector.labels.by_hand import is_by_hand
from connector.labels.fees import fees_of
from connector.labels.invoice_tables import invoice_lines
from connector.labels.tables import labels
from connector.labels.voids import refund_of
from connector.orders.tables import orders
from connector.words.reason import Reason

_PARTS = (
    entries.c.kind,
    entries.c.from_account,
    entries.c.to_account,
    entries.c.currency,
    entries.c.label_id,
    entries.c.order_id,
)
Sums = dict[tuple[str, str], int]
"""Minor units by the id of a label or an order, and kind of entry."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Two amounts that should be one: `what` says which, `subject` is the id of ours that it is about."""

    subject: str
    what: Reason

    def say(self) -> str:
        """In a sentence."""
        return f"{self.subject}: {self.what.say()}"


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was looked at, what does not tie, and what stands on each account (account, currency)."""

    entries: int
    labels: int
    orders: int
    gaps: tuple[Gap, ...]
    balances: dict[tuple[str, str], int]


def check(connection: Connection, shop_id: str) -> Checked:
    """Compare the whole ledger of a shop with what it is about. A read; takes about a second for 20,000 labels."""
    sums = (func.sum(entries.c.minor).label("minor"), func.count().label("written"))
    rows = connection.execute(entries.select(shop_id, *_PARTS, *sums).group_by(*_PARTS)).all()
    of_labels: Sums = defaultdict(int)
    of_orders: Sums = defaultdict(int)
    balances: dict[tuple[str, str], int] = defaultdict(int)
    gaps: list[Gap] = []
    for row in rows:
        minor = int(row.minor)
        balances[row.from_account, row.currency] -= minor
        balances[row.to_account, row.currency] += minor
        of_orders[row.order_id, row.kind] += minor
        if row.label_id is not None:
            of_labels[row.label_id, row.kind] += minor
        if MOVES.get(row.kind) != (row.from_account, row.to_account):
            gaps.append(Gap(row.order_id, Reason("ledger_wrong_accounts", {"kind": row.kind})))
    known = connection.execute(labels.select(shop_id).where(labels.c.booked_minor.is_not(None))).all()
    gaps += [gap for row in known for gap in _label(row, of_labels)]
    gaps += _invoices(connection, shop_id, of_labels)
    paid = connection.execute(orders.select(shop_id).where(orders.c.paid.is_(True))).all()
    for row in paid:
        gaps += _compare(
            row.id, Reason("ledger_charged"), row.charged_minor, of_orders[row.id, "charged"], row.currency
        )
    gaps += [
        Gap("", Reason("ledger_not_even", {"currency": currency}))
        for currency in sorted({currency for _, currency in balances})
        if sum(minor for (_, of), minor in balances.items() if of == currency)
    ]
    count = sum(int(row.written) for row in rows)
    return Checked(count, len(known), len(paid), tuple(gaps), {key: each for key, each in balances.items() if each})


def _label(row: Any, of_labels: Sums) -> Iterator[Gap]:
    currency, booked = row.booked_currency, row.booked_minor

    def booked_as(*kinds: str) -> int:
        return sum(of_labels[row.id, kind] for kind in kinds)

    if is_by_hand(row):
        want = booked if row.state == "bought" else 0
        found = booked_as("by_hand") - booked_as("by_hand_back")
        yield from _compare(row.id, Reason("ledger_by_hand"), want, found, currency)
        return
    yield from _compare(row.id, Reason("ledger_bought"), booked, booked_as("bought"), currency)
    yield from _fees(row, booked_as("fee"), booked_as("fee_back"))
    asked = row.state in {"void_requested", "voided", "void_refused"}
    yield from _compare(row.id, Reason("ledger_refund_due"), booked if asked else 0, booked_as("refund_due"), currency)
    closed = booked if asked and not refund_of(row).is_open else 0
    came = booked_as("refunded", "uncharged", "lost")
    yield from _compare(row.id, Reason("ledger_refund"), closed, came, currency)
    open_claim = booked_as("claimed") - booked_as("claim_paid", "claim_lost")
    if open_claim < 0:
        yield from _compare(row.id, Reason("ledger_claim"), 0, open_claim, currency)


def _fees(row: Any, taken: int, back: int) -> Iterator[Gap]:
    kept = fees_of(row)
    currency = next((money.currency for money in kept.values()), row.booked_currency)
    yield from _compare(row.id, Reason("ledger_fee"), sum(money.minor for money in kept.values()), taken, currency)
    if back > taken:
        yield from _compare(row.id, Reason("ledger_fee_back"), taken, back, currency)


def _invoices(connection: Connection, shop_id: str, of_labels: Sums) -> Iterator[Gap]:
    told = connection.execute(
        invoice_lines.select(
            shop_id, invoice_lines.c.label_id, invoice_lines.c.currency, func.sum(invoice_lines.c.minor).label("minor")
        ).group_by(invoice_lines.c.label_id, invoice_lines.c.currency)
    ).all()
    seen = {row.label_id: row for row in told}
    for label_id in {key for key, kind in of_labels if kind == "adjusted"} - set(seen):
        yield from _compare(label_id, Reason("ledger_adjusted"), 0, of_labels[label_id, "adjusted"], "")
    for row in told:
        yield from _compare(
            row.label_id, Reason("ledger_adjusted"), int(row.minor), of_labels[row.label_id, "adjusted"], row.currency
        )


def _compare(subject: str, what: Reason, want: int, found: int, currency: str) -> list[Gap]:
    """A gap unless both are one; `what` names the amounts."""
    if want == found:
        return []
    if not currency:
        return [Gap(subject, Reason(what.code, {"want": want, "found": found}))]
    return [Gap(subject, Reason(what.code, {"want": Money(want, currency), "found": Money(found, currency)}))]
