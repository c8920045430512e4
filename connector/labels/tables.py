"""What is kept of parcels and labels. One live label for a parcel is an index, not a convention."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Column, Index, Integer, String, text

from connector.storage.schema import Moment, TenantTable, id_column

LIVE = ("created", "intent", "sent", "unknown", "bought")
LABEL_STATES = (*LIVE, "refused", "void_requested", "voided", "void_refused", "dropped")
PARCEL_STATES = ("planned", "held", "buying", "unknown", "bought", "refused", "cancelled", "voided")
BUYABLE = ("planned", "held", "refused", "voided", "unknown")
"""States of parcels whose label a person's click buys."""

parcels = TenantTable(
    "parcels",
    id_column(primary_key=True),
    id_column("order_id", nullable=False),
    Column("order_external_id", String(120), nullable=False),
    Column("group_id", String(120), nullable=False),
    Column("number", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("why", JSON),
    Column("contents", JSON, nullable=False),  # [[line id, units], …]
    Column("goods", JSON),  # {line id: [name, SKU]}; empty in rows of the first release.
    Column("declared", JSON),  # For customs: {"incoterm", "lines": {line id: catalogue's key, price, HS code, origin}}.
    Column("grams", Integer, nullable=False),
    Column("size_mm", JSON),  # [length, width, height]
    Column("plan_id", String(32), nullable=False),
    id_column("location_id", nullable=False),
    Column("store_location_id", String(120), nullable=False, default=""),
    id_column("person_id", nullable=True),
    Column("currency", String(3), nullable=False),
    id_column("quote_id", nullable=True),
    Column("offer_code", String(120), nullable=False, default=""),
    Column("bought_as", JSON),  # quotes.decide.BoughtAs
    Column("pickup_point", JSON),
    Column("carton", String(60), nullable=False, server_default=text("''")),  # as the shop calls it
    Column("packaging", String(80), nullable=False, server_default=text("''")),  # as the carrier calls it
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("marks", JSON),  # What rules ask for: {"signature", "insurance", "hold"}, see quotes.decision.DecidedOffer.
    Column("released", JSON),  # Codes of the holds that a person released.
    Column("verified", JSON),  # What a carrier said of the address: {"of", "state", "said", "fields", "proposal"}.
    CheckConstraint(f"state IN {PARCEL_STATES!r}", name="state"),
    Index(None, "shop_id", "order_id"),
    Index(None, "shop_id", "state"),
)
Index(
    "uq_parcels_live_number",
    parcels.c.shop_id,
    parcels.c.order_id,
    parcels.c.group_id,
    parcels.c.number,
    unique=True,
    sqlite_where=parcels.c.state != "cancelled",
    postgresql_where=parcels.c.state != "cancelled",
)

labels = TenantTable(
    "labels",
    id_column(primary_key=True),
    id_column("parcel_id", nullable=False),
    id_column("account_id", nullable=False),
    Column("carrier", String(60), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False, default=0),
    Column("handle", String(120), nullable=False),
    Column("rates", JSON, nullable=False),
    # The intent: what is to be bought, for how much, who asked and why.
    Column("rate", JSON),
    Column("minor", BigInteger),
    Column("currency", String(3)),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("why", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("intent_at", Moment),
    Column("sent_at", Moment),
    Column("settled_at", Moment),
    Column("tries", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),
    Column("refusal", JSON),
    # The label as the carrier booked it.
    Column("tracking_code", String(80), nullable=False, default=""),
    Column("tracker", String(80), nullable=False, default=""),
    Column("tracking_url", String(500), nullable=False, default=""),
    Column("booked_handle", String(120), nullable=False, default=""),
    Column("booked_rate", JSON),
    Column("booked_minor", BigInteger),
    Column("booked_currency", String(3)),
    Column("test_mode", Boolean),
    Column("void_reason", String(300)),
    Column("void_checks", Integer, nullable=False, default=0),
    # How the money of a void stands: asked, requested, accepted, back, nothing, refused; empty where none was asked.
    Column("refund", String(16)),
    Column("void_at", Moment),
    Column("void_until", Moment),  # When the carrier's window for voids ends.
    Column("void_tries", Integer),
    Column("void_due", Moment),  # When the carrier is asked next, also about a purchase that was given up.
    Column("refund_accepted_at", Moment),
    Column("refund_back_at", Moment),
    Column("refund_minor", BigInteger),  # What came back, in the label's currency.
    Column("void_said", String(300)),  # The carrier's words about it.
    CheckConstraint(f"state IN {LABEL_STATES!r}", name="state"),
    CheckConstraint("state IN ('created', 'refused', 'dropped') OR minor IS NOT NULL", name="intent"),
    Index(None, "shop_id", "parcel_id"),
    Index(None, "shop_id", "handle"),
    Index(None, "shop_id", "void_due"),
    Index(None, "shop_id", "settled_at"),
    Index(None, "shop_id", "booked_handle"),
    Index(None, "shop_id", "tracking_code"),
    Index(None, "shop_id", "intent_at"),
)
Index(
    "uq_labels_live",
    labels.c.shop_id,
    labels.c.parcel_id,
    unique=True,
    sqlite_where=labels.c.state.in_(LIVE),
    postgresql_where=labels.c.state.in_(LIVE),
)

label_files = TenantTable(
    "label_files",
    id_column(primary_key=True),
    id_column("label_id", nullable=False),
    Column("kind", String(16), nullable=False),
    Column("media_type", String(60), nullable=False),
    Column("url", String(1000), nullable=False),
    Column("sha256", String(64)),
    Column("bytes", Integer),
    Column("fetched_at", Moment),
    Index(None, "shop_id", "label_id"),
)
