"""How each carrier writes its files, kept under its name for the next one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector.labels.invoice_csv import Layout
from connector.labels.invoice_tables import invoice_columns
from connector.storage.database import insert_new


def layout_names(connection: Connection, shop_id: str) -> list[str]:
    """The names under which columns are kept."""
    chosen = invoice_columns.select(shop_id, invoice_columns.c.carrier).order_by(invoice_columns.c.carrier)
    return list(connection.execute(chosen).scalars())


def save_layout(connection: Connection, shop_id: str, carrier: str, layout: Layout, now: datetime) -> None:
    """Keep how a carrier writes its files, for the next one."""
    values = {"columns": layout.to_json(), "amounts": layout.amounts, "saved_at": now}
    if not insert_new(connection, invoice_columns.insert(shop_id, carrier=carrier, **values)):
        mine = invoice_columns.update(shop_id).where(invoice_columns.c.carrier == carrier)
        connection.execute(mine.values(**values))


def load_layout(connection: Connection, shop_id: str, carrier: str) -> Layout | None:
    """How this carrier's last file was read."""
    chosen = invoice_columns.select(shop_id).where(invoice_columns.c.carrier == carrier)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Layout.from_json(row.columns, row.amounts)
