"""The command `storefront`: the public address of a shop's prices before the checkout, and what a page needs."""

from __future__ import annotations

import click

from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.cli.settings import change_settings
from connector.http.storefront.script import script_url
from connector.storage.ids import new_token
from connector.storefront_settings import storefront_key
from connector.wiring import House


def add_to(group: click.Group) -> None:
    """Register the command."""

    @command(group, "storefront")
    @click.argument("shop")
    @click.option("--new-key", is_flag=True, help="Make another public key; the old address ends at once.")
    def show(speaker: Speaker, shop: str, new_key: bool) -> None:
        """Show the address where pages of the shop ask for prices before the checkout, and what to put into a page."""

        async def look(house: House) -> tuple[bool, str, list[str]]:
            entry = named_shop(house, shop)
            settings = entry.settings
            if new_key:
                _, settings = await change_settings(house, entry.id, {"storefront_key": new_token()})
            chosen, base = settings.storefront, house.settings.public_url
            address = f"{base}/storefront/{storefront_key(entry.id, chosen)}/estimate"
            return chosen.on, address, sorted({f"https://{entry.domain}", *chosen.origins})

        on, address, origins = in_house(look)
        script = script_url(address.partition("/storefront/")[0]).partition("?")[0]
        page = [
            f'<script src="{script}" defer></script>',
            f'<waybill-estimate style="display: block; min-height: 23rem" endpoint="{address}"></waybill-estimate>',
        ]
        said = "The storefront is on." if on else "The storefront is off: switch it on with storefront=on."
        text = [said, f"  Address: {address}", f"  Pages that may ask: {', '.join(origins)}", "In a page:"]
        body = {"on": on, "endpoint": address, "script": script, "origins": origins, "page": "\n".join(page)}
        speaker.answer(body, [*text, *(f"  {line}" for line in page)])
