"""What a carrier's webhook says of money: a bill, of which a later version replaces the earlier one, or a refund."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.invoice import Invoiced, MoneyBack
from carriers.money import Money
from connector.attention.board import need_person
from connector.labels.invoice_csv import InvoiceLine, measures_json
from connector.labels.invoice_tables import invoice_lines
from connector.labels.invoices import book_adjusted, label_of_line, leave
from connector.labels.measured import record_parcel
from connector.labels.voids import ask_again, look_again, refund_of
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.words.reason import Reason
from connector.work.port import Work

_BY_CARRIER = Actor("system", "carrier")


def take_in(
    connection: Connection, work: Work, shop_id: str, _account_id: str, news: Invoiced | MoneyBack, now: datetime
) -> bool:
    """Book what is new in it; False if nothing is: told before, older than what is known, or of no label of ours.

    News of a refund book nothing by themselves: the carrier is asked at once how it stands. Where it bills the merchant
    itself, "successful" says that the void was granted; the money comes with its invoice.
    """
    if isinstance(news, MoneyBack):
        return _refunded(connection, work, shop_id, news, now)
    line = _line(news)
    label = label_of_line(connection, shop_id, line)
    if label is None or label.booked_currency != line.amount.currency:
        leave(connection, shop_id, line, "no_label" if label is None else "other_currency", now)
        return False
    return _billed(connection, label, news, now)


def _refunded(connection: Connection, work: Work, shop_id: str, news: MoneyBack, now: datetime) -> bool:
    probe = InvoiceLine(0, news.tracking_code, Money(0, "USD"), "", handle=news.handle)
    label = label_of_line(connection, shop_id, probe)
    if label is None:
        return False
    if label.state == "bought":  # Somebody voided it at the carrier: it must not go out as if it were good.
        about = {"number": label.tracking_code, "carrier": label.carrier}
        need_person(connection, shop_id, label.id, Reason("refund_unasked", about), now)
        return False
    refund = refund_of(label)
    if refund.state == "refused":
        ask_again(connection, work, label, _BY_CARRIER, now)
    elif refund.is_open:
        look_again(connection, work, label, now)
    else:
        return False
    return True


def _billed(connection: Connection, label: Any, news: Invoiced, now: datetime) -> bool:
    mine = (invoice_lines.c.label_id == label.id, invoice_lines.c.invoice == news.invoice)
    # The row is made first and then held, so that of two deliveries at once the later one sees the other.
    empty = {"at": now, "minor": 0, "currency": news.adjustment.currency, "reason": news.reason, "source": "webhook"}
    row = {"label_id": label.id, "invoice": news.invoice, "details": {"turn": -1}} | empty
    is_new = insert_new(connection, invoice_lines.insert(label.shop_id, **row))
    known = connection.execute(invoice_lines.select(label.shop_id).where(*mine).with_for_update()).one()
    written = "" if news.at is None else news.at.isoformat()
    turn, before = int((known.details or {}).get("turn", 0)) + 1, int(known.minor)
    if not is_new and written and written <= str((known.details or {}).get("written", "")):
        return False
    details = {
        "captured": measures_json(news.captured),
        "claimed": measures_json(news.claimed),
        "charges": [[news.reason, news.adjustment.minor]] if news.reason else [],
        "status": news.status,
        "written": written,
        "turn": turn,
    }
    values = {
        "at": now,
        "minor": news.adjustment.minor,
        "currency": news.adjustment.currency,
        "reason": news.reason,
        "source": "webhook",
        "details": details,
    }
    connection.execute(invoice_lines.update(label.shop_id).where(*mine).values(**values))
    more = Money(news.adjustment.minor - before, news.adjustment.currency)
    if more.minor:
        cause = f"{label.id}:{news.invoice}" + (f":{turn}" if turn else "")
        book_adjusted(connection, label, more, cause, now)
    if news.captured.grams is not None or news.captured.size is not None:
        record_parcel(
            connection,
            label.shop_id,
            label.parcel_id,
            grams=news.captured.grams,
            size=news.captured.size,
            source="carrier",
            cause=f"invoice:{label.id}:{news.invoice}"[:160],
            now=now,
        )
    return bool(more.minor)


def _line(news: Invoiced) -> InvoiceLine:
    charges = ((news.reason, news.adjustment.minor),) if news.reason else ()
    return InvoiceLine(
        0,
        news.tracking_code,
        news.adjustment,
        news.invoice,
        news.reason,
        handle=news.handle,
        measures=news.captured,
        charges=charges,
    )
