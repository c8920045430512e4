"""A parcel's packet for a dispute with its carrier, as one PDF: quote, plan with its picture, measures, invoice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.invoice import Measures
from carriers.money import Money
from connector.catalogue.measured import Measured, all_of
from connector.insight.dispute_sheet import Packet, Part, typeset
from connector.insight.evidence import ATTACHED, attached, sealed
from connector.insight.gaps import billed
from connector.insight.prices import Lists
from connector.insight.truth_rows import LabelTruth, label_truths
from connector.labels.amounts import of_order
from connector.labels.claims import open_claim
from connector.labels.invoice_csv import measures_of
from connector.orders.tables import orders
from connector.packing.picture import draw
from connector.quotes.kept_windows import promised_window
from connector.quotes.ledger import load
from connector.quotes.view import ShownParcel, shown
from connector.storage.secrets import Keyring
from connector.tracking.tables import tracking_events
from webhooks.errors import WaybillError

_SAID = ("Weight", "Size", "Billed weight", "Zone", "Delivered to a home")
_CLAIMS = {"claimed": "Claimed", "claim_paid": "Paid by the carrier", "claim_lost": "Denied by the carrier"}
_NAMES = {
    "dimensions": "dimensions",
    "weight": "weight",
    "zone": "zone",
    "residential": "residential delivery",
    "surcharge": "surcharge",
    "address_correction": "address correction",
    "stand_in": "a price that stood in for the carrier's",
    "label_fee": "fees beside the postage",
    "other": "other",
}


_NOT_ASKED = ("stand_in", "label_fee")
"""Causes of a gap that the carrier's invoice did not make."""


class NothingToDispute(WaybillError):
    """The parcel has no label that was paid for."""


def packet(
    connection: Connection,
    shop_id: str,
    parcel_id: str,
    now: datetime,
    keyring: Keyring,
    fonts: str = "",
    lists: Lists | None = None,
) -> bytes:
    """The PDF, signed. `fonts` are folders to look in, as the setting has it. Raises NothingToDispute."""
    told = gather(connection, shop_id, parcel_id, now, lists)
    return sealed(typeset(told, fonts, (ATTACHED, attached(told, keyring))), keyring)


def gather(connection: Connection, shop_id: str, parcel_id: str, now: datetime, lists: Lists | None = None) -> Packet:
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
        quoted += [(_capital(step.why.say()), str(step.price)) for step in offer.steps]
    return Packet(
        f"Label {known.label.tracking_code} of order {order.name}",
        f"Parcel {known.parcel.number} of {known.parcel.count} ({parcel_id}), written on {now:%Y-%m-%d %H:%M} UTC.",
        _ask(known),
        tuple(
            part
            for part in (
                Part("What it cost", tuple(_costs(known))),
                _compared(known, told),
                Part("The carrier's invoice", tuple(_lines(known))),
                Part("The claim", tuple(_claims(connection, shop_id, known))),
                Part("The quote", tuple(quoted or [("No quote is known for this order.", "")])),
                Part("Promised", tuple(_promised(connection, shop_id, parcel_id))),
                Part("Scans", tuple(_scans(connection, shop_id, known.label.id))),
                Part("How it was packed", tuple(_plan(known, planned)), _picture(planned)),
            )
            if part.rows
        ),
    )


def _ask(known: LabelTruth) -> str:
    """What the carrier is to do, in a sentence or two."""
    evidence, currency = known.evidence, known.label.booked_currency
    added = Money(evidence.invoiced - evidence.bought, currency)
    if added.minor <= 0:
        return "The carrier added nothing to this label."
    parts = [(cause, minor) for cause, minor in known.attribution.parts if minor > 0 and cause not in _NOT_ASKED]
    named = ", ".join(f"{_NAMES[cause]} {Money(minor, currency)}" for cause, minor in parts)
    why = f" It comes of: {named}." if named else ""
    return f"We ask for {added} back, which was added to this label after it was bought.{why}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
        ("=Added after the purchase", str(Money(evidence.invoiced - evidence.bought, currency))),
    ]
    before = evidence.quoted is not None and evidence.quoted != evidence.bought
    of = "  of the whole difference to the quote: " if before else "  of which "
    parts = [part for part in known.attribution.parts if part[0] != "label_fee"]
    rows += [(f"{of}{_NAMES[cause]}", str(Money(minor, currency))) for cause, minor in parts]
    return rows + ([("Fees taken with the label", str(Money(evidence.fees, currency)))] if evidence.fees else [])


def _promised(connection: Connection, shop_id: str, parcel_id: str) -> Iterator[tuple[str, str]]:
    """The days that the buyer was told, and those that hold since the payment."""
    kept = promised_window(connection, shop_id, parcel_id)
    for name, window in (("Arrival as quoted", kept.quoted), ("Arrival since the payment", kept.now)) if kept else ():
        if window is not None:
            days = f"{window.earliest:%Y-%m-%d}"
            yield name, days if window.latest == window.earliest else f"{days} to {window.latest:%Y-%m-%d}"


def _scans(connection: Connection, shop_id: str, label_id: str) -> Iterator[tuple[str, str]]:
    """What the carrier saw, when and in which town; not its own words, which may name a person."""
    found = tracking_events.select(shop_id).where(tracking_events.c.label_id == label_id)
    for row in connection.execute(found.order_by(tracking_events.c.at, tracking_events.c.key)).all():
        place = ", ".join(part for part in (row.city, row.country) if part)
        yield f"{row.at:%Y-%m-%d %H:%M} UTC, {row.status.replace('_', ' ')}", place


def _plan(known: LabelTruth, planned: ShownParcel | None) -> list[tuple[str, str]]:
    """Names stand alone, so that each runs in its own direction."""
    parcel, evidence = known.parcel, known.evidence
    rows = [("Carton", parcel.carton), *_said(evidence.planned, evidence.divisor)]
    if planned is not None:
        numbers = {name: number for number, name in enumerate(planned.legend, 1)}
        return rows + [(name, _pieces(units, numbers.get(name))) for name, units in planned.goods]
    goods = parcel.goods or {}
    return rows + [((goods.get(line) or [line])[0], _pieces(units)) for line, units in parcel.contents]


def _pieces(units: int, number: int | None = None) -> str:
    said = f"{units} piece{'s' if units > 1 else ''}"
    return said if number is None else f"{said}, no. {number} in the picture"


def _compared(known: LabelTruth, told: Sequence[Measured]) -> Part:
    """What was planned, what our scale said and what the carrier says, beside each other."""
    evidence, divisor = known.evidence, known.evidence.divisor
    scale = next((each for each in reversed(told) if each.source == "scale"), None)
    ours = Measures() if scale is None else Measures(scale.grams, scale.size)
    columns = [dict(_said(measures, divisor)) for measures in (evidence.planned, ours, evidence.captured)]
    names = [name for name in _SAID if any(name in column for column in columns[1:])]
    if not names:
        return Part("Measured", (("Nobody measured this parcel.", ""),))
    when = "" if scale is None else f"Our scale: {scale.at:%Y-%m-%d %H:%M} UTC. "
    head = ("", "Planned", "Our scale", "The carrier")
    rows = tuple((name, *(column.get(name, "–") for column in columns)) for name in names)  # noqa: RUF001 - a dash.
    weighed = f"{when}Billed weight is the greater of the weight and the volume over {divisor} mm³ a gram."
    return Part("Measured", rows, head=head, note=weighed)


def _claims(connection: Connection, shop_id: str, known: LabelTruth) -> list[tuple[str, str]]:
    """What was claimed of the carrier, and what came of it."""
    booked = [each for each in of_order(connection, shop_id, known.parcel.order_id) if each.label_id == known.label.id]
    rows = [(f"{_CLAIMS[each.kind]} on {each.at:%Y-%m-%d}", str(each.money)) for each in booked if each.kind in _CLAIMS]
    if rows:
        rows.append(("=Open", str(Money(open_claim(connection, shop_id, known.label.id), known.label.booked_currency))))
    return rows


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
    if planned is None or planned.packed is None:
        return b""
    return draw(planned.packed, planned.carton, bare=True).encode()
