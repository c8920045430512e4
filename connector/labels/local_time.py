"""The time zone of a location, which the hours of a driver's visit are told in. Pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from connector.directory import ShopEntry
from connector.promises.window import Spot, promises_of


def zone_at(shop: ShopEntry, location_id: str) -> ZoneInfo:
    """The zone that the promises' settings name for the location, else the shop's."""
    place = next((each for each in shop.locations if each.id == location_id), None)
    names = (location_id, "" if place is None else place.external_id)
    return promises_of(shop.settings.promises, shop.quoting.timezone, Spot(""), names).zone
