"""A packing table at work while the worker is killed: batches, addresses, holds, typed numbers, lists and drivers.

The shop buys by hand only, so that everything is bought by batches, and asks the carrier about each address.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio

from connector.directory import ShopEntry
from connector.labels import by_hand, collect
from connector.labels.collect import NothingToCollect
from connector.labels.desk_tables import manifests, pickups
from connector.labels.tables import parcels
from connector.orders import batches
from connector.orders.by_hand import ship_by_hand
from connector.settings import Settings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.tracking.tables import trackings
from connector.wiring import House, open_house
from tests.e2e.boundaries import Boundary
from tests.e2e.killing import SPEED, Killings
from tests.e2e.processes import Talker
from tests.e2e.world import World, world

T = TypeVar("T")

PACKER = Actor("person", "packer")
LOOKS = ("manifest.look_up", "pickup.look_up", "store.has_event")
"""Steps that come only after something went wrong with the same piece of work."""

_LOOK_EVERY_S = 0.2
_ALONE_S = 1.5
_DRIVERS = 2

Stage = Literal["placed", "asked", "moved", "typed", "corrected", "shipped", "ended"]
Late = Literal["scan_form", "book_pickup", "cancel_pickup", "HoldGroup", "ReleaseGroup", "UpdateTracking"]

LATE: dict[Late, str] = {
    "scan_form": "manifest.make",
    "book_pickup": "pickup.book",
    "cancel_pickup": "pickup.cancel",
    "HoldGroup": "hold.set",
    "ReleaseGroup": "hold.release",
    "UpdateTracking": "store.correct",
}
"""Calls that change something at the other party, and the steps that make them."""


@dataclass
class Errand:
    """One order at the table: an ordinary one, one whose address has no street yet, or one that goes by hand."""

    order_id: str
    kind: Literal["plain", "no_street", "typed"]
    number: str
    stage: Stage = "placed"
    since: float = field(default_factory=time.monotonic)


@dataclass
class Driver:
    """A driver who is asked for; every second one is sent home again. `booked` counts a person's clicks."""

    id: str
    goes_home: bool
    booked: int = 0
    ended: bool = False


@dataclass
class Table(Killings):
    """See `Killings`; the errands stand in the place of its stories."""

    house: House = field(kw_only=True)
    errands: list[Errand] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    batched: list[str] = field(default_factory=list)
    _looked_at: float = 0.0
    _asked: int = 0

    @property
    def shop(self) -> ShopEntry:
        """The shop as this process knows it."""
        found = self.house.directory.shop(self.world.shop_id)
        assert found is not None
        return found

    # --- ways to die ------------------------------------------------------------------------------------------------

    def die_at_each(self, places: Iterable[Boundary], timeout_s: float) -> None:
        """See `Killings`: a death at each; what died once is spared, except where only a second life comes by."""
        left = set(places)
        end = time.monotonic() + timeout_s
        while left:
            self.live(die_at=sorted(left), spare=self._spared, anyhow=LOOKS, alone_after=1000)
            place = self.until_death(max(1.0, end - time.monotonic()))
            assert place is not None, f"never came to {sorted(left)}\n{self.stuck()}"
            side, _, step = place.partition(" ")
            left.remove((side, step))

    def die_late(self, call: Late, effect_after_s: float, timeout_s: float) -> None:
        """Die while the other party works on a call, which takes effect after somebody may have looked for it.

        The next such call is as slow, so that a repeat comes to the other party after the first took effect.
        """
        self.stop()
        carrier = call in {"scan_form", "book_pickup", "cancel_pickup"}
        control = self.world.easypost if carrier else self.world.shopify
        control.forget_faults()
        control.fault(call, "slow", times=2, seconds=effect_after_s)
        self.live(die_at=[["before", LATE[call]]], after_s=0.2, alone_after=1000)
        place = self.until_death(timeout_s)
        assert place == f"before {LATE[call]}", f"never came to {LATE[call]}\n{self.stuck()}"
        self.kills[place] -= 1
        self.kills[f"in {LATE[call]}"] += 1

    # --- the play ---------------------------------------------------------------------------------------------------

    @property
    def active(self) -> list[Any]:
        """Errands and drivers that have not ended."""
        open_errands: list[Any] = [each for each in self.errands if each.stage != "ended"]
        return open_errands + [each for each in self.drivers if not each.ended]

    def stuck(self) -> str:
        """What does not go on, and the end of the worker's log."""
        shown = [f"{each}: {self._order_of(each)}" for each in self.active]
        return "\n".join([*shown, *map(str, self.lists()), self.worker.tail(8000)])

    def _order_of(self, each: Errand | Driver) -> Any:
        if isinstance(each, Errand):
            return self.world.order(each.order_id)
        return self.pickup(each.id)

    def go_on(self, *, feed: bool) -> None:
        """Play buyers, packer and merchant for a moment."""
        while feed and sum(each.stage != "ended" for each in self.errands) < self.width:
            self._place()
        if time.monotonic() > self._delivered_at + 0.25:
            self._deliver()
        if time.monotonic() < self._looked_at + _LOOK_EVERY_S:
            return
        self._looked_at = time.monotonic()
        self._serve()
        self._list()
        self._drive(feed=feed)

    def _place(self) -> None:
        count = len(self.errands)
        kinds: Sequence[Literal["plain", "no_street", "typed"]] = ("no_street", "plain", "typed")
        kind = kinds[count % 3]
        to = {"address1": ""} if kind == "no_street" else {}
        self.errands.append(Errand(self.world.place(destination=to), kind, f"HAND{count:04}"))

    def _serve(self) -> None:
        """Take each errand a step on."""
        open_now = [each for each in self.errands if each.stage not in {"shipped", "ended"}]
        wanted = [each.order_id for each in open_now]
        rows = self.do(_parcels_of, self.shop.id, wanted)
        told = self.do(_trackings_of, self.shop.id, wanted)
        chosen = []
        for each in open_now:
            row, tracking = rows.get(each.order_id), told.get(each.order_id)
            if row is None:
                continue
            match each.stage:
                case "placed" if each.kind == "typed":
                    self._type(each)
                case "placed" | "moved" if row.state == "planned":
                    chosen.append((each, row))
                case "asked" if row.state == "held" and each.kind == "no_street" and self.holds(each.order_id):
                    self.world.shopify.edit(each.order_id, destination={"address1": "179 N Harbor Dr"})
                    each.stage = "moved"
                case "asked" if row.state == "bought" and tracking is not None and tracking.fulfil_state == "done":
                    each.stage = "shipped"
                case "typed" if tracking is not None and tracking.fulfil_state == "done":
                    self._correct(each, tracking.label_id)
                case "corrected" if self.number_in_store(each.order_id) == [f"{each.number}B"]:
                    each.stage = "ended"
                case _:
                    pass
        waited = any(time.monotonic() > each.since + _ALONE_S for each, _ in chosen)
        if len(chosen) > 1 or waited:
            self._buy(chosen)

    def _buy(self, chosen: Sequence[tuple[Errand, Any]]) -> None:
        """Put these orders on one batch, and buy it."""
        now = self.house.clock.now()
        batch_id = self.do(batches.make, self.shop.id, [row.order_id for _, row in chosen], PACKER, now)
        self.do(batches.buy, self.house.work, self.shop.id, batch_id, PACKER, now)
        self.batched.append(batch_id)
        for each, _ in chosen:
            each.stage = "asked"

    def _type(self, each: Errand) -> None:
        typed = by_hand.read_typed("Sample Post", each.number, "", "", "USD")
        args = (self.house.work, self.shop.id, each.order_id, typed, PACKER, self.house.clock.now())
        self.do(ship_by_hand, *args, notify_buyer=False)
        each.stage = "typed"

    def _correct(self, each: Errand, label_id: str) -> None:
        typed = by_hand.read_typed("Sample Post", f"{each.number}B", "", "", "USD")
        self.do(by_hand.correct, self.house.work, self.shop.id, label_id, typed, PACKER, self.house.clock.now())
        each.stage = "corrected"

    def _list(self) -> None:
        """Ask for a list of what was bought; of every second one the answer is lost after its effect."""
        waiting = [each for each in self.errands if each.stage == "shipped"]
        if not waiting:
            return
        made = {label[0] for row in self.lists() if row.state == "made" and row.sha256 for label in row.labels}
        labels = self.do(_trackings_of, self.shop.id, [each.order_id for each in waiting])
        for each in waiting:
            if labels[each.order_id].label_id in made:
                each.stage = "ended"
        with suppress(NothingToCollect):
            self.do(collect.ask_manifests, self.house.work, self.shop, PACKER, self.house.clock.now())
            self._asked += 1
            if self._asked % 2:
                self.world.easypost.fault("scan_form", "dropped_after_effect")

    def _drive(self, *, feed: bool) -> None:
        open_now = [each for each in self.drivers if not each.ended]
        if feed and len(open_now) < _DRIVERS:
            self._ask_driver()
        rows = self.do(_pickups_of, self.shop.id, [each.id for each in open_now])
        for each in open_now:
            args = (self.house.work, self.shop.id, each.id)
            now = self.house.clock.now()
            match rows[each.id].state:
                case "offered":
                    self._lose_some(each)
                    self.do(collect.book_pickup, *args, 1, PACKER, now)
                    each.booked += 1
                case "booked" if each.goes_home and rows[each.id].why is None:
                    self.do(collect.cancel_pickup, *args, PACKER, now)
                case "booked" | "cancelled" | "refused":
                    each.ended = True
                case _:
                    pass

    def _ask_driver(self) -> None:
        now = self.house.clock.now()
        account, place = next(iter(self.shop.accounts)), self.shop.locations[0].id
        day = now + timedelta(days=len(self.drivers))  # One driver comes to a place at a time.
        times = (day + timedelta(hours=2), day + timedelta(hours=9))
        with suppress(NothingToCollect):
            pickup = self.do(
                collect.plan_pickup, self.house.work, self.shop, account, place, *times, "ring twice", PACKER, now
            )
            self.drivers.append(Driver(pickup, goes_home=len(self.drivers) % 2 == 0))

    def _lose_some(self, each: Driver) -> None:
        """Of every second driver the booking's answer is lost; of some of them the booking itself."""
        number = self.drivers.index(each)
        if not each.booked and number % 2:
            self.world.easypost.fault("book_pickup", "dropped" if number % 4 == 1 else "dropped_after_effect")

    # --- what is there ----------------------------------------------------------------------------------------------

    def holds(self, order_id: str) -> list[dict[str, Any]]:
        """Our holds in the store on this order."""
        groups = self.world.shopify.order(order_id)["fulfillmentOrders"]
        return [hold for group in groups for hold in group["fulfillmentHolds"] if hold["handle"] == "waybill"]

    def number_in_store(self, order_id: str) -> list[str]:
        """The numbers of the order's live fulfilments in the store."""
        live = [made for made in self.world.fulfilments(order_id) if made["status"] != "CANCELLED"]
        return [info["number"] for made in live for info in made["trackingInfo"]]

    def lists(self) -> list[Any]:
        """Every list that was asked for."""
        return self.do(_manifests_of, self.shop.id)

    def pickup(self, pickup_id: str) -> Any:
        """Where a driver stands."""
        return self.do(_pickups_of, self.shop.id, [pickup_id])[pickup_id]

    def do(self, act: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One transaction of the merchant's own process."""
        return self.house.database.run_here(act, *args, **kwargs)


def _parcels_of(connection: Any, shop_id: str, order_ids: Sequence[str]) -> dict[str, Any]:
    """The one parcel of each of these orders."""
    chosen = parcels.select(shop_id).where(parcels.c.order_external_id.in_(order_ids), parcels.c.state != "cancelled")
    return {row.order_external_id: row for row in connection.execute(chosen).all()}


def _trackings_of(connection: Any, shop_id: str, order_ids: Sequence[str]) -> dict[str, Any]:
    chosen = trackings.select(shop_id).where(trackings.c.order_external_id.in_(order_ids))
    return {row.order_external_id: row for row in connection.execute(chosen).all()}


def _manifests_of(connection: Any, shop_id: str) -> list[Any]:
    return list(connection.execute(manifests.select(shop_id)).all())


def _pickups_of(connection: Any, shop_id: str, ids: Sequence[str]) -> dict[str, Any]:
    chosen = pickups.select(shop_id).where(pickups.c.id.in_(ids))
    return {row.id: row for row in connection.execute(chosen).all()}


@contextmanager
def table(folder: Path, database_url: str) -> Iterator[Table]:
    """A house that is set up, with a web process, a worker that has not begun its first life, and a packer."""
    with world(folder, database_url, speed=SPEED) as made:
        worker = made.start_mortal()
        made.add_shop()
        made.start("serve", name="web")
        made.add_carrier()
        yield from _with_packer(made, worker)


def _with_packer(made: World, worker: Talker) -> Iterator[Table]:
    names = ("data_dir", "database_url", "public_url", "allow_private_addresses", "test_clock")
    house = open_house(Settings(**{name: made.env[f"WAYBILL_{name.upper()}"] for name in names}))  # type: ignore[arg-type]
    try:
        before = house.here(settings_versions.latest, made.shop_id)
        body = {**(before.body if before else {}), "buy": "manual", "buying": {"verify": "carrier"}}
        house.here(settings_versions.publish, made.shop_id, body, PACKER, house.clock.now())
        made.wait_known()
        anyio.run(house.directory.refresh)
        yield Table(made, worker, house=house)
    finally:
        anyio.run(house.aclose)
