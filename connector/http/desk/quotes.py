"""The list of quotes, and one quote explained on one screen."""

from __future__ import annotations

from typing import Any

from connector.http.desk import lists
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Goto, NotThere, Page, Stream, View
from connector.quotes import ledger, listing
from connector.quotes.decision import SOURCES
from connector.quotes.listing import QuoteFilter, QuoteLine
from connector.quotes.view import shown
from connector.storage.keyset import Mark
from connector.words.desk_texts import say


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """One page of the list; a quote's id leads to it."""
    chosen = _filter(ask)
    if chosen.text and await house.database.run(ledger.load, ask.shop.id, chosen.text) is not None:
        return Goto(f"{ask.base}/quotes/{chosen.text}")

    async def read(at: Mark | None, most: int) -> Any:
        return await house.database.run(listing.page, ask.shop.id, chosen, at, most)

    if ask.query.get("format") == "csv":
        return Stream(lists.table(_HEADER, read, _cells, listing.CSV_ROWS), "text/csv; charset=utf-8", "quotes.csv")
    page = await read(lists.mark(ask), lists.AT_ONCE)
    values: dict[str, Any] = {
        "lines": page.lines,
        "chosen": chosen,
        "is_narrowed": chosen != QuoteFilter(),
        "outcomes": _choices("outcome", listing.OUTCOMES),
        "sources": _choices("source", SOURCES),
    }
    return View("quotes.html", values | lists.beside(ask, page))


async def show_one(house: DeskHouse, ask: Ask) -> Answer:
    """How an answer came about."""
    row = await house.database.run(ledger.load, ask.shop.id, ask.path["quote"])
    if row is None:
        raise NotThere
    return View("quotes_one.html", {"quote": shown(row)})


def _filter(ask: Ask) -> QuoteFilter:
    return QuoteFilter(
        outcome=lists.one_of(ask, "outcome", listing.OUTCOMES),
        country=lists.country(ask),
        source=lists.one_of(ask, "source", SOURCES),
        since=lists.day(ask, "from"),
        until=lists.day(ask, "to", end=True),
        text=ask.query.get("id", "").strip()[:40],
    )


def _choices(kind: str, known: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("", say("quotes.any")), *((each, say(f"{kind}.{each}")) for each in known)]


_HEADER = ("quote", "at", "outcome", "country", "place", "units", "goods", "currency", "offers", "cheapest",
           "source", "why", "answered_ms")  # fmt: skip


def _cells(line: QuoteLine) -> tuple[object, ...]:
    return (
        line.id,
        line.at,
        line.outcome,
        line.country,
        line.place,
        line.units,
        f"{line.goods.amount:f}",
        line.goods.currency,
        line.offers,
        "" if line.cheapest is None else f"{line.cheapest.amount:f}",
        line.source,
        line.why.say() if line.why else "",
        line.elapsed_ms,
    )


PAGES = (
    Page("/quotes", place="quotes", role="packer", show=show),
    Page("/quotes/{quote}", place="quotes", role="packer", show=show_one),
)
