"""One order: its parcels and what can be done with them; what came of a purchase; a number typed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import anyio
from sqlalchemy import Connection

from connector.http.desk.house import DeskHouse
from connector.http.desk.labels import typed_in
from connector.http.desk.page import Answer, Ask, Goto, NotThere, Page, View
from connector.insight.prices import lists_of
from connector.insight.truth_rows import order_cost
from connector.labels import record
from connector.orders import listing, unseen, view, whole
from connector.orders.addresses import use_correction
from connector.orders.by_hand import ship_by_hand
from connector.orders.listing import OrderLine
from connector.orders.release import release
from connector.orders.view import CapReached, NoSuchOrder, NothingToBuy
from connector.orders.whole import WholeOrder
from connector.store import Order, StoreError
from connector.tracking.record import correct_number
from connector.tracking.tables import trackings
from connector.words.desk_texts import say
from connector.work.lease import worker_runs

PATIENCE_S = 8.0
"""How long a page waits for what was bought before it shows how far it is."""

_LOOK_S = 0.4
_STORE_S = 3.0
_UNDER_WAY = frozenset({"planned", "buying", "unknown"})
_MOST_IDS = 50


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """One order."""
    found = await _load(house, ask)
    names: dict[str, tuple[str, str]] = {}
    if any(not each.goods for each in found.parcels):
        names = await _names_at_store(ask, found.order.external_id)
    for parcel in found.parcels + found.past:
        names |= parcel.goods
    values = {"whole": found, "order": found.order, "names": names, "owner": ask.role == "owner", "cost": None}
    if ask.role == "owner":
        about = (found.order.id, found.order.charged.currency, lists_of(ask.shop))
        values["cost"] = await house.database.look(order_cost, ask.shop.id, *about)
    return View("orders_one.html", values)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Buy, buy and print, release, use the carrier's correction of the address, tell the store again."""
    found = await _load(house, ask)
    order_id = found.order.id
    here = f"{ask.base}/orders/{order_id}"
    match ask.typed.get("do", ""):
        case "buy" | "print" as do:
            why = {"over_cap": ask.typed.get("over_cap", "").strip() if ask.role == "owner" else ""}
            why["another"] = ask.typed.get("another", "").strip()
            if not (found.can_buy if why["another"] else found.can_buy_plainly):
                return Goto(here, done="orders.say_why" if found.needs_reason else "orders.nothing_to_buy")
            await house.database.run(
                view.request_purchase, house.work, ask.shop.id, order_id, ask.actor, ask.now, **why
            )
            wanted = {"ids": order_id, **({"print": "1"} if do == "print" else {})}
            return Goto(f"{ask.base}/orders/bought?{urlencode(wanted)}")
        case "release":
            reason = say("orders.released_at_the_desk")
            freed = await house.database.run(release, house.work, ask.shop, order_id, ask.actor, reason, ask.now)
            return Goto(here, done="orders.released", n=len(freed))
        case "correct":
            corrected = await house.database.run(
                use_correction, house.keyring, house.work, ask.shop, order_id, ask.actor, ask.now
            )
            return Goto(here, done="orders.corrected", n=len(corrected))
        case "tell":
            await house.database.run(_tell_again, house, ask, order_id)
            return Goto(here, done="orders.told_again")
    raise NotThere


async def buy_all(house: DeskHouse, ask: Ask, ids: Sequence[str]) -> list[str]:
    """Ask for the labels of these orders, each for itself; the orders of this shop among them.

    Of one alone its row said what speaks against it. What has nothing to buy is left as it is. Raises CapReached if
    that stopped every one of them.
    """
    known = [line.id for line in await house.database.run(listing.some, ask.shop.id, ids)]
    if not known:
        raise NotThere
    stopped: CapReached | None = None
    asked = 0
    buy = view.request_purchase if len(known) == 1 else unseen.ask
    for order_id in known:
        try:
            await house.database.run(buy, house.work, ask.shop.id, order_id, ask.actor, ask.now)
            asked += 1
        except NothingToBuy:
            continue
        except CapReached as error:
            stopped = error
    if stopped is not None and not asked:
        raise stopped
    return known


async def bought(house: DeskHouse, ask: Ask) -> Answer:
    """What came of a purchase, once it has come; a single label that is to be printed is shown at once."""
    ids = [each for each in ask.query.get("ids", "").split(",") if each][:_MOST_IDS]
    if not ids:
        return Goto(f"{ask.base}/orders")
    with anyio.move_on_after(PATIENCE_S):
        while True:
            lines, worker = await house.database.look(_so_far, ask.shop.id, ids)
            if not lines:
                raise NotThere
            if not any(_is_open(line) for line in lines) or not worker:
                break
            await anyio.sleep(_LOOK_S)
    still_open = [line for line in lines if _is_open(line)]
    files = frozenset(
        each.label_id for line in lines for each in line.bought if each.file and each.file.state == "kept"
    )
    if ask.query.get("print") and len(lines) == 1 and not still_open:
        labels = [each for each in lines[0].parcels if each.label_id in files]
        if len(labels) == 1 and len(lines[0].parcels) == 1:
            papers = await house.database.look(record.files_of, ask.shop.id, labels[0].label_id)
            whole = f"{ask.base}/print?ids={lines[0].id}&what=papers"
            return Goto(whole if len(papers) > 1 else f"{ask.base}/labels/{labels[0].label_id}/file")
    done = [line for line in lines if line.parcels and all(each.shown == "bought" for each in line.parcels)]
    values = {"lines": lines, "files": files, "open": still_open, "done": done, "worker": worker}
    return View("orders_bought.html", values)


async def show_by_hand(house: DeskHouse, ask: Ask) -> Answer:
    """The form for a number that a person types."""
    found = await _load(house, ask)
    waiting = [each for each in found.parcels if each.view.state in {"planned", "held", "refused", "voided"}]
    choices = [(each.view.id, say("orders.parcel", number=each.view.number, count=each.view.count)) for each in waiting]
    if len(waiting) > 1:
        choices.insert(0, ("", say("by_hand.together")))
    return View("orders_by_hand.html", {"order": found.order, "waiting": waiting, "choices": choices})


async def act_by_hand(house: DeskHouse, ask: Ask) -> Answer:
    """Keep the number; the store is told."""
    found = await _load(house, ask)
    typed = typed_in(ask, found.order.currency)
    shipped = await house.database.run(
        ship_by_hand,
        house.work,
        ask.shop.id,
        found.order.id,
        typed,
        ask.actor,
        ask.now,
        notify_buyer=ask.shop.settings.store_notifies,
        parcel_id=ask.typed.get("parcel") or None,
    )
    return Goto(f"{ask.base}/orders/{found.order.id}", done="by_hand.kept" if shipped.new else "by_hand.known")


async def _load(house: DeskHouse, ask: Ask) -> WholeOrder:
    try:
        return await house.database.run(whole.load, house.keyring, ask.shop.id, ask.path["order"])
    except NoSuchOrder as error:
        raise NotThere from error


async def _names_at_store(ask: Ask, external_id: str) -> dict[str, tuple[str, str]]:
    """Names and SKUs of the goods that still wait, from the store; none where it does not say in time."""
    found: Order | None = None
    with anyio.move_on_after(_STORE_S):
        try:
            found = await ask.shop.store.order(external_id)
        except StoreError:
            return {}
    if found is None:
        return {}
    return {line.id: (line.name, line.sku) for group in found.groups for line in group.lines}


def _so_far(connection: Connection, shop_id: str, ids: Sequence[str]) -> tuple[tuple[OrderLine, ...], bool]:
    """The orders, and whether a worker runs."""
    return listing.some(connection, shop_id, ids), worker_runs(connection)


def _is_open(line: OrderLine) -> bool:
    """Whether something of the order still comes: an outcome, or a bought label's file for the first time."""
    return any(each.state in _UNDER_WAY or each.shown == "file_coming" for each in line.parcels)


def _tell_again(connection: Connection, house: DeskHouse, ask: Ask, order_id: str) -> None:
    """Have the store told what it refused."""
    refused = trackings.select(ask.shop.id).where(
        trackings.c.order_id == order_id, trackings.c.fulfil_state == "refused"
    )
    for row in connection.execute(refused).all():
        about = (row.label_id, row.carrier, row.tracking_code, row.url, ask.now)
        correct_number(connection, house.work, ask.shop.id, *about)


ORDER_PAGES = (
    Page("/orders/bought", place="orders", role="packer", show=bought),
    Page("/orders/{order}", place="orders", role="packer", show=show, act=act),
    Page("/orders/{order}/by-hand", place="orders", role="packer", show=show_by_hand, act=act_by_hand),
)
