"""The door of every page: who is there, may they come in, is the form ours and not sent before; then the page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import anyio.to_thread
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from connector.directory import ShopEntry
from connector.http.desk.fields import lists_of, read_form, read_query
from connector.http.desk.guard import HEADERS, NO_STORE, Cookie, form_is_ours, is_ours, new_form
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, Stream, View
from connector.http.desk.render import warm_up
from connector.http.desk.replies import html, message_page, notice_of, redirect
from connector.http.errors import send_reply
from connector.http.limits import NoBody, read_headers, refuse_body
from connector.redaction import describe_error
from connector.storage.logins import forms, sessions
from connector.storage.logins.people import User
from connector.storage.logins.tables import Role
from webhooks.errors import WaybillError
from webhooks.receiver import Reply

_REPEAT_PATIENCE_S, _REPEAT_LOOK_S = 10.0, 0.2

log = structlog.get_logger("waybill.http.desk")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; those of one group stand behind one line, and in a row of their own below it."""

    place: str
    path: str
    role: Role
    group: str = ""


def may(role: Role | None, least: Role) -> bool:
    """Whether a role suffices."""
    return role == "owner" or (role is not None and least == "packer")


Line = tuple[str, str, bool]
"""A place or a group, its address, and whether it is where the person is."""


def lines_of(entries: Sequence[Entry], base: str, here: str) -> list[Line]:
    """The upper row: single entries, and each group once, leading to its first entry."""
    lines: list[Line] = []
    for each in entries:
        members = [other for other in entries if each.group and other.group == each.group] or [each]
        if members[0] is each:
            name = f"group.{each.group}" if each.group else each.place
            lines.append((name, f"{base}{each.path}", any(member.place == here for member in members)))
    return lines


def nearby(entries: Sequence[Entry], base: str, here: str) -> list[Line]:
    """The lower row: the group that the person is in; empty where it has no other entry."""
    group = next((each.group for each in entries if each.place == here), "")
    members = [each for each in entries if group and each.group == group]
    return [(each.place, f"{base}{each.path}", each.place == here) for each in members] if len(members) > 1 else []


class Door:
    """Serves one page, as a bare ASGI application."""

    def __init__(self, page: Page, house: DeskHouse, navigation: Sequence[Entry]) -> None:
        self._page = page
        self._house = house
        self._navigation = navigation
        self._cookie = Cookie(house.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = read_headers(scope)
        await warm_up()
        try:
            reply = await self._serve(scope, headers, receive)
        except SQLAlchemyError as error:
            log.warning("page not shown", place=self._page.place, error=describe_error(error))
            reply = message_page("unavailable", 503)
        if isinstance(reply, NoBody):
            await refuse_body(reply, receive, send)
        elif isinstance(reply, Stream):
            await _send_stream(send, reply)
        else:
            await send_reply(send, reply)

    def apologise(self, request_id: str) -> Reply:
        """See connector.http.errors.Apologises."""
        return message_page("internal", 500, request_id=request_id)

    async def _serve(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Reply | Stream | NoBody:
        here = str(scope["path"])
        token = self._cookie.read(headers)
        signed_in = None
        if token:
            signed_in = await self._house.database.run(sessions.find, self._house.keyring, token, self._house.now())
        if signed_in is None:
            query = scope.get("query_string", b"").decode("latin-1")
            back = f"{here}?{query}" if query else here
            return redirect(f"/login?to={quote(back, safe='')}" if scope["method"] != "POST" else "/login?done=ended")
        ask = self._asked(signed_in.user, token, scope)
        if ask is None:
            return message_page("not_found", 404)
        if not may(ask.role, self._page.role):
            return message_page("forbidden", 403)
        if scope["method"] == "POST":
            form = await read_form(headers, receive, self._house, uploads=self._page.uploads)
            if isinstance(form, NoBody):
                return form
            sent = replace(ask, typed=dict(form.fields), typed_lists=lists_of(form.fields), files=form.files)
            return await self._act(sent, here, headers)
        return await self._show(ask, here)

    def _asked(self, user: User, token: str, scope: Scope) -> Ask | None:
        """The request, if the person may know of the place at all."""
        path = dict(scope["path_params"])
        query = read_query(scope)
        entry: ShopEntry | None = None
        role: Role | None = "owner" if user.owns_installation else "packer"
        if not self._page.whole:
            entry = self._house.directory.shop(path.pop("shop"))
            role = None if entry is None else user.role_in(entry.id)
            if role is None:
                return None
        assert role is not None  # noqa: S101 - for the type checker.
        return Ask(user, role, entry, self._house.now(), path=path, query=query, session=token)

    async def _show(self, ask: Ask, here: str, complaint: Complaint | None = None, status: int = 200) -> Reply | Stream:
        if self._page.show is None:
            if complaint is None:
                return message_page("not_found", 404)
            return await self._reply(
                ask, here, View("message.html", {"code": "refused", "request_id": ""}), complaint, status
            )
        try:
            answer = await self._page.show(self._house, ask)
        except NotThere:
            return message_page("not_found", 404)
        return await self._reply(ask, here, answer, complaint, status)

    async def _act(self, ask: Ask, here: str, headers: Mapping[str, str]) -> Reply | Stream:
        given = ask.typed.get("_form", "")
        if not is_ours(headers, self._house.public_url) or not form_is_ours(ask.session, here, given):
            return await self._show(ask, here, Complaint("form.strange"), 403)
        body = urlencode(sorted((name, value) for name, values in ask.typed_lists.items() for value in values
                                if name != "_form"))  # fmt: skip
        before = await self._house.database.run(forms.claim, given, body, self._house.now())
        if before is not None:
            return await self._again(ask, here, given, body, before)
        if self._page.act is None:
            return message_page("not_found", 404)
        took_effect = True
        try:
            answer = await self._page.act(self._house, ask)
            took_effect = isinstance(answer, Goto)
        except NotThere:
            took_effect = False
            return message_page("not_found", 404)
        except WaybillError as error:
            took_effect = False
            return await self._show(ask, here, Complaint(text=error.message, field=error.detail), 422)
        finally:
            if not took_effect:
                await self._house.database.run(forms.release, given)
        if isinstance(answer, Goto):
            await self._house.database.run(forms.settle, given, _location(answer))
            await self._house.refresh()
        return await self._reply(ask, here, answer)

    async def _again(self, ask: Ask, here: str, given: str, body: str, before: forms.SentForm) -> Reply | Stream:
        """A form that was sent before: it leads where it led, and changes nothing."""
        end = asyncio.get_running_loop().time() + _REPEAT_PATIENCE_S
        found: forms.SentForm | None = before
        while found is not None and found.same:
            if found.result is not None:
                return redirect(found.result)
            if asyncio.get_running_loop().time() > end:
                return redirect(f"{here}?done=working")
            await asyncio.sleep(_REPEAT_LOOK_S)
            found = await self._house.database.run(forms.look, given, body)
        return await self._show(ask, here, Complaint("form.sent_before"), 409)

    async def _reply(
        self, ask: Ask, here: str, answer: Answer, complaint: Complaint | None = None, status: int = 200
    ) -> Reply | Stream:
        match answer:
            case Goto():
                return redirect(_location(answer))
            case Download():
                kind = _file_headers(answer.media_type, answer.name, inline=answer.inline)
                return Reply(200, answer.body, _sandboxed(kind) if answer.sandboxed else kind)
            case Stream():
                return answer
            case View():
                said = complaint or answer.complaint
                usual = 422 if said else answer.status
                values = {**self._surroundings(ask, here, said), **answer.values}
                # A long list costs its thread, not the checkout.
                return await anyio.to_thread.run_sync(html, answer.template, values, status if status != 200 else usual)

    def _surroundings(self, ask: Ask, here: str, complaint: Complaint | None) -> dict[str, Any]:
        """What every page's frame needs."""
        entry = ask.entry
        base = ask.base if entry is not None else "/desk"
        mine = [each for each in self._navigation if entry is not None and may(ask.role, each.role)]
        return {
            "user": ask.user,
            "role": ask.role,
            "shop": entry,
            "base": base,
            "here": here,
            "query": ask.query,
            "typed": ask.typed,
            "now": ask.now,
            "zone": ask.zone,
            "navigation": lines_of(mine, base, self._page.place),
            "nearby": nearby(mine, base, self._page.place),
            "many_shops": sees_many(self._house, ask.user),
            "complaint": complaint,
            "notice": notice_of(ask.query),
            "form_field": lambda action=here: new_form(ask.session, action),
        }


def _file_headers(media_type: str, name: str, *, inline: bool = False) -> tuple[tuple[str, str], ...]:
    how = "inline" if inline else "attachment"
    called = ("content-disposition", f"{how}; filename*=UTF-8''{quote(name, safe='')}")
    return (called, ("content-type", media_type), NO_STORE, *HEADERS)


def _sandboxed(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, f"{value}; sandbox" if name == "content-security-policy" else value) for name, value in headers)


async def _send_stream(send: Send, stream: Stream) -> None:
    """Send a file as it is made. What fails on the way ends it early: browsers see that the end is missing."""
    named = _file_headers(stream.media_type, stream.name)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for piece in stream.pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def sees_many(house: DeskHouse, user: User) -> bool:
    """Whether the person has a shop to change to."""
    return sum(user.role_in(each.id) is not None for each in house.directory.shops()) > 1


def _location(to: Goto) -> str:
    if not to.done:
        return to.path
    known = {"done": to.done, **({} if to.n is None else {"n": str(to.n)})}
    return f"{to.path}{'&' if '?' in to.path else '?'}{urlencode(known)}"
