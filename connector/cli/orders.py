"""Commands about orders and labels: show, buy, void, save."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from connector.cli.output import Speaker, command, with_house
from connector.labels import record
from connector.labels.aftercare import request_void
from connector.labels.amounts import Entry
from connector.orders import view
from connector.orders.refresh import REFRESH
from connector.orders.view import NoSuchOrder, OrderView, ParcelView
from connector.storage.audit import Actor
from connector.wiring import House
from connector.work.port import Task
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_WORKING = frozenset({"planned", "buying"})


def add_to(group: click.Group) -> None:
    """Register the commands."""
    order = click.Group("order", help="Look at orders.")
    label = click.Group("label", help="Buy, void and save labels.")
    group.add_command(order)
    group.add_command(label)

    @command(order, "show")
    @click.argument("shop_id")
    @click.argument("reference")
    def show(speaker: Speaker, shop_id: str, reference: str) -> None:
        """Show an order with its parcels, labels, tracking and amounts."""
        found = with_house(lambda house: house.here(view.show, shop_id, reference))
        speaker.answer(_data(found), _lines(found))

    @command(label, "buy")
    @click.argument("shop_id")
    @click.argument("reference")
    @click.option("--wait", "wait_s", default=30.0, help="Seconds to wait for the worker; 0 only queues.")
    def buy(speaker: Speaker, shop_id: str, reference: str, wait_s: float) -> None:
        """Buy the labels of an order's parcels that have none."""
        found = with_house(lambda house: _buy(house, shop_id, reference, wait_s))
        speaker.answer(_data(found), _lines(found))

    @command(label, "void")
    @click.argument("parcel_id")
    @click.option("--reason", required=True, help="Why, for the audit.")
    def void(speaker: Speaker, parcel_id: str, reason: str) -> None:
        """Take a parcel's label out of use and ask the money back."""
        label_id = with_house(lambda house: _void(house, parcel_id, reason))
        speaker.answer(
            {"parcel_id": parcel_id, "label_id": label_id, "state": "void_requested"},
            ["The refund was requested. A new label can be bought at once."],
        )

    @command(label, "save")
    @click.argument("parcel_id")
    @click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder; default: here."
    )
    def save(speaker: Speaker, parcel_id: str, out: Path) -> None:
        """Write a parcel's label files, decrypted, for printing."""
        paths = with_house(lambda house: _save(house, parcel_id, out))
        speaker.answer({"files": [str(path) for path in paths]}, [f"Wrote {path}" for path in paths])


def _buy(house: House, shop_id: str, reference: str, wait_s: float) -> OrderView:
    now = house.clock.now
    try:
        house.here(view.request_purchase, house.work, shop_id, reference, _BY_COMMAND, now())
    except NoSuchOrder:
        # The store may have an order that we have not read yet: fetch it first, then try once more.
        task = Task(REFRESH, f"command:{shop_id}:{reference}:{now().isoformat()}", shop_id, (reference,))
        house.here(house.work.enqueue, task)
        _wait(lambda: bool(_try_show(house, shop_id, reference)), wait_s)
        house.here(view.request_purchase, house.work, shop_id, reference, _BY_COMMAND, now())
    _wait(lambda: all(each.state not in _WORKING for each in view_of(house, shop_id, reference).parcels), wait_s)
    return view_of(house, shop_id, reference)


def view_of(house: House, shop_id: str, reference: str) -> OrderView:
    """The order as it stands."""
    found: OrderView = house.here(view.show, shop_id, reference)
    return found


def _try_show(house: House, shop_id: str, reference: str) -> OrderView | None:
    try:
        return view_of(house, shop_id, reference)
    except NoSuchOrder:
        return None


def _wait(done: Any, wait_s: float) -> None:
    end = time.monotonic() + wait_s
    while not done() and time.monotonic() < end:
        time.sleep(0.2)


def _void(house: House, parcel_id: str, reason: str) -> str:
    shop_id = house.here(view.shop_of_parcel, parcel_id)
    if shop_id is None:
        raise WaybillError("There is no such parcel.", detail=parcel_id)
    voided: str = house.here(request_void, house.work, shop_id, parcel_id, reason, _BY_COMMAND, house.clock.now())
    return voided


def _save(house: House, parcel_id: str, out: Path) -> list[Path]:
    shop_id = house.here(view.shop_of_parcel, parcel_id)
    label = None if shop_id is None else house.here(record.live_label, shop_id, parcel_id)
    if shop_id is None or label is None:
        raise WaybillError("This parcel has no label.", detail=parcel_id)
    written = []
    for number, row in enumerate(house.here(record.files_of, shop_id, label.id), 1):
        if row.sha256 is not None:
            ending = {"application/pdf": "pdf", "image/png": "png"}.get(row.media_type, "zpl")
            path = out / f"{label.tracking_code}-{row.kind}-{number}.{ending}"
            out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(house.shelf.get(row.sha256))
            written.append(path)
    if not written:
        raise WaybillError("The label's files are not here yet; the worker is fetching them.", detail=parcel_id)
    return written


def _data(order: OrderView) -> dict[str, Any]:
    return {
        "id": order.id,
        "external_id": order.external_id,
        "name": order.name,
        "paid": order.paid,
        "cancelled": order.cancelled,
        "charged": order.charged,
        "placed_at": order.placed_at,
        "parcels": [_parcel(each) for each in order.parcels],
        "amounts": [
            {"at": each.at, "kind": each.kind, "money": each.money, "parcel_id": each.parcel_id, "cause": each.cause}
            for each in order.amounts
        ],
    }


def _parcel(parcel: ParcelView) -> dict[str, Any]:
    label, tracking = parcel.label, parcel.tracking
    return {
        "id": parcel.id,
        "number": parcel.number,
        "count": parcel.count,
        "state": parcel.state,
        "why": parcel.why,
        "grams": parcel.grams,
        "quote_id": parcel.quote_id,
        "offer_code": parcel.offer_code,
        "label": None
        if label is None
        else {
            "id": label.id,
            "state": label.state,
            "carrier": label.carrier,
            "handle": label.handle,
            "service": (label.booked_rate or label.rate or {}).get("service"),
            "intended": _minor(label.minor, label.currency),
            "bought": _minor(label.booked_minor, label.booked_currency),
            "tracking_code": label.tracking_code,
            "tracking_url": label.tracking_url,
            "asked_by": f"{label.actor_kind}:{label.actor_name}",
        },
        "tracking": None
        if tracking is None
        else {
            "status": tracking.status,
            "at": tracking.status_at,
            "fulfilment_id": tracking.fulfilment_id,
            "fulfilment": tracking.fulfil_state,
        },
        "milestones": list(parcel.milestones),
        "told_store": [{"status": status, "at": at, "state": state} for status, at, state in parcel.told_store],
        "files": [
            {"kind": row.kind, "media_type": row.media_type, "sha256": row.sha256, "bytes": row.bytes}
            for row in parcel.files
        ],
    }


def _minor(minor: int | None, currency: str | None) -> Any:
    from carriers.money import Money

    return None if minor is None or currency is None else Money(minor, currency)


def _lines(order: OrderView) -> list[str]:
    state = "cancelled" if order.cancelled else ("paid" if order.paid else "not paid")
    lines = [f"Order {order.name} is {state}; the buyer paid {order.charged} for shipping."]
    if not order.parcels:
        lines.append("No parcels are planned.")
    for parcel in order.parcels:
        lines += _parcel_lines(parcel)
    for entry in order.amounts:
        lines.append(_amount_line(entry))
    return lines


def _parcel_lines(parcel: ParcelView) -> list[str]:
    lines = [f"Parcel {parcel.number} of {parcel.count}, {parcel.grams} g, {parcel.state} ({parcel.id})"]
    if parcel.why is not None:
        lines.append(f"  {parcel.why.say()}")
    label, tracking = parcel.label, parcel.tracking
    if label is not None:
        price = _minor(label.booked_minor, label.booked_currency) or _minor(label.minor, label.currency)
        service = (label.booked_rate or label.rate or {}).get("service", "")
        lines.append(f"  Label {label.state}: {label.carrier} {service} {price or ''} {label.tracking_code}".rstrip())
    if tracking is not None:
        lines.append(f"  Parcel is {tracking.status}; the store's fulfilment is {tracking.fulfil_state}.")
    lines += [f"    {each}" for each in parcel.milestones]
    return lines


def _amount_line(entry: Entry) -> str:
    return f"  {entry.at:%Y-%m-%d %H:%M} {entry.kind:<10} {entry.money}"
