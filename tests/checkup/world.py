"""A live shop in good order, at simulators of Shopify and EasyPost, with a web front and a worker that seem to run."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection, delete, insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.checkup.finding import Checkup
from connector.directory import ShopEntry
from connector.installing.switch import switch_on
from connector.quotes.ledger import quotes
from connector.settings import Settings
from connector.storage import settings_versions
from connector.storage.accounts import add_account, list_accounts, switch_account
from connector.storage.audit import Actor
from connector.storage.ids import new_id
from connector.storage.schema import database_time
from connector.stores.shopify.settings import ShopifySettings
from connector.wiring import House, open_house
from connector.work.lease import executors
from tests.simulators import easypost, shopify
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.server import serve
from tests.simulators.shopify_control import ShopifyControl

BY_TEST = Actor("command", "a test")
DOMAIN = "waybill-test.myshopify.com"


_ALIVE = '{"alive": true}'


@dataclass
class Front:
    """What answers at our public address. `body` is what `/healthz` says, with `status`."""

    url: str = ""
    status: int = 200
    body: str = _ALIVE
    hangs_up: bool = False

    def heal(self) -> None:
        """Answer as Waybill does."""
        self.status, self.body, self.hangs_up = 200, _ALIVE, False

    async def answer(self, request: Request) -> Response:
        if self.hangs_up:
            request.scope["state"]["abort"]()
        return Response(self.body, self.status, media_type="application/json")


@dataclass
class Patient:
    """A shop with everything around it."""

    house: House
    shop_id: str
    store: ShopifyControl
    carrier: EasyPostControl
    front: Front

    @property
    def shop(self) -> ShopEntry:
        found = self.house.directory.shop(self.shop_id)
        assert found is not None
        return found

    async def check(self) -> Checkup:
        """A check-up with what was changed in the database in memory."""
        await self.house.refused.flush()
        await self.house.directory.refresh()
        return await self.house.clinic.check(self.shop_id)

    async def codes(self) -> set[str]:
        """The causes that a check-up names."""
        return {finding.reason.code for finding in (await self.check()).findings}

    async def at_store(self, what: str, *args: Any, **values: Any) -> Any:
        """Call the simulator's control, off the loop."""
        return await anyio.to_thread.run_sync(lambda: getattr(self.store, what)(*args, **values))

    async def at_carrier(self, what: str, *args: Any, **values: Any) -> Any:
        """The same at the carrier."""
        return await anyio.to_thread.run_sync(lambda: getattr(self.carrier, what)(*args, **values))

    async def of_store(self, what: str) -> list[dict[str, Any]]:
        """Services or subscriptions, as the store has them."""
        found: list[dict[str, Any]] = (await self.at_store("state"))[what]
        return found

    async def settings(self, **values: Any) -> None:
        """Publish shop settings."""
        body = {"mode": "live", **values}
        await self.house.database.run(settings_versions.publish, self.shop_id, body, BY_TEST, self.house.clock.now())

    async def account(self, key: str, *, test_mode: bool | None) -> None:
        """The one carrier account, in place of the one before."""
        await self.house.database.run(self._account, key, test_mode)

    def _account(self, connection: Connection, key: str, test_mode: bool | None) -> None:
        now = self.house.clock.now()
        self._no_account(connection)
        given = {"api_key": key, "api_base": self.carrier.base_url}
        add_account(connection, self.house.keyring, self.shop_id, "easypost", given, test_mode, BY_TEST, now)

    async def no_account(self) -> None:
        """Take every carrier account away."""
        await self.house.database.run(self._no_account)

    def _no_account(self, connection: Connection) -> None:
        for account in list_accounts(connection, self.house.keyring, self.shop_id):
            switch_account(connection, self.shop_id, account.id, False, BY_TEST, self.house.clock.now())

    async def asked(self, *, ago: timedelta = timedelta(minutes=5), signature: str = "valid") -> None:
        """A checkout asked for a price."""
        await self.house.database.run(self._asked, ago, signature)

    def _asked(self, connection: Connection, ago: timedelta, signature: str) -> None:
        at = self.house.clock.now() - ago
        columns: dict[str, Any] = {
            "id": new_id("quo", at),
            "at": at,
            "outcome": "offers",
            "settings_version": 1,
            "facts_hash": "f",
            "match_key": "m",
            "cart": {},
            "answers": [],
            "decision": {},
            "echo": {},
            "signature": signature,
            "answer_digest": "d",
            "elapsed_ms": 1,
        }
        connection.execute(quotes.insert(self.shop_id, **columns))

    async def worker(self, *, alive: bool) -> None:
        """Whether a worker seems to run."""
        await self.house.database.run(_worker, alive)


def _worker(connection: Connection, alive: bool) -> None:
    connection.execute(delete(executors))
    if alive:
        now = database_time(connection.dialect.name)
        values = {"kind": "worker", "host": "here", "pid": 1, "incarnation": "1", "fenced": False, "stopped": False}
        times = {"started_at": now, "expires_at": now + 3600}
        connection.execute(insert(executors).values(id="ex_test", **values, **times))


@dataclass(frozen=True)
class Outside:
    """The servers around a house, and the data folder of a healthy shop there; each test works on a copy of it."""

    front: Front
    store: ShopifyControl
    carrier: EasyPostControl
    folder: Path
    shop_id: str


@contextmanager
def outside_world(reference: Path, folder: Path) -> Iterator[Outside]:
    """Start the servers and admit one patient."""
    front = Front()
    app = Starlette(routes=[Route("/healthz", front.answer, methods=["GET"])])
    with (
        serve(app) as front.url,
        serve(shopify.build(reference)) as store_url,
        serve(easypost.build(reference)) as carrier_url,
    ):
        store, carrier = ShopifyControl(store_url), EasyPostControl(carrier_url)
        shop_id = anyio.run(_admit, folder, front, store, carrier)
        store.save()
        yield Outside(front, store, carrier, folder, shop_id)


@asynccontextmanager
async def healthy(outside: Outside, folder: Path, **settings: Any) -> AsyncIterator[Patient]:
    """A patient who lacks nothing. `settings` are process settings besides the usual."""
    shutil.copytree(outside.folder, folder)
    outside.front.heal()
    house = open_house(_settings(folder, outside.front, **settings))
    try:
        await house.directory.refresh()
        patient = Patient(house, outside.shop_id, outside.store, outside.carrier, outside.front)
        await patient.at_store("go_back")
        await _fill_wallet(patient)
        yield patient
    finally:
        await house.aclose()


def _settings(folder: Path, front: Front, **more: Any) -> Settings:
    given: dict[str, Any] = {"data_dir": folder, "public_url": front.url, "allow_private_addresses": True} | more
    return Settings(**given)


async def _admit(folder: Path, front: Front, store: ShopifyControl, carrier: EasyPostControl) -> str:
    house = open_house(_settings(folder, front))
    try:
        await anyio.to_thread.run_sync(house.prepare_database)
        await house.directory.refresh()
        fields = {"domain": DOMAIN, "client_id": "client-id", "client_secret": "client-secret"}
        fields["api_base"] = store.base_url
        checked = ShopifySettings.model_validate(fields)
        installed = await house.installer.connect("shopify", checked, fields, BY_TEST)
        patient = Patient(house, installed.shop.id, store, carrier, front)
        await switch_on(house.installer, installed.shop, BY_TEST)
        await patient.settings()
        await patient.account("EZAKproduction", test_mode=False)
        await patient.worker(alive=True)
        await patient.asked()
        await patient.at_store("place_order", paid=True)
        return patient.shop_id
    finally:
        await house.aclose()


async def _fill_wallet(patient: Patient) -> None:
    await patient.at_carrier("reset")
    await patient.at_carrier("user", balance="250.00000", has_billing_method=False, recharge_amount=None)


def as_text(checkup: Checkup) -> str:
    """For the message of a failed assertion."""
    lines = [f"{each.level} {each.reason.code} {each.reason.say()}" for each in checkup.findings]
    return "\n".join(lines + [f"not made: {json.dumps(each.to_json())}" for each in checkup.not_made])
