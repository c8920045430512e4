"""Which order something is about that needs a person: its id and its name, by the id that the matter names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.labels.tables import labels, parcels
from connector.orders.tables import orders
from connector.storage.database import in_parts


@dataclass(frozen=True, slots=True)
class About:
    """An order."""

    order_id: str
    name: str


def orders_of(connection: Connection, shop_id: str, subjects: Collection[str]) -> dict[str, About]:
    """The order of each subject: an order, a parcel or a label. Others, and what is not here any more, are left out."""
    parcel_of = {each: each for each in subjects if each.startswith("par_")}
    for some in in_parts([each for each in subjects if each.startswith("lab_")]):
        chosen = labels.select(shop_id, labels.c.id, labels.c.parcel_id).where(labels.c.id.in_(some))
        parcel_of |= {row.id: row.parcel_id for row in connection.execute(chosen).all()}
    order_of = {each: each for each in subjects if each.startswith("ord_")}
    owners: dict[str, str] = {}
    for some in in_parts(list(dict.fromkeys(parcel_of.values()))):
        wanted = parcels.select(shop_id, parcels.c.id, parcels.c.order_id).where(parcels.c.id.in_(some))
        owners |= {row.id: row.order_id for row in connection.execute(wanted).all()}
    order_of |= {each: owners[parcel] for each, parcel in parcel_of.items() if parcel in owners}
    names: dict[str, str] = {}
    for some in in_parts(list(dict.fromkeys(order_of.values()))):
        named = orders.select(shop_id, orders.c.id, orders.c.name).where(orders.c.id.in_(some))
        names |= {row.id: row.name for row in connection.execute(named).all()}
    return {each: About(order_id, names[order_id]) for each, order_id in order_of.items() if order_id in names}
