"""What is kept of a shop's catalogue: variants, how far it was read, what is to be read again, and measurements."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Text

from connector.storage.schema import Moment, TenantTable, id_column

KEY_LENGTH = 160

variants = TenantTable(
    "catalogue_variants",
    Column("key", String(KEY_LENGTH), primary_key=True),  # product.key_of
    Column("variant_id", String(120), nullable=False, default=""),
    Column("product_id", String(120), nullable=False, default=""),
    Column("sku", String(120), nullable=False, default=""),
    Column("own", JSON, nullable=False),  # product.Values: Waybill's own table
    Column("measured", JSON, nullable=False),  # names of the own values that came from accepted measurements
    Column("fields", JSON, nullable=False),  # product.Values: the store's metafields
    Column("bad_fields", JSON, nullable=False),  # names of metafields that could not be read
    Column("store", JSON, nullable=False),  # product.Values: what the store says of itself
    Column("merged", Text, nullable=False),  # product.Product as JSON text: what the checkout holds in memory
    Column("swept", Integer, nullable=False, default=0),  # the number of the sweep that saw it last
    Column("version", BigInteger, nullable=False),  # the catalogue's version that changed it last
    Index(None, "shop_id", "version"),
    Index(None, "shop_id", "sku"),
    Index(None, "shop_id", "product_id"),
)
state = TenantTable(
    "catalogue_state",
    Column("version", BigInteger, nullable=False),
    Column("emptied", BigInteger, nullable=False, default=0),  # the last version at which variants went away
    Column("sweep", Integer, nullable=False, default=0),
    Column("cursor", String(500), nullable=False, default=""),
    Column("sweep_began_at", Moment),
    Column("swept_at", Moment),
)
to_read = TenantTable(
    "catalogue_to_read",
    Column("product_id", String(120), primary_key=True),
    Column("asked", Integer, nullable=False, default=1),
    Column("asked_at", Moment, nullable=False),
)
measurements = TenantTable(
    "measurements",
    id_column(primary_key=True),
    Column("at", Moment, nullable=False),
    Column("source", String(16), nullable=False),  # scale, carrier
    Column("key", String(KEY_LENGTH), nullable=False, default=""),  # of a variant, where one unit was measured
    id_column("parcel_id", nullable=True),
    Column("cause", String(160), nullable=False),
    Column("grams", Integer),
    Column("size_mm", JSON),  # [length, width, height]
    Column("planned_grams", Integer),
    Column("planned_size_mm", JSON),
    Column("contents", JSON, nullable=False),  # [[catalogue key, units], …] of the parcel
    Column("own_box", Integer, nullable=False, default=0),
    Index("uq_measurements_cause", "shop_id", "source", "cause", unique=True),
    Index(None, "shop_id", "at"),
)
