"""What is kept of an order: what Waybill needs to ship it, and how fresh that is. Personal data is not in it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String

from connector.storage.schema import Moment, TenantTable, id_column

orders = TenantTable(
    "orders",
    id_column(primary_key=True),
    Column("external_id", String(120), nullable=False),
    Column("name", String(60), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("paid", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("charged_minor", BigInteger, nullable=False),
    Column("placed_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("country", String(2)),  # Where it goes; empty in rows of the first release that were not read again.
    Index("uq_orders_external_id", "shop_id", "external_id", unique=True),
    Index(None, "shop_id", "name"),
    Index(None, "shop_id", "placed_at"),
    Index(None, "shop_id", "country", "placed_at"),
)
sweeps = TenantTable(
    "sweeps", Column("name", String(40), primary_key=True), Column("reached_at", Moment, nullable=False)
)
