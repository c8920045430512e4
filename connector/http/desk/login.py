"""The pages before the desk: log in, log out, and the one-time links of first users, invitations and new passwords."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from connector.http.desk.fields import read_form, read_query
from connector.http.desk.guard import Cookie, caller, form_is_ours, is_ours
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Complaint
from connector.http.desk.passwords import Passwords, Throttle, TooBusy, complain
from connector.http.desk.render import warm_up
from connector.http.desk.replies import html, message_page, notice_of, outside, redirect, safe_path
from connector.http.errors import send_reply
from connector.http.limits import NoBody, read_headers, refuse_body
from connector.redaction import describe_error
from connector.storage.logins import links, people, sessions
from connector.storage.logins.links import Link, LinkUsedUp
from connector.storage.logins.people import BadEmail, User, UserExists
from webhooks.receiver import Reply

log = structlog.get_logger("waybill.http.desk")

Serve = Callable[[Scope, Mapping[str, str], Mapping[str, str]], Awaitable[Reply]]


class Lobby:
    """Serves the addresses that need no session."""

    def __init__(self, house: DeskHouse) -> None:
        self._house = house
        self._cookie = Cookie(house.public_url)
        self._passwords = Passwords()
        self._throttle = Throttle(house.now)

    def close(self) -> None:
        """Let go of the threads."""
        self._passwords.close()

    async def login(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`/login`."""
        await self._answer(scope, receive, send, self._show_login, self._log_in)

    async def logout(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`/logout`."""
        await self._answer(scope, receive, send, self._show_login, self._log_out)

    async def welcome(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`/welcome/{token}`."""
        await self._answer(scope, receive, send, self._show_welcome, self._take_in)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, show: Serve, act: Serve) -> None:
        headers = read_headers(scope)
        await warm_up()
        try:
            if scope["method"] != "POST":
                reply: Reply | NoBody = await show(scope, headers, read_query(scope))
            else:
                form = await read_form(headers, receive, self._house)
                if isinstance(form, NoBody):
                    reply = form
                elif not is_ours(headers, self._house.public_url):
                    reply = message_page("strange", 403)
                else:
                    reply = await act(scope, headers, dict(form.fields))
        except TooBusy:
            reply = message_page("busy", 503)
        except SQLAlchemyError as error:
            log.warning("login not possible", error=describe_error(error))
            reply = message_page("unavailable", 503)
        if isinstance(reply, NoBody):
            await refuse_body(reply, receive, send)
        else:
            await send_reply(send, reply)

    async def _show_login(self, _scope: Scope, headers: Mapping[str, str], query: Mapping[str, str]) -> Reply:
        token = self._cookie.read(headers)
        if token and await self._find(token) is not None:
            return redirect(safe_path(query.get("to", "")))
        nobody = await self._house.database.run(people.count_users) == 0
        return self._login_page(query, nobody=nobody)

    async def _find(self, token: str) -> sessions.SignedIn | None:
        return await self._house.database.run(sessions.find, self._house.keyring, token, self._house.now())

    def _login_page(
        self, typed: Mapping[str, str], complaint: Complaint | None = None, status: int = 200, *, nobody: bool = False
    ) -> Reply:
        shown = {"email": typed.get("email", ""), "to": safe_path(typed.get("to", ""))}
        values = {**outside(), "typed": shown, "complaint": complaint, "notice": notice_of(typed), "nobody": nobody}
        return html("login.html", values, status)

    async def _log_in(self, scope: Scope, headers: Mapping[str, str], form: Mapping[str, str]) -> Reply:
        """Equal answers for an unknown address and a wrong password, after equal work."""
        email, password = form.get("email", "").strip(), form.get("password", "")
        account = self._house.keyring.keyed_hash(b"login:" + email.lower().encode())
        address = caller(scope, headers)
        wait_s = self._throttle.wait_s(account, address)
        if wait_s:
            minutes = -(-wait_s // 60)
            return self._login_page(form, Complaint("login.wait", params={"minutes": minutes}), 429)
        found = await self._house.database.run(people.find_login, self._house.keyring, email)
        if not await self._passwords.check(found[1] if found else None, password) or found is None:
            self._throttle.failed(account, address)
            return self._login_page(form, Complaint("login.wrong", "password"), 422)
        self._throttle.succeeded(account, address)
        if self._passwords.is_dated(found[1]):
            new = await self._passwords.hash(password)
            await self._house.database.run(people.refresh_hash, found[0], found[1], new)
        return await self._sign_in(found[0], headers, safe_path(form.get("to", "")))

    async def _sign_in(self, user_id: str, headers: Mapping[str, str], to: str) -> Reply:
        now = self._house.now()
        token = await self._house.database.run(sessions.start, user_id, now, self._cookie.read(headers))
        return redirect(to, self._cookie.write(token))

    async def _log_out(self, _scope: Scope, headers: Mapping[str, str], form: Mapping[str, str]) -> Reply:
        token = self._cookie.read(headers)
        if token:
            if not form_is_ours(token, "/logout", form.get("_form", "")):
                return message_page("strange", 403)
            await self._house.database.run(sessions.end, token)
        return redirect("/login?done=left", self._cookie.write(""))

    async def _show_welcome(self, scope: Scope, _headers: Mapping[str, str], _query: Mapping[str, str]) -> Reply:
        link = await self._link(scope)
        return message_page("link_used", 410) if link is None else self._welcome_page(scope, link)

    def _welcome_page(
        self, scope: Scope, link: Link, typed: Mapping[str, str] | None = None, complaint: Complaint | None = None
    ) -> Reply:
        shown = {"email": link.email, "name": "", **(typed or {})}
        values: dict[str, Any] = {**outside(), "typed": shown, "complaint": complaint, "link": link}
        return html("welcome.html", {**values, "here": scope["path"]}, 422 if complaint else 200)

    async def _link(self, scope: Scope) -> Link | None:
        token, now = scope["path_params"]["token"], self._house.now()
        try:
            return await self._house.database.run(links.look, self._house.keyring, token, now)
        except LinkUsedUp:
            return None

    async def _take_in(self, scope: Scope, headers: Mapping[str, str], form: Mapping[str, str]) -> Reply:
        link = await self._link(scope)
        if link is None:
            return message_page("link_used", 410)
        given = {name: form.get(name, "").strip() for name in ("email", "name")}
        fault = _fault(link, given, form.get("password", ""), form.get("again", ""))
        if fault is not None:
            return self._welcome_page(scope, link, given, fault)
        password_hash = await self._passwords.hash(form.get("password", ""))
        try:
            user = await self._house.database.run(self._use, scope["path_params"]["token"], given, password_hash)
        except LinkUsedUp:
            return message_page("link_used", 410)
        except (BadEmail, UserExists) as error:
            return self._welcome_page(scope, link, given, Complaint(text=error.message, field="email"))
        return await self._sign_in(user.id, headers, "/desk")

    def _use(self, connection: Connection, token: str, given: Mapping[str, str], password_hash: str) -> User:
        return links.use(
            connection,
            self._house.keyring,
            token,
            email=given["email"],
            name=given["name"],
            password_hash=password_hash,
            now=self._house.now(),
        )


def _fault(link: Link, given: Mapping[str, str], password: str, again: str) -> Complaint | None:
    """What is wrong with a welcome form."""
    if link.kind != "reset" and not given["name"]:
        return Complaint("name.missing", "name")
    if link.kind == "first":
        try:
            people.normal_email(given["email"])
        except BadEmail as error:
            return Complaint(text=error.message, field="email")
    code = complain(password, link.email or given["email"])
    if code:
        return Complaint(code, "password")
    if password != again:
        return Complaint("password.differs", "again")
    return None
