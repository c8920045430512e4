"""Where an order's parcels go: as the store says, and as a person decides where a carrier knows it better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from connector.attention.board import settled
from connector.directory import ShopEntry
from connector.labels import record
from connector.labels.shipment import person_fields
from connector.labels.terms import ADDRESS
from connector.orders.buying import buy_by_rule
from connector.storage import persons
from connector.storage.secrets import Keyring
from connector.store import FulfilmentGroup, Order
from connector.words.reason import Reason
from connector.work.port import Work

KEEP_PERSON = timedelta(days=90)
_OF_THE_ADDRESS = frozenset({ADDRESS})
"""Holds that end by themselves when the store's address changes."""


def keep_person(
    connection: Connection, keyring: Keyring, shop_id: str, order: Order, group: FulfilmentGroup, now: datetime
) -> str | None:
    """Keep the recipient of a group among the persons; None where the store tells of none."""
    if group.destination is None:
        return None
    fields = person_fields(group.destination)
    fields["email"] = fields["email"] or order.email
    fields["phone"] = fields["phone"] or order.phone
    return persons.put(connection, keyring, shop_id, "ship_to", fields, now, now + KEEP_PERSON)


def readdress(
    connection: Connection,
    keyring: Keyring,
    work: Work,
    shop: ShopEntry,
    group: FulfilmentGroup,
    known: Sequence[Any],
    now: datetime,
) -> None:
    """Before a label is bought, it goes where the store says now; into another country only a person sends it.

    What was held for its address goes on by itself once that was corrected in the store.
    """
    if group.destination is None:
        return
    told = {key: value for key, value in person_fields(group.destination).items() if value}
    before: dict[str, dict[str, str]] = {}
    for row in known:
        if row.state not in {"planned", "held", "refused"} or not row.person_id:
            continue
        if row.person_id not in before:  # Parcels of one group share their recipient.
            before[row.person_id] = persons.get(connection, keyring, shop.id, row.person_id) or {}
        fields = before[row.person_id]
        changed = fields | told
        if changed == fields:
            continue
        persons.replace(connection, keyring, shop.id, row.person_id, changed)
        abroad = changed.get("country") != fields.get("country")
        if abroad and row.state == "planned" and shop.settings.buys_when_paid:
            record.hold(connection, shop.id, row.id, Reason("order_edited"), now)
        elif not abroad and row.state == "held" and (row.why or {}).get("code") in _OF_THE_ADDRESS:
            record.set_parcel(connection, shop.id, row.id, "planned", now)
            settled(connection, shop.id, row.id, now, *_OF_THE_ADDRESS)
            buy_by_rule(connection, work, shop, row.id, now)
