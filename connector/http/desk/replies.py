"""Answers of the desk that need no session: pages, redirects, the frame of those that belong to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connector.http.desk.guard import HEADERS, NO_STORE
from connector.http.desk.render import render
from connector.words.desk_texts import texts
from webhooks.receiver import Reply

_HTML = ("content-type", "text/html; charset=utf-8")


def html(template: str, values: Mapping[str, Any], status: int = 200, *more: tuple[str, str]) -> Reply:
    """A page as it is sent."""
    return Reply(status, render(template, values), (_HTML, NO_STORE, *HEADERS, *more))


def redirect(to: str, *more: tuple[str, str]) -> Reply:
    """Another page, asked for with GET."""
    return Reply(303, b"", (("location", to), NO_STORE, *HEADERS, *more))


def message_page(code: str, status: int, *more: tuple[str, str], request_id: str = "") -> Reply:
    """A page that only says something."""
    return html("message.html", {**outside(), "code": code, "request_id": request_id}, status, *more)


def outside() -> dict[str, Any]:
    """The frame of a page that belongs to nobody and no shop."""
    return {
        "user": None,
        "role": None,
        "shop": None,
        "base": "/desk",
        "here": "",
        "query": {},
        "typed": {},
        "navigation": [],
        "nearby": [],
        "many_shops": False,
        "complaint": None,
        "notice": None,
        "form_field": lambda *_action: "",
    }


def notice_of(query: Mapping[str, str]) -> tuple[str, str] | None:
    """The code and number of a notice that a redirect left in the address; what is no notice of ours is not shown."""
    code, n = f"done.{query.get('done', '')}", query.get("n", "")
    return (code, n if n.isascii() and n.isdigit() else "") if code in texts() else None


def safe_path(text: str) -> str:
    """A path of the desk to go to after a login; anything else leads to its start."""
    parts = urlsplit(text)
    fits = text.startswith("/desk") and not parts.scheme and not parts.netloc and "\\" not in text
    return text if fits and text.isprintable() else "/desk"
