"""The list of orders: narrowed, searched, downloaded; and labels bought for one or several in one click."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from connector.http.desk import lists
from connector.http.desk.house import DeskHouse
from connector.http.desk.orders_one import ORDER_PAGES, buy_all
from connector.http.desk.page import Answer, Ask, Complaint, Goto, Page, Stream, View
from connector.labels import gates
from connector.orders import listing
from connector.orders.listing import OrderFilter, OrderLine
from connector.storage.keyset import Mark
from connector.words.desk_texts import say

STATES = ("planned", "held", "buying", "unknown", "bought", "refused", "voided")
MOST_AT_ONCE = 50


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """One page of the list; a search that finds one order leads to it."""
    wanted = ask.query.get("q", "").strip()
    if wanted:
        found = await house.database.look(listing.search, ask.shop.id, wanted[:200])
        if len(found) == 1:
            return Goto(f"{ask.base}/orders/{found[0].id}")
        return View("orders.html", _values(found, OrderFilter(), searched=wanted))
    chosen = _filter(ask)
    if ask.query.get("format") == "csv":

        async def read(at: Mark | None, most: int) -> Any:
            return await house.database.look(listing.page, ask.shop.id, chosen, at, most)

        return Stream(lists.table(_HEADER, read, _cells, listing.CSV_ROWS), "text/csv; charset=utf-8", "orders.csv")
    page, capped = await house.database.look(_read, ask.shop.id, chosen, lists.mark(ask))
    more: dict[str, Any] = {**lists.beside(ask, page), "capped": capped}
    return View("orders.html", _values(page.lines, chosen) | more)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Buy the labels of the ticked orders, or of the one whose button was pressed."""
    one = ask.typed.get("buy", "")
    ids = (one,) if one else ask.typed_lists.get("order", ())[:MOST_AT_ONCE]
    if not ids:
        shown = await show(house, ask.without_form())
        assert isinstance(shown, View)  # noqa: S101 - without a search or a format it is one.
        return shown.with_complaint(Complaint("orders.none_ticked"))
    asked = await buy_all(house, ask, ids)
    wanted = {"ids": ",".join(asked), **({"print": "1"} if one else {})}
    return Goto(f"{ask.base}/orders/bought?{urlencode(wanted, safe=',')}")


def _read(connection: Connection, shop_id: str, chosen: OrderFilter, at: Mark | None) -> Any:
    return listing.page(connection, shop_id, chosen, at, lists.AT_ONCE), gates.cap_reached(connection, shop_id)


def _filter(ask: Ask) -> OrderFilter:
    return OrderFilter(
        state=lists.one_of(ask, "state", STATES),
        needs_person=ask.query.get("person") == "yes",
        not_bought=ask.query.get("open") == "yes",
        country=lists.country(ask),
        since=lists.day(ask, "from"),
        until=lists.day(ask, "to", end=True),
        name=ask.query.get("name", "").strip()[:60],
    )


def _values(lines: tuple[OrderLine, ...], chosen: OrderFilter, searched: str = "") -> dict[str, Any]:
    return {
        "lines": lines,
        "states": [("", say("orders.any_state")), *((each, say(f"parcel.{each}")) for each in STATES)],
        "chosen": chosen,
        "is_narrowed": chosen != OrderFilter() or bool(searched),
        "searched": searched,
        "newer": "",
        "older": "",
        "csv": "",
        "capped": None,
        "can_buy": any(line.can_buy for line in lines),
    }


_HEADER = ("order", "placed_at", "country", "paid", "cancelled", "shipping", "currency", "parcels", "states",
           "tracking", "needs_person")  # fmt: skip


def _cells(line: OrderLine) -> tuple[object, ...]:
    return (
        line.name,
        line.placed_at,
        line.country,
        "yes" if line.paid else "no",
        "yes" if line.cancelled else "no",
        f"{line.charged.amount:f}",
        line.charged.currency,
        len(line.parcels),
        " ".join(each.shown for each in line.parcels),
        " ".join(each.number for each in line.parcels if each.number),
        " / ".join(why.say() for why in line.matters),
    )


PAGES = (Page("/orders", place="orders", role="packer", show=show, act=act), *ORDER_PAGES)
