"""A merchant's visit to an app of ours: what a platform must be able to prove, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from connector.storage.apps import AppRecord
from webhooks.outgoing import Outgoing

Why = Literal["nothing", "token_wrong", "token_ended", "other_shop", "query_wrong", "query_old"]
"""Why a visit is not believed."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that the platform vouches for.

    `subject` is the platform's id of the person, empty where it names none; `id_token` can be exchanged for access,
    empty for a visit outside the store's admin.
    """

    app: AppRecord = field(repr=False)
    shop: str
    subject: str = ""
    id_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NoVisit:
    """A request that nobody vouches for. `shop` is the one that it names, unproved; `code` is for our log."""

    why: Why
    shop: str = ""


class AppPlatform(Protocol):
    """What a platform's apps can do: prove visits, grant access, lead to the store's own pages."""

    def read_visit(
        self, query: Mapping[str, str], authorization: str, apps: Sequence[AppRecord], now: datetime
    ) -> Visit | NoVisit:
        """Who comes. `now` is real time: the platform's machines know no other. Never raises."""
        ...

    def read_return(self, query: Mapping[str, str], apps: Sequence[AppRecord], now: datetime) -> Visit | NoVisit:
        """The same for a merchant who comes back from being asked for permission."""
        ...

    async def exchange(self, outgoing: Outgoing, visit: Visit, now: datetime) -> Mapping[str, str]:
        """Token fields for a visit with an `id_token`; times are from `now`. Raises StoreError."""
        ...

    async def redeem(
        self, outgoing: Outgoing, app: AppRecord, shop: str, code: str, now: datetime
    ) -> Mapping[str, str]:
        """Token fields for the code that a merchant's permission gave. Raises StoreError."""
        ...

    def permission_url(self, app: AppRecord, shop: str, redirect: str, state: str) -> str:
        """Where a merchant is asked for permission."""
        ...

    def inside_url(self, app: AppRecord, shop: str) -> str:
        """Where the app is inside the store's admin."""
        ...
