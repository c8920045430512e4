"""A shop's variants in the database: the merchant's values, the store's, and both merged at the time of writing.

Each change gets the catalogue's next version, so that processes read only what changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from connector.catalogue.fields import FieldName, values_of
from connector.catalogue.product import Amount, Place, Product, Source, Values, key_of, merge
from connector.catalogue.tables import KEY_LENGTH, state, variants
from connector.storage.database import in_parts, insert_new
from connector.store import ProductFacts

_BY_SKU = "sku:"
NOTHING = Values()
_UNKNOWN = Product()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what each source says, and what both come to."""

    key: str
    sku: str = ""
    variant_id: str = ""
    product_id: str = ""
    own: Values = NOTHING
    measured: frozenset[str] = frozenset()
    fields: Values = NOTHING
    bad_fields: tuple[str, ...] = ()
    store: Values = NOTHING
    product: Product = _UNKNOWN

    @property
    def is_by_sku(self) -> bool:
        """Whether it holds for every variant of an SKU rather than for one."""
        return self.key.startswith(_BY_SKU)


def versions(connection: Connection, shop_ids: Sequence[str]) -> dict[str, int]:
    """The versions of several shops' catalogues."""
    rows = connection.execute(state.across_shops(state.c.shop_id, state.c.version).where(state.c.shop_id.in_(shop_ids)))
    return {row.shop_id: row.version for row in rows}


def next_version(connection: Connection, shop_id: str, *, emptied: bool = False) -> int:
    """Count the version up, the shop's row locked; `emptied` says that variants went away."""
    insert_new(connection, state.insert(shop_id, version=0))
    before = connection.execute(state.select(shop_id, state.c.version).with_for_update()).scalar_one()
    values = {"version": before + 1} | ({"emptied": before + 1} if emptied else {})
    connection.execute(state.update(shop_id).values(**values))
    return int(before) + 1


def entries(connection: Connection, shop_id: str, keys: Collection[str] | None = None) -> list[Entry]:
    """The rows of these keys (None: all), by key."""
    if keys is None:
        rows = connection.execute(variants.select(shop_id).order_by(variants.c.key)).all()
    else:
        rows = []
        for some in in_parts(sorted(set(keys))):
            rows += connection.execute(variants.select(shop_id).where(variants.c.key.in_(some))).all()
    return [_entry(row) for row in rows]


def products(connection: Connection, shop_id: str, keys: Collection[str]) -> dict[str, Product]:
    """What is known of these keys, fresh from the database."""
    return {each.key: each.product for each in entries(connection, shop_id, keys)}


def by_sku(connection: Connection, shop_id: str, skus: Collection[str]) -> dict[str, list[Product]]:
    """What is known of these SKUs: of the variants that have them, and of the SKUs themselves."""
    found: dict[str, list[Product]] = {}
    for some in in_parts(sorted(set(skus))):
        for row in connection.execute(variants.select(shop_id).where(variants.c.sku.in_(some))).all():
            found.setdefault(row.sku, []).append(_entry(row).product)
    return found


def merged_since(connection: Connection, shop_id: str, known: int) -> tuple[int, bool, dict[str, str]]:
    """The version, whether all must be read anew, and the merged products that changed since `known`, as JSON text."""
    row = connection.execute(state.select(shop_id, state.c.version, state.c.emptied)).one_or_none()
    if row is None or row.version == known:
        return 0 if row is None else known, False, {}
    whole = row.emptied > known
    asked = variants.select(shop_id, variants.c.key, variants.c.merged)
    if not whole:
        asked = asked.where(variants.c.version > known)
    return row.version, whole, {each.key: each.merged for each in connection.execute(asked)}


@dataclass(frozen=True, slots=True)
class OwnRow:
    """The merchant's values for a key, to be written as they are."""

    key: str
    sku: str
    values: Values
    measured: frozenset[str] = frozenset()


def put_own(connection: Connection, shop_id: str, rows: Sequence[OwnRow]) -> int:
    """Replace the merchant's own values of these keys; how many changed. Rows that say nothing any more are dropped."""
    known = {each.key: each for each in entries(connection, shop_id, [row.key for row in rows])}
    changed: dict[str, Entry] = {}
    gone: list[str] = []
    for row in rows:
        before = known.get(row.key)
        entry = replace(before or Entry(row.key, row.sku), own=row.values, measured=row.measured & row.values.said())
        if before is not None and not before.sku and row.sku:
            entry = replace(entry, sku=row.sku)
        if not entry.own.said() and not entry.store.said() and not entry.fields.said() and not entry.variant_id:
            if before is not None:
                gone.append(row.key)
        elif entry != before:
            changed[row.key] = entry
    return _write(connection, shop_id, changed, known.keys(), gone)


def put_facts(
    connection: Connection, shop_id: str, facts: Iterable[ProductFacts], names: Sequence[FieldName], sweep: int
) -> int:
    """Take in what the store says; how many variants changed. What says the same as before is only marked as seen."""
    found = {key_of(each.variant_id, each.sku)[:KEY_LENGTH]: each for each in facts}
    known = {each.key: each for each in entries(connection, shop_id, found)}
    changed: dict[str, Entry] = {}
    for key, fact in found.items():
        read, bad = values_of(fact.fields, names)
        entry = replace(
            known.get(key) or Entry(key),
            sku=fact.sku[:120],
            variant_id=fact.variant_id[:120],
            product_id=fact.product_id[:120],
            fields=read,
            bad_fields=bad,
            store=store_values(fact),
        )
        if entry != known.get(key):
            changed[key] = entry
    count = _write(connection, shop_id, changed, known.keys(), ())
    for some in in_parts(sorted(found)):
        seen = variants.update(shop_id).where(variants.c.key.in_(some), variants.c.swept != sweep)
        connection.execute(seen.values(swept=sweep))
    return count


def forget_missing(
    connection: Connection, shop_id: str, sweep: int | None, product_ids: Sequence[str] = (), kept: Collection[str] = ()
) -> int:
    """The store has these variants no more: those that a whole sweep did not see, or those of read products.

    The merchant's own values stay, for a variant that comes back.
    """
    asked = variants.select(shop_id, variants.c.key).where(variants.c.variant_id != "")
    if sweep is not None:
        asked = asked.where(variants.c.swept != sweep)
    else:
        asked = asked.where(variants.c.product_id.in_(product_ids))
    gone = [key for key in connection.execute(asked).scalars() if key not in kept]
    known = entries(connection, shop_id, gone)
    changed = {
        each.key: replace(each, variant_id="", product_id="", fields=NOTHING, bad_fields=(), store=NOTHING)
        for each in known
        if each.own.said()
    }
    return _write(connection, shop_id, changed, changed.keys(), [key for key in gone if key not in changed])


def store_values(fact: ProductFacts) -> Values:
    """The store's own sayings as values; amounts and ids as they are kept."""
    return Values(
        weight_g=None if fact.weight is None else fact.weight.grams,
        hs_code=fact.hs_code,
        origin_country=fact.origin_country,
        barcode=fact.barcode,
        vendor=fact.vendor,
        tags=fact.tags,
        collections=fact.collections,
        unit_cost=None if fact.unit_cost is None else Amount.of(fact.unit_cost),
        price="" if fact.price is None else f"{fact.price:f}",
        requires_shipping=None if fact.requires_shipping else False,
        name=fact.name,
        product_id=fact.product_id,
        places={place: Place(stock=units) for place, units in fact.stock.items()},
    )


def _write(
    connection: Connection, shop_id: str, changed: Mapping[str, Entry], known: Collection[str], gone: Sequence[str]
) -> int:
    if not changed and not gone:
        return 0
    version = next_version(connection, shop_id, emptied=bool(gone))
    for some in in_parts(list(gone)):
        connection.execute(variants.delete(shop_id).where(variants.c.key.in_(some)))
    touched = {each.sku for each in changed.values() if each.is_by_sku}
    touched |= {key.removeprefix(_BY_SKU) for key in gone if key.startswith(_BY_SKU)}
    to_merge = dict(changed)
    for some in in_parts(sorted(touched)):
        found = connection.execute(
            variants.select(shop_id).where(variants.c.sku.in_(some), variants.c.variant_id != "")
        )
        to_merge = {each.key: each for each in map(_entry, found)} | to_merge
    by_sku = {key: entry for key, entry in changed.items() if entry.is_by_sku}
    wanted = {_BY_SKU + each.sku for each in to_merge.values() if each.sku and not each.is_by_sku} - by_sku.keys()
    by_sku |= {each.key: each for each in entries(connection, shop_id, wanted)}
    new: list[dict[str, Any]] = []
    for entry in to_merge.values():
        values = _values(entry, by_sku.get(_BY_SKU + entry.sku)) | {"version": version}
        if entry.key in known or entry.key not in changed:
            connection.execute(variants.update(shop_id).where(variants.c.key == entry.key).values(**values))
        else:
            new.append({"key": entry.key, "swept": 0, **values})
    if new:
        connection.execute(variants.insert(shop_id), new)
    return len(changed) + len(gone)


def _values(entry: Entry, by_sku: Entry | None) -> dict[str, Any]:
    return {
        "variant_id": entry.variant_id,
        "product_id": entry.product_id,
        "sku": entry.sku,
        "own": entry.own.model_dump(mode="json"),
        "measured": sorted(entry.measured),
        "fields": entry.fields.model_dump(mode="json"),
        "bad_fields": list(entry.bad_fields),
        "store": entry.store.model_dump(mode="json"),
        "merged": merged(entry, by_sku).model_dump_json(),
    }


def merged(entry: Entry, by_sku: Entry | None = None) -> Product:
    """The sources in their order: Waybill's own table (the variant's row, then its SKU's), metafields, the store."""
    layers: list[tuple[Source, Values]] = [("own", entry.own)]
    measured = entry.measured
    if by_sku is not None and by_sku.key != entry.key:
        layers.append(("own", by_sku.own))
        measured |= by_sku.measured - entry.own.said()
    layers += [("field", entry.fields), ("store", entry.store)]
    return merge(entry.key, entry.sku, tuple(layers), measured)


def _entry(row: Any) -> Entry:
    return Entry(
        key=row.key,
        sku=row.sku,
        variant_id=row.variant_id,
        product_id=row.product_id,
        own=Values.model_validate(row.own),
        measured=frozenset(row.measured),
        fields=Values.model_validate(row.fields),
        bad_fields=tuple(row.bad_fields),
        store=Values.model_validate(row.store),
        product=Product.model_validate_json(row.merged),
    )
