"""An order as its page shows it: with the buyer's address, what needs a person, and each parcel's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from carriers.address import Address
from carriers.money import Money
from carriers.tracking import TrackingEvent
from connector.attention.board import Matter, matters
from connector.labels import gates
from connector.labels.by_hand import is_by_hand
from connector.labels.shipment import address_of
from connector.labels.tables import BUYABLE, labels, parcels
from connector.orders import addresses, view
from connector.orders.view import OrderView, ParcelView
from connector.orders.who import by_name, names_in
from connector.storage import persons
from connector.storage.secrets import Keyring
from connector.tracking.record import events_of
from connector.words.reason import Reason


@dataclass(frozen=True, slots=True)
class WholeParcel:
    """A parcel with its contents (line, units), their names and SKUs, its events (the oldest first), its label's cost.

    `goods` is empty for parcels of the first release.
    """

    view: ParcelView
    contents: tuple[tuple[str, int], ...]
    goods: Mapping[str, tuple[str, str]]
    events: tuple[TrackingEvent, ...]
    price: Money | None
    by_hand: bool

    @property
    def is_live(self) -> bool:
        """Whether its label may be used."""
        return self.view.state == "bought"


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """An order with all that is known of it. `to` is None once the buyer is forgotten; `capped` is why buying stops.

    `proposed` is how a carrier would write the address of what waits.
    """

    order: OrderView
    to: Address | None
    parcels: tuple[WholeParcel, ...]
    past: tuple[WholeParcel, ...]
    matters: tuple[Matter, ...]
    capped: Reason | None
    proposed: Address | None = None

    @property
    def can_buy(self) -> bool:
        """Whether a click would buy something."""
        return any(each.view.state in BUYABLE for each in self.parcels)

    @property
    def needs_reason(self) -> bool:
        """Whether goods that wait had a label before: another one is bought for a reason only."""
        return any(each.view.state in BUYABLE and each.view.had_label for each in self.parcels)

    @property
    def can_buy_plainly(self) -> bool:
        """Whether a click without a reason would buy something."""
        return any(each.view.state in BUYABLE and not each.view.had_label for each in self.parcels)

    @property
    def held(self) -> bool:
        """Whether a parcel is held."""
        return any(each.view.state == "held" for each in self.parcels)


def load(connection: Connection, keyring: Keyring, shop_id: str, reference: str) -> WholeOrder:
    """The order; cancelled parcels are in `past`. Raises NoSuchOrder."""
    found = view.show(connection, shop_id, reference)
    rows = {
        row.id: row for row in connection.execute(parcels.select(shop_id).where(parcels.c.order_id == found.id)).all()
    }
    names = names_in(connection, keyring, (each.why for each in found.parcels))
    shown = [replace(each, why=by_name(each.why, names)) for each in found.parcels]
    every = [_parcel(connection, shop_id, rows[each.id], each) for each in shown]
    return WholeOrder(
        order=found,
        to=_address(connection, keyring, shop_id, [row for row in rows.values() if row.person_id]),
        parcels=tuple(each for each in every if each.view.state != "cancelled"),
        past=tuple(each for each in every if each.view.state == "cancelled"),
        matters=_matters(connection, shop_id, found.id, list(rows)),
        capped=gates.cap_reached(connection, shop_id),
        proposed=addresses.proposal(connection, keyring, shop_id, found.id),
    )


def _parcel(connection: Connection, shop_id: str, row: Any, shown: ParcelView) -> WholeParcel:
    label = shown.label
    price = None
    if label is not None and label.booked_minor is not None:
        price = Money(label.booked_minor, label.booked_currency)
    return WholeParcel(
        view=shown,
        contents=tuple((line, units) for line, units in row.contents),
        goods={line: (name, sku) for line, (name, sku) in (row.goods or {}).items()},
        events=() if label is None else tuple(events_of(connection, shop_id, label.id)),
        price=price,
        by_hand=label is not None and is_by_hand(label),
    )


def _address(connection: Connection, keyring: Keyring, shop_id: str, rows: list[Any]) -> Address | None:
    """Where the newest parcel goes that still has its recipient."""
    for row in sorted(rows, key=lambda each: (each.state != "cancelled", each.created_at), reverse=True):
        fields = persons.get(connection, keyring, shop_id, row.person_id)
        if fields is not None:
            return address_of(fields)
    return None


def _matters(connection: Connection, shop_id: str, order_id: str, parcel_ids: list[str]) -> tuple[Matter, ...]:
    of_labels = labels.select(shop_id, labels.c.id).where(labels.c.parcel_id.in_(parcel_ids))
    label_ids = [row.id for row in connection.execute(of_labels).all()]
    found = connection.execute(
        matters.select(shop_id)
        .where(matters.c.resolved_at.is_(None), matters.c.subject.in_([order_id, *parcel_ids, *label_ids]))
        .order_by(matters.c.opened_at, matters.c.id)
    ).all()
    return tuple(Matter(row.shop_id, row.id, row.subject, Reason.from_json(row.reason), row.opened_at) for row in found)
