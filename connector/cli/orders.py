"""Commands about orders and labels: show, buy, void, save."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from connector.cli import addresses, by_hand, refunds
from connector.cli.naming import named_shop
from connector.cli.output import EXIT_FAILED, Speaker, command, in_house, with_house
from connector.labels import record
from connector.labels.amounts import Entry
from connector.labels.by_hand import is_by_hand
from connector.labels.scan import NotScanned, not_scanned
from connector.labels.voids import request_void
from connector.orders import view
from connector.orders.refresh import REFRESH
from connector.orders.release import release
from connector.orders.view import NoSuchOrder, NothingToBuy, OrderView, ParcelView
from connector.orders.who import by_name, names_in
from connector.storage.audit import Actor
from connector.storage.shops import find_shop_id
from connector.wiring import House
from connector.words.desk_texts import say
from connector.work.lease import worker_runs
from connector.work.port import Task
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_UNDER_WAY = frozenset({"planned", "buying", "unknown"})
_NO_WORKER_S = 10.0


@dataclass(frozen=True, slots=True)
class Bought:
    """What came of `label buy`: the order, the parcels that it was about, and whether a worker runs.

    `proposed` is how a carrier would write the address of what still waits.
    """

    order: OrderView
    parcels: tuple[str, ...]
    worker: bool
    proposed: str | None = None

    @property
    def open(self) -> int:
        """How many purchases have no outcome yet."""
        return sum(each.state in _UNDER_WAY for each in self._asked)

    @property
    def bought(self) -> int:
        """How many labels were bought."""
        return sum(each.state == "bought" for each in self._asked)

    @property
    def complete(self) -> bool:
        """Whether every parcel has its label."""
        return self.bought == len(self.parcels)

    @property
    def _asked(self) -> list[ParcelView]:
        return [each for each in self.order.parcels if each.id in self.parcels]

    def say(self) -> str:
        """The answer in a sentence."""
        if self.complete:
            lacking = sum(each.shown in {"file_missing", "file_coming"} for each in self._asked)
            rest = f" The file of {_labels(lacking)} is not here; see below." if lacking else ""
            return f"Bought {_labels(self.bought)}.{rest}"
        if self.open and not self.worker:
            return (
                f"No worker is running: the purchase of {_labels(self.open)} waits in the queue. "
                "Start `waybill up` or `waybill work`; it is done then."
            )
        if self.open:
            return f"The purchase of {_labels(self.open)} is under way; see `waybill order show`."
        return f"{_labels(len(self.parcels) - self.bought).capitalize()} could not be bought; the reason is below."


def add_to(group: click.Group) -> None:
    """Register the commands."""
    order = click.Group("order", help="Look at orders.")
    label = click.Group("label", help="Buy, void and save labels.")
    group.add_command(order)
    group.add_command(label)
    by_hand.add_to(order)
    addresses.add_to(order)
    refunds.add_to(label)

    @command(order, "show")
    @click.argument("shop")
    @click.argument("order")
    def show(speaker: Speaker, shop: str, order: str) -> None:
        """Show an order with its parcels, labels, tracking and amounts.

        ORDER is the store's name or id of it, or Waybill's id.
        """
        found, proposed = with_house(lambda house: _show(house, house.here(find_shop_id, shop), order))
        speaker.answer(_data(found) | {"proposed_address": proposed}, [*_lines(found), *addresses.lines(proposed)])

    @command(order, "release")
    @click.argument("shop")
    @click.argument("order")
    @click.option("--reason", required=True, help="Why, for the audit.")
    def let_go(speaker: Speaker, shop: str, order: str, reason: str) -> None:
        """Let go of an order that Waybill holds: it is bought as if it had not been held."""

        async def do(house: House) -> tuple[list[str], bool]:
            entry = house.directory.shop(house.here(find_shop_id, shop))
            if entry is None:
                raise WaybillError("This shop cannot be loaded; see `waybill doctor`.", detail=shop)
            now = house.clock.now()
            freed = house.here(release, house.work, entry, order, _BY_COMMAND, reason, now)
            return freed, entry.settings.buys_when_paid

        freed, buys = in_house(do)
        then = "Its labels are bought now." if buys else "Buy its labels with `waybill label buy`."
        speaker.answer({"released": freed, "buys": buys}, [f"Released {len(freed)} of its parcels. {then}"])

    @command(label, "buy")
    @click.argument("shop")
    @click.argument("order")
    @click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(min=0),
        default=30.0,
        show_default=True,
        help="Seconds to wait for the worker; 0 only queues.",
    )
    @click.option("--over-cap", default="", metavar="WHY", help="Pass the shop's daily cap, and why; for the audit.")
    @click.option("--another", default="", metavar="WHY", help="Why goods that had a label get one more.")
    def buy(speaker: Speaker, shop: str, order: str, wait_s: float, over_cap: str, another: str) -> None:
        """Buy the labels of an order's parcels that have none.

        The worker buys them; exit code 1 if it was waited for and not every label was bought.
        """
        why = {"over_cap": over_cap, "another": another}
        done = with_house(lambda house: _buy(house, house.here(find_shop_id, shop), order, wait_s, why))
        about = {"bought": done.bought, "under_way": done.open, "worker": done.worker, "asked": list(done.parcels)}
        about |= {"text": done.say(), "proposed_address": done.proposed}
        speaker.answer(about | _data(done.order), [done.say(), *_lines(done.order)])
        if wait_s and not done.complete:
            raise SystemExit(EXIT_FAILED)

    @command(label, "void")
    @click.argument("parcel")
    @click.option("--reason", required=True, help="Why, for the audit.")
    def void(speaker: Speaker, parcel: str, reason: str) -> None:
        """Take a parcel's label out of use and ask the money back."""
        label_id, state, worker = with_house(lambda house: _void(house, parcel, reason))
        asked = "It went by hand: the store is asked to take its number back" if state == "voided" else ""
        asked = (asked or "The carrier is asked for the refund") + (
            "." if worker else " once a worker runs; none does now."
        )
        speaker.answer(
            {"parcel_id": parcel, "label_id": label_id, "state": state, "worker": worker},
            [f"{asked} A new label can be bought at once."],
        )

    @command(label, "save")
    @click.argument("parcel")
    @click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder; default: here."
    )
    def save(speaker: Speaker, parcel: str, out: Path) -> None:
        """Write a parcel's label files, decrypted, for printing."""

        async def do(house: House) -> list[Path]:
            return _save(house, parcel, out)

        paths = in_house(do)
        speaker.answer({"files": [str(path) for path in paths]}, [f"Wrote {path}" for path in paths])


def _show(house: House, shop_id: str, reference: str) -> tuple[OrderView, str | None]:
    found = house.here(view.show, shop_id, reference)
    names = house.here(names_in, house.keyring, [each.why for each in found.parcels])
    found = replace(found, parcels=tuple(replace(each, why=by_name(each.why, names)) for each in found.parcels))
    return found, house.here(addresses.proposed, house.keyring, shop_id, found.id)


def _labels(count: int) -> str:
    return "1 label" if count == 1 else f"{count} labels"


def _buy(house: House, shop_id: str, reference: str, wait_s: float, why: dict[str, str]) -> Bought:
    now = house.clock.now
    try:
        asked = house.here(view.request_purchase, house.work, shop_id, reference, _BY_COMMAND, now(), **why)
    except NoSuchOrder:
        asked = _fetch_and_ask(house, shop_id, reference, wait_s, why)
    wanted = frozenset(asked)

    def settled() -> bool:
        found = house.here(view.show, shop_id, reference)
        mine = [each for each in found.parcels if each.id in wanted]
        return all(each.state not in _UNDER_WAY and each.shown != "file_coming" for each in mine)

    _wait(house, settled, wait_s)
    found, proposed = _show(house, shop_id, reference)
    return Bought(found, tuple(asked), house.here(worker_runs), proposed)


def _fetch_and_ask(house: House, shop_id: str, reference: str, wait_s: float, why: dict[str, str]) -> list[str]:
    """The store may have an order that was not read yet: read it first. Its parcels may then be bought by a rule."""
    now = house.clock.now()
    task = Task(REFRESH, f"command:{shop_id}:{reference}:{now.isoformat()}"[:200], shop_id, (reference,))
    house.here(house.work.enqueue, task)

    def known() -> bool:
        try:
            house.here(view.find, shop_id, reference)
        except NoSuchOrder:
            return False
        return True

    _wait(house, known, wait_s)
    if not known():
        if not house.here(worker_runs):
            raise WaybillError(
                "This order is not known yet, and no worker is running to ask the store for it: start `waybill up` "
                "or `waybill work`.",
                detail=reference,
            )
        raise NoSuchOrder("The store was asked, and there is no such order here yet.", detail=reference)
    try:
        now = house.clock.now()
        return house.here(view.request_purchase, house.work, shop_id, reference, _BY_COMMAND, now, **why)
    except NothingToBuy:
        found = house.here(view.show, shop_id, reference)
        if not found.parcels:
            raise
        return [each.id for each in found.parcels if each.state != "cancelled"]


def _wait(house: House, done: Callable[[], bool], wait_s: float) -> None:
    """Until it is done, or the time is over, or no worker has been there for a while."""
    end = time.monotonic() + wait_s
    patience_ends = time.monotonic() + _NO_WORKER_S
    while not done() and time.monotonic() < end:
        if house.here(worker_runs):
            patience_ends = time.monotonic() + _NO_WORKER_S
        elif time.monotonic() >= patience_ends:
            return
        time.sleep(0.2)


def _shop_of(house: House, parcel_id: str) -> str:
    shop_id = house.here(view.shop_of_parcel, parcel_id)
    if shop_id is None:
        raise WaybillError("There is no such parcel; `waybill order show` names them.", detail=parcel_id)
    return shop_id


def _void(house: House, parcel_id: str, reason: str) -> tuple[str, str, bool]:
    shop_id = _shop_of(house, parcel_id)
    voided = house.here(request_void, house.work, shop_id, parcel_id, reason, _BY_COMMAND, house.clock.now())
    label = house.here(record.label_of, shop_id, voided)
    return voided, "void_requested" if label is None else str(label.state), house.here(worker_runs)


def _save(house: House, parcel_id: str, out: Path) -> list[Path]:
    shop_id = _shop_of(house, parcel_id)
    label = house.here(record.live_label, shop_id, parcel_id)
    if label is None or label.state != "bought":
        raise WaybillError("This parcel has no label.", detail=parcel_id)
    if is_by_hand(label):
        raise WaybillError("This parcel went by hand: its label is where it was bought.", detail=parcel_id)
    if named_shop(house, shop_id).settings.paper.scan == "required" and house.here(not_scanned, shop_id, [parcel_id]):
        raise NotScanned("Scan the goods of this parcel at the desk first, or override that there.", detail=parcel_id)
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
        "margin": order.margin,
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
        "state": parcel.shown,
        "why": parcel.said,
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
            "why": parcel.chosen,
        },
        "tracking": None
        if tracking is None
        else {
            "status": tracking.status,
            "at": tracking.status_at,
            "fulfilment_id": tracking.fulfilment_id,
            "fulfilment": tracking.fulfil_state,
        },
        "refund": next((f"{number}: {said.say()}" for number, said in parcel.refunds), None),
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
    if order.margin is not None:
        lines.append(order.margin.say())
    return lines


def _parcel_lines(parcel: ParcelView) -> list[str]:
    state = parcel.shown.replace("file_", "label file ")
    lines = [f"Parcel {parcel.number} of {parcel.count}, {parcel.grams} g, {state} ({parcel.id})"]
    if parcel.said is not None:
        lines.append(f"  {parcel.said.say()}")
    label, tracking = parcel.label, parcel.tracking
    if label is not None:
        price = _minor(label.booked_minor, label.booked_currency) or _minor(label.minor, label.currency)
        rate = label.booked_rate or label.rate or {}
        words = (rate.get("carrier") or label.carrier, rate.get("service"), price, label.tracking_code)
        lines.append(f"  Label {label.state}: {' '.join(str(each) for each in words if each)}")
        if parcel.chosen is not None:
            lines.append(f"    {parcel.chosen.say()}")
    if tracking is not None:
        way = (
            say("by_hand.handed_over")
            if label is not None and is_by_hand(label)
            else f"{say(f'way.{tracking.status}')}."
        )
        lines.append(f"  {way} {say(f'told.{tracking.fulfil_state}')}.")
    lines += [f"    {each}" for each in parcel.milestones]
    return [*lines, *(f"  {number}: {said.say()}" for number, said in parcel.refunds)]


def _amount_line(entry: Entry) -> str:
    return f"  {entry.at:%Y-%m-%d %H:%M} {entry.kind:<10} {entry.money}"
