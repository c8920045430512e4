"""Read an order again and bring its parcels in line with it: the one path for hooks, sweep, desk and command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from carriers.money import Money
from connector.attention.board import need_person, settled
from connector.directory import Directory, ShopEntry
from connector.labels import record
from connector.labels.amounts import book, booked
from connector.labels.purchase import Wanted
from connector.labels.store_holds import tell_of_holds
from connector.labels.tables import parcels
from connector.orders import due
from connector.orders.addresses import keep_person, readdress
from connector.orders.buying import buy_by_rule
from connector.orders.cancelling import cancel
from connector.orders.declared import declared
from connector.orders.holds import why_held
from connector.orders.marks import held_by_rule, not_taken
from connector.orders.parcels import Planned, parcel_price, plan_group
from connector.orders.plan import STORES_HOLDS, Standing, decide, goods_of
from connector.orders.promised import keep_window
from connector.orders.quote_of import Linked, link_of, priced_again, quote_of
from connector.orders.tables import orders
from connector.orders.told import is_being_withdrawn, told_of
from connector.packing.plan import PlannedParcel, Unplannable
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
    """The job `order.refresh` (the store's order id), and the check before each purchase."""

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
        order = await run.step("store.order", lambda: shop.store.order(external_id))
        if order is None:
            log.warning("order_unknown_to_store", shop=shop.id)
            return
        await run.step("order.take_in", lambda: self.database.run(self._take_in, shop, order))

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
        # Of several parcels of a group the first to be fulfilled makes the rest "in progress".
        open_states = {GroupState.READY, GroupState.NOT_YET} if parcel.count > 1 else {GroupState.READY}
        if group.state not in open_states or any(units > waiting.get(line, 0) for line, units in parcel.contents):
            await self.database.run(self._again_soon, shop.id, order)
            return Wanted(Reason("order_changed"))
        return Wanted(risky=order.risky, test=order.test, goods=order.subtotal)

    def _again_soon(self, connection: Connection, shop_id: str, order: Order) -> None:
        now = self.now()
        key = f"again:{order.id}:{now.isoformat()}"
        self.work.later(connection, Task(REFRESH, key, shop_id, (order.id,)), now + timedelta(seconds=10))

    def _take_in(self, connection: Connection, shop: ShopEntry, order: Order) -> None:
        now = self.now()
        order_id = self._keep(connection, shop.id, order, now)
        if order_id is None:
            return
        if order.paid:
            before = booked(connection, shop.id, order_id, "charged")
            more = Money(_charged(order).minor - before, order.currency)
            if more.minor:
                cause = f"{order_id}:{order.updated_at.isoformat()}" if before else order_id
                book(connection, shop.id, "charged", more, order_id=order_id, cause=cause, now=now)
        known = connection.execute(
            parcels.select(shop.id)
            .where(parcels.c.order_id == order_id, parcels.c.state != "cancelled")
            .order_by(parcels.c.group_id, parcels.c.number)
            .with_for_update()
        ).all()
        for group in order.groups:
            self._group(connection, shop, order_id, order, group, [row for row in known if row.group_id == group.id])
        gone = [row for row in known if row.group_id not in {group.id for group in order.groups}]
        cancel(connection, self.work, shop, order, gone, Reason("shipped_elsewhere"), now)
        tell_of_holds(connection, self.work, shop, order_id, now)
        if order.paid and not order.cancelled:
            due.compare_paid(connection, shop.id, order_id, order, now)

    def _keep(self, connection: Connection, shop_id: str, order: Order, now: datetime) -> str | None:
        """Our id of the order, its row locked; None if a newer reading of it was taken in before this one."""
        values = {
            "name": order.name[:60],
            "currency": order.currency,
            "paid": order.paid,
            "cancelled": order.cancelled,
            "charged_minor": _charged(order).minor,
            "placed_at": order.placed_at,
            "updated_at": order.updated_at,
            "seen_at": now,
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
        if row.paid_at is None and order.may_ship:
            values["paid_at"] = order.placed_at if row.paid else order.updated_at
        connection.execute(orders.update(shop_id).where(orders.c.id == row.id).values(**values))
        return str(row.id)

    def _buyer_key(self, order: Order) -> str | None:
        """What is the same in a buyer's orders, and tells nothing of the buyer."""
        said = order.email.strip().casefold() or "".join(sign for sign in order.phone if sign.isdigit())
        return self.keyring.keyed_hash(f"buyer {said}".encode()) if said else None

    def _group(
        self,
        connection: Connection,
        shop: ShopEntry,
        order_id: str,
        order: Order,
        group: FulfilmentGroup,
        known: Sequence[Any],
    ) -> None:
        standing = [
            Standing(
                row.id,
                row.state,
                tuple((line, units) for line, units in row.contents),
                (row.why or {}).get("code", ""),
                told_of(connection, row),
            )
            for row in known
        ]
        act = decide(order, group, standing)
        why = act.why or Reason("order_changed")
        match act.kind:
            case "create":
                self._create(connection, shop, order_id, order, group)
            case "replace":
                cancel(connection, self.work, shop, order, known, why, self.now())
                self._create(connection, shop, order_id, order, group, before=known)
            case "release":
                self._release(connection, shop, known)
            case "hold":
                for row in (each for each in known if each.state == "planned"):
                    record.set_parcel(connection, shop.id, row.id, "held", self.now(), why)
            case "cancel":
                cancel(connection, self.work, shop, order, known, why, self.now())
            case "ask":
                for row in known:
                    need_person(connection, shop.id, row.id, why, self.now())
            case "none":
                readdress(connection, self.keyring, self.work, shop, group, known, self.now())

    def _release(self, connection: Connection, shop: ShopEntry, known: Sequence[Any]) -> None:
        for row in known:
            if row.state == "held" and (row.why or {}).get("code") in STORES_HOLDS:
                record.set_parcel(connection, shop.id, row.id, "planned", self.now())
                buy_by_rule(connection, self.work, shop, row.id, self.now())

    def _create(
        self,
        connection: Connection,
        shop: ShopEntry,
        order_id: str,
        order: Order,
        group: FulfilmentGroup,
        before: Sequence[Any] = (),
    ) -> None:
        now = self.now()
        linked = quote_of(connection, shop.id, order, group) or link_of(connection, before)
        planned = plan_group(connection, shop, group, linked, now)
        if isinstance(planned, Unplannable):
            need_person(connection, shop.id, order_id, Reason("cannot_plan", {"why": planned.why.say()}), now)
            return
        settled(connection, shop.id, order_id, now, "cannot_plan")
        person_id = keep_person(connection, self.keyring, shop.id, order, group, now)
        hold = why_held(connection, shop, order_id, order, edited=bool(before)) or held_by_rule(linked, before)
        for number, parcel in enumerate(planned.plan.parcels, 1):
            parcel_id = self._parcel(
                connection, shop, order_id, order, group, planned, number, parcel, person_id, linked, hold
            )
            keep_window(connection, shop, order, order_id, group, linked, parcel_id, now)
            for wish in not_taken(shop, linked):
                need_person(connection, shop.id, parcel_id, wish, now)
            if hold is not None:
                need_person(connection, shop.id, parcel_id, hold, now)
            else:
                buy_by_rule(connection, self.work, shop, parcel_id, now)
        if linked is not None and linked.offer.bought_as is not None:
            as_bought = linked.offer.bought_as
            book(
                connection,
                shop.id,
                "quoted",
                Money(as_bought.minor, as_bought.currency),
                order_id=order_id,
                cause=f"{linked.quote.id}:{group.id}"[:160],
                now=now,
            )

    def _parcel(
        self,
        connection: Connection,
        shop: ShopEntry,
        order_id: str,
        order: Order,
        group: FulfilmentGroup,
        planned: Planned,
        number: int,
        parcel: PlannedParcel,
        person_id: str | None,
        linked: Linked | None,
        hold: Reason | None,
    ) -> str:
        now = self.now()
        parcel_id = new_id("par", now)
        location = next((each for each in shop.locations if each.external_id == group.location_id), None)
        default = shop.quoting.default_origin()
        bought_as = priced_again(order, group)
        if linked is not None:
            bought_as = None if linked.offer.bought_as is None else linked.offer.bought_as.whole()
        if bought_as is not None:
            bought_as = parcel_price(bought_as, planned, number)
        size = parcel.size
        inside = {line for line, _ in parcel.contents}
        connection.execute(
            parcels.insert(
                shop.id,
                id=parcel_id,
                order_id=order_id,
                order_external_id=order.id,
                group_id=group.id,
                number=number,
                count=len(planned.plan.parcels),
                state="held" if hold else "planned",
                why=hold.to_json() if hold else None,
                contents=[list(content) for content in parcel.contents],
                goods={line.id: [line.name[:120], line.sku[:60]] for line in group.lines if line.id in inside},
                declared=declared(group, inside),
                grams=parcel.gross.grams,
                size_mm=[size.length, size.width, size.height] if size else None,
                plan_id=planned.plan.id,
                packaging=parcel.packaging,
                carton=parcel.carton[:60],
                location_id=location.id if location else (default.id if default else ""),
                store_location_id=group.location_id,
                person_id=person_id,
                currency=order.currency,
                quote_id=None if linked is None else linked.quote.id,
                offer_code="" if linked is None else linked.offer.code,
                bought_as=bought_as,
                marks=dict(linked.offer.marks) if linked is not None and linked.offer.marks else None,
                created_at=now,
                changed_at=now,
            )
        )
        return parcel_id


def _charged(order: Order) -> Money:
    total = Money.zero(order.currency)
    for line in order.shipping_lines:
        if line.price.currency == order.currency:
            total += line.price
    return total
