"""What is kept of promises: the window of each parcel with what became of it, and days of transit counted by lane."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Date, Index, Integer, String

from connector.storage.schema import Moment, TenantTable, id_column

parcel_promises = TenantTable(
    "parcel_promises",
    id_column("parcel_id", primary_key=True),
    id_column("order_id", nullable=False),
    Column("created_at", Moment, nullable=False),
    # The lane, without anything that names a person.
    Column("from_country", String(2), nullable=False),
    Column("from_province", String(40), nullable=False),
    Column("from_region", String(20), nullable=False),
    Column("to_country", String(2), nullable=False),
    Column("to_province", String(40), nullable=False),
    Column("to_region", String(20), nullable=False),
    # As it was quoted; empty where no quote was found, or it named no day.
    Column("quoted_earliest", Date),
    Column("quoted_latest", Date),
    Column("dates_by", String(10), nullable=False),
    Column("coverage", Integer),
    Column("ships_on", Date),
    # The same inputs from the moment of the payment, where that came later; else as it was quoted.
    Column("restarted_at", Moment),
    Column("earliest", Date),
    Column("latest", Date),
    Column("due_ships_on", Date),
    # What became of it.
    id_column("label_id", nullable=True),
    id_column("account_id", nullable=True),
    Column("carrier", String(60), nullable=False),
    Column("service", String(120), nullable=False),
    Column("handed_over_on", Date),
    Column("delivered_on", Date),
    Column("transit_days", Integer),
    Column("late_days", Integer),  # Days behind `latest`, or (minus) before `earliest`; 0 within.
    Index(None, "shop_id", "handed_over_on"),
    Index(None, "shop_id", "delivered_on"),
    Index(None, "shop_id", "created_at"),
)
transit_lanes = TenantTable(
    "transit_lanes",
    id_column("account_id", primary_key=True),
    Column("carrier", String(60), primary_key=True),
    Column("service", String(120), primary_key=True),
    Column("from_country", String(2), primary_key=True),
    Column("from_region", String(20), primary_key=True),
    Column("to_country", String(2), primary_key=True),
    Column("to_region", String(20), primary_key=True),
    Column("parcels", Integer, nullable=False),
    Column("counts", JSON, nullable=False),  # [[week of the hand-over, working days, parcels, 1 if arrived], …]
)
