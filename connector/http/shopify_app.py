"""The app's page at Shopify: inside the admin's frame or outside it, after whoever comes was proved.

Nothing of it needs a cookie in the frame, a script, or a third party: App Bridge is loaded last, for Shopify's own use.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.checkup.finding import Finding
from connector.directory import ShopEntry
from connector.http.desk.render import render
from connector.http.errors import send_reply
from connector.http.limits import NoBody, read_body, read_headers, refuse_body, same_text
from connector.http.ports import Front
from connector.installing.app_desk import AppDesk, Deed, Standing, actor_of
from connector.installing.switch import ABOUT_THE_SWITCH
from connector.installing.visits import NoVisit, Visit, Why
from connector.redaction import describe_error
from connector.storage.apps import AppRecord
from connector.storage.audit import Actor
from webhooks.errors import WaybillError
from webhooks.receiver import Reply

log = structlog.get_logger("waybill.http.shopify")

HOME, RELOAD, GRANTED = "/shopify/app", "/shopify/app/reload", "/shopify/app/granted"
_BRIDGE = "https://cdn.shopify.com"
_FORM_BYTES = 16 * 1024
_PROOF_S = 3600
_STATE_S = 600
_COOKIE = "waybill_install"
_RETRY = ("x-shopify-retry-invalid-session-request", "1")

Mood = Literal["no_app", "nothing", "ended", "refused", "page_ended", "busy"]

_STATUS: Mapping[Mood, int] = {
    "no_app": 503, "nothing": 400, "ended": 401, "refused": 401, "page_ended": 401, "busy": 503,
}  # fmt: skip


class ShopifyApp:
    """Serves the app's addresses, as bare ASGI applications."""

    def __init__(self, front: Front, desk: AppDesk) -> None:
        self._front = front
        self._desk = desk

    # --- addresses ----------------------------------------------------------------------------------------------------

    async def home(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`/shopify/app`: the set-up list; a form of it is posted to the same address."""
        headers = read_headers(scope)
        try:
            if scope["method"] == "POST":
                reply: Reply | NoBody = await self._act(headers, receive)
            else:
                reply = await self._open(headers, _query(scope))
        except SQLAlchemyError as error:
            log.warning("app page not possible", error=describe_error(error))
            reply = self._sorry("busy", "")
        if isinstance(reply, NoBody):
            await refuse_body(reply, receive, send)
        else:
            await send_reply(send, reply)

    async def reload(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """`/shopify/app/reload`: App Bridge sends the frame from here back to the page, with a fresh token.

        It takes the address from the query, so that only our own page's is let through.
        """
        query = _query(scope)
        back = urlsplit(query.get("shopify-reload", ""))
        ours = urlsplit(self._desk.public_url())
        if (back.scheme, back.netloc, back.path) != (ours.scheme, ours.netloc, HOME):
            await send_reply(send, self._sorry("nothing", ""))
            return
        shop = self._known_shop(query)
        app = self._only_app()
        values = {"inside": self._inside(app, shop), "client_id": app.client_id if app else ""}
        await send_reply(send, _html("shopify_reload.html", values, shop, bridge=True))

    async def granted(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """`/shopify/app/granted`: a merchant comes back from being asked for permission, outside the admin."""
        query = _query(scope)
        visit = self._desk.platform.read_return(query, self._desk.apps(), datetime.now(UTC))
        if isinstance(visit, NoVisit):
            await send_reply(send, self._sorry("refused", ""))
            return
        state, kept = query.get("state", ""), _cookie(read_headers(scope))
        if not (state and same_text(state, kept) and self._state_holds(state, visit)):
            await send_reply(send, self._sorry("refused", ""))
            return
        try:
            standing = await self._desk.admit(visit.app, visit.shop, query.get("code", ""))
        except SQLAlchemyError as error:
            log.warning("app not admitted", error=describe_error(error))
            await send_reply(send, self._sorry("busy", ""))
            return
        reply = self._page(visit, standing, framed=False)
        gone = ("set-cookie", f"{_COOKIE}=; Path={HOME}; Max-Age=0; HttpOnly; SameSite=Lax")
        await send_reply(send, Reply(reply.status, reply.body, (*reply.headers, gone)))

    # --- opening ------------------------------------------------------------------------------------------------------

    async def _open(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Reply:
        apps = self._desk.apps()
        framed = query.get("embedded") == "1" or headers.get("sec-fetch-dest") == "iframe"
        if not apps:
            return self._sorry("no_app", "")
        visit = self._desk.platform.read_visit(query, headers.get("authorization", ""), apps, datetime.now(UTC))
        if isinstance(visit, NoVisit):
            return self._not_believed(visit, query, headers, framed=framed)
        if not visit.id_token:
            if framed:  # Inside the frame a token can be had, and only it grants access.
                return self._not_believed(NoVisit("nothing", visit.shop), query, headers, framed=True)
            if self._desk.connected(visit.app, visit.shop) is None:
                return self._ask_permission(visit)
        return self._page(visit, await self._desk.open(visit), framed=framed)

    def _not_believed(
        self, visit: NoVisit, query: Mapping[str, str], headers: Mapping[str, str], *, framed: bool
    ) -> Reply:
        log.info("app visit refused", why=visit.why, shop=visit.shop)
        passing = visit.why in {"nothing", "token_ended"}
        if headers.get("authorization"):
            reply = self._sorry("refused", visit.shop)
            return Reply(401, reply.body, (*reply.headers, _RETRY))
        if framed and passing and visit.shop and "fresh" not in query:
            kept = {name: query[name] for name in ("shop", "host", "locale") if name in query}
            back = f"{self._desk.public_url()}{HOME}?{urlencode({**kept, 'embedded': '1', 'fresh': '1'})}"
            where = f"{RELOAD}?{urlencode({**kept, 'shopify-reload': back})}"
            return Reply(302, b"", (("location", where), *_headers(visit.shop)))
        mood: Mood = "nothing" if visit.why == "nothing" else "ended" if visit.why in _ENDED else "refused"
        return self._sorry(mood, visit.shop)

    def _ask_permission(self, visit: Visit) -> Reply:
        """Outside the admin there is no token: the merchant is asked, and comes back with a code."""
        until = int(time.time()) + _STATE_S
        nonce = secrets.token_urlsafe(16)
        state = f"{until}.{nonce}.{self._sign_state(visit.app, visit.shop, until, nonce)}"
        redirect = self._desk.public_url() + GRANTED
        where = self._desk.platform.permission_url(visit.app, visit.shop, redirect, state)
        secure = "; Secure" if redirect.startswith("https:") else ""
        cookie = f"{_COOKIE}={state}; Path={HOME}; Max-Age={_STATE_S}; HttpOnly; SameSite=Lax{secure}"
        return Reply(302, b"", (("location", where), ("set-cookie", cookie), *_headers("")))

    def _state_holds(self, state: str, visit: Visit) -> bool:
        until, _, rest = state.partition(".")
        nonce, _, signature = rest.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 12) or int(until) < time.time():
            return False
        return same_text(signature, self._sign_state(visit.app, visit.shop, int(until), nonce))

    def _sign_state(self, app: AppRecord, shop: str, until: int, nonce: str) -> str:
        return self._desk.sign({"app": app.id, "shop": shop, "until": str(until), "nonce": nonce, "for": "state"})

    # --- forms --------------------------------------------------------------------------------------------------------

    async def _act(self, headers: Mapping[str, str], receive: Receive) -> Reply | NoBody:
        raw = await read_body(receive, headers, _FORM_BYTES, self._front.limits.body_s)
        if isinstance(raw, NoBody):
            return raw
        form = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace"))
        held = self._proved(form)
        if held is None:
            return self._sorry("page_ended", "")
        shop, actor, framed = held
        app = shop.app
        if app is None:
            return self._sorry("page_ended", "")
        visit = Visit(app, shop.domain, form.get("subject", ""))
        wanted = form.get("do", "")
        if wanted == "invite":
            return await self._invite(shop, form.get("email", ""), actor)
        deeds: tuple[Deed, ...] = get_args(Deed)
        deed = next((each for each in deeds if each == wanted), None)
        if deed is None:
            return self._sorry("page_ended", shop.domain)
        return self._page(visit, await self._desk.act(shop, deed, actor), framed=framed)

    async def _invite(self, shop: ShopEntry, email: str, actor: Actor) -> Reply:
        try:
            where = await self._desk.invite(shop, email, actor)
        except WaybillError as error:
            values = {"mood": "invite", "said": error.message, "inside": self._inside(shop.app, shop.domain)}
            return _html("shopify_sorry.html", values, "", status=422)
        return Reply(303, b"", (("location", where), *_headers("")))

    def _proof(self, shop: ShopEntry, subject: str, until: int, *, framed: bool) -> str:
        what = {"shop": shop.id, "subject": subject, "until": str(until), "framed": str(framed), "for": "form"}
        return self._desk.sign(what)

    def _proved(self, form: Mapping[str, str]) -> tuple[ShopEntry, Actor, bool] | None:
        """The shop, the person and the frame of a form of ours; None for another's form, or one that is too old."""
        shop = self._front_shop(form.get("shop", ""))
        until = form.get("until", "")
        if shop is None or shop.app is None or not (until.isascii() and until.isdigit() and len(until) < 12):
            return None
        framed, subject = form.get("framed") == "1", form.get("subject", "")
        if int(until) < time.time():
            return None
        if not same_text(form.get("proof", ""), self._proof(shop, subject, int(until), framed=framed)):
            return None
        return shop, actor_of(Visit(shop.app, shop.domain, subject)), framed

    def _front_shop(self, shop_id: str) -> ShopEntry | None:
        return self._desk.installer.directory.shop(shop_id)

    # --- pages --------------------------------------------------------------------------------------------------------

    def _page(self, visit: Visit, standing: Standing, *, framed: bool) -> Reply:
        shop = standing.shop
        until = int(time.time()) + _PROOF_S
        values: dict[str, Any] = {
            "standing": standing,
            "shop": shop,
            "steps": standing.steps,
            "hooks": [step for step in standing.steps if step.what.startswith("webhook ")],
            "others": [step for step in standing.steps if not step.what.startswith("webhook ")],
            "findings": _worth_telling(standing),
            "inside": self._inside(visit.app, visit.shop),
            "desk": f"{self._desk.public_url()}/desk",
            "client_id": visit.app.client_id if framed else "",
            "home": HOME,
            "hidden": {},
            "domain": visit.shop,
        }
        if shop is not None:
            proof = self._proof(shop, visit.subject, until, framed=framed)
            values["hidden"] = {
                "shop": shop.id,
                "subject": visit.subject,
                "until": str(until),
                "framed": "1" if framed else "0",
                "proof": proof,
            }
        status = 200 if shop is not None else 502
        return _html("shopify_app.html", values, visit.shop if framed else "", bridge=framed, status=status)

    def _sorry(self, mood: Mood, shop: str) -> Reply:
        values = {"mood": mood, "said": "", "inside": self._inside(self._only_app(), shop)}
        return _html("shopify_sorry.html", values, shop, status=_STATUS[mood])

    def _inside(self, app: AppRecord | None, shop: str) -> str:
        return self._desk.platform.inside_url(app, shop) if app is not None and shop else ""

    def _only_app(self) -> AppRecord | None:
        apps = self._desk.apps()
        return apps[0] if len(apps) == 1 else None

    def _known_shop(self, query: Mapping[str, str]) -> str:
        """The shop that a query names, by the platform's rules; unproved, and good for no more than a frame."""
        named = {"shop": query.get("shop", "")}
        seen = self._desk.platform.read_visit(named, "", [], datetime.now(UTC))
        return seen.shop


def _worth_telling(standing: Standing) -> list[Finding]:
    """What the check-up found, but for what the page's own switch shows."""
    found = standing.checkup.findings if standing.checkup else ()
    return [finding for finding in found if finding.reason.code not in ABOUT_THE_SWITCH]


class _Served:
    """Starlette takes an object for a bare application, and a function for one that wants a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)


def app_routes(front: Front, desk: AppDesk) -> list[BaseRoute]:
    """The app's addresses."""
    app = ShopifyApp(front, desk)
    return [
        Route(HOME, _Served(app.home), methods=["GET", "POST"]),
        Route(RELOAD, _Served(app.reload), methods=["GET"]),
        Route(GRANTED, _Served(app.granted), methods=["GET"]),
    ]


_ENDED: frozenset[Why] = frozenset({"token_ended", "query_old"})


def _query(scope: Scope) -> dict[str, str]:
    try:
        return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _headers(shop: str, *, bridge: bool = False) -> tuple[tuple[str, str], ...]:
    """Only this shop's admin may frame the page; without a shop nobody may."""
    frames = f"https://{shop} https://admin.shopify.com" if shop else "'none'"
    script = _BRIDGE if bridge else "'none'"
    connect = f"'self' {_BRIDGE} https://*.shopify.com" if bridge else "'none'"
    policy = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; script-src {script}; connect-src {connect}; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
    )
    return (
        ("content-security-policy", policy),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    )


def _html(template: str, values: Mapping[str, Any], shop: str, *, bridge: bool = False, status: int = 200) -> Reply:
    kind = ("content-type", "text/html; charset=utf-8")
    return Reply(status, render(template, values), (kind, *_headers(shop, bridge=bridge)))
