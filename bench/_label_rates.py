"""What is bought is what was intended, though services of one name stand at several prices and in any order.

Each answer goes through the product: EasyPost's shipment is read by its own mapping, kept, chosen from, intended,
bought by the posted id of a rate, and booked. The outgoing transport alone is ours: it sells the rate whose id is
posted, and answers as EasyPost was recorded to.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

import anyio
import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection

from carriers.easypost import KIND
from carriers.easypost.settings import EasyPostSettings
from carriers.rate import Rate
from connector.labels import record
from connector.labels.purchase import Purchasing, Wanted
from connector.labels.tables import parcels
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from connector.work.port import Task
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import RULE, World
from tests.simulators.easypost_truth import Truth
from tests.simulators.easypost_world import Refusal
from tests.simulators.easypost_world import World as Carriers
from webhooks.outgoing import HTTPAnswer
from webhooks.ports import Fence

T = TypeVar("T")
Body = dict[str, Any]
Facts = tuple[str, str, str, str, int, str]
Sell = Callable[[Body, str], str]
"""Which rate of a shipment is sold for the posted id."""

_SERVICES = ("Ground", "Priority", "Express", "Saver")
_CARRIERS = ("USPS", "UPS")
_ACCOUNTS = ("ca_a", "ca_b", "ca_c", "ca_d")
_MOVED = 40
"""So many cents a price may have moved since the quote: within the usual tolerance of 50."""

_RATE = TypeAdapter(Rate)
_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def as_posted(_shipment: Body, rate_id: str) -> str:
    """What EasyPost sells."""
    return rate_id


class Till:
    """The outgoing transport to an EasyPost that prices shipments as it is told, and sells rates by their ids."""

    def __init__(self, random: Random, sell: Sell) -> None:
        self._carriers = Carriers(Truth(), random=random)
        self._random = random
        self._sell = sell
        self.prices: dict[str, list[Body]] = {}
        self.sold: dict[str, list[Body]] = {}

    def template(self) -> Body:
        """A recorded rate."""
        rate: Body = self._carriers.truth.answer("shipment", "shipment_create")["rates"][0]
        return rate

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,  # noqa: ARG002
        headers: Mapping[str, str] | None = None,  # noqa: ARG002
        json: Any = None,
        content: bytes | None = None,  # noqa: ARG002
        fence: Fence | None = None,
        max_bytes: int = 0,  # noqa: ARG002
    ) -> HTTPAnswer:
        """See `webhooks.outgoing.Outgoing.request`."""
        if fence is not None and not fence():
            raise AssertionError("The fence said no.")
        path = url.partition("/v2/shipments")[2]
        if method != "POST" or not (path == "" or path.endswith("/buy")):
            raise AssertionError(f"Nobody was to ask for {method} {url}.")
        try:
            shipment = self._buy(path.split("/")[1], json["rate"]["id"]) if path else self._create(json["shipment"])
        except Refusal as no:
            return _answer(no.status, {"error": {"code": no.code, "message": no.message, "errors": no.errors}})
        rates = self._random.sample(shipment["rates"], len(shipment["rates"]))
        return _answer(200, shipment | {"rates": rates})

    def _create(self, asked: Body) -> Body:
        shipment = self._carriers.create(asked, "test")
        of_it = {"shipment_id": shipment["id"]}
        shipment["rates"] = [rate | of_it for rate in self.prices.pop(asked["reference"])]
        return shipment

    def _buy(self, handle: str, posted: str) -> Body:
        shipment = self._carriers.get(handle, "test")
        rate = self._carriers.begin(shipment, self._sell(shipment, posted))
        self.sold.setdefault(shipment["reference"], []).append(rate)
        return self._carriers.book(shipment, rate, "https://easypost.test", None, None)


def _answer(status: int, body: Body) -> HTTPAnswer:
    return HTTPAnswer(status, {"content-type": "application/json"}, json.dumps(body).encode(), 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A parcel whose offer was one account's service; `wanted` is the wire rate that keeps it."""

    parcel_id: str
    as_bought: Body
    rates: list[Body]
    wanted: Body


class _Here(Database):
    """Transactions in the loop's own thread: nothing runs beside them."""

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """See `Database.run`."""
        return self.run_here(work, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class _Run:
    task: Task

    async def step(self, _name: str, call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    def fence(self) -> bool:
        return True


def shuffled_answers(count: int, seed: int, sell: Sell = as_posted) -> dict[str, Any]:
    """So many shipments, each with rates that have the promised service's name and another price."""
    began = time.monotonic()
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="waybill-rates-", dir=place) as folder:
        equal_names, violations = anyio.run(_buy_all, count, Random(seed), sell, Path(folder))
    return {
        "part": "answers",
        "seconds": round(time.monotonic() - began, 1),
        "answers": count,
        "equal_names_at_other_prices": equal_names,
        "bought_as_intended": count - len({line.partition(":")[0] for line in violations}),
        "violations": violations,
    }


async def _buy_all(count: int, random: Random, sell: Sell, folder: Path) -> tuple[int, list[str]]:
    till, clock = Till(random, sell), FrozenClock(_NOON)
    settings = EasyPostSettings.model_validate({"api_key": "EZTKbench"})
    carrier = cast("FakeCarrier", KIND.connect(settings, till, clock))
    database = open_database(f"sqlite:///{folder / 'waybill.db'}", pool_size=4)
    metadata.create_all(database.engine)
    world = await World(database, clock, folder, carrier=carrier).open()
    await world.set(buy="manual")
    order = world.place()
    await world.refresh(order.id)
    (first,) = world.order(order.id).parcels
    await world.set(buy="on_paid", buy_after="0")
    row = world.act(record.parcel_of, world.shop_id, first.id)
    template = till.template()
    asked = [_ask(till, template, random, number, world.account_id) for number in range(count)]
    world.act(_plan, row, asked)
    house, here = world.house, _Here(database.engine, threads=1)
    purchasing = Purchasing(here, house.directory, world.work, house.keyring, house.shelf, clock.now, _still_wanted)
    for each in asked:
        task = Task(record.BUY, f"bench:{each.parcel_id}", world.shop_id, (each.parcel_id, RULE.kind, RULE.name))
        await purchasing.buy(_Run(task))
    violations = [line for each in asked for line in _wrong(world, till, each)]
    database.close()
    violations += [f"{each.parcel_id}: no equal names" for each in asked if not _has_equal_names(each)]
    return sum(map(_has_equal_names, asked)), violations


async def _still_wanted(_shop: Any, _parcel: Any) -> Wanted:
    return Wanted()


def _ask(till: Till, template: Body, random: Random, number: int, account_id: str) -> Asked:
    """Prices for one parcel, in any order; the offer may name its account, or leave it open."""
    carrier, service = random.choice(_CARRIERS), random.choice(_SERVICES)
    accounts = random.sample(_ACCOUNTS, random.randint(2, len(_ACCOUNTS)))
    names = [(account, carrier, service) for account in accounts]
    # The same name once more from an account that has it already, and others.
    names += [(random.choice(accounts), carrier, service)] * random.randint(0, 1)
    names += [
        (random.choice(_ACCOUNTS), random.choice(_CARRIERS), random.choice(_SERVICES))
        for _ in range(random.randint(1, 8))
    ]
    cents = random.sample(range(300, 4000), len(names))
    rates = [_rate(template, f"rate_{number}_{at}", *names[at], cents[at]) for at in range(len(names))]
    account = random.choice((*accounts, ""))
    fitting = [at for at, name in enumerate(names) if name[1:] == (carrier, service) and account in {"", names[at][0]}]
    cheapest = min(fitting, key=lambda at: cents[at])
    as_bought = {
        "account_id": account_id,
        "account": account,
        "carrier": carrier,
        "service": service,
        "minor": cents[cheapest] + random.randint(-_MOVED, _MOVED),
        "currency": "EUR",
        "how": "service",
        "limit_minor": None,
        "parts": [],
    }
    parcel_id = f"par_{number:05d}"
    wanted = rates[cheapest]
    random.shuffle(rates)
    till.prices[parcel_id] = rates
    return Asked(parcel_id, as_bought, rates, wanted)


def _rate(template: Body, rate_id: str, account: str, carrier: str, service: str, cents: int) -> Body:
    """A rate as it was recorded, of another service: what it lists and what a counter would take are other prices."""
    named = {"id": rate_id, "mode": "test", "carrier_account_id": account, "carrier": carrier, "service": service}
    prices = {"rate": _amount(cents), "list_rate": _amount(cents + 35), "retail_rate": _amount(cents + 210)}
    currencies = dict.fromkeys(("currency", "list_currency", "retail_currency"), "EUR")
    return template | named | prices | currencies


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _plan(connection: Connection, row: Any, asked: list[Asked]) -> None:
    """Parcels like the given one, each bought as its own offer."""
    values = row._asdict() | {"state": "planned"}
    own = [
        {"id": each.parcel_id, "number": number, "bought_as": each.as_bought} for number, each in enumerate(asked, 2)
    ]
    connection.execute(parcels.for_rows, [values | each for each in own])


def _has_equal_names(asked: Asked) -> bool:
    """Whether the promised service's name stands at another price as well."""
    name = _name(asked.wanted)
    return any(_name(rate) == name and rate["rate"] != asked.wanted["rate"] for rate in asked.rates)


def _name(rate: Body) -> tuple[str, str]:
    return rate["carrier"], rate["service"]


def _wrong(world: World, till: Till, asked: Asked) -> list[str]:
    """Where what was sold, what was intended and what was booked are not all the rate that keeps the offer."""
    wanted = _facts(asked.wanted)
    sold = [_facts(rate) for rate in till.sold.get(asked.parcel_id, ())]
    if sold != [wanted]:
        return [f"{asked.parcel_id}: sold {sold} instead of {wanted}"]
    (label,) = world.labels_of(asked.parcel_id)
    if label.state != "bought":
        return [f"{asked.parcel_id}: {label.state}"]
    said = {
        "intended": _facts_of(record.rate_of(label)),
        "booked": _facts_of(_RATE.validate_python(label.booked_rate)),
        "price intended": (label.minor, label.currency),
        "price booked": (label.booked_minor, label.booked_currency),
    }
    right = dict(zip(said, (wanted, wanted, wanted[-2:], wanted[-2:]), strict=True))
    return [
        f"{asked.parcel_id}: {name} {said[name]} instead of {right[name]}" for name in said if said[name] != right[name]
    ]


def _facts(rate: Body) -> Facts:
    """Id, account, carrier, service and price of a rate as the carrier has it."""
    minor = int(rate["rate"].replace(".", ""))
    return rate["id"], rate["carrier_account_id"], rate["carrier"], rate["service"], minor, rate["currency"]


def _facts_of(rate: Rate | None) -> Facts | None:
    """The same of a rate as we keep it."""
    if rate is None:
        return None
    return rate.rate_id, rate.account, rate.carrier, rate.service, rate.price.minor, rate.price.currency


def main() -> int:
    """One share of a run; its figures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    figures = shuffled_answers(given.answers, given.seed)
    print(json.dumps(figures))
    return int(bool(figures["violations"]))


if __name__ == "__main__":
    sys.exit(main())
