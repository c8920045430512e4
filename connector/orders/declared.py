"""What an order's lines say to customs, as it is kept with a parcel until its label is bought."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connector.catalogue.product import key_of
from connector.store import FulfilmentGroup, OrderLine


def declared(group: FulfilmentGroup, lines: Collection[str]) -> dict[str, Any]:
    """Who pays duties, as the store says, and of each of these lines what the store knows; names stand in `goods`."""
    return {
        "incoterm": group.incoterm,
        "lines": {
            line.id: {
                "key": key_of(line.variant_id, line.sku),
                "minor": line.price.minor,
                "currency": line.price.currency,
                "grams": None if line.weight is None else line.weight.grams,
                "hs_code": line.hs_code,
                "origin_country": line.origin_country,
                **_sold(line),
            }
            for line in group.lines
            if line.id in lines
        },
    }


def _sold(line: OrderLine) -> dict[str, Any]:
    """What the line's units cost together, which `connector.labels.declaring` shares out among the parcels."""
    if line.total is None or line.total_units <= 0 or line.total.currency != line.price.currency:
        return {}
    return {"total": line.total.minor, "of": line.total_units}
