"""What is kept of an order: what Waybill needs to ship it, and how fresh that is. Personal data is not in it."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String

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
    Column("paid_at", Moment),  # When it was first seen that it may ship; placed_at where that was so from the start.
    Column("country", String(2)),  # Where it goes; empty in rows of the first release that were not read again.
    # For the packing slip; empty in rows of earlier releases that were not read again.
    Column("locale", String(20)),
    Column("tags", JSON),
    Column("subtotal_minor", BigInteger),
    Column("buyer_key", String(32)),  # a keyed hash: tells a buyer's first order, and nothing else
    Index(None, "shop_id", "buyer_key"),
    Index("uq_orders_external_id", "shop_id", "external_id", unique=True),
    Index(None, "shop_id", "name"),
    Index(None, "shop_id", "placed_at"),
    Index(None, "shop_id", "country", "placed_at"),
)
sweeps = TenantTable(
    "sweeps", Column("name", String(40), primary_key=True), Column("reached_at", Moment, nullable=False)
)
batches = TenantTable(
    "batches",
    id_column(primary_key=True),
    Column("made_at", Moment, nullable=False),
    Column("bought_at", Moment),  # when a person asked for the labels; empty: it is looked at
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("over_cap", String(300), nullable=False, default=""),
    Index(None, "shop_id", "made_at"),
)
batch_items = TenantTable(
    "batch_items",
    id_column("batch_id", primary_key=True),
    Column("position", Integer, primary_key=True),
    id_column("order_id", nullable=False),
    Column("asked_at", Moment),
    Column("why", JSON),  # why nothing was asked for
    Index(None, "shop_id", "order_id"),
)
