"""Every address of the desk, and the entries of its navigation."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.http.desk import (
    audits,
    batches,
    bench,
    carriers,
    collections,
    costs,
    costs_claim,
    costs_import,
    dates,
    home,
    labels,
    orders,
    people,
    prints,
    quotes,
    rules,
    scans,
    settings,
    setup,
    shops,
    thresholds,
    uploads,
)
from connector.http.desk.door import Door, Entry
from connector.http.desk.house import DeskHouse
from connector.http.desk.login import Lobby
from connector.http.desk.page import Page
from connector.http.desk.render import STATIC
from connector.http.desk.replies import message_page
from connector.http.errors import NOT_FOUND, send_reply
from webhooks.receiver import Reply

NAVIGATION = (
    Entry("home", "", "packer"),
    Entry("quotes", "/quotes", "packer"),
    Entry("orders", "/orders", "packer"),
    Entry("batches", "/batches", "packer"),
    Entry("scan", "/scan", "packer"),
    Entry("collections", "/collections", "packer"),
    Entry("costs", "/costs", "owner"),
    Entry("thresholds", "/thresholds", "owner", "prices"),
    Entry("rules", "/rules", "owner", "prices"),
    Entry("dates", "/dates", "owner", "prices"),
    Entry("bench", "/bench", "owner", "prices"),
    Entry("setup", "/setup", "owner", "shop"),
    Entry("carriers", "/carriers", "owner", "shop"),
    Entry("settings", "/settings", "owner", "shop"),
    Entry("people", "/people", "owner", "shop"),
    Entry("audit", "/history", "owner", "shop"),
)
PAGES: Sequence[Page] = (
    *shops.PAGES,
    *home.PAGES,
    *quotes.PAGES,
    *uploads.PAGES,
    *orders.PAGES,
    *labels.PAGES,
    *batches.PAGES,
    *prints.PAGES,
    *scans.PAGES,
    *collections.PAGES,
    *costs.PAGES,
    *costs_claim.PAGES,
    *costs_import.PAGES,
    *setup.PAGES,
    *carriers.PAGES,
    *thresholds.PAGES,
    *dates.PAGES,
    *bench.PAGES,
    *rules.PAGES,
    *settings.PAGES,
    *people.PAGES,
    *audits.PAGES,
)
"""Those of the whole installation come first: their addresses could be taken for a shop's."""

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Desk:
    """The desk as routes; `close` lets go of its threads."""

    def __init__(self, house: DeskHouse) -> None:
        self._lobby = Lobby(house)
        self.routes: list[BaseRoute] = [
            Route("/login", _Served(self._lobby.login), methods=["GET", "POST"]),
            Route("/logout", _Served(self._lobby.logout), methods=["POST"]),
            Route("/welcome/{token}", _Served(self._lobby.welcome), methods=["GET", "POST"]),
            Route("/desk/static/{name}", _Served(_static), methods=["GET"]),
            *(Route(each.address, Door(each, house, NAVIGATION), methods=list(each.methods)) for each in PAGES),
            Route("/desk/{rest:path}", _Served(_nothing), methods=["GET"]),
        ]

    def close(self) -> None:
        """Let go of the threads."""
        self._lobby.close()


def addresses() -> set[tuple[str, str]]:
    """Every method and address of the desk, for the documents."""
    before = {("GET", "/login"), ("POST", "/login"), ("POST", "/logout"), ("GET", "/desk/static/{name}")}
    links = {("GET", "/welcome/{token}"), ("POST", "/welcome/{token}")}
    return before | links | {(method, each.address) for each in PAGES for method in each.methods}


class _Served:
    """Starlette takes an object for a bare application, and a function for one that wants a request."""

    def apologise(self, request_id: str) -> Reply:
        """See connector.http.errors.Apologises."""
        return message_page("internal", 500, request_id=request_id)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An address below the desk that leads nowhere."""
    await send_reply(send, message_page("not_found", 404))


async def _static(scope: Scope, _receive: Receive, send: Send) -> None:
    """A file of the stylesheet's folder; its address changes with it."""
    file = STATIC / scope["path_params"]["name"]
    kind = _TYPES.get(file.suffix)
    if kind is None or file.parent != STATIC or not file.is_file():
        await send_reply(send, NOT_FOUND)
        return
    keep = ("cache-control", "public, max-age=31536000, immutable")
    headers = (("content-type", kind), keep, ("x-content-type-options", "nosniff"))
    await send_reply(send, Reply(200, file.read_bytes(), headers))
