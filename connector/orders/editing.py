"""An order that was edited: its parcels follow their lines, labels that fit no more are voided, the rest is planned."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from connector.attention.board import matters, need_person, settled
from connector.labels import awaited, record
from connector.labels.tables import parcels
from connector.labels.voids import NotVoidable
from connector.orders.cancelling import cancel, void_edited
from connector.orders.creating import Beside, create, goods_values
from connector.orders.goods import Contents, contents_of, names_in, only, share_out, wanted_in
from connector.orders.plan import Act, Standing
from connector.orders.taken import Held, Taken, is_moved, is_untold
from connector.orders.told import is_withdrawing
from connector.store import FulfilmentGroup, GroupState
from connector.tracking.tables import trackings
from connector.words.reason import Reason
from connector.work.port import TryLater

_WITH_LABEL = frozenset({"buying", "unknown", "bought"})
_CLOSED = frozenset({GroupState.DONE, GroupState.CANCELLED})
_SETTLED = ("changed_after_label", "changed_after_hand_over", "shipped_without_label")


@dataclass(slots=True)
class Edit:
    """What an edit asks for in one group, before it is done: an order is edited as a whole."""

    group: FulfilmentGroup
    act: Act
    rows: Sequence[Any]
    standing: Sequence[Standing] = field(default_factory=list)


def follow_groups(taken: Taken, rows: Sequence[Any], held: Held) -> bool:
    """Labels whose goods wait in another group now go with them: stores make new groups; whether one did.

    Goods that were moved to another location stay behind: their label was made for the old one.
    """
    if taken.order.cancelled:
        return False
    names = names_in(taken.order.groups)
    open_ids = {group.id for group in taken.order.groups if group.state not in _CLOSED}
    homeless = [
        row
        for row in rows
        if row.state in _WITH_LABEL
        and row.group_id not in open_ids
        and is_untold(held, row.id)
        and row.id not in held.left
    ]
    moved = False
    for group in (each for each in taken.order.groups if each.state is GroupState.READY):
        here = [row for row in rows if row.group_id == group.id and held.told.get(row.id) != "yes"]
        free = wanted_in(group)
        for row in here:
            free -= Counter(dict(contents_of(row, names)))
        numbers = {row.number for row in rows if row.group_id == group.id}
        for row in list(homeless):
            goods = Counter(dict(contents_of(row, names)))
            if is_moved(row, group) or any(units > free[key] for key, units in goods.items()):
                continue
            free -= goods
            number = next(each for each in range(1, len(numbers) + 2) if each not in numbers)
            numbers.add(number)
            homeless.remove(row)
            mine = parcels.update(taken.shop.id).where(parcels.c.id == row.id)
            taken.connection.execute(mine.values(group_id=group.id, number=number))
            label = held.labels.get(row.id)
            if label is not None:
                told = trackings.update(taken.shop.id).where(trackings.c.label_id == label.id)
                taken.connection.execute(told.values(group_id=group.id))
            moved = True
    return moved


def let_go_of_homeless(taken: Taken, rows: Sequence[Any], held: Held) -> None:
    """Parcels whose group is gone from the order: their goods are not wanted, or wait in a group of another place."""
    cancel(taken.connection, taken.work, taken.shop, taken.order, rows, Reason("shipped_elsewhere"), taken.now)
    if taken.order.cancelled:
        return
    for row in rows:
        if row.state != "bought" or held.told.get(row.id, "no") != "no":
            continue
        if row.id in held.left:
            ask_once(taken, row.id, Reason("changed_after_hand_over"), "gone")
        elif taken.shop.settings.buying.void_on_edit:
            _void(taken, row, Reason("goods_moved"))
        else:
            ask_once(taken, row.id, Reason("changed_after_label"), "gone")


def carry_out(taken: Taken, edits: Sequence[Edit], rows: Sequence[Any], held: Held) -> None:
    """Do what the groups' edits ask for; nothing is planned while a purchase that matters to it is under way."""
    for edit in edits:
        for parcel_id, why in edit.act.ask:
            ask_once(taken, parcel_id, why, _mark(edit))
    if any(edit.act.later for edit in edits):
        _look_again(taken, held)
        return
    _drop_purchases(taken, edits, held)
    gone = _take_out_of_use(taken, edits)
    names = names_in(taken.order.groups)
    told = [row for row in rows if held.told.get(row.id) == "yes" and row.id not in held.left | gone]
    labelled = {key for row in told for key, _ in contents_of(row, names)}
    asked = any(edit.act.ask for edit in edits)
    for edit in edits:
        lines = follow_lines(taken, edit, [row for row in edit.rows if row.id not in gone], held)
        if edit.act.plan:
            of_act = {*edit.act.drop, *(parcel_id for parcel_id, _ in edit.act.void)}
            before = [row for row in edit.rows if row.id in of_act]
            covered = asked or bool(labelled & set(edit.act.plan))
            part = only(edit.group, edit.act.plan, lines)
            create(taken, part, Beside(before, _live(taken), edit.act.edited, covered))


def _drop_purchases(taken: Taken, edits: Sequence[Edit], held: Held) -> None:
    """Before all else: where a purchase has left meanwhile, nothing of the edit is done yet."""
    for parcel_id in (each for edit in edits for each in edit.act.drop):
        label = held.labels.get(parcel_id)
        if label is not None and not record.drop(taken.connection, label, taken.now):
            raise TryLater("A purchase has left meanwhile.", retry_after_s=5)


def _take_out_of_use(taken: Taken, edits: Sequence[Edit]) -> set[str]:
    """Void the labels that fit no more and cancel what is replaced; the parcels' ids."""
    gone: set[str] = set()
    for edit in edits:
        by_id = {row.id: row for row in edit.rows}
        for parcel_id, why in edit.act.void:
            _void(taken, by_id[parcel_id], why)
        for parcel_id in edit.act.drop:
            why = Reason("order_edited")
            record.set_parcel(taken.connection, taken.shop.id, parcel_id, "cancelled", taken.now, why)
            settled(taken.connection, taken.shop.id, parcel_id, taken.now)
        gone |= {*edit.act.drop, *(parcel_id for parcel_id, _ in edit.act.void)}
    return gone


def come_back(taken: Taken) -> None:
    """While the store takes a label back, its goods do not wait yet: the order is read again soon."""
    if not taken.order.cancelled and is_withdrawing(taken.connection, taken.shop.id, taken.order_id):
        _read_again(taken, awaited.SOON)


def in_order(taken: Taken, edit: Edit) -> None:
    """Nothing is wrong with a group's labels any more: what a person was asked about them is settled."""
    told = any(each.told == "maybe" for each in edit.standing)
    if edit.group.state not in {GroupState.READY, GroupState.DONE} or told:
        return
    for row in edit.rows:
        if row.state == "bought":
            settled(taken.connection, taken.shop.id, row.id, taken.now, *_SETTLED)


def ask_once(taken: Taken, parcel_id: str, why: Reason, mark: str) -> None:
    """Put a parcel before a person, not again for the same edit once that was called done."""
    asked = matters.select(taken.shop.id, matters.c.reason).where(
        matters.c.subject == parcel_id, matters.c.code == why.code
    )
    if not any((row.reason.get("params") or {}).get("edit") == mark for row in taken.connection.execute(asked).all()):
        need_person(taken.connection, taken.shop.id, parcel_id, Reason(why.code, {"edit": mark}), taken.now)


def _void(taken: Taken, row: Any, why: Reason) -> None:
    try:
        void_edited(taken.connection, taken.work, taken.shop, row, why, taken.now)
    except NotVoidable as error:  # Somebody voided it meanwhile: what is to be done is another matter then.
        raise TryLater("The label was moved meanwhile.", retry_after_s=5) from error


def follow_lines(taken: Taken, edit: Edit, stay: Sequence[Any], held: Held) -> Contents:
    """Give the parcels that stay the lines that their goods have now; what they hold of the group's lines."""
    if any(each.told == "maybe" for each in edit.standing):
        return ()
    goods = {each.id: each.contents for each in edit.standing}
    waiting = [row for row in stay if held.told.get(row.id) != "yes"]
    shared = share_out(edit.group, [(row.id, row.contents, goods[row.id]) for row in waiting])
    for row in waiting:
        contents = shared[row.id]
        if sorted(contents) == sorted(tuple(each) for each in row.contents) or not is_untold(held, row.id):
            continue
        mine = parcels.update(taken.shop.id).where(parcels.c.id == row.id)
        taken.connection.execute(mine.values(**goods_values(edit.group, contents)))
        label = held.labels.get(row.id)
        if label is not None:
            told = trackings.update(taken.shop.id).where(trackings.c.label_id == label.id)
            taken.connection.execute(told.values(lines=[list(each) for each in contents]))
    return tuple(each for contents in shared.values() for each in contents)


def _live(taken: Taken) -> list[Any]:
    chosen = parcels.select(taken.shop.id).where(parcels.c.order_id == taken.order_id, parcels.c.state != "cancelled")
    return list(taken.connection.execute(chosen.order_by(parcels.c.group_id, parcels.c.number)).all())


def _look_again(taken: Taken, held: Held) -> None:
    """A purchase is under way: the order is read again when it has ended."""
    _read_again(taken, awaited.until_ended(held.labels.values(), taken.now))


def _read_again(taken: Taken, wait: timedelta) -> None:
    at = taken.now + wait
    awaited.read_again(taken.connection, taken.work, taken.shop.id, taken.order_id, taken.order.id, at)


def _mark(edit: Edit) -> str:
    """What is the same for the same edit, and tells nothing of it."""
    wanted = sorted(wanted_in(edit.group).items())
    there = [[each.id, each.elsewhere] for each in edit.standing if each.elsewhere]
    said = json.dumps([wanted, edit.group.location_id, there])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def lock_parcels(connection: Connection, shop_id: str, order_id: str) -> list[Any]:
    """The parcels of an order (our id) that are not cancelled, locked."""
    chosen = parcels.select(shop_id).where(parcels.c.order_id == order_id, parcels.c.state != "cancelled")
    ordered = chosen.order_by(parcels.c.group_id, parcels.c.number)
    return list(connection.execute(ordered.with_for_update()).all())
