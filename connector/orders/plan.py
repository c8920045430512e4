"""What an order that was read again means for its parcels. Pure: parcels and group in, one act out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connector.store import FulfilmentGroup, GroupState, Order
from connector.words.reason import Reason

_UNBOUGHT = frozenset({"planned", "held", "refused"})
STORES_HOLDS = frozenset({"store_hold", "order_changed", "not_paid"})
"""Holds that the store caused, and that end when the store says so."""

Told = Literal["no", "maybe", "yes"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One parcel of the group as it stands: its contents (line, units) and state; cancelled ones are left out.

    `told` says whether the store counts its units as shipped, so that they do not wait in its group any more.
    """

    id: str
    state: str
    contents: tuple[tuple[str, int], ...]
    why_code: str = ""
    told: Told = "no"


@dataclass(frozen=True, slots=True)
class Act:
    """What to do with a group's parcels.

    create: none yet. replace: contents changed before anything was bought. release: the store let go of its hold.
    hold, cancel: with the reason. ask: a person must look. none: all is as it should be.
    """

    kind: Literal["create", "replace", "release", "hold", "cancel", "ask", "none"]
    why: Reason | None = None


def decide(order: Order, group: FulfilmentGroup, parcels: Sequence[Standing]) -> Act:
    """The one act that brings a group's parcels in line with the store."""
    unbought = all(parcel.state in _UNBOUGHT for parcel in parcels)
    if order.cancelled or group.state is GroupState.CANCELLED:
        return Act("cancel", Reason("order_cancelled")) if parcels else Act("none")
    if group.state is GroupState.HELD:
        held = any(parcel.state == "planned" for parcel in parcels)
        return Act("hold", Reason("store_hold", {"said": ", ".join(group.hold_reasons)})) if held else Act("none")
    if group.state is GroupState.DONE:
        return Act("cancel", Reason("shipped_elsewhere")) if parcels and unbought else Act("none")
    if group.state is not GroupState.READY or not order.may_ship:
        return Act("none")
    wanted = goods_of(group)
    if not parcels:
        return Act("create") if wanted else Act("none")
    if _goods_in(parcels) != wanted:
        if any(parcel.told == "maybe" for parcel in parcels):
            return Act("none")  # The store tells of its new fulfilment, and the order is read again then.
        return Act("replace") if unbought else Act("ask", Reason("changed_after_label"))
    if any(parcel.state == "held" and parcel.why_code in STORES_HOLDS for parcel in parcels):
        return Act("release")
    return Act("none")


def _goods_in(parcels: Sequence[Standing]) -> dict[str, int]:
    """The units, by line, of the parcels that the store does not count as shipped."""
    goods: dict[str, int] = {}
    for parcel in parcels:
        for line, units in parcel.contents if parcel.told != "yes" else ():
            goods[line] = goods.get(line, 0) + units
    return goods


def goods_of(group: FulfilmentGroup) -> dict[str, int]:
    """The units that wait to be shipped, by line."""
    return {line.id: line.quantity for line in group.lines if line.requires_shipping and line.quantity > 0}
