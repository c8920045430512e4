"""Every amount as a dated double entry with its cause: what was quoted, charged, bought, refunded, adjusted, claimed.

Each entry moves an amount from one account to another, so that the sum over all accounts is always zero:

quoted      carrier:expected   -> postage:expected    the carrier's price that the offer was made from
charged     buyer              -> shipping:income     what the buyer paid for shipping
bought      wallet             -> postage:bought      the label
fee         wallet             -> postage:fees        what the carrier takes beside the label's postage
fee_back    postage:fees       -> wallet              the same given back, as far as the carrier says so
refund_due  postage:bought     -> carrier:refund_due  asked back after a void
refunded    carrier:refund_due -> wallet              money that came back
uncharged   carrier:refund_due -> wallet              nothing was charged: the label is billed when it is scanned
lost        carrier:refund_due -> postage:lost        a void that the carrier refused
adjusted    wallet             -> postage:adjusted    what an invoice added later; negative where it took off
claimed     postage:claimed    -> carrier:claim_due   what was claimed of the carrier, as an invoice line in dispute
claim_paid  carrier:claim_due  -> wallet              what it paid of that
claim_lost  carrier:claim_due  -> postage:claimed     what it did not
by_hand     merchant           -> postage:bought      the typed price of a label that was bought elsewhere
by_hand_back                                          the same taken back, as the number was
driver      wallet             -> postage:driver      a driver who was booked to collect; of no order
driver_back postage:driver     -> wallet              the same taken back, as the driver was sent home
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, Column, Connection, Index, String, func

from carriers.money import Money
from connector.storage.database import insert_new
from connector.storage.ids import new_id
from connector.storage.schema import Moment, TenantTable, id_column

Kind = Literal[
    "quoted",
    "charged",
    "bought",
    "fee",
    "fee_back",
    "refund_due",
    "refunded",
    "uncharged",
    "lost",
    "adjusted",
    "claimed",
    "claim_paid",
    "claim_lost",
    "by_hand",
    "by_hand_back",
    "driver",
    "driver_back",
]
MOVES: dict[str, tuple[str, str]] = {
    "quoted": ("carrier:expected", "postage:expected"),
    "charged": ("buyer", "shipping:income"),
    "bought": ("wallet", "postage:bought"),
    "fee": ("wallet", "postage:fees"),
    "fee_back": ("postage:fees", "wallet"),
    "refund_due": ("postage:bought", "carrier:refund_due"),
    "refunded": ("carrier:refund_due", "wallet"),
    "uncharged": ("carrier:refund_due", "wallet"),
    "lost": ("carrier:refund_due", "postage:lost"),
    "adjusted": ("wallet", "postage:adjusted"),
    "claimed": ("postage:claimed", "carrier:claim_due"),
    "claim_paid": ("carrier:claim_due", "wallet"),
    "claim_lost": ("carrier:claim_due", "postage:claimed"),
    "by_hand": ("merchant", "postage:bought"),
    "by_hand_back": ("postage:bought", "merchant"),
    "driver": ("wallet", "postage:driver"),
    "driver_back": ("postage:driver", "wallet"),
}

entries = TenantTable(
    "amounts",
    id_column(primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("from_account", String(40), nullable=False),
    Column("to_account", String(40), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    id_column("order_id", nullable=False),
    id_column("parcel_id", nullable=True),
    id_column("label_id", nullable=True),
    Column("cause", String(160), nullable=False),
    Index("uq_amounts_cause", "shop_id", "kind", "cause", unique=True),
    Index(None, "shop_id", "order_id"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated amount."""

    at: datetime
    kind: str
    money: Money
    parcel_id: str | None
    label_id: str | None
    cause: str


def book(
    connection: Connection,
    shop_id: str,
    kind: Kind,
    money: Money,
    *,
    order_id: str,
    cause: str,
    now: datetime,
    parcel_id: str | None = None,
    label_id: str | None = None,
) -> bool:
    """Write an entry; a cause (the id of what happened) is booked once for each kind. False if it was booked before."""
    source, target = MOVES[kind]
    return insert_new(
        connection,
        entries.insert(
            shop_id,
            id=new_id("amt", now),
            at=now,
            kind=kind,
            from_account=source,
            to_account=target,
            minor=money.minor,
            currency=money.currency,
            order_id=order_id,
            parcel_id=parcel_id,
            label_id=label_id,
            cause=cause,
        ),
    )


def of_order(connection: Connection, shop_id: str, order_id: str) -> list[Entry]:
    """The amounts of an order, oldest first."""
    found = connection.execute(
        entries.select(shop_id).where(entries.c.order_id == order_id).order_by(entries.c.at, entries.c.id)
    )
    return [
        Entry(row.at, row.kind, Money(row.minor, row.currency), row.parcel_id, row.label_id, row.cause)
        for row in found.all()
    ]


def booked_of_label(connection: Connection, shop_id: str, label_id: str, kind: Kind) -> int:
    """What a label's entries of a kind come to, in minor units of its currency."""
    total = entries.select(shop_id, func.sum(entries.c.minor)).where(
        entries.c.label_id == label_id, entries.c.kind == kind
    )
    return int(connection.execute(total).scalar() or 0)
