"""A parcel's packet for a dispute with its carrier, as one PDF: quote, plan with its picture, measures, invoice."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.invoice import Measures
from carriers.money import Money
from connector.catalogue.measured import Measured, all_of
from connector.insight.gaps import billed
from connector.insight.prices import Lists
from connector.insight.truth_rows import LabelTruth, label_truths
from connector.labels.invoice_csv import measures_of
from connector.labels.paper.fonts import find_fonts
from connector.labels.paper.sheets import SHEETS
from connector.labels.paper.typeset import BLACK, GREY, Ink, Typeset
from connector.orders.tables import orders
from connector.quotes.ledger import load
from connector.quotes.view import ShownParcel, shown
from webhooks.errors import WaybillError

_SHEET = SHEETS["a4"]
_LEFT, _WIDTH, _FOOT = 48.0, _SHEET.width - 96.0, _SHEET.height - 60.0
_NAMES = {
    "dimensions": "dimensions",
    "weight": "weight",
    "zone": "zone",
    "residential": "residential delivery",
    "surcharge": "surcharge",
    "address_correction": "address correction",
    "stand_in": "a price that stood in for the carrier's",
    "other": "other",
}


class NothingToDispute(WaybillError):
    """The parcel has no label that was paid for."""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the packet: a title, its lines (left, right), and perhaps a picture (SVG)."""

    title: str
    rows: tuple[tuple[str, str], ...] = ()
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class Packet:
    """All that the packet says, before it is set. It names no buyer and no street: a carrier has those."""

    title: str
    lead: str
    parts: tuple[Part, ...] = field(default=())


def packet(
    connection: Connection, shop_id: str, parcel_id: str, now: datetime, fonts: str = "", lists: Lists | None = None
) -> bytes:
    """The PDF. `fonts` are folders to look in, as the setting has it. Raises NothingToDispute."""
    return typeset(gather(connection, shop_id, parcel_id, now, lists), fonts)


def gather(
    connection: Connection, shop_id: str, parcel_id: str, now: datetime, lists: Lists | None = None
) -> Packet:
    """What is known of the parcel. Raises NothingToDispute."""
    found = label_truths(connection, shop_id, now, parcel_id=parcel_id, lists=lists)
    if not found:
        raise NothingToDispute("This parcel has no label that was paid for.", detail=parcel_id)
    known = found[-1]
    order = connection.execute(orders.select(shop_id).where(orders.c.id == known.parcel.order_id)).one()
    row = load(connection, shop_id, known.parcel.quote_id) if known.parcel.quote_id else None
    quote = None if row is None else shown(row)
    planned = next((each for each in quote.parcels if each.number == known.parcel.number), None) if quote else None
    offer = next((each for each in quote.offers if each.code == known.parcel.offer_code), None) if quote else None
    told = [each for each in all_of(connection, shop_id) if each.parcel_id == parcel_id]
    quoted: list[tuple[str, str]] = []
    if row is not None and offer is not None:
        quoted = [("Quoted", f"{row.at:%Y-%m-%d %H:%M} UTC"), ("Option", f"{offer.name}, {offer.price}")]
        quoted += [(step.why.say(), str(step.price)) for step in offer.steps]
    return Packet(
        f"Label {known.label.tracking_code} of order {order.name}",
        f"Parcel {known.parcel.number} of {known.parcel.count} ({parcel_id}), written on {now:%Y-%m-%d %H:%M} UTC.",
        (
            Part("What it cost", tuple(_costs(known))),
            Part("The quote", tuple(quoted or [("No quote is known for this order.", "")])),
            Part("How it was packed", tuple(_plan(known, planned)), _picture(planned)),
            Part("Measured", tuple(_measured(known, told))),
            Part("The carrier's invoice", tuple(_lines(known))),
        ),
    )


def _costs(known: LabelTruth) -> list[tuple[str, str]]:
    label, evidence, currency = known.label, known.evidence, known.label.booked_currency
    rate = label.booked_rate or label.rate or {}
    rows = [("Service", f"{rate.get('carrier', label.carrier)} {rate.get('service', '')}".strip())]
    rows.append(("Bought", f"{label.settled_at:%Y-%m-%d %H:%M} UTC" if label.settled_at else ""))
    if evidence.quoted is not None:
        rows.append(("Carrier's price when it was quoted", str(Money(evidence.quoted, currency))))
    rows += [
        ("Label bought at", str(Money(evidence.bought, currency))),
        ("Invoiced", str(Money(evidence.invoiced, currency))),
        ("Difference to dispute", str(Money(evidence.invoiced - evidence.bought, currency))),
    ]
    return rows + [
        (f"of which {_NAMES[cause]}", str(Money(minor, currency))) for cause, minor in known.attribution.parts
    ]


def _plan(known: LabelTruth, planned: ShownParcel | None) -> list[tuple[str, str]]:
    parcel, evidence = known.parcel, known.evidence
    rows = [("Carton", parcel.carton), *_said(evidence.planned, evidence.divisor)]
    if planned is not None:
        rows += [(f"{units} x {name}", "") for name, units in planned.goods]
        return rows
    goods = parcel.goods or {}
    return rows + [(f"{units} x {(goods.get(line) or [line])[0]}", "") for line, units in parcel.contents]


def _measured(known: LabelTruth, told: Sequence[Measured]) -> list[tuple[str, str]]:
    rows = []
    for each in told:
        by = "Our scale" if each.source == "scale" else "The carrier"
        size = "" if each.size is None else " x ".join(map(str, each.size)) + " mm"
        weight = "" if each.grams is None else f"{each.grams} g"
        rows.append((f"{by}, {each.at:%Y-%m-%d}", ", ".join(filter(None, (weight, size)))))
    captured = _said(known.evidence.captured, known.evidence.divisor)
    rows += [(f"The carrier's {name.lower()}", value) for name, value in captured]
    return rows or [("Nobody measured this parcel.", "")]


def _lines(known: LabelTruth) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for line in known.lines:
        rows.append((f"{line.invoice or 'Invoice'}, taken in on {line.at:%Y-%m-%d}", str(_money(line))))
        rows += [(f"  {word}", str(Money(minor, line.currency))) for word, minor in _charges(line)]
        claimed = measures_of((line.details or {}).get("claimed"))
        rows += [(f"  We had said: {name.lower()}", value) for name, value in _said(claimed, known.evidence.divisor)]
    return rows or [("No invoice names this label.", "")]


def _charges(line: Any) -> list[tuple[str, int]]:
    told = [(str(word), int(minor)) for word, minor in (line.details or {}).get("charges", ())]
    return told or ([(line.reason, line.minor)] if line.reason else [])


def _money(line: Any) -> Money:
    return Money(line.minor, line.currency)


def _said(measures: Measures, divisor: int) -> list[tuple[str, str]]:
    rows = []
    if measures.grams is not None:
        rows.append(("Weight", f"{measures.grams} g"))
    if measures.size is not None:
        rows.append(("Size", " x ".join(map(str, measures.size)) + " mm"))
    if measures.size is not None or measures.billed_grams is not None:
        rows.append(("Billed weight", f"{billed(measures, divisor)} g"))
    if measures.zone:
        rows.append(("Zone", measures.zone))
    if measures.residential is not None:
        rows.append(("Delivered to a home", "yes" if measures.residential else "no"))
    return rows


def _picture(planned: ShownParcel | None) -> bytes:
    if planned is None or not planned.picture:
        return b""
    return b64decode(planned.picture.partition(",")[2])


def typeset(told: Packet, fonts: str = "") -> bytes:
    """Set the packet on A4 sheets."""
    texts = [told.title, told.lead, *(text for part in told.parts for row in part.rows for text in (part.title, *row))]
    out = Typeset(_SHEET.width, _SHEET.height, find_fonts(fonts), texts)
    out.new_page()
    y = out.text(_LEFT, 48, _WIDTH, told.title, 16, weight="B")
    y = out.text(_LEFT, y + 2, _WIDTH, told.lead, 9, ink=GREY)
    for part in told.parts:
        y = _set_part(out, y + 14, part)
    return out.content()


def _set_part(out: Typeset, y: float, part: Part) -> float:
    y = _room(out, y, 60)
    y = out.text(_LEFT, y, _WIDTH, part.title, 12, weight="B")
    out.rule(_LEFT, y + 1, _WIDTH)
    y += 5
    for left, right in part.rows:
        y = _room(out, y, 14)
        ink: Ink = GREY if left.startswith("  ") else BLACK
        below = out.text(_LEFT, y, _WIDTH * 0.62, left.strip(), 9, ink=ink, lines=2)
        y = max(below, out.text(_LEFT + _WIDTH * 0.64, y, _WIDTH * 0.36, right, 9, right=True, lines=2))
    if part.picture:
        side = 250.0
        y = _room(out, y + 6, side)
        out.picture(part.picture, _LEFT, y, side, side)
        y += side
    return y


def _room(out: Typeset, y: float, needed: float) -> float:
    if y + needed <= _FOOT:
        return y
    out.new_page()
    return 48.0
