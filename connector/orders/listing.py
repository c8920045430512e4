"""The orders of a shop as a list: newest first, narrowed, page by page; and found by what a person has in hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, or_

from carriers.money import Money
from connector.attention.board import matters
from connector.labels import kept
from connector.labels.by_hand import is_by_hand
from connector.labels.kept import OnShelf
from connector.labels.tables import BUYABLE, LIVE, labels, parcels
from connector.orders.tables import orders
from connector.storage.keyset import Mark, Page, newest
from connector.tracking.tables import trackings
from connector.words.reason import Reason

CSV_ROWS = 20_000
"""The most lines of a download."""

_NOT_BOUGHT = (*BUYABLE, "buying")
"""States of parcels that are wanted and have no label yet."""

_CSV_PAGE = 500
_MOST_FOUND = 20
_ORDER = (
    orders.c.id,
    orders.c.name,
    orders.c.placed_at,
    orders.c.country,
    orders.c.paid,
    orders.c.cancelled,
    orders.c.charged_minor,
    orders.c.currency,
)
_PARCEL = (parcels.c.id, parcels.c.order_id, parcels.c.state, parcels.c.why, parcels.c.changed_at)
_LABEL = (
    labels.c.id,
    labels.c.parcel_id,
    labels.c.account_id,
    labels.c.state,
    labels.c.tracking_code,
    labels.c.carrier,
)
_TRACKING = (trackings.c.label_id, trackings.c.carrier, trackings.c.status)
"""What a line is made of: rows hold plans, rates and goods beside it, which cost more to read than all the rest."""


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What narrows the list; empty fields do not. `state` is one that a parcel of the order is in.

    `since` (included) and `until` (not included) are about when the order was placed.
    """

    state: str = ""
    needs_person: bool = False
    not_bought: bool = False
    country: str = ""
    since: datetime | None = None
    until: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """A parcel of a listed order, with the number of its live label, who carries it and how far it is.

    `file` is how the label's file stands; None where Waybill bought no label.
    """

    id: str
    state: str
    why: Reason | None
    label_id: str | None
    number: str
    carrier: str
    status: str
    changed_at: datetime
    by_hand: bool = False
    file: OnShelf | None = None

    @property
    def shown(self) -> str:
        """How it stands in one word: its state, or that the file of its label comes, is missing or gone."""
        return kept.shown(self.state, self.file)

    @property
    def is_unclear(self) -> bool:
        """Whether look-ups have ended without an outcome, so that a person has to look at the carrier."""
        return self.state == "unknown" and self.why is not None and self.why.code == "outcome_unclear"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order in short. `matters` are what needs a person of it."""

    id: str
    name: str
    placed_at: datetime
    country: str
    paid: bool
    cancelled: bool
    charged: Money
    parcels: tuple[ParcelLine, ...]
    matters: tuple[Reason, ...]

    @property
    def can_buy(self) -> bool:
        """Whether a click would buy something."""
        return any(each.state in BUYABLE for each in self.parcels)

    @property
    def bought(self) -> tuple[ParcelLine, ...]:
        """The parcels with a label."""
        return tuple(each for each in self.parcels if each.state == "bought")


def page(
    connection: Connection, shop_id: str, chosen: OrderFilter, mark: Mark | None = None, most: int = 50
) -> Page[OrderLine]:
    """One page of the list."""
    found = newest(connection, [_choice(shop_id, chosen)], orders.c.placed_at, orders.c.id, mark, most)
    return Page(_lines(connection, shop_id, found.lines), found.newer, found.older)


def pages(connection: Connection, shop_id: str, chosen: OrderFilter, most: int = CSV_ROWS) -> Iterator[OrderLine]:
    """The newest lines up to `most`, read a few hundred at a time."""
    mark: Mark | None = None
    left = most
    while left > 0:
        found = page(connection, shop_id, chosen, mark, min(left, _CSV_PAGE))
        yield from found.lines
        left -= len(found.lines)
        mark = found.older
        if mark is None:
            return


def some(connection: Connection, shop_id: str, ids: Sequence[str]) -> tuple[OrderLine, ...]:
    """These orders of the shop, in this order; ids that it does not have are left out."""
    found = connection.execute(orders.select(shop_id, *_ORDER).where(orders.c.id.in_(list(ids)))).all()
    known = {line.id: line for line in _lines(connection, shop_id, found)}
    return tuple(known[each] for each in dict.fromkeys(ids) if each in known)


def search(connection: Connection, shop_id: str, text: str) -> tuple[OrderLine, ...]:
    """The orders that a name, a tracking number or an id belongs to, the newest first; at most twenty."""
    asked = "".join(text.split())
    if not asked:
        return ()
    by_number = trackings.select(shop_id, trackings.c.order_id).where(
        trackings.c.tracking_code.in_({asked, asked.upper()})
    )
    by_parcel = parcels.select(shop_id, parcels.c.order_id).where(parcels.c.id == asked)
    named = or_(
        orders.c.name.in_({text.strip(), f"#{asked}"}),
        orders.c.id == asked,
        orders.c.external_id == asked,
        orders.c.id.in_(by_number),
        orders.c.id.in_(by_parcel),
    )
    newest_first = orders.select(shop_id, *_ORDER).where(named).order_by(orders.c.placed_at.desc(), orders.c.id.desc())
    return _lines(connection, shop_id, connection.execute(newest_first.limit(_MOST_FOUND)).all())


def _choice(shop_id: str, chosen: OrderFilter) -> Select[Any]:
    choice = orders.select(shop_id, *_ORDER)
    if chosen.name:
        name = chosen.name.strip()
        choice = choice.where(orders.c.name.in_({name, f"#{name}"}))
    if chosen.country:
        choice = choice.where(orders.c.country == chosen.country.upper())
    if chosen.since is not None:
        choice = choice.where(orders.c.placed_at >= chosen.since)
    if chosen.until is not None:
        choice = choice.where(orders.c.placed_at < chosen.until)
    if chosen.state:
        choice = choice.where(orders.c.id.in_(_with_parcels(shop_id, (chosen.state,))))
    if chosen.not_bought:
        choice = choice.where(orders.c.id.in_(_with_parcels(shop_id, _NOT_BOUGHT)))
    if chosen.needs_person:
        open_ones = matters.select(shop_id, matters.c.subject).where(matters.c.resolved_at.is_(None))
        of_labels = labels.select(shop_id, labels.c.parcel_id).where(labels.c.id.in_(open_ones))
        of_parcels = parcels.select(shop_id, parcels.c.order_id).where(
            or_(parcels.c.id.in_(open_ones), parcels.c.id.in_(of_labels))
        )
        choice = choice.where(or_(orders.c.id.in_(open_ones), orders.c.id.in_(of_parcels)))
    return choice


def _with_parcels(shop_id: str, states: Sequence[str]) -> Select[Any]:
    return parcels.select(shop_id, parcels.c.order_id).where(parcels.c.state.in_(states))


def _lines(connection: Connection, shop_id: str, rows: Sequence[Any]) -> tuple[OrderLine, ...]:
    ids = [row.id for row in rows]
    if not ids:
        return ()
    chosen = parcels.select(shop_id, *_PARCEL).where(parcels.c.order_id.in_(ids), parcels.c.state != "cancelled")
    known = connection.execute(chosen.order_by(parcels.c.created_at, parcels.c.number)).all()
    parcel_ids = [row.id for row in known]
    made = connection.execute(labels.select(shop_id, *_LABEL).where(labels.c.parcel_id.in_(parcel_ids))).all()
    live = {row.parcel_id: row for row in made if row.state in LIVE}
    wanted = trackings.select(shop_id, *_TRACKING).where(trackings.c.order_id.in_(ids))
    followed = {row.label_id: row for row in connection.execute(wanted).all()}
    owners = {row.id: row.id for row in rows} | {row.id: row.order_id for row in known}
    owners |= {row.id: owners[row.parcel_id] for row in made}
    waiting = _matters(connection, shop_id, owners)
    bought = [each.id for each in live.values() if each.state == "bought" and not is_by_hand(each)]
    files = kept.files_of(connection, shop_id, bought)
    by_order: dict[str, list[ParcelLine]] = {}
    for row in known:
        label = live.get(row.id)
        way = None if label is None else followed.get(label.id)
        line = ParcelLine(
            id=row.id,
            state=row.state,
            why=None if row.why is None else Reason.from_json(row.why),
            label_id=None if label is None else label.id,
            number="" if label is None else label.tracking_code,
            carrier=way.carrier if way is not None else "" if label is None else label.carrier,
            status="" if way is None else way.status,
            changed_at=row.changed_at,
            by_hand=label is not None and is_by_hand(label),
            file=None if label is None else files.get(label.id),
        )
        by_order.setdefault(row.order_id, []).append(line)
    return tuple(
        OrderLine(
            id=row.id,
            name=row.name,
            placed_at=row.placed_at,
            country=row.country or "",
            paid=row.paid,
            cancelled=row.cancelled,
            charged=Money(row.charged_minor, row.currency),
            parcels=tuple(by_order.get(row.id, ())),
            matters=tuple(waiting.get(row.id, ())),
        )
        for row in rows
    )


def _matters(connection: Connection, shop_id: str, owners: Mapping[str, str]) -> dict[str, list[Reason]]:
    """What needs a person, by order; `owners` says which order a subject belongs to."""
    found = connection.execute(
        matters.select(shop_id, matters.c.subject, matters.c.reason)
        .where(matters.c.resolved_at.is_(None), matters.c.subject.in_(list(owners)))
        .order_by(matters.c.opened_at, matters.c.id)
    ).all()
    by_order: dict[str, list[Reason]] = {}
    for row in found:
        by_order.setdefault(owners[row.subject], []).append(Reason.from_json(row.reason))
    return by_order
