"""Change a shop's settings, or go back to an earlier version: what fits the shop becomes a new version."""

from __future__ import annotations

from collections.abc import Mapping

from connector import shop_settings
from connector.directory import ShopEntry
from connector.managing.dates import fits_dates
from connector.rules.thresholds import without_rate
from connector.shop_settings import ShopSettings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.database import Database
from webhooks.errors import WaybillError
from webhooks.ports import Clock


class NoSuchVersion(WaybillError):
    """The shop's settings have no such version."""


async def change_settings(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    changes: Mapping[str, str],
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> tuple[int, ShopSettings]:
    """Publish a version with these changes, as they are typed (none: nothing is published).

    `based_on` is the version that the person looked at. Raises SettingsError, or StaleSettings where somebody else
    was faster; then nothing has changed.
    """
    version = shop.quoting.settings_version
    if based_on is not None and based_on != version:
        raise _stale(based_on, version)
    if not changes:
        return version, shop.settings
    settings = shop_settings.change(shop.settings, changes, shop.record.currency)
    return await _publish(database, clock, shop, settings, actor, clock_is_moved, version), settings


async def restore_settings(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    version: int,
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    """Publish what an earlier version said as a new version. Raises as `change_settings`, and NoSuchVersion."""
    latest = shop.quoting.settings_version
    if based_on is not None and based_on != latest:
        raise _stale(based_on, latest)
    old = await database.run(settings_versions.get, shop.id, version)
    if old is None:
        raise NoSuchVersion("There is no such version.", detail=str(version))
    settings = shop_settings.load(old.body)
    return await _publish(database, clock, shop, settings, actor, clock_is_moved, latest)


async def publish_settings(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    settings: ShopSettings,
    actor: Actor,
    *,
    clock_is_moved: bool,
    based_on: int | None = None,
) -> int:
    """Publish whole settings as a new version. Raises as `change_settings`."""
    latest = shop.quoting.settings_version
    if based_on is not None and based_on != latest:
        raise _stale(based_on, latest)
    return await _publish(database, clock, shop, settings, actor, clock_is_moved, latest)


async def _publish(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    settings: ShopSettings,
    actor: Actor,
    clock_is_moved: bool,
    based_on: int,
) -> int:
    fits_shop(shop, settings, clock_is_moved=clock_is_moved)
    fits_dates(shop, settings, clock.now())
    body = shop_settings.dump(settings)
    return await database.run(settings_versions.publish, shop.id, body, actor, clock.now(), based_on=based_on)


def fits_shop(shop: ShopEntry, settings: ShopSettings, *, clock_is_moved: bool) -> None:
    """What a change needs to know of the rest of the shop. Raises WaybillError, naming the key."""
    place = settings.default_location
    if place and not any(place in {each.id, each.external_id} for each in shop.locations):
        known = ", ".join(f"{each.id} ({each.name})" for each in shop.locations)
        raise WaybillError(f"The shop has no location {place}. It has: {known or 'none'}.", detail="default_location")
    for threshold in without_rate(settings.rules.thresholds, shop.record.currency, settings.exchange_rates):
        raise WaybillError(
            f"{threshold.name} is in {threshold.currency}, and there is no exchange rate into {shop.record.currency}.",
            detail="exchange_rates",
        )
    if settings.mode == "live" and clock_is_moved:
        raise WaybillError("A live shop refuses WAYBILL_TEST_CLOCK; take it out of the environment.", detail="mode")
    if settings.mode == "test":
        spending = [each.id for each in shop.accounts.values() if each.record.test_mode is False]
        if spending:
            raise WaybillError(f"A test shop takes no production account: {', '.join(spending)}.", detail="mode")


def _stale(based_on: int, latest: int) -> settings_versions.StaleSettings:
    return settings_versions.StaleSettings(
        "The settings were changed by someone else meanwhile; look at them again.",
        detail=f"based on {based_on}, latest is {latest}",
    )
