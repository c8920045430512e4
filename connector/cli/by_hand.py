"""Commands about labels that were bought elsewhere: a tracking number is typed, corrected, taken back."""

from __future__ import annotations

from typing import Any

import click

from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.labels import by_hand
from connector.labels.by_hand import Typed, read_typed
from connector.orders import view
from connector.orders.by_hand import ship_by_hand, typed_label
from connector.storage.audit import Actor
from connector.wiring import House
from connector.work.lease import worker_runs

_BY_COMMAND = Actor("command", "waybill")


def add_to(order: click.Group) -> None:
    """Register the commands."""

    @command(order, "ship")
    @click.argument("shop")
    @click.argument("order")
    @click.option("--carrier", required=True, help="Who carries it, as the store and the buyer read it.")
    @click.option("--number", required=True, help="The tracking number.")
    @click.option("--url", default="", help="The page where the buyer can follow it.")
    @click.option("--price", default="", help="What the label cost, in the order's currency.")
    @click.option("--parcel", default="", help="One of the order's parcels; default: all that waits went as one.")
    @click.option("--correct", is_flag=True, help="Replace what was typed before.")
    def ship(
        speaker: Speaker,
        shop: str,
        order: str,
        carrier: str,
        number: str,
        url: str,
        price: str,
        parcel: str,
        correct: bool,
    ) -> None:
        """Note that an order went by hand, and tell the store its tracking number once.

        For labels that were bought elsewhere. The same number again changes nothing.
        """

        async def do(house: House) -> dict[str, Any]:
            shop_id = named_shop(house, shop).id
            currency = house.here(view.find, shop_id, order).currency
            typed = read_typed(carrier, number, url, price, currency)
            act = _correct if correct else _ship
            return act(house, shop_id, order, typed, parcel) | {"worker": house.here(worker_runs)}

        done = in_house(do)
        speaker.answer(done, [_said(done, correct=correct)])

    @command(order, "unship")
    @click.argument("shop")
    @click.argument("order")
    @click.option("--reason", required=True, help="Why, for the audit.")
    @click.option("--parcel", default="", help="Which of the order's parcels, if several went by hand.")
    def unship(speaker: Speaker, shop: str, order: str, reason: str, parcel: str) -> None:
        """Take a typed tracking number back: the store forgets it, and the parcel waits for a label again."""

        async def do(house: House) -> dict[str, Any]:
            shop_id = named_shop(house, shop).id
            label = house.here(typed_label, shop_id, order, parcel or None)
            now = house.clock.now()
            freed = house.here(by_hand.take_back, house.work, shop_id, label.id, reason, _BY_COMMAND, now)
            worker = house.here(worker_runs)
            return {"parcel_id": freed, "label_id": label.id, "number": label.tracking_code, "worker": worker}

        done = in_house(do)
        then = "The store is being told." if done["worker"] else "The store is told once a worker runs; none does now."
        speaker.answer(done, [f"Took {done['number']} back. {then}"])


def _ship(house: House, shop_id: str, order: str, typed: Typed, parcel: str) -> dict[str, Any]:
    settings = named_shop(house, shop_id).settings
    shipped = house.here(
        ship_by_hand,
        house.work,
        shop_id,
        order,
        typed,
        _BY_COMMAND,
        house.clock.now(),
        notify_buyer=settings.store_notifies,
        parcel_id=parcel or None,
    )
    return _data(shipped.parcel_id, shipped.label_id, typed, changed=shipped.new)


def _correct(house: House, shop_id: str, order: str, typed: Typed, parcel: str) -> dict[str, Any]:
    label = house.here(typed_label, shop_id, order, parcel or None)
    now = house.clock.now()
    changed = house.here(by_hand.correct, house.work, shop_id, label.id, typed, _BY_COMMAND, now)
    return _data(label.parcel_id, label.id, typed, changed=changed)


def _data(parcel_id: str, label_id: str, typed: Typed, *, changed: bool) -> dict[str, Any]:
    about = {"carrier": typed.carrier, "number": typed.number, "price": typed.price}
    return {"parcel_id": parcel_id, "label_id": label_id, **about, "changed": changed}


def _said(done: dict[str, Any], *, correct: bool) -> str:
    if not done["changed"]:
        return f"{done['number']} was typed before; nothing has changed."
    what = "Corrected to" if correct else "Kept"
    then = "The store is being told." if done["worker"] else "The store is told once a worker runs; none does now."
    return f"{what} {done['carrier']} {done['number']}. {then}"
