"""Scan-to-pack: one field that is always ready, and what is still missing in figures that are read from afar."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, NotThere, Page, View
from connector.labels import record, scan
from connector.labels.scan import Check
from connector.labels.tables import parcels
from connector.orders import listing, unseen, view
from connector.orders.view import NothingToBuy
from connector.words.reason import Reason

_HEARD = frozenset({"counted", "wrong", "too_many", "taken_out", "nothing"})


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The field for an order; below it the parcel that was finished just now."""
    last = ask.query.get("last", "")
    done = None
    if last:
        done = await house.database.look(_ready, ask.shop.id, last)
    return View("scans.html", {"last": done, "choices": ()})


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Open the parcel that was scanned: a slip's barcode, a tracking number, or an order's name.

    The slip of the parcel that was finished just now opens its label.
    """
    typed = ask.typed.get("code", "").strip()
    if not typed:
        return View("scans.html", {"last": None, "choices": ()}, Complaint("scan.nothing", "code"))
    found = await house.database.look(_look_for, ask.shop.id, typed[:200])
    if not found:
        return View(
            "scans.html", {"last": None, "choices": ()}, Complaint("scan.no_order", "code", params={"text": typed[:60]})
        )
    if len(found) == 1:
        again = ask.typed.get("last", "") == found[0].id
        label = (await house.database.look(_ready_label, ask.shop.id, found[0])) if again else ""
        return Goto(f"{ask.base}/labels/{label}/file" if label else f"{ask.base}/scan/{found[0].id}")
    return View("scans.html", {"last": None, "choices": found})


async def show_one(house: DeskHouse, ask: Ask) -> View:
    """One parcel: what belongs into it, and how much of it was scanned."""
    check, order, label = await house.database.look(_load, ask)
    heard = ask.query.get("heard", "")
    values: dict[str, Any] = {
        "check": check,
        "order": order,
        "label": label,
        "heard": heard if heard in _HEARD else "",
        "what": ask.query.get("what", "")[:120],
    }
    return View("scans_one.html", values)


async def act_one(house: DeskHouse, ask: Ask) -> Answer:
    """Count what was scanned; override with a reason; begin again; buy the label of a parcel that is complete."""
    check, order, label = await house.database.look(_load, ask)
    here = f"{ask.base}/scan/{check.parcel.id}"
    match ask.typed.get("do", "scan"):
        case "scan":
            return await _scan(house, ask, check, here)
        case "one":
            await house.database.run(
                scan.count_one, ask.shop.id, check.parcel.id, ask.typed.get("line", ""), ask.actor, ask.now
            )
            return Goto(here)
        case "override":
            reason = ask.typed.get("reason", "").strip()
            if not reason:
                return (await show_one(house, ask)).with_complaint(Complaint("scan.no_reason", "reason"))
            await house.database.run(scan.override, ask.shop.id, check.parcel.id, reason, ask.actor, ask.now)
            return Goto(here, done="scan.overridden")
        case "again":
            await house.database.run(scan.start_again, ask.shop.id, check.parcel.id, ask.actor, ask.now)
            return Goto(here, done="scan.again")
        case "buy":
            if label is None and check.released and await house.database.run(_buy, house, ask, order.id) is not None:
                return Goto(f"{ask.base}/orders/{order.id}")
            return Goto(f"{ask.base}/orders/bought?ids={order.id}&print=1")
    raise NotThere


async def _scan(house: DeskHouse, ask: Ask, check: Check, here: str) -> Answer:
    typed = ask.typed.get("code", "").strip()
    other = await house.database.run(scan.parcel_of_code, ask.shop.id, typed) if typed else None
    if other is not None:
        # The slip of the same parcel again, once it is complete, goes on to its label; another slip to its parcel.
        label = (await house.database.look(_ready_label, ask.shop.id, check.parcel)) if other == check.parcel.id else ""
        return Goto(f"{ask.base}/labels/{label}/file" if label else f"{ask.base}/scan/{other}")
    if check.released:
        found = await house.database.look(_look_for, ask.shop.id, typed[:200])
        return Goto(f"{ask.base}/scan/{found[0].id}" if len(found) == 1 else here)
    heard = await house.database.run(scan.scan, ask.shop.id, check.parcel.id, typed, ask.actor, ask.now)
    if heard.heard == "complete":
        return Goto(f"{ask.base}/scan?last={check.parcel.id}")
    return Goto(f"{here}?{urlencode({'heard': heard.heard, 'what': heard.name})}")


def _load(connection: Connection, ask: Ask) -> tuple[Check, Any, Any]:
    found = record.parcel_of(connection, ask.shop.id, ask.path["parcel"])
    if found is None or found.state == "cancelled":
        raise NotThere
    return _whole(connection, ask.shop.id, found)


def _ready(connection: Connection, shop_id: str, parcel_id: str) -> tuple[Check, Any, Any] | None:
    found = record.parcel_of(connection, shop_id, parcel_id)
    return None if found is None or found.state == "cancelled" else _whole(connection, shop_id, found)


def _whole(connection: Connection, shop_id: str, parcel: Any) -> tuple[Check, Any, Any]:
    label = record.live_label(connection, shop_id, parcel.id)
    bought = label if label is not None and label.state == "bought" else None
    return (scan.load_check(connection, shop_id, parcel), view.find(connection, shop_id, parcel.order_id), bought)


def _ready_label(connection: Connection, shop_id: str, parcel: Any) -> str:
    """The bought label of a parcel whose goods are scanned; empty where there is none to be printed yet."""
    check, _, label = _whole(connection, shop_id, parcel)
    return str(label.id) if label is not None and check.released else ""


def _look_for(connection: Connection, shop_id: str, typed: str) -> list[Any]:
    """The parcels that are meant: of several of an order, those that are not checked yet."""
    by_slip = scan.parcel_of_code(connection, shop_id, typed)
    if by_slip is not None:
        found = record.parcel_of(connection, shop_id, by_slip)
        return [] if found is None or found.state == "cancelled" else [found]
    lines = listing.search(connection, shop_id, typed)
    numbered = [each.id for line in lines for each in line.parcels if each.number == typed]
    ids = numbered or [each.id for line in lines for each in line.parcels]
    if not ids:
        return []
    chosen = parcels.select(shop_id).where(parcels.c.id.in_(ids), parcels.c.state != "cancelled")
    rows = list(connection.execute(chosen.order_by(parcels.c.created_at, parcels.c.number)).all())
    open_ones = scan.not_scanned(connection, shop_id, ids)
    return [row for row in rows if row.id in open_ones] or rows


def _buy(connection: Connection, house: DeskHouse, ask: Ask, order_id: str) -> Reason | None:
    """Why a person has to look at the order first; None where the label is asked for."""
    try:
        return unseen.ask(connection, house.work, ask.shop.id, order_id, ask.actor, ask.now)
    except NothingToBuy:
        return None  # Somebody was faster; the next page shows what came of it.


PAGES = (
    Page("/scan", place="scan", role="packer", show=show, act=act),
    Page("/scan/{parcel}", place="scan", role="packer", show=show_one, act=act_one),
)
