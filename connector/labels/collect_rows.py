"""How manifests and pick-ups move from state to state, and what a booked driver costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.collection import BookedPickup
from carriers.money import Money
from connector.attention.board import need_person, settled
from connector.labels.amounts import book
from connector.labels.desk_tables import manifest_labels, manifests, pickups
from connector.labels.tables import labels
from connector.storage.database import in_parts
from connector.words.reason import Reason

_COMES = frozenset({"intent", "sent", "unclear", "booked", "cancelling"})
"""Where a pick-up stands of which a driver comes, or may come."""

_WITH_CARRIER = ("unclear", "pending", "made")
"""Where a list stands that the carrier has, or may have: one that is only asked for still leaves labels off."""


def move_manifest(connection: Connection, row: Any, now: datetime, **values: Any) -> None:
    """Note where a manifest stands."""
    mine = manifests.update(row.shop_id).where(manifests.c.id == row.id)
    connection.execute(mine.values(changed_at=now, **values))


def refuse_manifest(connection: Connection, row: Any, said: str, now: datetime, *, tell: bool = True) -> None:
    """None was made: its labels are free for another one, and a person is told, unless there is nothing to do."""
    why = Reason("manifest_refused", {"carrier": row.carrier, "said": said})
    move_manifest(connection, row, now, state="refused", why=why.to_json())
    connection.execute(manifest_labels.delete(row.shop_id).where(manifest_labels.c.manifest_id == row.id))
    if tell:
        need_person(connection, row.shop_id, row.id, why, now)


def refuse_pickup(connection: Connection, row: Any, said: str, now: datetime) -> None:
    """No driver comes, and the carrier says why."""
    change(connection, row, now, state="refused", why=Reason("pickup_refused", {"said": said}).to_json())


def booked(connection: Connection, row: Any, found: BookedPickup, now: datetime) -> None:
    """The driver is booked, and what the carrier takes is owed; a person is told if that is not what was agreed to."""
    chosen, agreed = row.chosen, _price(row)
    price = found.price_of(chosen["carrier"], chosen["service"]) or agreed
    differs = price.currency != agreed.currency or price > agreed
    params: dict[str, str | int] = {"carrier": chosen["carrier"], "booked": str(price), "offered": str(agreed)}
    why = Reason("driver_dearer", params) if differs else None
    values = {"confirmation": found.confirmation[:120], "minor": price.minor, "currency": price.currency}
    if not change(connection, row, now, state="booked", why=why.to_json() if why else None, **values):
        return
    book(connection, row.shop_id, "driver", price, order_id="", cause=row.id, now=now)
    settled(connection, row.shop_id, row.id, now)
    if why is not None:
        need_person(connection, row.shop_id, row.id, why, now)


def sent_home(connection: Connection, row: Any, now: datetime) -> None:
    """The driver does not come, and the price is back."""
    if change(connection, row, now, state="cancelled"):
        book(connection, row.shop_id, "driver_back", _price(row), order_id="", cause=row.id, now=now)
        settled(connection, row.shop_id, row.id, now)


def leaves(connection: Connection, row: Any, now: datetime) -> Any:
    """The list as it is asked for, from now on with the carrier; one without labels stays as it was.

    A label that was voided after it was put on it is none of it any more. The list is held until the transaction ends,
    so that a label is either voided before it leaves, or seen to be on it. The state is the one of before.
    """
    connection.execute(manifests.select(row.shop_id).where(manifests.c.id == row.id).with_for_update())
    ids = [label_id for label_id, _, _ in row.labels]
    still: set[str] = set()
    for part in in_parts(ids):
        chosen = labels.select(row.shop_id, labels.c.id).where(labels.c.id.in_(part), labels.c.state == "bought")
        still |= {str(each.id) for each in connection.execute(chosen).all()}
    if gone := set(ids) - still:
        kept = [label for label in row.labels if label[0] in still]
        move_manifest(connection, row, now, labels=kept)
        off = manifest_labels.delete(row.shop_id)
        connection.execute(
            off.where(manifest_labels.c.manifest_id == row.id, manifest_labels.c.label_id.in_(sorted(gone)))
        )
    left = connection.execute(manifests.select(row.shop_id).where(manifests.c.id == row.id)).one()
    if still:
        move_manifest(connection, row, now, state="unclear")
    return left


def on_lists(connection: Connection, shop_id: str, label_ids: Sequence[str], *, held: bool = False) -> set[str]:
    """Those of these labels that are on a list which the carrier has, or may have.

    With `held` none of their lists leaves before this transaction ends.
    """
    mine = manifest_labels.select(shop_id).where(manifest_labels.c.label_id.in_(label_ids))
    listed = connection.execute(mine).all()
    if not listed:
        return set()
    chosen = manifests.select(shop_id, manifests.c.id, manifests.c.state).where(
        manifests.c.id.in_({row.manifest_id for row in listed})
    )
    found = connection.execute(chosen.with_for_update(read=True) if held else chosen).all()
    there = {row.id for row in found if row.state in _WITH_CARRIER}
    return {str(row.label_id) for row in listed if row.manifest_id in there}


def other_driver(connection: Connection, row: Any) -> Any | None:
    """Another pick-up of the account and place that is booked, or being booked, for a part of the same time.

    All of them are held until the transaction ends, so that of two clicks one sees the other.
    """
    beside = pickups.select(row.shop_id).where(
        pickups.c.account_id == row.account_id,
        pickups.c.location_id == row.location_id,
        pickups.c.earliest < row.latest,
        pickups.c.latest > row.earliest,
    )
    held = connection.execute(beside.order_by(pickups.c.id).with_for_update()).all()
    return next((each for each in held if each.id != row.id and each.state in _COMES), None)


def _price(row: Any) -> Money:
    """What was agreed to; once the driver is booked, what the carrier takes."""
    return Money(row.minor, row.currency)


def change(connection: Connection, row: Any, now: datetime, **values: Any) -> bool:
    """Change a pick-up that is as it was read; False if it was moved meanwhile."""
    mine = pickups.update(row.shop_id).where(pickups.c.id == row.id, pickups.c.version == row.version)
    return connection.execute(mine.values(changed_at=now, version=row.version + 1, **values)).rowcount == 1
