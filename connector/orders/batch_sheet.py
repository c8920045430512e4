"""The result sheet of a batch: what became of each parcel, why, what it cost, and where that is put right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from carriers.money import Money
from connector.labels.tables import labels
from connector.orders.batches import Batch, Item
from connector.orders.listing import OrderLine
from connector.orders.who import by_name, names_in
from connector.storage.database import in_parts
from connector.storage.secrets import Keyring

SHEET_HEADER = ("position", "order", "parcel", "state", "carrier", "tracking", "cost", "currency", "reason", "fix")


def sheet_rows(
    batch: Batch, moved: Mapping[str, Money] | None = None, page_of: Callable[[str], str] = lambda _order_id: ""
) -> list[tuple[object, ...]]:
    """A line for each parcel, and one for each order without any.

    `moved`: costs by label. `page_of` gives the address of an order's page, where what failed is put right.
    """
    rows: list[tuple[object, ...]] = []
    for item in batch.items:
        line = item.line
        if line is None or not line.parcels:
            said = item.why.say() if item.why is not None else ""
            fix = "" if line is None else page_of(line.id)
            rows.append((item.position, line.name if line else item.order_id, "", "nothing", "", "", "", "", said, fix))
            continue
        for each in line.parcels:
            cost = (moved or {}).get(each.label_id or "")
            why = (each.file and each.file.why) or each.why or (item.why if each.state != "bought" else None)
            rows.append(
                (
                    item.position,
                    line.name,
                    each.id,
                    each.shown,
                    each.carrier,
                    each.number,
                    "" if cost is None else f"{cost.amount:f}",
                    "" if cost is None else cost.currency,
                    "" if why is None else why.say(),
                    page_of(line.id) if each.state != "bought" or each.shown == "file_missing" else "",
                )
            )
    return rows


def with_names(connection: Connection, keyring: Keyring, items: Sequence[Item]) -> tuple[Item, ...]:
    """The items with who did something by name, as they are shown."""
    parcels = [each for item in items if item.line is not None for each in item.line.parcels]
    names = names_in(connection, keyring, [each.why for each in parcels])

    def named(line: OrderLine) -> OrderLine:
        return replace(line, parcels=tuple(replace(each, why=by_name(each.why, names)) for each in line.parcels))

    return tuple(item if item.line is None else replace(item, line=named(item.line)) for item in items)


def costs(connection: Connection, shop_id: str, batch: Batch) -> dict[str, Money]:
    """What the labels of the batch cost, by label."""
    ids = [each.label_id for item in batch.items if item.line for each in item.line.parcels if each.label_id]
    found: dict[str, Money] = {}
    for part in in_parts(ids):
        chosen = labels.select(shop_id, labels.c.id, labels.c.booked_minor, labels.c.booked_currency).where(
            labels.c.id.in_(part), labels.c.booked_minor.is_not(None)
        )
        found |= {row.id: Money(row.booked_minor, row.booked_currency) for row in connection.execute(chosen).all()}
    return found
