"""A whole house behind the desk, in this process: a sandbox shop with a sandbox carrier, and people who log in."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from argon2 import PasswordHasher

from connector.http.routes import build_app
from connector.serving import front_of
from connector.settings import Settings
from connector.storage.logins import people, sessions
from connector.storage.logins.people import User
from connector.storage.logins.tables import Role
from connector.wiring import House, open_house

T = TypeVar("T")

HOST = "http://desk.example"
PASSWORD = "a calm sentence of tests"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_FORM = re.compile(r'<form method="post" action="([^"]*)"[^>]*>\s*<input type="hidden" name="_form" value="([^"]*)">')


def copied_house(steady: Path, folder: Path, **settings: Any) -> House:
    """An opened house on a copy of a data folder."""
    shutil.copytree(steady, folder, dirs_exist_ok=True)
    return open_house(Settings(data_dir=folder, public_url=settings.pop("public_url", HOST), **settings))


@dataclass
class Browser:
    """What a browser does without scripts: keeps cookies, names its origin, and sends a form's hidden fields."""

    client: httpx2.AsyncClient
    origin: str = HOST
    page: httpx2.Response = field(init=False)

    async def open(self, path: str, status: int = 200) -> httpx2.Response:
        """A page, after its redirects."""
        self.page = await self.client.get(path, follow_redirects=True)
        assert self.page.status_code == status, (self.page.status_code, self.page.text[:2000])
        return self.page

    def token(self, action: str) -> str:
        """The hidden field of the first form of the open page that is sent there."""
        return next(str(token) for to, token in _FORM.findall(self.page.text) if to == action)

    async def send(
        self, fields: Mapping[str, str], action: str = "", *, token: str | None = None, **options: Any
    ) -> httpx2.Response:
        """Send a form of the open page; the answer as it is, without following it."""
        action = action or self.page.request.url.path
        given = {"_form": self.token(action) if token is None else token, **fields}
        headers = {"origin": self.origin, "sec-fetch-site": "same-origin", **options.pop("headers", {})}
        return await self.client.post(action, data=given, headers=headers, **options)

    async def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """The page that an answer leads to."""
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        return await self.open(answer.headers["location"])


@dataclass
class DeskWorld:
    """The house, its shop, and the application."""

    house: House
    app: Any
    shop_id: str

    @property
    def base(self) -> str:
        """The path of the shop's home."""
        return f"/desk/{self.shop_id}"

    def add_user(self, email: str, role: Role, shop_id: str = "", name: str = "Anna") -> User:
        """A person with a password; in every shop unless one is named."""
        return self.house.here(
            people.add_user,
            self.house.keyring,
            email=email,
            name=name,
            password_hash=_CHEAP.hash(PASSWORD),
            roles={shop_id: role},
            actor=None,
            now=self.house.clock.now(),
        )

    @asynccontextmanager
    async def stranger(self, **options: Any) -> AsyncIterator[Browser]:
        """A browser without a session."""
        transport = httpx2.ASGITransport(app=self.app, **options)
        async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
            yield Browser(client)

    @asynccontextmanager
    async def signed_in(self, user: User) -> AsyncIterator[Browser]:
        """A browser with a session of this person."""
        token = self.house.here(sessions.start, user.id, self.house.clock.now())
        async with self.stranger() as browser:
            browser.client.cookies.set("waybill", token)
            yield browser


@asynccontextmanager
async def opened(house: House) -> AsyncIterator[DeskWorld]:
    """The world of a house, while it serves."""
    app = build_app(front_of(house))
    async with app.router.lifespan_context(app):
        (shop,) = house.directory.shops()
        yield DeskWorld(house, app, shop.id)
