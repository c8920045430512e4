"""What a command line names: a shop by its id or its domain; and whether a worker is there to do what is queued."""

from __future__ import annotations

from connector.directory import ShopEntry
from connector.storage.shops import NoSuchShop
from connector.wiring import House


def named_shop(house: House, reference: str) -> ShopEntry:
    """A shop in memory, by its id or its domain. Raises NoSuchShop."""
    found = house.directory.shop(reference)
    if found is not None:
        return found
    same = [shop for shop in house.directory.shops() if shop.domain == reference.lower()]
    if len(same) != 1:
        why = "More than one shop has this domain; give the id." if same else "There is no such shop."
        raise NoSuchShop(why, detail=reference)
    return same[0]
