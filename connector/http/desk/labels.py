"""One label: its file for printing, voiding it, and the number that was typed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection

from carriers.money import Money
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, View
from connector.labels import by_hand, record
from connector.labels.by_hand import is_by_hand, read_typed
from connector.labels.files import FileMissing, FilesUnreachable
from connector.labels.kept import files_of, to_print
from connector.labels.scan import NotScanned
from connector.labels.voids import request_void
from connector.orders import view
from connector.orders.print_set import release_file
from connector.words.desk_texts import say

_FORMS = {
    "application/pdf": ("pdf", b"%PDF-"),
    "image/png": ("png", b"\x89PNG\r\n\x1a\n"),
}
"""What a browser may show of a label, and how such a file begins; all else is only saved."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A label with its parcel and its order's name."""

    label: Any
    parcel: Any
    order: Any


async def file(house: DeskHouse, ask: Ask) -> Answer:
    """The kept file, decrypted: the label itself, or with `n` one of its documents, counted from 1 as they print."""
    found = await _load(house, ask)
    rows = await house.database.run(record.files_of, ask.shop.id, found.label.id)
    number = ask.query.get("n", "")
    kept = [row for row in rows if row.sha256 is not None]
    if not number and (own := to_print(kept, _settings(ask, found.label))) is not None:
        number = str(kept.index(own) + 1)
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:3]) <= len(kept)):
        if (kept and number) or is_by_hand(found.label):
            raise NotThere
        file = (await house.database.run(files_of, ask.shop.id, [found.label.id]))[found.label.id]
        return View("labels_file.html", {"found": found, "code": f"labels.{file.state}"}, status=404)
    row = kept[int(number[:3]) - 1]
    try:
        await house.database.run(release_file, ask.shop, found.label.parcel_id)
    except NotScanned:
        return Goto(f"{ask.base}/scan/{found.label.parcel_id}", done="scan.first")
    try:
        content = await anyio.to_thread.run_sync(house.shelf.get, row.sha256)
    except (FileMissing, FilesUnreachable):
        return View("labels_file.html", {"found": found, "code": "labels.gone"}, status=404)
    return _download(row.media_type, content, found.label, number)


def _settings(ask: Ask, label: Any) -> Mapping[str, Any]:
    """The settings of the account that the label was bought with; none once it is removed."""
    account = ask.shop.accounts.get(label.account_id)
    return {} if account is None else account.record.settings


def _download(media_type: str, content: bytes, label: Any, number: str) -> Download:
    """Never a page: only what is what it says it is is shown, and nothing in it may run."""
    name = "".join(each if each.isalnum() else "-" for each in label.tracking_code or label.id)
    ending, begins = _FORMS.get(media_type.partition(";")[0].strip().lower(), ("", b""))
    if not ending or not content.startswith(begins):
        ending = "zpl" if b"^XA" in content[:200] else "bin"
        return Download(content, "application/octet-stream", f"{name}-{number}.{ending}", sandboxed=True)
    shown_as = f"{name}-{number}.{ending}"
    return Download(content, media_type, shown_as, inline=True, sandboxed=ending != "pdf")


async def show_void(house: DeskHouse, ask: Ask) -> View:
    """Ask why, before a label is taken out of use."""
    found = await _load(house, ask)
    return View("labels_void.html", {"found": found, "price": _price(found.label), "is_bought": _can_void(found.label)})


async def act_void(house: DeskHouse, ask: Ask) -> Answer:
    """Take the label out of use, and have the money asked back."""
    found = await _load(house, ask)
    reason = ask.typed.get("reason", "").strip()
    if not _can_void(found.label):
        return Goto(f"{ask.base}/orders/{found.order.id}", done="labels.void_already")
    if not reason:
        return (await show_void(house, ask)).with_complaint(Complaint("labels.no_reason", "reason"))
    if not await house.database.run(_void, house, ask, found, reason):
        return Goto(f"{ask.base}/orders/{found.order.id}", done="labels.void_already")
    return Goto(f"{ask.base}/orders/{found.order.id}", done="labels.voided")


async def show_number(house: DeskHouse, ask: Ask) -> Answer:
    """A number that was typed by hand, to be corrected or taken back."""
    found = await _load(house, ask)
    if not is_by_hand(found.label):
        raise NotThere
    price = _price(found.label)
    values = {"found": found, "live": found.label.state == "bought", "price": f"{price.amount:f}" if price else ""}
    return View("labels_number.html", values)


async def act_number(house: DeskHouse, ask: Ask) -> Answer:
    """Correct it, or take it back."""
    found = await _load(house, ask)
    label, order = found.label, f"{ask.base}/orders/{found.order.id}"
    text = ask.typed.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    match ask.typed.get("do", ""):
        case "correct":
            typed = typed_in(ask, found.parcel.currency)
            changed = await house.database.run(
                by_hand.correct, house.work, ask.shop.id, label.id, typed, ask.actor, ask.now, version=version
            )
            return Goto(order, done="by_hand.corrected" if changed else "by_hand.known")
        case "take_back":
            reason = say("by_hand.taken_back_at_the_desk")
            await house.database.run(
                by_hand.take_back, house.work, ask.shop.id, label.id, reason, ask.actor, ask.now, version=version
            )
            return Goto(order, done="by_hand.taken_back")
    raise NotThere


def typed_in(ask: Ask, currency: str) -> by_hand.Typed:
    """The fields of the form for a number. Raises NotTyped."""
    typed = ask.typed
    return read_typed(
        typed.get("carrier", ""), typed.get("number", ""), typed.get("url", ""), typed.get("price", ""), currency
    )


async def _load(house: DeskHouse, ask: Ask) -> _Known:
    found = await house.database.run(_find, ask.shop.id, ask.path["label"])
    if found is None:
        raise NotThere
    return found


def _find(connection: Connection, shop_id: str, label_id: str) -> _Known | None:
    label = record.label_of(connection, shop_id, label_id)
    parcel = None if label is None else record.parcel_of(connection, shop_id, label.parcel_id)
    if label is None or parcel is None:
        return None
    return _Known(label, parcel, view.find(connection, shop_id, parcel.order_id))


def _void(connection: Connection, house: DeskHouse, ask: Ask, found: _Known, reason: str) -> bool:
    """Void this label, not the one that a colleague bought in its place meanwhile."""
    record.lock_parcel(connection, ask.shop.id, found.parcel.id)
    live = record.live_label(connection, ask.shop.id, found.parcel.id)
    if live is None or live.id != found.label.id or live.state != "bought":
        return False
    request_void(connection, house.work, ask.shop.id, found.parcel.id, reason, ask.actor, ask.now)
    return True


def _can_void(label: Any) -> bool:
    return bool(label.state == "bought" and not is_by_hand(label))


def _price(label: Any) -> Money | None:
    return None if label.booked_minor is None else Money(label.booked_minor, label.booked_currency)


PAGES = (
    Page("/labels/{label}/file", place="orders", role="packer", show=file),
    Page("/labels/{label}/void", place="orders", role="packer", show=show_void, act=act_void),
    Page("/labels/{label}/number", place="orders", role="packer", show=show_number, act=act_number),
)
