"""Free-shipping thresholds as a merchant manages them: set, take out, and publish as the store's own discount."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Column, Connection, String

from carriers.money import Money
from connector import shop_settings
from connector.directory import ShopEntry
from connector.managing import rules
from connector.managing.settings import fits_shop
from connector.rules.thresholds import EVERY, Threshold
from connector.shop_settings import ShopSettings
from connector.storage import audit, settings_versions
from connector.storage.audit import Actor
from connector.storage.database import Database, insert_new
from connector.storage.schema import Moment, TenantTable
from connector.store import FreeShippingDiscount, StoreDiscounts
from webhooks.errors import WaybillError
from webhooks.ports import Clock

published = TenantTable(
    "store_discounts",
    Column("name", String(80), primary_key=True),  # the threshold's
    Column("external_id", String(160), nullable=False, default=""),  # empty: asked for, and no answer seen yet
    Column("at", Moment, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(200), nullable=False),
)


class ThresholdError(WaybillError):
    """A threshold that is not there, does not validate, or cannot be expressed; `detail` names it or its field."""


def find(settings: ShopSettings, name: str) -> Threshold:
    """One by its name. Raises ThresholdError."""
    found = next((each for each in settings.rules.thresholds if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in settings.rules.thresholds)
        raise ThresholdError(f"There is no threshold {name!r}. There are: {known or 'none'}.", detail=name)
    return found


def read(body: Mapping[str, Any]) -> Threshold:
    """A threshold as it was written. Raises ThresholdError with the path of each fault."""
    try:
        return Threshold.model_validate(dict(body))
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in each['loc']) or 'threshold'}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ThresholdError(
            f"The threshold is refused. {'; '.join(faults)}.", detail=faults[0].split(":")[0]
        ) from error


async def draft(database: Database, clock: Clock, shop: ShopEntry, threshold: Threshold, actor: Actor) -> None:
    """Keep it in the draft of the rules, where it is compared with past carts and published.

    Raises ThresholdError as `put` does, BadRules for a draft that this release cannot read.
    """
    known = await rules.draft_of(database, shop)
    base = shop.settings.rules if known is None else known[1]
    changed = base.model_copy(update={"thresholds": tuple(_placed(base.thresholds, threshold))})
    await rules.save_draft(database, clock, shop, changed, actor)


async def put(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    threshold: Threshold,
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    """Add a threshold, or replace the one of its name, in its place; the new version of the settings.

    Raises SettingsError, StaleSettings, or ThresholdError for one that is published to the store: take it back first.
    """
    return await _change(
        database,
        clock,
        shop,
        lambda now: _placed(now, threshold),
        actor,
        clock_is_moved=clock_is_moved,
        based_on=based_on,
    )


def _placed(now: Sequence[Threshold], threshold: Threshold) -> list[Threshold]:
    """With it behind the others, or in the place of the one of its name."""
    before = next((each for each in now if each.name == threshold.name), None)
    if before is not None and before.by_store:
        raise ThresholdError("It is published to the store; take it back first.", detail="by_store")
    if threshold.by_store:
        raise ThresholdError("Only publishing it to the store sets by_store.", detail="by_store")
    if before is None:
        return [*now, threshold]
    return [threshold if each.name == threshold.name else each for each in now]


async def remove(
    database: Database, clock: Clock, shop: ShopEntry, name: str, actor: Actor, *, clock_is_moved: bool
) -> int:
    """Take a threshold out; the new version. Raises ThresholdError for one that is published to the store."""
    if find(shop.settings, name).by_store:
        raise ThresholdError("It is published to the store; take it back first.", detail="by_store")
    return await _change(
        database,
        clock,
        shop,
        lambda now: [each for each in now if each.name != name],
        actor,
        clock_is_moved=clock_is_moved,
    )


def as_discount(threshold: Threshold, currency: str, up_to: Money | None) -> FreeShippingDiscount:
    """The threshold as a store's own discount. Raises ThresholdError, naming the field that it cannot express.

    A store's discount frees every service: so one is asked for that frees all (services: *), or a greatest price.
    """
    unlike = {
        "currency": threshold.currency != currency,
        "price": threshold.price != 0,
        "tiers": bool(threshold.tiers),
        "basis": threshold.basis != "after_discounts",
        "tax": threshold.tax != "as_shown",
        "counts_digital": not threshold.counts_digital,
        "counts_unlisted": not threshold.counts_unlisted,
        "counts_gift_cards": threshold.counts_gift_cards,
        "customer_tags": bool(threshold.customer_tags),
        "excludes": threshold.excludes != type(threshold.excludes)(),
        "where": any(len(place) != len("SK") for place in threshold.where),
        "services": EVERY not in threshold.services and up_to is None,
    }
    field = next((name for name, is_unlike in unlike.items() if is_unlike), None)
    if field is not None:
        raise ThresholdError(
            f"The store's own discount cannot express {field}. {_CURES.get(field, '')}".strip(), detail=field
        )
    amount = Money.parse(threshold.amount, threshold.currency)
    return FreeShippingDiscount(threshold.name, amount, tuple(threshold.where), up_to)


_CURES = {
    "services": "It frees every service: say up to which price (--up-to), or set services to *.",
    "where": "It knows countries only.",
    "currency": "Its amount is in the shop's currency.",
}


async def publish(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    name: str,
    up_to: Money | None,
    actor: Actor,
    *,
    clock_is_moved: bool,
) -> str:
    """Make a threshold the store's own discount, and leave it to the store from then on; the discount's id.

    Safe to repeat: what was made, and never heard of, is found by its title. Raises ThresholdError, StoreError.
    """
    discounts = _discounts(shop)
    threshold = find(shop.settings, name)
    discount = as_discount(threshold, shop.record.currency, up_to)
    now = clock.now()
    known = await database.run(_intend, shop.id, name, actor, now)
    if known == "":
        known = await discounts.find(discount.title) or ""
    discount_id = await discounts.put(discount, known or "", lambda: True)
    await database.run(_made, shop.id, name, discount_id, actor, now)
    if not threshold.by_store:
        await _leave(database, clock, shop, name, by_store=True, actor=actor, clock_is_moved=clock_is_moved)
    return discount_id


async def unpublish(
    database: Database, clock: Clock, shop: ShopEntry, name: str, actor: Actor, *, clock_is_moved: bool
) -> bool:
    """Take it back: Waybill applies the threshold again, and the store's discount goes. False: it was not there."""
    discounts = _discounts(shop)
    row = await database.run(_known, shop.id, name)
    threshold = next((each for each in shop.settings.rules.thresholds if each.name == name), None)
    if row is None and (threshold is None or not threshold.by_store):
        raise ThresholdError("It is not published to the store.", detail=name)
    if threshold is not None and threshold.by_store:
        await _leave(database, clock, shop, name, by_store=False, actor=actor, clock_is_moved=clock_is_moved)
    known = (row.external_id if row is not None else "") or await discounts.find(name)
    was_there = bool(known) and await discounts.drop(str(known), lambda: True)
    await database.run(_gone, shop.id, name, actor, clock.now())
    return was_there


def _discounts(shop: ShopEntry) -> StoreDiscounts:
    found = shop.store.discounts
    if found is None:
        raise ThresholdError("This store has no free-shipping discounts of its own.", detail="store")
    return found


async def _leave(
    database: Database, clock: Clock, shop: ShopEntry, name: str, *, by_store: bool, actor: Actor, clock_is_moved: bool
) -> None:
    def change(now: tuple[Threshold, ...]) -> list[Threshold]:
        return [each.model_copy(update={"by_store": by_store}) if each.name == name else each for each in now]

    await _change(database, clock, shop, change, actor, clock_is_moved=clock_is_moved)


async def _change(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    change: Callable[[tuple[Threshold, ...]], Sequence[Threshold]],
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    version = shop.quoting.settings_version
    if based_on is not None and based_on != version:
        raise settings_versions.StaleSettings(
            "The settings were changed by someone else meanwhile; look at them again.",
            detail=f"based on {based_on}, latest is {version}",
        )
    before = shop.settings.rules
    body = shop_settings.dump(shop.settings)
    changed = [each.model_dump(mode="json") for each in change(before.thresholds)]
    settings = shop_settings.load({**body, "rules": {**before.model_dump(mode="json"), "thresholds": changed}})
    fits_shop(shop, settings, clock_is_moved=clock_is_moved)
    errors = [each for each in rules.check(shop, settings.rules, clock.now()) if each.severity == "error"]
    mine = [each for each in errors if each not in rules.check(shop, before, clock.now())]
    if mine:
        raise ThresholdError(mine[0].what.say(), detail=mine[0].path)
    return await database.run(
        settings_versions.publish, shop.id, shop_settings.dump(settings), actor, clock.now(), based_on=version
    )


def _intend(connection: Connection, shop_id: str, name: str, actor: Actor, now: datetime) -> str | None:
    """None where it is asked for the first time, else the id that is known: empty where no answer was seen."""
    row = _known(connection, shop_id, name)
    if row is not None:
        return str(row.external_id)
    values = {"at": now, "actor_kind": actor.kind, "actor_name": actor.name[:200]}
    insert_new(connection, published.insert(shop_id, name=name, external_id="", **values))
    return None


def _made(connection: Connection, shop_id: str, name: str, discount_id: str, actor: Actor, now: datetime) -> None:
    change = published.update(shop_id).where(published.c.name == name)
    connection.execute(change.values(external_id=discount_id, at=now))
    audit.record(connection, now=now, actor=actor, action="threshold.publish", subject=name, shop_id=shop_id)


def _gone(connection: Connection, shop_id: str, name: str, actor: Actor, now: datetime) -> None:
    connection.execute(published.delete(shop_id).where(published.c.name == name))
    audit.record(connection, now=now, actor=actor, action="threshold.unpublish", subject=name, shop_id=shop_id)


def _known(connection: Connection, shop_id: str, name: str) -> Any:
    return connection.execute(published.select(shop_id).where(published.c.name == name)).one_or_none()
