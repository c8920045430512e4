"""What an order that was read again means for its parcels. Pure: parcels and group in, one act out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from connector.store import FulfilmentGroup, GroupState, Order
from connector.words.reason import Reason

_UNBOUGHT = frozenset({"planned", "held", "refused"})
STORES_HOLDS = frozenset({"store_hold", "order_changed", "not_paid"})
"""Holds that the store caused, and that end when the store says so."""

Told = Literal["no", "maybe", "yes"]
Elsewhere = Literal["", "address", "location"]
Goods = Mapping[str, int]
_NOTHING: Goods = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Standing:
    """One parcel of the group as it stands: its contents (goods, units) and state; cancelled ones are left out.

    `told` says whether the store counts its units as shipped, so that they do not wait in its group any more; `left`
    whether it is on its way, or on a list that the carrier has; `sent` whether its purchase has left and is not
    answered. `elsewhere`: it, or its shipment, goes to or from another place than the store says now. `unused`: the
    store was not told of its label, and waits to be.
    """

    id: str
    state: str
    contents: tuple[tuple[str, int], ...]
    why_code: str = ""
    told: Told = "no"
    left: bool = False
    sent: bool = False
    elsewhere: Elsewhere = ""
    unused: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """What to do with a group's parcels.

    release: the store let go of its hold. hold: all of them, with the reason. none: all is as it should be. cancel: all
    of them but those to `ask` a person about.
    edit: labels to `void` and matters to `ask` a person about, each with its reason; parcels without a label to `drop`;
    units to `plan`. `edited` says that other goods are wanted than before, `later` that a purchase is under way, so
    that nothing is done before its end.
    """

    kind: Literal["none", "release", "hold", "cancel", "edit"]
    why: Reason | None = None
    void: tuple[tuple[str, Reason], ...] = ()
    ask: tuple[tuple[str, Reason], ...] = ()
    drop: tuple[str, ...] = ()
    plan: Goods = field(default_factory=dict)
    edited: bool = False
    later: bool = False


NONE = Act("none")


def decide(
    order: Order,
    group: FulfilmentGroup,
    wanted: Goods,
    parcels: Sequence[Standing],
    *,
    by_hand: Goods = _NOTHING,
    voids: bool = True,
) -> Act:
    """The one act that brings a group's parcels in line with the store.

    `wanted` are the units that wait in the group, `by_hand` those that somebody fulfilled in the store. With `voids` a
    label that nobody scanned is voided where it does not fit any more; else a person is asked. So it is about each
    label that may be on the box of what was fulfilled by hand.
    """
    found = _Found(voids=voids, by_hand=Counter(by_hand))
    rest = [parcel for parcel in parcels if not found.explains(parcel)]
    if order.cancelled or group.state is GroupState.CANCELLED:
        return found.cancelled(parcels)
    parcels = rest
    if group.state is GroupState.HELD:
        held = any(parcel.state == "planned" for parcel in parcels)
        return Act("hold", Reason("store_hold", {"said": ", ".join(group.hold_reasons)})) if held else NONE
    if group.state is GroupState.DONE:
        return _shipped(parcels, found)
    in_part = any(parcel.told == "yes" for parcel in parcels)
    if not is_open(group, in_part=in_part) or not order.may_ship:
        return NONE
    act = _in_line(wanted, parcels, found)
    if act is not NONE and any(parcel.told == "maybe" for parcel in parcels):
        return NONE  # The store tells of its new fulfilment, and the order is read again then.
    if act is NONE and any(parcel.state == "held" and parcel.why_code in STORES_HOLDS for parcel in parcels):
        return Act("release")
    return act


def is_open(group: FulfilmentGroup, *, in_part: bool) -> bool:
    """Whether more of a group may be shipped: the first of its units to be fulfilled make the rest "in progress".

    `in_part` says that we told the store of some.
    """
    return group.state is GroupState.READY or (group.state is GroupState.NOT_YET and (in_part or bool(group.shipped)))


def _shipped(parcels: Sequence[Standing], found: _Found) -> Act:
    """The store has nothing left to ship: what was told may still go elsewhere, what was not is of no use."""
    if parcels and all(parcel.state in _UNBOUGHT for parcel in parcels):
        return Act("cancel", Reason("shipped_elsewhere"))
    for parcel in parcels:
        if parcel.told == "yes":
            found.look_at(parcel)
        elif parcel.state == "bought" and parcel.unused and not parcel.left:
            found.ask.append((parcel.id, Reason("shipped_without_label")))
        elif parcel.state in _UNBOUGHT:
            found.drop.append(parcel.id)
        elif parcel.sent:
            found.later = True
    return found.act({}, edited=False)


def _in_line(wanted: Goods, parcels: Sequence[Standing], found: _Found) -> Act:
    left = Counter(wanted)
    for parcel in parcels:
        if parcel.told == "yes":
            found.look_at(parcel)
    counted = [parcel for parcel in parcels if parcel.told != "yes"]
    changed = goods_in(counted) != +left
    for parcel in sorted(counted, key=_firmness):
        fits = all(units <= left[goods] for goods, units in _units(parcel).items())
        if parcel.state in _UNBOUGHT or (parcel.state == "buying" and not parcel.sent):
            continue
        if parcel.state == "voided":  # By a person, who decides what becomes of its goods while they are the same.
            if fits:
                left -= _units(parcel)
            else:
                found.drop.append(parcel.id)
        elif (fits and not parcel.elsewhere) or not found.let_go(parcel):
            left -= _units(parcel)  # Never below nothing. What a person is asked about is not planned twice.
    loose = [each for each in counted if each.state in _UNBOUGHT or (each.state == "buying" and not each.sent)]
    if goods_in(loose) == +left and not any(each.elsewhere for each in loose):
        left = Counter()
    else:
        found.drop += [each.id for each in loose]
    return found.act(dict(+left), edited=changed and bool(parcels))


@dataclass(slots=True)
class _Found:
    """What is found of a group's parcels, one after the other."""

    voids: bool
    by_hand: Counter[str]
    void: list[tuple[str, Reason]] = field(default_factory=list)
    ask: list[tuple[str, Reason]] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    later: bool = False

    def explains(self, parcel: Standing) -> bool:
        """Whether a parcel that left, and of which the store was not told, is what was fulfilled there by hand."""
        mine = _units(parcel)
        if not parcel.left or parcel.told != "no" or not mine <= self.by_hand:
            return False
        self.by_hand -= mine
        return True

    def may_be_on_a_box(self, parcel: Standing) -> bool:
        """Whether somebody may have used a parcel's label for what was fulfilled in the store by hand."""
        return parcel.state == "bought" and parcel.told == "no" and bool(_units(parcel) & self.by_hand)

    def cancelled(self, parcels: Sequence[Standing]) -> Act:
        """All of them, but for labels that may be on a box."""
        why = Reason("cancelled_with_label")
        ask = tuple((each.id, why) for each in parcels if not each.left and self.may_be_on_a_box(each))
        return Act("cancel", Reason("order_cancelled"), ask=ask) if parcels else NONE

    def look_at(self, parcel: Standing) -> None:
        """A parcel that the store counts as shipped: its goods are right, its way may not be."""
        if parcel.elsewhere == "address":
            self.let_go(parcel)

    def let_go(self, parcel: Standing) -> bool:
        """A label that does not fit any more: voided, else put before a person; whether its goods are free again."""
        if parcel.left:
            self.ask.append((parcel.id, Reason("changed_after_hand_over")))
        elif parcel.state != "bought":
            self.later = True
            if parcel.why_code == "outcome_unclear":
                self.ask.append((parcel.id, Reason("changed_after_label")))
        elif self.may_be_on_a_box(parcel):
            self.ask.append((parcel.id, Reason("shipped_without_label")))
        elif not self.voids:
            self.ask.append((parcel.id, Reason("changed_after_label")))
        else:
            self.void.append((parcel.id, _why_void(parcel.elsewhere)))
            return True
        return False

    def act(self, plan: Goods, *, edited: bool) -> Act:
        if self.later:
            return Act("edit", ask=tuple(self.ask), later=True)
        if not (self.void or self.ask or self.drop or plan):
            return NONE
        return Act(
            "edit",
            void=tuple(self.void),
            ask=tuple(self.ask),
            drop=tuple(self.drop),
            plan=plan,
            edited=edited,
        )


def _why_void(elsewhere: Elsewhere) -> Reason:
    match elsewhere:
        case "address":
            return Reason("address_edited")
        case "location":
            return Reason("goods_moved")
        case "":
            return Reason("goods_edited")


def _firmness(parcel: Standing) -> tuple[int, ...]:
    """What cannot be taken back is counted first."""
    return (0 if parcel.left else 1, 0 if parcel.sent else 1, 0 if parcel.state == "bought" else 1)


def _units(parcel: Standing) -> Counter[str]:
    return goods_in([parcel])


def goods_in(parcels: Iterable[Standing]) -> Counter[str]:
    """The units in parcels, by goods."""
    goods: Counter[str] = Counter()
    for parcel in parcels:
        for key, units in parcel.contents:
            goods[key] += units
    return goods


def goods_of(group: FulfilmentGroup) -> dict[str, int]:
    """The units that wait to be shipped, by line."""
    return {line.id: line.quantity for line in group.lines if line.requires_shipping and line.quantity > 0}
