"""EasyPost's bills after the sale (`ShipmentInvoice`) and refunds that came, in our words. Pure.

Source: EasyPost's guide to billing adjustments, 2026; no exchange of either is recorded, so that each field may be
missing. Weights are in ounces and sizes in inches, as in all of EasyPost.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator

from carriers.easypost import wire
from carriers.easypost.mapping import moment, readable
from carriers.errors import Garbled
from carriers.invoice import NOTHING, Invoiced, Measures, MoneyBack
from carriers.money import Money, MoneyError

_OUNCE, _INCH = Decimal("28.349523125"), Decimal("25.4")


def _figure(value: object) -> Decimal | None:
    try:
        found = Decimal(str(value)) if isinstance(value, (str, int, float, Decimal)) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


Figure = Annotated[Decimal | None, BeforeValidator(_figure)]


class WireDetails(wire.WireObject):
    """What was said of a parcel, or measured."""

    weight: Figure = None
    billed_weight: Figure = None
    length: Figure = None
    width: Figure = None
    height: Figure = None
    zone: Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))] = ""
    residential: Annotated[bool | None, BeforeValidator(lambda v: v if isinstance(v, bool) else None)] = None


class WireInvoice(wire.WireObject):
    """A bill: what was paid at the purchase, what it came to, and why."""

    id: wire.Text = ""
    shipment_id: wire.Text = ""
    tracking_code: wire.Text = ""
    carrier: wire.Text = ""
    currency: wire.Text = ""
    status: wire.Text = ""
    adjustment_reason: wire.Text = ""
    adjustment_amount: Figure = None
    initially_paid_amount: Figure = None
    invoice_amount: Figure = None
    total_cost: Figure = None
    updated_at: wire.Text = ""
    created_at: wire.Text = ""
    claimed_details: Any = None
    captured_details: Any = None


class WireRefund(wire.WireObject):
    """A refund that was paid."""

    id: wire.Text = ""
    shipment_id: wire.Text = ""
    tracking_code: wire.Text = ""
    carrier: wire.Text = ""
    updated_at: wire.Text = ""


def invoiced(value: object) -> Invoiced:
    """A bill. Raises Garbled for one without an id, without a shipment, or without an amount."""
    read = wire.read(WireInvoice, value)
    if not read.id or not (read.shipment_id or read.tracking_code):
        raise Garbled("EasyPost's bill names no shipment.", detail="shipment_id")
    return Invoiced(
        invoice=read.id[:80],
        handle=read.shipment_id,
        tracking_code=read.tracking_code,
        carrier=read.carrier,
        adjustment=_added(read),
        reason=readable(read.adjustment_reason)[:200],
        status=read.status,
        at=moment(read.updated_at) or moment(read.created_at),
        claimed=_measures(read.claimed_details),
        captured=_measures(read.captured_details),
    )


def money_back(value: object, key: str) -> MoneyBack:
    """A refund that came. Raises Garbled for one without a shipment."""
    read = wire.read(WireRefund, value)
    if not (read.shipment_id or read.tracking_code):
        raise Garbled("EasyPost's refund names no shipment.", detail="shipment_id")
    return MoneyBack(read.shipment_id, read.tracking_code, read.carrier, moment(read.updated_at), read.id or key)


def _added(read: WireInvoice) -> Money:
    """What the bill adds: told as such, or the difference between what it came to and what was paid."""
    added = read.adjustment_amount
    if added is None:
        whole = read.total_cost if read.total_cost is not None else read.invoice_amount
        if whole is None or read.initially_paid_amount is None:
            raise Garbled("EasyPost's bill holds no amount.", detail="adjustment_amount")
        added = whole - read.initially_paid_amount
    try:
        return Money.rounded(str(added), read.currency or "USD")
    except MoneyError as error:
        raise Garbled("EasyPost's bill holds an amount that cannot be read.", detail="adjustment_amount") from error


def _measures(value: object) -> Measures:
    read = wire.read_or_none(WireDetails, value) if isinstance(value, dict) else None
    if read is None:
        return NOTHING
    sides = [_whole(each, _INCH) for each in (read.length, read.width, read.height)]
    length, width, height = sides
    size = None if length is None or width is None or height is None else (length, width, height)
    return Measures(
        _whole(read.weight, _OUNCE), size, _whole(read.billed_weight, _OUNCE), read.zone[:20], read.residential
    )


def _whole(value: Decimal | None, unit: Decimal) -> int | None:
    """In our unit, rounded up; nought is not told."""
    if value is None or not 0 < value < 1_000_000:
        return None
    return int((value * unit).to_integral_value(rounding="ROUND_CEILING"))
