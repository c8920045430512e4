"""Past orders from a CSV export, in the columns of Shopify's admin; those with personal data are not read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from carriers.address import Address
from carriers.money import Money, MoneyError
from connector.store import Cart, CartLine, CartTotals, PastOrder
from webhooks.errors import WaybillError

REQUIRED = ("Name", "Currency", "Shipping", "Lineitem quantity", "Lineitem price", "Shipping Country")
READ = (
    *REQUIRED,
    "Created at",
    "Cancelled at",
    "Subtotal",
    "Shipping Method",
    "Shipping Zip",
    "Shipping Province",
    "Shipping City",
    "Lineitem name",
    "Lineitem sku",
    "Lineitem requires shipping",
)
_NO = frozenset({"false", "no", "0"})
Row = Mapping[str, str]


class OrderTableError(WaybillError):
    """A line that cannot be read; `detail` is `line N: column`."""


def read_orders(lines: Iterable[str]) -> Iterator[PastOrder]:
    """Orders in the file's order; lines that follow each other with one name are one order.

    Source: Shopify Help Center, "Exporting orders", 2026. An order that was cancelled, or in which nothing needs
    shipping, is left out. Raises OrderTableError, naming line and column.
    """
    table = csv.DictReader(lines)
    missing = [name for name in REQUIRED if name not in (table.fieldnames or ())]
    if missing:
        raise OrderTableError(f"The file has no column {missing[0]!r}.", detail=missing[0])
    rows: list[tuple[int, Row]] = []
    for row in table:
        known = {name: (row.get(name) or "").strip() for name in READ}
        if rows and known["Name"] != rows[0][1]["Name"]:
            yield from _order(rows)
            rows = []
        rows.append((table.line_num, known))
    if rows:
        yield from _order(rows)


def _order(rows: list[tuple[int, Row]]) -> Iterator[PastOrder]:
    number, first = rows[0]
    currency = first["Currency"]
    goods = tuple(_line(number, row, currency) for number, row in rows if row["Lineitem quantity"])
    if first["Cancelled at"] or not any(line.requires_shipping for line in goods):
        return
    subtotal = Money(sum(line.price.minor * line.quantity for line in goods), currency)
    left = _money(number, first, "Subtotal", currency) if first["Subtotal"] else subtotal
    country = first["Shipping Country"].upper()
    yield PastOrder(
        id=first["Name"],
        name=first["Name"],
        placed_at=_moment(number, first),
        cart=Cart(
            goods,
            currency,
            destination=Address(
                country, first["Shipping Zip"].lstrip("'"), first["Shipping Province"], first["Shipping City"]
            )
            if country
            else None,
            totals=CartTotals(subtotal, Money(max(0, subtotal.minor - left.minor), currency), left),
        ),
        charged=_money(number, first, "Shipping", currency),
        shipping_title=first["Shipping Method"],
    )


def _line(number: int, row: Row, currency: str) -> CartLine:
    quantity = row["Lineitem quantity"]
    if not quantity.isascii() or not quantity.isdigit() or not 0 < int(quantity) <= 1_000_000:
        raise _wrong(number, "Lineitem quantity", "is not a number of pieces")
    return CartLine(
        quantity=int(quantity),
        price=_money(number, row, "Lineitem price", currency),
        sku=row["Lineitem sku"],
        name=row["Lineitem name"],
        requires_shipping=row["Lineitem requires shipping"].lower() not in _NO,
    )


def _money(number: int, row: Row, column: str, currency: str) -> Money:
    try:
        found = Money.rounded(row[column] or "0", currency)
    except MoneyError as error:
        raise _wrong(number, column, "is not an amount") from error
    if found.minor < 0:
        raise _wrong(number, column, "is negative")
    return found


def _moment(number: int, row: Row) -> datetime:
    said = row["Created at"]
    if not said:
        return datetime.fromtimestamp(0, UTC)
    try:
        at = datetime.fromisoformat(said.removesuffix(" UTC"))
    except ValueError as error:
        raise _wrong(number, "Created at", "is not a time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _wrong(number: int, column: str, what: str) -> OrderTableError:
    return OrderTableError(f"Line {number}: {column} {what}.", detail=f"line {number}: {column}")
