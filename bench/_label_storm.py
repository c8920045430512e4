"""Purchases that go wrong in this process in every way that we know of, and what must be true of all of them after."""

from __future__ import annotations

import signal
import tempfile
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Literal

import anyio
from sqlalchemy.exc import DBAPIError

from connector.insight.ledger_check import check
from connector.labels.record import BUY
from connector.labels.tables import labels, parcels
from connector.quotes.decision import DecidedOffer
from connector.storage.database import open_database
from connector.storage.schema import metadata
from connector.work.port import Task
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier, Sale
from tests.labels.world import PERSON, RULE, World
from tests.postgres import PostgresServer, discard, launch_server

STATED = ("bought", "refused", "held")
"""Where a purchase may end. Planned, buying and unknown are not ends; nobody edits or cancels an order of a storm."""

PLAYS: tuple[Sale, ...] = ("lost-answer", "lost-request", "late", "not-sent", "refuse", "sell")
PER_WORLD, PER_BATCH = 500, 50
_BOUNDARIES = 40
_REST_S, _STEP_S = 240.0, 12.0

Storm = Callable[["Weather", str], Awaitable[None]]


@dataclass
class Weather:
    """One world, and a second process of it on the same database."""

    world: World
    second: World
    random: Random
    server: PostgresServer | None = None
    faults: Counter[str] = field(default_factory=Counter)
    orders: list[str] = field(default_factory=list)

    def parcel_ids(self, order_id: str) -> list[str]:
        """The order's parcels in our rows."""
        return [each.id for each in self.world.live_parcels(order_id)]


def _play(weather: Weather, name: Sale) -> None:
    weather.world.carrier.plays = deque([name])


async def answer(weather: Weather, order_id: str) -> None:
    """The carrier's answer is lost, or its request; the effect comes late; nothing is sent; it refuses."""
    name = weather.random.choice(PLAYS[:-1])
    _play(weather, name)
    weather.faults[f"carrier: {name}"] += 1
    await weather.world.refresh(order_id)


async def crash(weather: Weather, order_id: str) -> None:
    """The process dies before or after a step or transaction, perhaps while the carrier's answer is lost too."""
    world = weather.world
    name = weather.random.choice(PLAYS)
    _play(weather, name)
    world.boundaries.clear()
    world.kill_at = weather.random.randint(1, _BOUNDARIES)
    await world.refresh(order_id)
    place = "died" if _has_died(world) else "none reached"
    world.kill_at = None
    weather.faults[f"crash: {place}, carrier: {name}"] += 1


def _has_died(world: World) -> bool:
    return world.kill_at is None


async def duplicates(weather: Weather, order_id: str) -> None:
    """The same work is queued and run several times at once."""
    await _many(weather, order_id, 4, "duplicate jobs")


async def fifty(weather: Weather, order_id: str) -> None:
    """Fifty clicks and rules want the one parcel at the same moment."""
    await _many(weather, order_id, 50, "fifty at once")


async def _many(weather: Weather, order_id: str, count: int, name: str) -> None:
    world = weather.world
    _play(weather, weather.random.choice(PLAYS))
    weather.faults[name] += 1
    await world.set(buy="manual")
    await world.refresh(order_id)
    for parcel_id in weather.parcel_ids(order_id):
        for number in range(count):
            kind = RULE.kind if number % 2 else PERSON.kind
            world.queue(BUY, parcel_id, kind, "storm")
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(world.work.drain)
    await world.set(buy="on_paid", buy_after="0")


async def two_workers(weather: Weather, order_id: str) -> None:
    """Two processes take from one queue; one of them may die on the way."""
    world, second = weather.world, weather.second
    _play(weather, weather.random.choice(PLAYS))
    weather.faults["two workers"] += 1
    second.clock.at = world.clock.at
    second.boundaries.clear()
    if weather.random.random() < 0.5:
        second.kill_at = weather.random.randint(1, _BOUNDARIES)
    for number in range(4):
        world.queue("orders.refresh", order_id, key=f"two:{order_id}:{number}")
    async with anyio.create_task_group() as group:
        group.start_soon(world.drain)
        group.start_soon(second.drain)
    second.kill_at = None
    for parcel_id in weather.parcel_ids(order_id):
        world.queue(BUY, parcel_id, PERSON.kind, "storm")
        world.queue(BUY, parcel_id, PERSON.kind, "storm")
    async with anyio.create_task_group() as group:
        group.start_soon(world.drain)
        group.start_soon(second.drain)


async def restart(weather: Weather, order_id: str) -> None:
    """The database goes away in the middle of the work, and comes back: what ran is run again from the top."""
    world = weather.world
    _play(weather, weather.random.choice(PLAYS))
    weather.faults["database restart"] += 1
    world.boundaries.clear()
    task = Task("orders.refresh", f"restart:{order_id}", world.shop_id, (order_id,))
    world.act(world.work.enqueue, task)
    at = weather.random.randint(1, _BOUNDARIES)

    def cut() -> None:
        world.on_boundary = None
        if weather.server is None:
            world.database.engine.dispose()
            world.die()
        else:
            weather.server.stop(signal.SIGQUIT)
            weather.server.start()

    world.on_boundary = lambda count: cut() if count >= at else None
    for _ in range(20):
        try:
            await world.drain()
        except DBAPIError:
            await anyio.sleep(0.1)
        else:
            break
    world.on_boundary = None


STORMS: tuple[tuple[Storm, int], ...] = (
    (answer, 30),
    (crash, 40),
    (duplicates, 13),
    (fifty, 1),
    (two_workers, 15),
    (restart, 1),
)


async def blow(weather: Weather, offers: list[DecidedOffer], purchases: int) -> None:
    """So many purchases, each with a fault of its own; between batches business time passes until all have ended."""
    world = weather.world
    storms, weights = zip(*STORMS, strict=True)
    while purchases:
        batch = min(purchases, PER_BATCH)
        for _ in range(batch):
            order = world.place(offer=weather.random.choice(offers))
            weather.orders.append(order.id)
            (storm,) = weather.random.choices(storms, weights)
            await storm(weather, order.id)
        world.carrier.plays.clear()
        await world.pass_time(30, 10)
        world.carrier.finish_late()
        await world.pass_time(_REST_S, _STEP_S)
        purchases -= batch


def violations(weather: Weather) -> tuple[list[str], Counter[str]]:
    """What must not be, and how the purchases ended."""
    world = weather.world
    found: list[str] = []
    rows = world.act(lambda connection: connection.execute(labels.select(world.shop_id)).all())
    every = world.act(lambda connection: connection.execute(parcels.select(world.shop_id)).all())
    parcel_of = {f"shp_{number}": each.reference for number, each in enumerate(world.carrier.created, 1)}
    sold = Counter(parcel_of[sale.handle] for sale in world.carrier.sales)
    found += [f"{parcel} was charged {count} times" for parcel, count in sold.items() if count > 1]
    kept = {row.handle: row for row in rows if row.state == "bought"}
    for sale in world.carrier.sales:
        row = kept.get(sale.handle)
        if row is None:
            found.append(f"the label of {sale.handle} is lost")
        elif (row.booked_minor, row.tracking_code) != (sale.rate.price.minor, sale.tracking_code):
            found.append(f"{sale.handle} was booked at another price or number")
    found += [f"{handle} is bought here and not at the carrier" for handle in kept if sold[parcel_of[handle]] == 0]
    ends = Counter(row.state for row in every)
    found += [f"{row.id} did not end: {row.state} {row.why}" for row in every if row.state not in STATED]
    ordered = {row.order_external_id for row in every}
    found += [f"{order} has no parcel" for order in weather.orders if order not in ordered]
    told = Counter(each.number for each in world.store.fulfilments.values())
    found += [f"{number} was told to the store {count} times" for number, count in told.items() if count > 1]
    untold = [row.tracking_code for row in kept.values() if not told[row.tracking_code]]
    found += [f"{number} was never told to the store" for number in untold]
    found += [f"ledger: {gap.say()}" for gap in world.act(check, world.shop_id).gaps]
    return found, ends


@dataclass
class Result:
    """What came of a storm."""

    purchases: int = 0
    charged: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


async def storm(
    kind: Literal["sqlite", "postgres"], purchases: int, seed: int, folder: Path | None, minutes: float
) -> Result:
    """So many purchases with faults on one database; fewer in more than so many minutes are a violation."""
    result = Result()
    began = time.monotonic()
    server = launch_server() if kind == "postgres" else None
    try:
        number = 0
        while result.purchases < purchases and time.monotonic() < began + minutes * 60:
            count = min(PER_WORLD, purchases - result.purchases)
            with tempfile.TemporaryDirectory(prefix="waybill-storm-", dir=folder) as place:
                weather = await _one_world(server, Path(place), Random(seed * 1000 + number), count)
                found, ends = violations(weather)
                weather.world.database.close()
                weather.second.database.close()
            number += 1
            result.purchases += count
            result.charged += len(weather.world.carrier.sales)
            result.ends += ends
            result.faults += weather.faults
            result.violations += found
    finally:
        if server is not None:
            discard(server)
    if result.purchases < purchases:
        result.violations.append(f"only {result.purchases} of {purchases} purchases in {minutes:g} minutes")
    return result


async def _one_world(server: PostgresServer | None, place: Path, random: Random, count: int) -> Weather:
    url = server.create_database() if server is not None else f"sqlite:///{place / 'waybill.db'}"
    clock = FrozenClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    world = World(open_database(url, pool_size=8), clock, place, carrier=FakeCarrier())
    metadata.create_all(world.database.engine)
    await world.open()
    second = World(open_database(url, pool_size=4), clock, place, carrier=world.carrier, store=world.store)
    await second.open(beside=world)
    row = await world.quote()
    offers = [each for each in row.decision.offers if each.bought_as is not None]
    weather = Weather(world, second, random, server)
    await blow(weather, offers, count)
    return weather
