"""Scan-to-pack: each item of a parcel is scanned before its label is handed out. Wrong, extra or missing items stop it.

A slip's barcode is twelve digits that stand for the parcel. Goods are known by the catalogue's barcodes, or by SKU.
What does not belong into the parcel stays on the list until the same code is scanned again, as it is taken out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection

from connector.catalogue import keep
from connector.labels.desk_tables import pack_checks, slip_codes
from connector.labels.tables import parcels
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import in_parts, insert_new
from webhooks.errors import WaybillError

State = Literal["open", "complete", "overridden"]
Heard = Literal["counted", "complete", "wrong", "too_many", "taken_out", "nothing"]
_MOST_AT_ONCE = 999
_LONGEST = 120


class NotScanned(WaybillError):
    """The label of a parcel is asked for whose goods were not scanned."""


class Overtaken(WaybillError):
    """Somebody else is scanning the same parcel, or it needs nothing more."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """Goods of the parcel: how many belong into it, and how many were scanned."""

    line: str
    name: str
    sku: str
    wanted: int
    scanned: int
    codes: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether all of them were scanned."""
        return self.scanned >= self.wanted


@dataclass(frozen=True, slots=True)
class Check:
    """How far a parcel's check is."""

    parcel: Any
    state: State
    lines: tuple[CheckLine, ...]
    wrong: tuple[str, ...]
    version: int

    @property
    def released(self) -> bool:
        """Whether the label may be handed out."""
        return self.state != "open"

    @property
    def left(self) -> int:
        """How many units are missing."""
        return sum(each.wanted - each.scanned for each in self.lines)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one scan did."""

    heard: Heard
    name: str = ""


def code_of(parcel_id: str) -> str:
    """The twelve digits that a slip's barcode says."""
    return f"{int.from_bytes(sha256(parcel_id.encode()).digest()[:8], 'big') % 10**12:012d}"


def keep_codes(connection: Connection, shop_id: str, parcel_ids: Sequence[str]) -> None:
    """Make the parcels' codes known, as their slips are printed."""
    codes = {code_of(each): each for each in parcel_ids}
    known = slip_codes.select(shop_id, slip_codes.c.code).where(slip_codes.c.code.in_(codes))
    there = {row.code for row in connection.execute(known).all()}
    for code, parcel_id in codes.items():
        if code not in there:
            insert_new(connection, slip_codes.insert(shop_id, code=code, parcel_id=parcel_id))


def parcel_of_code(connection: Connection, shop_id: str, code: str) -> str | None:
    """The parcel whose slip says this."""
    row = connection.execute(
        slip_codes.select(shop_id, slip_codes.c.parcel_id).where(slip_codes.c.code == "".join(code.split()))
    ).one_or_none()
    return None if row is None else str(row.parcel_id)


def load_check(connection: Connection, shop_id: str, parcel: Any) -> Check:
    """How far the check of a parcel is; one that nobody began is open and empty."""
    row = connection.execute(pack_checks.select(shop_id).where(pack_checks.c.parcel_id == parcel.id)).one_or_none()
    counts: Mapping[str, int] = {} if row is None else row.counts
    known = _codes_by_line(connection, shop_id, parcel)
    lines = []
    for line, units in parcel.contents:
        name, sku = (parcel.goods or {}).get(line, ("", ""))
        lines.append(CheckLine(line, name or sku or line, sku, units, int(counts.get(line, 0)), known.get(line, ())))
    state: State = "open" if row is None else row.state
    return Check(parcel, state, tuple(lines), tuple(row.wrong) if row else (), row.version if row else 0)


def scan(connection: Connection, shop_id: str, parcel_id: str, typed: str, actor: Actor, now: datetime) -> Scanned:
    """Count what was scanned: a barcode or an SKU, perhaps with how many in front (`3*TEA-100`).

    Raises Overtaken for a parcel whose check has ended.
    """
    check = _hold(connection, shop_id, parcel_id, actor, now)
    if check.released:
        raise Overtaken("Everything in this parcel was scanned before.")
    times, code = _times(typed)
    if not code:
        return Scanned("nothing")
    units, line = _find(check, code)
    counts = {each.line: each.scanned for each in check.lines}
    if line is not None and line.scanned + times * units <= line.wanted:
        counts[line.line] += times * units
        state = _save(connection, shop_id, check, counts, list(check.wrong), actor, now)
        return Scanned("complete" if state == "complete" else "counted", line.name)
    name = code if line is None else line.name
    if code in check.wrong:
        left = list(check.wrong)
        left.remove(code)
        state = _save(connection, shop_id, check, counts, left, actor, now)
        return Scanned("complete" if state == "complete" else "taken_out", name)
    _save(connection, shop_id, check, counts, [*check.wrong, code], actor, now)
    return Scanned("wrong" if line is None else "too_many", name)


def count_one(connection: Connection, shop_id: str, parcel_id: str, line: str, actor: Actor, now: datetime) -> bool:
    """Count one unit of goods that have no barcode and no SKU, by a button; the audit says so. False if not counted."""
    check = _hold(connection, shop_id, parcel_id, actor, now)
    found = next((each for each in check.lines if each.line == line and not each.codes and not each.done), None)
    if check.released or found is None:
        return False
    counts = {each.line: each.scanned for each in check.lines} | {line: found.scanned + 1}
    _save(connection, shop_id, check, counts, list(check.wrong), actor, now)
    audit.record(
        connection, now=now, actor=actor, action="packing.by_hand", subject=parcel_id, shop_id=shop_id, detail={}
    )
    return True


def override(connection: Connection, shop_id: str, parcel_id: str, reason: str, actor: Actor, now: datetime) -> None:
    """Hand the label out although the scan does not say so: who and why goes to the audit. Raises Overtaken."""
    check = _hold(connection, shop_id, parcel_id, actor, now)
    if check.released:
        raise Overtaken("The label of this parcel may be printed already.")
    ended = {"state": "overridden", "reason": reason[:300], "ended_at": now, "version": check.version + 1}
    ended |= {"actor_kind": actor.kind, "actor_name": actor.name}
    connection.execute(pack_checks.update(shop_id).where(pack_checks.c.parcel_id == parcel_id).values(**ended))
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="packing.override",
        subject=parcel_id,
        shop_id=shop_id,
        detail={"reason": reason[:300], "missing": check.left, "wrong": len(check.wrong)},
    )


def start_again(connection: Connection, shop_id: str, parcel_id: str, actor: Actor, now: datetime) -> None:
    """Forget what was scanned of a parcel; the audit keeps that it was."""
    gone = pack_checks.delete(shop_id).where(pack_checks.c.parcel_id == parcel_id)
    if connection.execute(gone).rowcount:
        audit.record(
            connection, now=now, actor=actor, action="packing.again", subject=parcel_id, shop_id=shop_id, detail={}
        )


def not_scanned(connection: Connection, shop_id: str, parcel_ids: Collection[str]) -> set[str]:
    """Those of these parcels whose check has not ended."""
    ids = list(dict.fromkeys(parcel_ids))
    ended: set[str] = set()
    for part in in_parts(ids):
        chosen = pack_checks.select(shop_id, pack_checks.c.parcel_id).where(
            pack_checks.c.parcel_id.in_(part), pack_checks.c.state != "open"
        )
        ended |= {str(row.parcel_id) for row in connection.execute(chosen).all()}
    return set(ids) - ended


def _hold(connection: Connection, shop_id: str, parcel_id: str, actor: Actor, now: datetime) -> Check:
    """The check, its row locked until the transaction ends."""
    parcel = connection.execute(parcels.select(shop_id).where(parcels.c.id == parcel_id)).one_or_none()
    if parcel is None or parcel.state == "cancelled":
        raise Overtaken("This parcel is not wanted any more.")
    begun = pack_checks.insert(
        shop_id,
        parcel_id=parcel_id,
        state="open",
        counts={},
        wrong=[],
        actor_kind=actor.kind,
        actor_name=actor.name,
        began_at=now,
    )
    insert_new(connection, begun)
    mine = pack_checks.select(shop_id, pack_checks.c.parcel_id).where(pack_checks.c.parcel_id == parcel_id)
    connection.execute(mine.with_for_update())
    return load_check(connection, shop_id, parcel)


def _save(
    connection: Connection,
    shop_id: str,
    check: Check,
    counts: dict[str, int],
    wrong: list[str],
    actor: Actor,
    now: datetime,
) -> str:
    complete = not wrong and all(counts[each.line] >= each.wanted for each in check.lines)
    values: dict[str, Any] = {"counts": counts, "wrong": wrong[:50], "version": check.version + 1}
    values |= {"actor_kind": actor.kind, "actor_name": actor.name, "state": "complete" if complete else "open"}
    values["ended_at"] = now if complete else None
    mine = pack_checks.update(shop_id).where(pack_checks.c.parcel_id == check.parcel.id)
    connection.execute(mine.values(**values))
    return str(values["state"])


def _times(typed: str) -> tuple[int, str]:
    """How many, and of what: `3*TEA-100` is three."""
    text = " ".join(typed.split())[:_LONGEST]
    count, star, rest = text.partition("*")
    if star and count.strip().isascii() and count.strip().isdigit() and 0 < int(count[:6]) <= _MOST_AT_ONCE:
        return int(count), rest.strip()
    return 1, text


def _find(check: Check, code: str) -> tuple[int, CheckLine | None]:
    """The line that the code belongs to, and how many units it stands for; of two lines the one that misses some."""
    asked = plain(code)
    found: list[tuple[int, CheckLine]] = []
    for line in check.lines:
        for known in line.codes:
            units, _, text = known.partition(" ")
            if text == asked:
                found.append((int(units), line))
                break
    missing = [each for each in found if not each[1].done]
    return next(iter(missing or found), (1, None))


def plain(code: str) -> str:
    """A code as it is compared: a UPC is the EAN with a nought in front."""
    text = "".join(code.split()).upper()
    return text.lstrip("0") if text.isascii() and text.isdigit() and len(text) in {12, 13, 14} else text


def _codes_by_line(connection: Connection, shop_id: str, parcel: Any) -> dict[str, tuple[str, ...]]:
    """What may be scanned for each line: units and code."""
    skus = {line: sku for line, (_, sku) in (parcel.goods or {}).items() if sku}
    products = keep.by_sku(connection, shop_id, set(skus.values()))
    found: dict[str, tuple[str, ...]] = {}
    for line, sku in skus.items():
        codes = {f"1 {plain(sku)}": None}
        for product in products.get(sku, ()):
            if product.barcode:
                codes[f"1 {plain(product.barcode)}"] = None
            for case in product.packagings:
                if case.barcode:
                    codes[f"{case.units} {plain(case.barcode)}"] = None
        found[line] = tuple(codes)
    return found
