"""Measurements of variants and parcels, as they come back from a scale or a carrier; none of them changes anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from connector.catalogue.measures import BadMeasure, length_mm, weight_g
from connector.catalogue.product import key_of
from connector.catalogue.sheet import Fault
from connector.catalogue.tables import measurements
from connector.storage.database import insert_new
from connector.storage.ids import new_id

MeasuredBy = Literal["scale", "carrier"]
Size = tuple[int, int, int]
_COLUMNS = ("parcel", "variant_id", "sku", "reference", "weight_g", "length_mm", "width_mm", "height_mm")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured: one unit of `key`, or the parcel with these contents (key, units), as planned so or so.

    `cause` is the id of what told of it: a measurement is kept once for each. `own_box`: the parcel is the single
    unit's own box, so that its size is the unit's.
    """

    source: MeasuredBy
    cause: str
    at: datetime
    grams: int | None = None
    size: Size | None = None
    key: str = ""
    parcel_id: str = ""
    planned_grams: int | None = None
    planned_size: Size | None = None
    contents: tuple[tuple[str, int], ...] = ()
    own_box: bool = False


def record(connection: Connection, shop_id: str, measured: Measured, now: datetime) -> bool:
    """Keep a measurement; False if this cause was kept before."""
    return insert_new(
        connection,
        measurements.insert(
            shop_id,
            id=new_id("mea", now),
            at=measured.at,
            source=measured.source,
            key=measured.key,
            parcel_id=measured.parcel_id or None,
            cause=measured.cause[:160],
            grams=measured.grams,
            size_mm=None if measured.size is None else list(measured.size),
            planned_grams=measured.planned_grams,
            planned_size_mm=None if measured.planned_size is None else list(measured.planned_size),
            contents=[list(content) for content in measured.contents],
            own_box=int(measured.own_box),
        ),
    )


def all_of(connection: Connection, shop_id: str, since: datetime | None = None) -> list[Measured]:
    """What was measured, oldest first."""
    asked = measurements.select(shop_id).order_by(measurements.c.at, measurements.c.id)
    if since is not None:
        asked = asked.where(measurements.c.at >= since)
    return [
        Measured(
            source=row.source,
            cause=row.cause,
            at=row.at,
            grams=row.grams,
            size=_size(row.size_mm),
            key=row.key,
            parcel_id=row.parcel_id or "",
            planned_grams=row.planned_grams,
            planned_size=_size(row.planned_size_mm),
            contents=tuple((str(key), int(units)) for key, units in row.contents),
            own_box=bool(row.own_box),
        )
        for row in connection.execute(asked)
    ]


def _size(body: Sequence[int] | None) -> Size | None:
    return None if body is None else (int(body[0]), int(body[1]), int(body[2]))


@dataclass(frozen=True, slots=True)
class ScaleLine:
    """A line of a scale's file: of one unit of `key`, or of a parcel by our id."""

    line: int
    parcel: str
    key: str
    reference: str
    grams: int | None
    size: Size | None


def read_scale(text: str) -> tuple[tuple[ScaleLine, ...], tuple[Fault, ...]]:
    """A scale's file: `parcel` or `variant_id` or `sku`, then `weight_g` and, if measured, three edges in mm."""
    faults: list[Fault] = []
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), strict=True)
    found: list[ScaleLine] = []
    try:
        header = [name.strip() for name in lines.fieldnames or []]
        lines.fieldnames = header
        faults += [Fault(1, name or "header", "there is no such column") for name in header if name not in _COLUMNS]
        if not {"parcel", "variant_id", "sku"} & set(header):
            faults.append(Fault(1, "parcel", "the file needs a column parcel, variant_id or sku"))
        for cells in [] if faults else lines:
            row = _scale_line(lines.line_num, header, cells, faults)
            if row is not None:
                found.append(row)
    except csv.Error as error:
        faults.append(Fault(lines.line_num, "file", f"the line cannot be read: {error}"))
    return tuple(found), tuple(faults)


def _scale_line(line: int, header: Sequence[str], cells: Mapping[str, str], faults: list[Fault]) -> ScaleLine | None:
    if None in cells or None in cells.values():
        faults.append(Fault(line, header[0], f"the line has not {len(header)} cells"))
        return None
    before, given = len(faults), {name: cells[name].strip() for name in header}
    values: dict[str, int] = {}
    for name in ("weight_g", "length_mm", "width_mm", "height_mm"):
        if given.get(name):
            try:
                values[name] = (weight_g if name == "weight_g" else length_mm)(given[name], name.rpartition("_")[2])
            except BadMeasure as error:
                faults.append(Fault(line, name, str(error)))
    edges = [values[name] for name in ("length_mm", "width_mm", "height_mm") if name in values]
    if 0 < len(edges) < 3:
        faults.append(Fault(line, "length_mm", "a size needs length, width and height"))
    if not values and len(faults) == before:
        faults.append(Fault(line, "weight_g", "nothing was measured"))
    named = [given.get(name, "") for name in ("parcel", "variant_id", "sku")]
    if not any(named):
        faults.append(Fault(line, "parcel", "the line names no parcel and no variant"))
    if len(faults) > before:
        return None
    key = "" if named[0] else key_of(named[1], named[2])
    size = (edges[0], edges[1], edges[2]) if edges else None
    return ScaleLine(line, named[0], key, given.get("reference", ""), values.get("weight_g"), size)
