"""A claim on a carrier for a parcel's label: noted, and later what it paid or denied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection

from carriers.money import Money
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, NotThere, Page, View
from connector.labels.claims import ClaimAct, NotClaimable, claimable, note_claim, open_claim
from connector.orders.tables import orders
from connector.words.desk_texts import say

_ACTS: tuple[ClaimAct, ...] = get_args(ClaimAct)


@dataclass(frozen=True, slots=True)
class _About:
    """The parcel and its label, the name of its order, and minor units of a claim that are open."""

    parcel: Any
    label: Any
    order: str
    left: int


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """What is open, and a form."""
    return _page(await _load(house, ask))


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Note a claim, or what came of it."""
    about = await _load(house, ask)
    typed = ask.typed
    did = next((each for each in _ACTS if each == typed.get("act")), None)
    if did is None:
        raise NotThere
    reason = typed.get("reason", "").strip()
    if not reason:
        return _page(about, Complaint("costs.claim.say_why", "reason"))
    amount, parcel_id = typed.get("amount", "").strip(), about.parcel.id
    try:
        await house.database.run(note_claim, ask.shop.id, parcel_id, did, amount, reason, ask.actor, ask.now)
    except NotClaimable as error:
        return _page(about, Complaint(text=error.message, field="amount"))
    return Goto(f"{ask.base}/costs/{parcel_id}/claim", done="costs.claimed")


def _page(about: _About, complaint: Complaint | None = None) -> View:
    bought = Money(about.label.booked_minor, about.label.booked_currency)
    acts = [(each, say(f"costs.claim.act.{each}")) for each in (_ACTS if about.left else _ACTS[:1])]
    values = {"about": about, "bought": bought, "open": Money(about.left, bought.currency), "acts": acts}
    return View("costs_claim.html", values, complaint)


async def _load(house: DeskHouse, ask: Ask) -> _About:
    found = await house.database.look(_about, ask.shop.id, ask.path["parcel"])
    if found is None:
        raise NotThere
    return found


def _about(connection: Connection, shop_id: str, parcel_id: str) -> _About | None:
    found = claimable(connection, shop_id, parcel_id)
    if found is None:
        return None
    parcel, label = found
    name = connection.execute(orders.select(shop_id, orders.c.name).where(orders.c.id == parcel.order_id)).scalar()
    return _About(parcel, label, str(name or ""), open_claim(connection, shop_id, label.id))


PAGES = (Page("/costs/{parcel}/claim", place="costs", role="owner", show=show, act=act),)
