"""What invoices of the last half year say of the next labels: so much on top of a service's price."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.labels.invoice_tables import invoice_lines
from connector.labels.tables import labels
from connector.quotes.adjustments import Adjustment

LEAST_LABELS = 20  # Fewer say nothing of the next one.
LOOK_BACK = timedelta(days=180)
RIPE = timedelta(days=21)  # Carriers adjust for up to three weeks; younger labels would look too cheap.


def expect(connection: Connection, shop_id: str, now: datetime) -> list[Adjustment]:
    """What an account's invoices added to a service's labels of the last half year, in a thousandth of their price.

    Labels without a line count as not adjusted, in accounts that had a line at all; young ones do not count.
    """
    since, until = now - LOOK_BACK, now - RIPE
    rows = connection.execute(
        labels.select(shop_id).where(labels.c.state == "bought", labels.c.sent_at >= since, labels.c.sent_at <= until)
    ).all()
    added: dict[str, int] = defaultdict(int)
    for row in connection.execute(invoice_lines.select(shop_id).where(invoice_lines.c.at >= since)).all():
        added[row.label_id] += row.minor
    invoiced = {row.account_id for row in rows if row.id in added}
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        rate = row.booked_rate or row.rate
        if row.account_id in invoiced and row.booked_minor and rate:
            price, more, count = sums[row.account_id, rate["carrier"], rate["service"]]
            sums[row.account_id, rate["carrier"], rate["service"]] = [
                price + row.booked_minor,
                more + added.get(row.id, 0),
                count + 1,
            ]
    return [
        Adjustment(*key, permille=-(-more * 1000 // price), labels=count)
        for key, (price, more, count) in sorted(sums.items())
        if count >= LEAST_LABELS
    ]
