"""Personal data at rest: sealed, in one table, gone after its time. Everything else holds the person's id."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Column, Connection, Index, String

from connector.storage.ids import new_id
from connector.storage.schema import Moment, Sealed, TenantTable, id_column
from connector.storage.secrets import Keyring

_persons = TenantTable(
    "persons",
    id_column(primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("fields", Sealed, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("keep_until", Moment, nullable=False),
    Index("ix_persons_keep_until", "keep_until"),
)


def put(
    connection: Connection,
    keyring: Keyring,
    shop_id: str,
    kind: str,
    fields: Mapping[str, str],
    now: datetime,
    keep_until: datetime,
) -> str:
    """Keep personal fields until `keep_until`; the id that stands for them. `kind` says what for (`ship_to`)."""
    person_id = new_id("per", now)
    connection.execute(
        _persons.insert(
            shop_id,
            id=person_id,
            kind=kind,
            fields=_seal(keyring, fields),
            created_at=now,
            keep_until=keep_until,
        )
    )
    return person_id


def replace(
    connection: Connection,
    keyring: Keyring,
    shop_id: str,
    person_id: str,
    fields: Mapping[str, str],
    keep_until: datetime | None = None,
) -> bool:
    """Put other fields under the same id (an edited order); False if the person is gone already."""
    change = _persons.update(shop_id).where(_persons.c.id == person_id).values(fields=_seal(keyring, fields))
    if keep_until is not None:
        change = change.values(keep_until=keep_until)
    return connection.execute(change).rowcount == 1


def get(connection: Connection, keyring: Keyring, shop_id: str, person_id: str) -> dict[str, str] | None:
    """The fields, or None once they were forgotten."""
    token = connection.execute(_persons.select(shop_id, _persons.c.fields).where(_persons.c.id == person_id)).scalar()
    if token is None:
        return None
    fields: dict[str, str] = json.loads(keyring.open(token))
    return fields


def forget(connection: Connection, shop_id: str, person_id: str) -> bool:
    """Erase now; False if there was nothing left."""
    return connection.execute(_persons.delete(shop_id).where(_persons.c.id == person_id)).rowcount == 1


def known(connection: Connection, shop_id: str, person_ids: Collection[str]) -> set[str]:
    """Those of the ids whose person is still kept."""
    found = connection.execute(_persons.select(shop_id, _persons.c.id).where(_persons.c.id.in_(person_ids)))
    return {str(row.id) for row in found}


def forget_shop(connection: Connection, shop_id: str) -> int:
    """Erase every person of a shop now; how many."""
    return connection.execute(_persons.delete(shop_id)).rowcount


def forget_due(connection: Connection, now: datetime) -> int:
    """Erase every person, of every shop, whose time is over; how many."""
    due = connection.execute(
        _persons.across_shops(_persons.c.shop_id, _persons.c.id).where(_persons.c.keep_until <= now)
    ).all()
    return sum(forget(connection, row.shop_id, row.id) for row in due)


def _seal(keyring: Keyring, fields: Mapping[str, str]) -> str:
    return keyring.seal(json.dumps(dict(fields), ensure_ascii=False, sort_keys=True).encode())
