"""What a shop's ledger of amounts comes to, summed apart from the product's own check of it."""

from __future__ import annotations

from sqlalchemy import Connection, func

from connector.labels.amounts import entries


def balances(connection: Connection, shop_id: str) -> dict[tuple[str, str], int]:
    """What stands on each account (account, currency), in minor units; over all accounts of a currency it is zero."""
    sums: dict[tuple[str, str], int] = {}
    for column, sign in ((entries.c.from_account, -1), (entries.c.to_account, 1)):
        grouped = entries.select(shop_id, column, entries.c.currency, func.sum(entries.c.minor))
        for account, currency, minor in connection.execute(grouped.group_by(column, entries.c.currency)).all():
            sums[account, currency] = sums.get((account, currency), 0) + sign * int(minor)
    return sums
