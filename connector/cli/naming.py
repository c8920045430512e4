"""What a command line names: a shop by its id or its domain; and whether a worker is there to do what is queued."""

from __future__ import annotations

from sqlalchemy import Connection

from connector.directory import ShopEntry
from connector.storage.shops import NoSuchShop
from connector.wiring import House
from connector.work.lease import list_executors


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


def worker_runs(connection: Connection) -> bool:
    """Whether a worker holds its lease. One that was killed counts until its lease ends."""
    return any(each.kind == "worker" and each.is_alive for each in list_executors(connection))
