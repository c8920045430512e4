"""Read an order again and bring its parcels in line with it: the one path for hooks, sweep, desk and command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from carriers.money import Money
from connector.attention.board import need_person
from connector.directory import Directory, ShopEntry
from connector.labels import record
from connector.labels.amounts import book, of_order
from connector.labels.purchase import Wanted
from connector.labels.store_holds import tell_of_holds
from connector.labels.tables import parcels
from connector.orders import due
from connector.orders.addresses import astray, readdress
from connector.orders.buying import go_on
from connector.orders.cancelling import cancel
from connector.orders.editing import (
    Edit,
    carry_out,
    come_back,
    follow_groups,
    follow_lines,
    in_order,
    let_go_of_homeless,
    lock_parcels,
)
from connector.orders.goods import shipped_by_hand, wanted_in
from connector.orders.plan import STORES_HOLDS, decide, goods_of, is_open
from connector.orders.tables import orders
from connector.orders.taken import Held, Taken, held_of, is_moved, standing_in, told_of
from connector.orders.told import is_being_withdrawn
from connector.storage.database import Database, insert_new
from connector.storage.ids import new_id
from connector.storage.secrets import Keyring
from connector.store import FulfilmentGroup, GroupState, Order
from connector.words.reason import Reason
from connector.work.port import Run, Task, TryLater, Work

log = structlog.get_logger(__name__)

REFRESH = "orders.refresh"


@dataclass(frozen=True, slots=True)
class Orders:
    """The job `orders.refresh` (the store's order id), and the check before each purchase."""

    database: Database
    directory: Directory
    work: Work
    keyring: Keyring
    now: Callable[[], datetime]

    async def refresh(self, run: Run) -> None:
        """Read the order from the store and plan, hold, release, cancel or buy what follows from it."""
        shop = self.directory.shop(run.task.shop_id)
        if shop is None:
            return
        (external_id,) = run.task.args
        asked_at = self.now()
        told = await self.database.look(told_of, shop.id, external_id)
        order = await run.step("store.order", lambda: shop.store.order(external_id))
        if order is None:
            log.warning("order_unknown_to_store", shop=shop.id)
            return
        await run.step("order.take_in", lambda: self.database.run(self._take_in, shop, order, asked_at, told))

    async def still_wanted(self, shop: ShopEntry, parcel: Any) -> Wanted:
        """What the store says of a parcel now, just before money is spent on it."""
        order = await shop.store.order(parcel.order_external_id)
        if order is None or order.cancelled:
            return Wanted(Reason("order_cancelled"), cancelled=True)
        group = next((each for each in order.groups if each.id == parcel.group_id), None)
        if (group is None or group.state is not GroupState.READY) and await self.database.run(
            is_being_withdrawn, shop.id, parcel.id
        ):
            raise TryLater("The store is still taking the voided label back.", retry_after_s=5)
        if group is None or group.state in {GroupState.CANCELLED, GroupState.DONE, GroupState.NOT_OURS}:
            return Wanted(Reason("shipped_elsewhere"), cancelled=True)
        if not order.may_ship:
            return Wanted(Reason("not_paid"))
        if group.state is GroupState.HELD:
            return Wanted(Reason("store_hold", {"said": ", ".join(group.hold_reasons)}))
        waiting = goods_of(group)
        goods_wait = all(units <= waiting.get(line, 0) for line, units in parcel.contents)
        open_still = is_open(group, in_part=parcel.count > 1)
        if not open_still or not goods_wait or await self.database.run(self._is_elsewhere, shop, group, parcel.id):
            await self.database.run(self._again_soon, shop.id, order)
            return Wanted(Reason("order_changed"))
        return Wanted(risky=order.risky, test=order.test, goods=order.subtotal)

    def _is_elsewhere(self, connection: Connection, shop: ShopEntry, group: FulfilmentGroup, parcel_id: str) -> bool:
        """Whether the store says another address or location than the parcel has."""
        row = record.parcel_of(connection, shop.id, parcel_id)
        return row is not None and (is_moved(row, group) or bool(astray(connection, self.keyring, shop, group, [row])))

    def _again_soon(self, connection: Connection, shop_id: str, order: Order) -> None:
        now = self.now()
        key = f"again:{order.id}:{now.isoformat()}"
        self.work.later(connection, Task(REFRESH, key, shop_id, (order.id,)), now + timedelta(seconds=10))

    def _take_in(
        self, connection: Connection, shop: ShopEntry, order: Order, asked_at: datetime, told: frozenset[str]
    ) -> None:
        now = self.now()
        order_id = self._keep(connection, shop.id, order, asked_at, now)
        if order_id is None:
            return
        if order.paid:
            self._book_charged(connection, shop.id, order_id, order, now)
        taken = Taken(connection, self.keyring, self.work, shop, order_id, order, now, told)
        known = lock_parcels(connection, shop.id, order_id)
        held = held_of(taken, known)
        if follow_groups(taken, known, held):
            known = lock_parcels(connection, shop.id, order_id)
        gone = [row for row in known if row.group_id not in {group.id for group in order.groups}]
        let_go_of_homeless(taken, gone, held)
        edits = [
            self._edit(taken, group, [row for row in known if row.group_id == group.id], held) for group in order.groups
        ]
        carry_out(taken, [edit for edit in edits if edit.act.kind == "edit"], known, held)
        for edit in edits:
            self._act(taken, edit, held)
        come_back(taken)
        tell_of_holds(connection, self.work, shop, order_id, now)
        if order.paid and not order.cancelled:
            due.compare_paid(connection, shop.id, order_id, order, now)

    def _keep(
        self, connection: Connection, shop_id: str, order: Order, asked_at: datetime, now: datetime
    ) -> str | None:
        """Our id of the order, its row locked; None if a newer reading of it was taken in before this one.

        Of two readings that the store dates alike, the one that was asked for later is the newer.
        """
        values = {
            "name": order.name[:60],
            "currency": order.currency,
            "paid": order.paid,
            "cancelled": order.cancelled,
            "charged_minor": _charged(order).minor,
            "placed_at": order.placed_at,
            "updated_at": order.updated_at,
            "seen_at": asked_at,
            "country": next((group.destination.country for group in order.groups if group.destination), "")[:2],
            "locale": order.locale[:20],
            "tags": [tag[:80] for tag in order.tags[:50]],
            "subtotal_minor": None if order.subtotal is None else order.subtotal.minor,
            "buyer_key": self._buyer_key(order),
        }
        order_id = new_id("ord", now)
        paid_at = order.placed_at if order.may_ship else None
        if insert_new(connection, orders.insert(shop_id, id=order_id, external_id=order.id, paid_at=paid_at, **values)):
            return order_id
        row = connection.execute(orders.select(shop_id).where(orders.c.external_id == order.id).with_for_update()).one()
        if order.updated_at < row.updated_at:
            return None
        if order.updated_at == row.updated_at and asked_at < row.seen_at:
            return None
        if row.paid_at is None and order.may_ship:
            values["paid_at"] = order.placed_at if row.paid else order.updated_at
        connection.execute(orders.update(shop_id).where(orders.c.id == row.id).values(**values))
        return str(row.id)

    def _book_charged(self, connection: Connection, shop_id: str, order_id: str, order: Order, now: datetime) -> None:
        """Book what the buyer paid for shipping, and later each difference to that."""
        before = [each.money.minor for each in of_order(connection, shop_id, order_id) if each.kind == "charged"]
        more = Money(_charged(order).minor - sum(before), order.currency)
        if more.minor:
            cause = f"{order_id}:{len(before)}" if before else order_id
            book(connection, shop_id, "charged", more, order_id=order_id, cause=cause, now=now)

    def _buyer_key(self, order: Order) -> str | None:
        """What is the same in a buyer's orders, and tells nothing of the buyer."""
        said = order.email.strip().casefold() or "".join(sign for sign in order.phone if sign.isdigit())
        return self.keyring.keyed_hash(f"buyer {said}".encode()) if said else None

    def _edit(self, taken: Taken, group: FulfilmentGroup, known: Sequence[Any], held: Held) -> Edit:
        standing = standing_in(taken, group, known, held)
        by_hand = shipped_by_hand(group, held.units)
        voids = taken.shop.settings.buying.void_on_edit
        act = decide(taken.order, group, wanted_in(group), standing, by_hand=by_hand, voids=voids)
        return Edit(group, act, known, standing)

    def _act(self, taken: Taken, edit: Edit, held: Held) -> None:
        connection, shop, known, why = taken.connection, taken.shop, edit.rows, edit.act.why or Reason("order_changed")
        match edit.act.kind:
            case "release":
                self._release(connection, shop, self._readdress(taken, edit))
            case "hold":
                for row in (each for each in known if each.state == "planned"):
                    record.set_parcel(connection, shop.id, row.id, "held", taken.now, why)
            case "cancel":
                for parcel_id, ask in edit.act.ask:
                    need_person(connection, shop.id, parcel_id, ask, taken.now)
                asked = {parcel_id for parcel_id, _ in edit.act.ask}
                rest = [row for row in known if row.id not in asked]
                cancel(connection, self.work, shop, taken.order, rest, why, taken.now)
            case "edit":
                self._readdress(taken, edit)
            case "none":
                follow_lines(taken, edit, edit.rows, held)
                in_order(taken, edit)
                self._readdress(taken, edit)

    def _readdress(self, taken: Taken, edit: Edit) -> Sequence[Any]:
        """Send the group's parcels where the store says now; how they stand then."""
        if not edit.rows:
            return ()
        chosen = parcels.select(taken.shop.id).where(parcels.c.id.in_([row.id for row in edit.rows]))
        rows = taken.connection.execute(chosen.order_by(parcels.c.number)).all()
        readdress(taken.connection, self.keyring, self.work, taken.shop, edit.group, rows, taken.now)
        return taken.connection.execute(chosen.order_by(parcels.c.number)).all()

    def _release(self, connection: Connection, shop: ShopEntry, known: Sequence[Any]) -> None:
        for row in known:
            if row.state == "held" and (row.why or {}).get("code") in STORES_HOLDS:
                go_on(connection, self.work, shop, row.id, self.now())


def _charged(order: Order) -> Money:
    """What the buyer paid for shipping, after the store's own discounts on it."""
    paid = (line.price if line.paid is None else line.paid for line in order.shipping_lines)
    return sum((each for each in paid if each.currency == order.currency), Money.zero(order.currency))
