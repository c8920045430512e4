"""Templates to bytes. Jinja2 is loaded when the first page is asked for: the checkout needs none of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio.to_thread

from connector.watch.shops import Share
from connector.words.desk_texts import say, texts
from connector.words.reason import Reason
from connector.words.spreadsheet import money_text

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_COMMAND = re.compile(r"`([^`]+)`")


async def warm_up() -> None:
    """Load Jinja2 and the frame of every page, once and in a thread: it takes as long as a checkout may wait."""
    if not _environment.cache_info().currsize:
        await anyio.to_thread.run_sync(lambda: _environment().get_template("message.html"))


def render(template: str, values: Mapping[str, Any]) -> bytes:
    """A page."""
    return _environment().get_template(template).render(values).encode()


def static_url(name: str) -> str:
    """A file's address; it changes with the file, so that browsers may keep it for good."""
    return f"/desk/static/{name}?v={static_version(name)}"


@functools.cache
def static_version(name: str) -> str:
    """The first digits of a file's hash."""
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def moment_text(at: datetime, zone: tzinfo) -> str:
    """A moment to the minute, in that zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def ago_text(at: datetime, now: datetime) -> str:
    """How long ago that was, in the greatest unit that fits."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return say(f"ago.{unit}", n=seconds // length)
    return say("ago.now")


def share_text(share: Share) -> str:
    """A share as a percentage with one decimal; a dash where there was nothing to share."""
    if not share.answers:
        return "–"  # noqa: RUF001 - a dash.
    tenths = -(-share.backups * 1000 // share.answers)
    return f"{tenths // 10}.{tenths % 10} %"


def with_query(query: Mapping[str, str], **changes: object) -> str:
    """This page's address with other filters: None takes one away."""
    kept = {**query, **{name: None if value is None else str(value) for name, value in changes.items()}}
    encoded = urlencode({name: value for name, value in kept.items() if value})
    return f"?{encoded}" if encoded else "?"


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
    from markupsafe import Markup, escape

    def prose(text: str) -> str:
        """Text as a page shows it: what stands between backticks is for a command line."""
        return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it is escaped.

    @pass_context
    def moment(context: Context, at: datetime | None) -> str:
        if at is None:
            return ""
        text = moment_text(at, context["zone"])
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text)

    @pass_context
    def ago(context: Context, at: datetime | None) -> str:
        if at is None:
            return say("ago.never")
        text, exact = ago_text(at, context["now"]), moment_text(at, context["zone"])
        return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exact, text)

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        money=lambda amount: "" if amount is None else money_text(amount),
        moment=moment,
        ago=ago,
        prose=prose,
        reason=lambda why: prose(why.say()) if isinstance(why, Reason) else "",
    )
    environment.globals.update(
        t=lambda code, **params: prose(say(code, **params)),
        has_text=lambda code: code in texts(),
        static=static_url,
        with_query=with_query,
        share=share_text,
    )
    return environment
