"""Change what a shop sets for its dates, the same from the command line and the desk: checked whole, then published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from connector import shop_settings
from connector.directory import ShopEntry
from connector.promises.checks import Finding, Place, check
from connector.promises.settings import PromiseSettings
from connector.promises.window import Spot, zone_of
from connector.shop_settings import ShopSettings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.database import Database
from webhooks.errors import WaybillError
from webhooks.ports import Clock


class BadDates(WaybillError):
    """What was set for dates cannot be kept; `findings` says why, `detail` names the first field."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(first.why.say(), detail=first.field)
        self.findings = tuple(findings)


def findings_of(shop: ShopEntry, settings: PromiseSettings, today: date) -> tuple[Finding, ...]:
    """Faults and doubts of a shop's dates, faults first."""
    places = [
        Place(
            (each.id, each.external_id),
            each.name or each.id,
            Spot(each.address.country, each.address.province, each.address.postal_code),
        )
        for each in shop.locations
        if each.active and each.address.country
    ]
    return check(settings, places, shop.record.timezone, today)


def fits_dates(shop: ShopEntry, settings: ShopSettings, now: datetime) -> None:
    """Raises BadDates for settings that would promise what cannot be; those that are as they were are not looked at."""
    if settings.promises == shop.settings.promises:
        return
    found = findings_of(shop, settings.promises, now.astimezone(zone_of(shop.record.timezone)).date())
    faults = [each for each in found if each.severity == "error"]
    if faults:
        raise BadDates(faults)


async def change_dates(
    database: Database,
    clock: Clock,
    shop: ShopEntry,
    change: Callable[[PromiseSettings], PromiseSettings],
    actor: Actor,
    based_on: int | None = None,
) -> tuple[int, PromiseSettings]:
    """Publish a version with the change; none where it changes nothing.

    `based_on` is the version that the person looked at. Raises BadDates, SettingsError, StaleSettings.
    """
    version = shop.quoting.settings_version
    after = change(shop.settings.promises)
    if after == shop.settings.promises:
        return version, after
    body = shop_settings.dump(shop.settings)
    body["promises"] = after.model_dump(mode="json")
    settings = shop_settings.load(body)
    fits_dates(shop, settings, clock.now())
    seen = version if based_on is None else based_on
    new = await database.run(
        settings_versions.publish, shop.id, shop_settings.dump(settings), actor, clock.now(), based_on=seen
    )
    return new, settings.promises
