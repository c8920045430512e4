"""The merchant's acts on a catalogue, the same for the command line and the desk: import, export, accept; audited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from connector.catalogue import keep
from connector.catalogue.keep import OwnRow
from connector.catalogue.product import SIZE, Values
from connector.catalogue.sheet import Sheet, apply, write_sheet
from connector.storage import audit
from connector.storage.audit import Actor


def import_sheet(connection: Connection, shop_id: str, sheet: Sheet, actor: Actor, now: datetime) -> int:
    """Take in a file without faults; how many variants changed. Raises ValueError for one with faults."""
    if sheet.faults:
        raise ValueError("a file with faults changes nothing")
    known = {each.key: each for each in keep.entries(connection, shop_id, {row.key for row in sheet.rows})}
    own: dict[str, OwnRow] = {}
    for row in sheet.rows:
        before = own.get(row.key)
        if before is None:
            entry = known.get(row.key)
            before = OwnRow(row.key, row.sku or (entry.sku if entry else ""), entry.own if entry else keep.NOTHING)
        values = apply(row, before.values)
        own[row.key] = OwnRow(row.key, before.sku, values)
    rows = [_with_measured(row, known.get(row.key)) for row in own.values()]
    changed = keep.put_own(connection, shop_id, rows)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="catalogue.import",
        subject=shop_id,
        shop_id=shop_id,
        detail={"lines": len(sheet.rows), "changed": changed},
    )
    return changed


def export_sheet(connection: Connection, shop_id: str, *, everything: bool = False) -> str:
    """The merchant's own table as CSV; with `everything` a line for each variant that the store has, too."""
    rows = [
        ("" if each.is_by_sku else each.variant_id or each.key, each.sku, each.product.name, each.own)
        for each in keep.entries(connection, shop_id)
        if everything or each.own.said()
    ]
    return write_sheet(rows)


def accept(
    connection: Connection,
    shop_id: str,
    key: str,
    *,
    weight_g: int | None = None,
    size: Sequence[int] | None = None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take measured values into the merchant's own table, marked as measured. False if they stood there already."""
    entry = next(iter(keep.entries(connection, shop_id, [key])), None)
    own, measured = (entry.own, set(entry.measured)) if entry else (keep.NOTHING, set())
    change: dict[str, int] = {}
    if weight_g is not None:
        change["weight_g"] = weight_g
    if size is not None:
        change |= dict(zip(SIZE, size, strict=True))
    values = Values.model_validate(own.model_dump(mode="json") | change)
    row = OwnRow(key, entry.sku if entry else key.removeprefix("sku:"), values, frozenset(measured | change.keys()))
    changed = keep.put_own(connection, shop_id, [row])
    if changed:
        audit.record(
            connection,
            now=now,
            actor=actor,
            action="catalogue.accept",
            subject=key[:200],
            shop_id=shop_id,
            detail=dict(change),
        )
    return bool(changed)


def _with_measured(row: OwnRow, before: keep.Entry | None) -> OwnRow:
    """A value that a file changes is no measurement any more."""
    if before is None:
        return row
    same = {name for name in before.measured if getattr(before.own, name) == getattr(row.values, name)}
    return OwnRow(row.key, row.sku, row.values, frozenset(same))
