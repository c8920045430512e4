"""What tracking keeps: one row for each label that left, its events, and what the store was told."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String

from connector.storage.schema import Moment, TenantTable, id_column

trackings = TenantTable(
    "trackings",
    id_column("label_id", primary_key=True),
    id_column("parcel_id", nullable=False),
    id_column("order_id", nullable=False),
    Column("order_external_id", String(120), nullable=False),
    Column("group_id", String(120), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("store_location_id", String(120), nullable=False, default=""),
    id_column("account_id", nullable=False),
    Column("carrier", String(60), nullable=False),
    Column("tracking_code", String(80), nullable=False),
    Column("tracker", String(80), nullable=False, default=""),
    Column("url", String(500), nullable=False, default=""),
    Column("began_at", Moment, nullable=False),
    Column("status", String(32), nullable=False),
    Column("status_at", Moment),
    Column("handed_over_at", Moment),
    Column("delivered_at", Moment),
    Column("estimated_delivery", Moment),
    Column("heard_at", Moment),
    # The store's side. `fulfil_state`: waits (for the hand-over), due, sent, done, refused, withdrawn, cancelled.
    Column("fulfil_state", String(16), nullable=False),
    Column("fulfil_sent_at", Moment),
    Column("fulfilment_id", String(120)),
    Column("notify_buyer", Boolean, nullable=False),
    Column("claim", String(120)),
    Column("claimed_at", Moment),
    Column("turn", Integer, nullable=False, default=0),
    # [carrier, number, URL] of the last request to the store, and whether they were corrected since.
    Column("told", JSON),
    Column("told_stale", Boolean),
    Index(None, "shop_id", "tracking_code"),
    Index(None, "shop_id", "tracker"),
    Index(None, "shop_id", "parcel_id"),
    Index(None, "shop_id", "order_id"),
)
tracking_events = TenantTable(
    "tracking_events",
    id_column("label_id", primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("status", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("detail", String(80), nullable=False),
    Column("message", String(300), nullable=False),
    Column("city", String(80), nullable=False),
    Column("province", String(40), nullable=False),
    Column("postal_code", String(20), nullable=False),
    Column("country", String(2), nullable=False),
    Column("received_at", Moment, nullable=False),
)
store_events = TenantTable(
    "store_events",
    id_column("label_id", primary_key=True),
    Column("status", String(32), primary_key=True),
    Column("at", Moment, primary_key=True),
    # due, sent, done, superseded (something newer was told already), refused, not_shown (the store has no such word).
    Column("state", String(16), nullable=False),
    Column("sent_at", Moment),
    Column("message", String(300), nullable=False),
    Column("city", String(80), nullable=False),
    Column("province", String(40), nullable=False),
    Column("postal_code", String(20), nullable=False),
    Column("country", String(2), nullable=False),
)
store_holds = TenantTable(
    "store_holds",
    Column("group_id", String(120), primary_key=True),
    Column("wanted", JSON(none_as_null=True)),  # [reason, note] of the hold that the store shall show; none: no hold
    Column("shown", JSON(none_as_null=True)),  # What it was brought to.
    Column("state", String(16), nullable=False),  # due, shown, off, refused
    Column("turn", Integer, nullable=False),
    Column("at", Moment, nullable=False),
)
strays = TenantTable(
    "stray_updates",
    id_column(primary_key=True),
    id_column("account_id", nullable=False),
    Column("tracking_code", String(80), nullable=False),
    Column("tracker", String(80), nullable=False),
    Column("update", JSON, nullable=False),
    Column("received_at", Moment, nullable=False),
    Index(None, "shop_id", "tracking_code"),
)
