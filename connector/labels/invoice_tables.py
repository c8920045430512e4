"""What is kept of carriers' invoices: the lines of labels, the lines that no label has, and how files are read."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, String, text

from connector.storage.schema import Moment, TenantTable, id_column

invoice_lines = TenantTable(
    "invoice_lines",
    id_column("label_id", primary_key=True),
    Column("invoice", String(80), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("minor", BigInteger, nullable=False),  # What the invoice adds to the label's price; negative takes off.
    Column("currency", String(3), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("source", String(16), nullable=False, server_default=text("'file'")),  # file or webhook
    Column("details", JSON),  # What the carrier measured and charged for: see InvoiceLine.details.
    Index(None, "shop_id", "at"),
)
invoice_leftovers = TenantTable(
    "invoice_leftovers",
    Column("key", String(64), primary_key=True),  # SHA-256 of the line
    Column("at", Moment, nullable=False),
    Column("source", String(16), nullable=False),
    Column("invoice", String(80), nullable=False),
    Column("line", String(20), nullable=False),
    Column("tracking", String(80), nullable=False),
    Column("reference", String(120), nullable=False),
    Column("amounts", String(16), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("why", String(24), nullable=False),  # no_label, other_currency or set_aside
    Column("details", JSON),
    Column("matched_at", Moment),  # when it found its label, or was set aside
    Index(None, "shop_id", "matched_at", "at"),
)
invoice_columns = TenantTable(
    "invoice_columns",
    Column("carrier", String(60), primary_key=True),
    Column("columns", JSON, nullable=False),  # {our field: the file's column}
    Column("amounts", String(16), nullable=False),
    Column("saved_at", Moment, nullable=False),
)
