"""What carriers' invoices are expected to add to a rate, by account and service, as past invoices showed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Integer, String

from connector.storage import config_version
from connector.storage.schema import TenantTable, id_column

expected = TenantTable(
    "expected_adjustments",
    id_column("account_id", primary_key=True),
    Column("carrier", String(60), primary_key=True),
    Column("service", String(120), primary_key=True),
    Column("permille", Integer, nullable=False),
    Column("labels", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """`permille` of the rate comes on top (negative: comes off), as seen on so many `labels`."""

    account_id: str
    carrier: str
    service: str
    permille: int
    labels: int

    @property
    def key(self) -> str:
        """How facts name it."""
        return adjustment_key(self.account_id, self.carrier, self.service)


def adjustment_key(account_id: str, carrier: str, service: str) -> str:
    """Account, carrier and service as one name."""
    return f"{account_id}/{carrier}/{service}"


def keep_expected(connection: Connection, shop_id: str, found: Iterable[Adjustment]) -> None:
    """Replace what is expected of a shop's labels, and tell every process."""
    connection.execute(expected.delete(shop_id))
    rows = [
        {
            "account_id": each.account_id,
            "carrier": each.carrier,
            "service": each.service,
            "permille": each.permille,
            "labels": each.labels,
        }
        for each in found
    ]
    if rows:
        connection.execute(expected.insert(shop_id), rows)
    config_version.bump(connection)


def load_expected(connection: Connection, shop_id: str) -> Mapping[str, tuple[int, int]]:
    """Permille and number of labels by `adjustment_key`."""
    return {
        adjustment_key(row.account_id, row.carrier, row.service): (row.permille, row.labels)
        for row in connection.execute(expected.select(shop_id)).all()
    }
