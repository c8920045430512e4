"""What customs is told of a parcel, from its row: its goods, what they cost, and what the catalogue knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from carriers.address import Address
from carriers.customs import Customs
from carriers.money import Money
from connector.catalogue import keep
from connector.catalogue.borders import Spot, meets_customs
from connector.catalogue.customs import DeclaredLine, declaration, why_missing
from connector.directory import ShopEntry
from connector.labels.tables import parcels
from connector.words.reason import Reason


def customs_of(
    connection: Connection, shop: ShopEntry, parcel: Any, origin: Address, destination: Address
) -> Customs | Reason | None:
    """What customs is told of a parcel; None where no customs is met on the way; else the reason what is missing."""
    here, there = _spot(origin), _spot(destination)
    if not meets_customs(here, there):
        return None
    kept = parcel.declared or {"lines": {}}
    skus = {f"sku:{sku}" for _, sku in (parcel.goods or {}).values()}
    known = keep.products(connection, shop.id, skus | {each["key"] for each in kept["lines"].values()})
    earlier = _earlier(connection, shop.id, parcel, kept["lines"])
    lines = []
    for line, units in parcel.contents:
        name, sku = (parcel.goods or {}).get(line, ("", ""))
        said = kept["lines"].get(line, {})
        lines.append(
            DeclaredLine(
                name=name,
                sku=sku,
                units=units,
                price=Money(said["minor"], said["currency"]) if said else None,
                product=known.get(said.get("key", "")) or known.get(f"sku:{sku}"),
                grams=said.get("grams"),
                hs_code=said.get("hs_code", ""),
                origin_country=said.get("origin_country", ""),
                total=share(said, earlier.get(line, 0), units),
                key=said.get("key", ""),
            )
        )
    found = declaration(
        lines,
        shop.settings.customs,
        here,
        there,
        gross_g=parcel.grams,
        incoterm=kept.get("incoterm", ""),
        reference=parcel.order_external_id.rsplit("/", 1)[-1],
    )
    return why_missing(found) if isinstance(found, list) else found


def share(said: Mapping[str, Any], before: int, units: int) -> Money | None:
    """What these units cost of their line's total, where that is told and holds them.

    The shares of units that follow each other sum up to the total, to the minor unit.
    """
    total, of = said.get("total"), said.get("of", 0)
    if total is None or not 0 < before + units <= of:
        return None
    return Money(total * (before + units) // of - total * before // of, said["currency"])


def _earlier(connection: Connection, shop_id: str, parcel: Any, lines: Mapping[str, Any]) -> dict[str, int]:
    """How many units of each line are in the order's parcels before this one, as far as they share its total."""
    if not any("total" in said for said in lines.values()):
        return {}
    chosen = parcels.select(shop_id, parcels.c.id, parcels.c.contents, parcels.c.declared).where(
        parcels.c.order_id == parcel.order_id, parcels.c.state != "cancelled"
    )
    found: dict[str, int] = {}
    for row in connection.execute(chosen.order_by(parcels.c.id)).all():
        if row.id >= parcel.id:
            break
        theirs = (row.declared or {}).get("lines", {})
        for line, units in row.contents:
            if _basis(theirs.get(line, {})) == _basis(lines.get(line, {})):
                found[line] = found.get(line, 0) + units
    return found


def _basis(said: Mapping[str, Any]) -> tuple[Any, ...]:
    return said.get("total"), said.get("of"), said.get("currency")


def _spot(address: Address) -> Spot:
    return Spot(address.country, address.province, address.postal_code)
