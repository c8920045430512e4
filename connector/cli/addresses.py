"""Commands about addresses that a carrier would write otherwise: what it proposes, and using that."""

from __future__ import annotations

import click
from sqlalchemy import Connection

from connector.cli.output import Speaker, command, in_house
from connector.orders import view
from connector.orders.addresses import proposal, use_correction
from connector.storage.audit import Actor
from connector.storage.secrets import Keyring
from connector.storage.shops import find_shop_id
from connector.wiring import House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_SHOWN = ("street1", "street2", "postal_code", "city", "province", "country")


def add_to(order: click.Group) -> None:
    """Register the commands."""

    @command(order, "correct")
    @click.argument("shop")
    @click.argument("order")
    def correct(speaker: Speaker, shop: str, order: str) -> None:
        """Send an order where the carrier's correction of its address says."""

        async def do(house: House) -> tuple[list[str], bool]:
            entry = house.directory.shop(house.here(find_shop_id, shop))
            if entry is None:
                raise WaybillError("This shop cannot be loaded; see `waybill doctor`.", detail=shop)
            row = house.here(view.find, entry.id, order)
            now = house.clock.now()
            done = house.here(use_correction, house.keyring, house.work, entry, row.id, _BY_COMMAND, now)
            return done, entry.settings.buys_when_paid

        corrected, buys = in_house(do)
        then = "Its labels are bought now." if buys else "Buy its labels with `waybill label buy`."
        text = f"Corrected the address of {len(corrected)} of its parcels. {then}"
        speaker.answer({"corrected": corrected, "buys": buys}, [text])


def proposed(connection: Connection, keyring: Keyring, shop_id: str, order_id: str) -> str | None:
    """What a carrier proposes for what waits of an order, in one line; None where it proposes nothing."""
    found = proposal(connection, keyring, shop_id, order_id)
    return None if found is None else ", ".join(filter(None, (getattr(found, name) for name in _SHOWN)))


def lines(address: str | None) -> list[str]:
    """The proposal for people."""
    return [] if address is None else [f"The carrier would write: {address}"]
