"""What the web process serves with: rate calls, webhooks, the desk, and how the surroundings are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connector.checkup import refused as refusals
from connector.http.desk.house import DeskHouse
from connector.http.limits import Limits
from connector.http.ports import APP, CARRIER, HealthReport, Quoted
from connector.quotes.follow import Follower
from connector.storage.database import Database
from connector.store import Incoming, RateCall
from connector.wiring.kinds import CARRIERS
from connector.work import failures
from connector.work.lease import live_workers
from connector.work.port import Task
from webhooks.receiver import Receiver

if TYPE_CHECKING:
    from connector.wiring.house import House


def receiver(house: House) -> refusals.Receiving:
    """What takes webhooks in: stored and queued in one transaction."""

    def enqueue(connection: Connection, key: str) -> None:
        delivery = house.inbox.load(connection, key)
        if delivery is None or not delivery.shop_id:
            return
        kind, _, owner = delivery.endpoint.partition(":")
        args: tuple[str, ...] = (key,)
        name = "hooks.app" if kind == APP else "hooks.store"
        if kind == CARRIER:
            name, args = "hooks.carrier", (key, owner)
        house.work.enqueue(connection, Task(name, key, delivery.shop_id, args))

    receiving = Receiver(house.inbox, house.database.transaction, enqueue)
    return refusals.Receiving(receiving.receive, house.refused)


def follower(house: House) -> Follower:
    """What keeps a process that quotes up with the others."""
    desk = house.quote_desk

    def is_local(carrier: str) -> bool:
        kind = CARRIERS.get(carrier)
        return kind is not None and kind.capabilities.local

    return Follower(house.database, house.ledger.writer, desk.shown, desk.learned, house.clock.now, is_local)


_OUTCOMES: Mapping[str, Literal["answered", "empty", "backup"]] = {
    "offers": "answered",
    "not_served": "empty",
    "backup": "backup",
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """Answers rate calls for the HTTP front."""

    house: House

    def again(self, shop_id: str, incoming: Incoming) -> Quoted | None:
        """See connector.http.ports.Quoting."""
        shop = self.house.directory.shop(shop_id)
        given = None if shop is None else self.house.quote_desk.again(shop.quoting, incoming)
        return None if given is None else Quoted(given.reply, _OUTCOMES[given.outcome], given.source, given.signature)

    async def answer(self, shop_id: str, call: RateCall, received_at: float, incoming: Incoming) -> Quoted:
        """See connector.http.ports.Quoting."""
        shop = self.house.directory.shop(shop_id)
        assert shop is not None  # noqa: S101 - the front has just found it.
        given = await self.house.quote_desk.give(shop.quoting, call, received_at, incoming)
        return Quoted(given.reply, _OUTCOMES[given.outcome], given.source, given.signature)

    def hung_up(self, shop_id: str, after_s: float) -> None:
        """See connector.http.ports.Quoting."""
        self.house.quote_desk.patience.hung_up(shop_id, after_s)

    def received(self, shop_id: str, outcome: str) -> None:
        """See connector.http.ports.Quoting."""
        self.house.ledger.request(shop_id, self.house.clock.now().date(), outcome)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How database, schema and workers are, for health pages and metrics."""

    database: Database
    lease_s: float

    async def report(self) -> HealthReport:
        """See connector.http.ports.Health."""
        try:
            return await self.database.run(self._look)
        except SQLAlchemyError:
            return HealthReport(database="down")

    def _look(self, connection: Connection) -> HealthReport:
        alive = live_workers(connection)
        failed = [each for each in failures.list_failures(connection) if each.state in {"failed", "parked"}]
        return HealthReport(
            database="up",
            migrations="current",
            worker_heartbeat_age_s=min((max(0.0, self.lease_s - each.expires_in_s) for each in alive), default=None),
            failed_work=len(failed),
        )


def desk_house(house: House) -> DeskHouse:
    """What the desk's pages work with."""
    return DeskHouse(
        database=house.database,
        directory=house.directory,
        keyring=house.keyring,
        work=house.work,
        outgoing=house.outgoing,
        clock=house.clock,
        clinic=house.clinic,
        installer=house.installer,
        carrier_desk=house.carrier_desk,
        shelf=house.shelf,
        metrics=house.metrics,
        health=Surroundings(house.database, house.settings.lease_s),
        limits=Limits.of(house.settings),
        public_url=house.settings.public_url,
        clock_is_moved=house.settings.test_clock is not None,
        fonts=house.settings.fonts,
    )
