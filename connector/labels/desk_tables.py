"""What is kept of the packing table: codes on slips, what was scanned, the logo, and collections by carriers."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, Integer, String, Text

from connector.storage.schema import Moment, TenantTable, id_column

CHECK_STATES = ("open", "complete", "overridden")
MANIFEST_STATES = ("asked", "unclear", "pending", "made", "refused")
PICKUP_STATES = ("planned", "offered", "intent", "sent", "unclear", "booked", "refused", "cancelling", "cancelled")

slip_codes = TenantTable(
    "slip_codes",
    Column("code", String(12), primary_key=True),  # digits: short bars, the same on every keyboard
    id_column("parcel_id", nullable=False),
    Index(None, "shop_id", "parcel_id"),
)
pack_checks = TenantTable(
    "pack_checks",
    id_column("parcel_id", primary_key=True),
    Column("state", String(12), nullable=False),
    Column("counts", JSON, nullable=False),  # {line id: units scanned}
    Column("wrong", JSON, nullable=False),  # [what was scanned and does not belong here]
    Column("version", Integer, nullable=False, default=0),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("reason", String(300)),
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    CheckConstraint(f"state IN {CHECK_STATES!r}", name="state"),
)
brand_logos = TenantTable(
    "brand_logos",
    Column("media_type", String(20), nullable=False),
    Column("content", Text, nullable=False),  # base 64
    Column("set_at", Moment, nullable=False),
)
manifests = TenantTable(
    "manifests",
    id_column(primary_key=True),
    id_column("account_id", nullable=False),
    Column("carrier", String(60), nullable=False),
    Column("location_id", String(40), nullable=False, default=""),
    Column("state", String(12), nullable=False),
    Column("handle", String(120), nullable=False, default=""),
    Column("labels", JSON, nullable=False),  # [[label id, handle, tracking code], …]
    Column("why", JSON),
    Column("url", String(1000), nullable=False, default=""),
    Column("sha256", String(64)),
    Column("media_type", String(60), nullable=False, default=""),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    CheckConstraint(f"state IN {MANIFEST_STATES!r}", name="state"),
    Index(None, "shop_id", "made_at"),
)
manifest_labels = TenantTable(
    "manifest_labels",
    id_column("label_id", primary_key=True),  # a label is on one list only
    id_column("manifest_id", nullable=False),
    Index(None, "shop_id", "manifest_id"),
)
pickups = TenantTable(
    "pickups",
    id_column(primary_key=True),
    id_column("account_id", nullable=False),
    Column("location_id", String(40), nullable=False),
    Column("state", String(12), nullable=False),
    Column("version", Integer, nullable=False, default=0),
    Column("handle", String(120), nullable=False, default=""),
    Column("labels", JSON, nullable=False),  # [[label id, handle, tracking code], …]
    Column("earliest", Moment, nullable=False),
    Column("latest", Moment, nullable=False),
    Column("instructions", String(300), nullable=False, default=""),
    Column("offers", JSON, nullable=False),  # [{carrier, service, minor, currency}, …]
    Column("chosen", JSON),
    Column("minor", BigInteger),
    Column("currency", String(3)),
    Column("confirmation", String(120), nullable=False, default=""),
    Column("why", JSON),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("changed_at", Moment, nullable=False),
    CheckConstraint(f"state IN {PICKUP_STATES!r}", name="state"),
    CheckConstraint("state NOT IN ('intent', 'sent', 'booked') OR minor IS NOT NULL", name="intent"),
    Index(None, "shop_id", "made_at"),
)
