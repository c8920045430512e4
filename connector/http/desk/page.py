"""What a page is: an address, who may see it, a function that shows it, and perhaps one that acts."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.directory import ShopEntry
from connector.http.desk.house import DeskHouse
from connector.storage.audit import Actor
from connector.storage.logins.people import User
from connector.storage.logins.tables import Role


class NotThere(Exception):
    """This shop has no such thing: the page answers 404, whoever else may have it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a form was not taken: a code of the desk's words with parameters, or a text, and the field that is to blame.

    `text` is for messages of ours that are safe for a merchant (`WaybillError.message`).
    """

    code: str = ""
    field: str = ""
    text: str = ""
    params: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A template with its values. With a complaint the page shows it beside what was typed, and nothing has changed."""

    template: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    complaint: Complaint | None = None
    status: int = 200

    def with_complaint(self, complaint: Complaint) -> View:
        """The same page, shown again because of what was typed."""
        return replace(self, complaint=complaint)


@dataclass(frozen=True, slots=True)
class Goto:
    """Another page, with a notice: `done` is a code of the desk's words, `n` the number in it."""

    path: str
    done: str = ""
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A file. `name` is what the browser calls it; `inline` shows it in the browser where that can.

    `sandboxed` keeps a browser from running anything that might be in it (and PDF viewers from showing it).
    """

    body: bytes
    media_type: str
    name: str
    inline: bool = False
    sandboxed: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """A file that is made while it is sent, piece by piece: long tables."""

    pieces: AsyncIterator[bytes]
    media_type: str
    name: str


Answer = View | Goto | Download | Stream


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a signed-in person. `typed` is what a form held; on a page that only shows it is empty."""

    user: User
    role: Role
    entry: ShopEntry | None
    now: datetime
    path: Mapping[str, str] = dataclasses.field(default_factory=dict)
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)
    typed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    typed_lists: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict, repr=False)
    session: str = dataclasses.field(default="", repr=False)

    @property
    def shop(self) -> ShopEntry:
        """The shop of a shop's page."""
        if self.entry is None:
            raise NotThere
        return self.entry

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit."""
        return Actor("person", self.user.id)

    @property
    def base(self) -> str:
        """The path of the shop's home, without a slash at the end."""
        return f"/desk/{self.shop.id}"

    @property
    def zone(self) -> tzinfo:
        """The shop's time zone; UTC where there is no shop or its zone is unknown."""
        try:
            return ZoneInfo(self.entry.record.timezone if self.entry else "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def without_form(self) -> Ask:
        """The same person at the same place, asking only to see it."""
        return replace(self, typed={}, typed_lists={}, files={})


Show = Callable[[DeskHouse, Ask], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the desk.

    `path` lies below `/desk/{shop}`, or with `whole` below `/desk` for what is not one shop's. `role` is the least
    that may come here. `act` is called once for each sent form; it returns `Goto` when it has done something, or a
    `View` with a complaint when it has not. `place` is the entry of the navigation that is marked. `uploads`: its
    form may hold files.
    """

    path: str
    place: str
    role: Role
    show: Show | None = None
    act: Show | None = None
    whole: bool = False
    uploads: bool = False

    @property
    def address(self) -> str:
        """The whole path, as a route."""
        return f"/desk{self.path}" if self.whole else f"/desk/{{shop}}{self.path}"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that it takes."""
        return (("GET",) if self.show else ()) + (("POST",) if self.act else ())
