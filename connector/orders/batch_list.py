"""The list of batches: how many labels of each are bought, refused, held, under way or unclear, and what they cost.

A list has tens of batches with up to a thousand orders each, so that the database counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, Select, String, and_, case, cast, distinct, func, or_

from carriers.money import Money
from connector.labels import kept
from connector.labels.by_hand import BY_HAND
from connector.labels.tables import label_files, labels, parcels
from connector.orders.batches import Batch
from connector.orders.tables import batch_items, batches

Standing = Literal["bought", "open", "file_missing", "unclear", "held", "waits", "refused", "voided", "nothing"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""How parcels of a batch stand: unclear purchases are being looked up, held ones wait for a person, those that wait go
on with the day's cap, the wallet, or a click. `open` are those too whose label's file is being fetched for the first
time, `file_missing` bought ones whose file could not be kept so far. `nothing` counts orders that have no parcel any
more."""

_OF_STATE: Mapping[str, Standing] = {
    "bought": "bought", "buying": "open", "unknown": "unclear", "held": "held", "refused": "refused",
    "voided": "voided",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch in the list: its parcels by how they stand (none before it is bought), and what its labels cost."""

    id: str
    made_at: datetime
    bought_at: datetime | None
    orders: int
    counts: Mapping[Standing, int]
    cost: tuple[Money, ...]


def standing(state: str, *, waits: bool) -> Standing:
    """How a parcel of a batch that was asked for stands; a planned one is in the queue, unless it waits."""
    return _OF_STATE.get(state, "waits" if waits else "open")


def recent(connection: Connection, shop_id: str, most: int = 50) -> list[BatchLine]:
    """The newest batches."""
    newest = batches.select(shop_id).order_by(batches.c.made_at.desc(), batches.c.id.desc()).limit(most)
    rows = connection.execute(newest).all()
    ids = [row.id for row in rows]
    if not ids:
        return []
    per_batch = _items(shop_id, ids, func.count().label("n")).group_by(batch_items.c.batch_id)
    orders = {row.batch_id: int(row.n) for row in connection.execute(per_batch).all()}
    counts = _counts(connection, shop_id, [row.id for row in rows if row.bought_at is not None], orders)
    cost = costs(connection, shop_id, ids)
    return [
        BatchLine(
            row.id, row.made_at, row.bought_at, orders.get(row.id, 0), counts.get(row.id, {}), cost.get(row.id, ())
        )
        for row in rows
    ]


def costs(connection: Connection, shop_id: str, ids: list[str]) -> dict[str, tuple[Money, ...]]:
    """What the valid labels of the batches' orders cost, one sum for each currency."""
    chosen = _items(shop_id, ids, labels.c.booked_currency, func.sum(labels.c.booked_minor).label("minor")).where(
        _same_order(),
        labels.c.shop_id == parcels.c.shop_id,
        labels.c.parcel_id == parcels.c.id,
        labels.c.state == "bought",
        labels.c.booked_minor.is_not(None),
    )
    found: dict[str, tuple[Money, ...]] = {}
    grouped = chosen.group_by(batch_items.c.batch_id, labels.c.booked_currency).order_by(labels.c.booked_currency)
    for row in connection.execute(grouped).all():
        sum_ = Money(int(row.minor), row.booked_currency)
        found[row.batch_id] = (*found.get(row.batch_id, ()), sum_)
    return found


def not_bought(batch: Batch) -> dict[Standing, int]:
    """The parcels without a label, or without its file, in orders whose outcome has come, by how they stand."""
    stands: Counter[Standing] = Counter(
        "file_missing" if each.shown == "file_missing" else standing(each.state, waits=not item.is_asked(each))
        for item in batch.items
        if item.line is not None and item.outcome in {"stopped", "partly", "unclear", "file_missing"}
        for each in item.line.parcels
        if each.state != "bought" or each.shown == "file_missing"
    )
    return {each: stands[each] for each in STANDINGS if each in stands}


def _counts(
    connection: Connection, shop_id: str, ids: list[str], orders: Mapping[str, int]
) -> dict[str, dict[Standing, int]]:
    if not ids:
        return {}
    since_then = parcels.c.changed_at > batch_items.c.asked_at  # As `Item.is_asked` has it.
    waiting = or_(_is_said(parcels.c.why), _is_said(batch_items.c.why), since_then)
    wanted = and_(_same_order(), parcels.c.state != "cancelled")
    waits = case((waiting, 1), else_=0).label("waits")
    chosen = _items(shop_id, ids, parcels.c.state, waits, func.count().label("n")).where(wanted)
    found: dict[str, dict[Standing, int]] = {}
    for row in connection.execute(chosen.group_by(batch_items.c.batch_id, parcels.c.state, "waits")).all():
        counts = found.setdefault(row.batch_id, {})
        stands = standing(row.state, waits=bool(row.waits))
        counts[stands] = counts.get(stands, 0) + int(row.n)
    for batch_id, stands in _without_file(connection, shop_id, ids):
        counts = found[batch_id]
        counts["bought"] = counts.get("bought", 0) - 1
        counts[stands] = counts.get(stands, 0) + 1
    with_parcels = _items(shop_id, ids, func.count(distinct(batch_items.c.order_id)).label("n")).where(wanted)
    shipped = {row.batch_id: int(row.n) for row in connection.execute(with_parcels.group_by(batch_items.c.batch_id))}
    for batch_id in ids:
        if without := orders.get(batch_id, 0) - shipped.get(batch_id, 0):
            found.setdefault(batch_id, {})["nothing"] = without
    return {
        batch_id: {each: counts[each] for each in STANDINGS if counts.get(each)} for batch_id, counts in found.items()
    }


def _without_file(connection: Connection, shop_id: str, ids: list[str]) -> list[tuple[str, Standing]]:
    """The bought labels of these batches whose file never came, each with its batch; mostly there is none."""
    came = label_files.select(shop_id, label_files.c.id).where(
        label_files.c.label_id == labels.c.id,
        label_files.c.kind == "label",
        or_(label_files.c.sha256.is_not(None), label_files.c.fetched_at.is_not(None)),
    )
    never = _items(shop_id, ids, labels.c.id.label("label_id")).where(
        _same_order(),
        parcels.c.state == "bought",
        labels.c.shop_id == parcels.c.shop_id,
        labels.c.parcel_id == parcels.c.id,
        labels.c.state == "bought",
        labels.c.account_id != BY_HAND,
        ~came.exists(),
    )
    rows = connection.execute(never).all()
    files = kept.files_of(connection, shop_id, [row.label_id for row in rows])
    return [(row.batch_id, "file_missing" if files[row.label_id].is_missing else "open") for row in rows]


def _items(shop_id: str, ids: list[str], *columns: Any) -> Select[Any]:
    """Columns of the items of these batches."""
    return batch_items.select(shop_id, batch_items.c.batch_id, *columns).where(batch_items.c.batch_id.in_(ids))


def _same_order() -> ColumnElement[bool]:
    return and_(parcels.c.shop_id == batch_items.c.shop_id, parcels.c.order_id == batch_items.c.order_id)


def _is_said(why: ColumnElement[Any]) -> ColumnElement[bool]:
    """A column of JSON holds nothing as NULL, or as JSON's own null where it was taken away."""
    return and_(why.is_not(None), cast(why, String) != "null")
