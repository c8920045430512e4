"""The MetaData that every room puts its tables on, and tables that cannot be asked without saying whose rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import JSON as SQLJSON
from sqlalchemy import (
    Column,
    ColumnCollection,
    DateTime,
    Delete,
    Dialect,
    Double,
    Insert,
    MetaData,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    Update,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID_LENGTH = 40

JSON: TypeAlias = "str | int | float | bool | list[JSON] | Mapping[str, JSON] | None"
"""What a JSON column or a setting may hold."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on every database; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC (SQLite keeps no zone)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A moment needs a time zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """From the database: aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encoded(TypeDecorator[str]):
    """JSON that its model has written as text already: given to a JSON column without being taken apart."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite keeps JSON as text."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else SQLJSON())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """To the database."""
        return value if value is None or dialect.name == "sqlite" else json.loads(value)


class Sealed(TypeDecorator[str]):
    """Text that a Keyring sealed. The type marks the column: `secrets.rotate_all` re-seals every one of them."""

    impl = Text
    cache_ok = True


def id_column(name: str = "id", **options: Any) -> Column[str]:
    """A column for an id of ours."""
    return Column(name, String(ID_LENGTH), **options)


def database_time(dialect: str) -> ColumnElement[float]:
    """Seconds since 1970 by the database's own clock, also inside a long transaction."""
    if dialect == "sqlite":
        return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Double)
    return literal_column("extract(epoch from clock_timestamp())::float8", Double)


class TenantTable:
    """A table whose rows belong to shops: `shop_id` leads its primary key, and every query names the shop.

    The raw table is not offered. `across_shops` is for sweeps and retention, which serve all shops alike.
    """

    def __init__(self, name: str, *items: SchemaItem) -> None:
        self._table = Table(name, metadata, id_column("shop_id", primary_key=True), *items)

    @property
    def c(self) -> ColumnCollection[str, Column[Any]]:
        """The columns, for conditions."""
        return self._table.c

    def select(self, shop_id: str, *columns: Any) -> Select[Any]:
        """This shop's rows (all columns, or the named ones)."""
        return select(*(columns or (self._table,))).select_from(self._table).where(self._table.c.shop_id == shop_id)

    def insert(self, shop_id: str, **values: Any) -> Insert:
        """A new row of this shop."""
        return insert(self._table).values(shop_id=shop_id, **values)

    @property
    def for_rows(self) -> Insert:
        """An insert whose rows name their shop themselves: for writers that serve all shops alike."""
        return insert(self._table)

    def update(self, shop_id: str) -> Update:
        """A change to this shop's rows."""
        return update(self._table).where(self._table.c.shop_id == shop_id)

    def delete(self, shop_id: str) -> Delete:
        """A removal of this shop's rows."""
        return delete(self._table).where(self._table.c.shop_id == shop_id)

    def across_shops(self, *columns: Any) -> Select[Any]:
        """Rows of every shop, for sweeps, retention and reports on the whole process only."""
        return select(*(columns or (self._table,))).select_from(self._table)
