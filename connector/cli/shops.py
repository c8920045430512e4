"""Commands that connect stores: shop add, shop list; see `switching` for what comes after."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from connector.cli import apps, switching
from connector.cli.naming import named_shop
from connector.cli.output import BY_COMMAND, Speaker, command, field_error, in_house, secret
from connector.directory import ShopEntry
from connector.installing.callbacks import callbacks_of
from connector.installing.installer import Installed
from connector.installing.switch import switch_on
from connector.store import InstallStep
from connector.wiring import STORES, House


def add_to(group: click.Group) -> None:
    """Register the commands."""
    shop = click.Group("shop", help="Connect stores.")
    shop_add = click.Group("add", help="Connect a store.")
    group.add_command(shop)
    shop.add_command(shop_add)

    @command(shop_add, "sandbox")
    @click.option("--currency", default="EUR", show_default=True, callback=_currency, help="The shop's currency.")
    @click.option("--name", default="Sandbox Shop", show_default=True, help="The shop's name.")
    @click.option("--domain", help="The shop's domain, by which commands may name it; default: a new one.")
    @_with_on
    def add_sandbox(speaker: Speaker, currency: str, name: str, domain: str | None, on: bool) -> None:
        """Connect a pretend store: for trying, without accounts or network."""
        own = {"domain": domain} if domain else {}
        credentials = sandbox_credentials() | {"currency": currency, "name": name} | own
        _add(speaker, "sandbox", credentials, on=on)

    @command(shop_add, "shopify")
    @click.option("--domain", required=True, help="Such as my-shop.myshopify.com.")
    @click.option(
        "--client-id", envvar="WAYBILL_CLIENT_ID", required=True, help="From the Dev Dashboard; also WAYBILL_CLIENT_ID."
    )
    @click.option(
        "--client-secret",
        envvar="WAYBILL_CLIENT_SECRET",
        required=True,
        help="Better as WAYBILL_CLIENT_SECRET, or - to read it from standard input.",
    )
    @click.option("--api-base", default="", help="Where the API is, if not at the domain.")
    @_with_on
    def add_shopify(speaker: Speaker, domain: str, client_id: str, client_secret: str, api_base: str, on: bool) -> None:
        """Connect a Shopify store through an app of the merchant's own.

        For a store that is connected already, take over new credentials and repair or move its callbacks.
        """
        given = {"domain": domain, "client_id": client_id, "api_base": api_base}
        given |= {"client_secret": secret(client_secret, "--client-secret") or ""}
        _add(speaker, "shopify", given, again=True, on=on)

    switching.add_to(shop)
    apps.add_config_to(shop)

    @command(shop, "list")
    def list_all(speaker: Speaker) -> None:
        """List the connected stores."""

        async def read(house: House) -> tuple[list[dict[str, Any]], Path]:
            return [shop_data(house, shop) for shop in house.directory.shops()], house.settings.data_dir

        found, folder = in_house(read)
        none = [f"No shop is connected yet (data folder {folder}). Connect one with `waybill shop add`."]
        speaker.answer({"shops": found}, [line for each in found for line in shop_lines(each)] or none)


def _currency(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise click.BadParameter("a currency is three capital letters, such as EUR.")
    return value


_with_on = click.option("--on", is_flag=True, help="Switch its rates on at once, unasked: for scripts.")


def _add(
    speaker: Speaker, platform: str, credentials: dict[str, str], *, again: bool = False, on: bool = False
) -> None:
    data = in_house(lambda house: connect_shop(house, platform, credentials, again=again, on=on))
    steps = [f"  {step['what']}: {step['state']} {step['detail']}".rstrip() for step in data["install"]]
    speaker.answer(data, [*shop_lines(data), *steps, *data["notes"]])


def sandbox_credentials() -> dict[str, str]:
    """What a new pretend shop needs: a name of its own and a secret."""
    return {"secret": secrets.token_urlsafe(32), "domain": f"shop-{secrets.token_hex(3)}.sandbox.example"}


async def connect_shop(
    house: House, platform: str, credentials: dict[str, str], *, again: bool = False, on: bool = False
) -> dict[str, Any]:
    """Prove the credentials, keep the shop, and register the callbacks. Nothing is kept if the proof fails.

    With `again` a shop that is connected already gets the new credentials; otherwise that raises ShopExists. With
    `on` its rates are switched on at once, without a look at what would keep buyers from seeing them.
    """
    kind = STORES[platform]
    if "path" in kind.settings.model_fields:
        credentials = {"path": str(sandbox_file(house, "store")), **credentials}
    try:
        checked = kind.settings.model_validate(credentials)
    except ValidationError as error:
        raise field_error(error, kind.settings) from error
    installed = await house.installer.connect(platform, checked, credentials, BY_COMMAND, again=again)
    shop = installed.shop
    if on and installed.rates_on is not None:
        await switch_on(house.installer, shop, BY_COMMAND)
        shop = named_shop(house, shop.id)
    steps = [step_data(step) for step in installed.steps]
    return {**shop_data(house, shop), "install": steps, "notes": _notes(house, shop, installed)}


def _notes(house: House, shop: ShopEntry, installed: Installed) -> list[str]:
    """What a person should do next."""
    notes = []
    if house.installer.address_note(shop.platform):
        notes.append(
            f"{shop.kind.title} cannot reach {house.settings.public_url}: set WAYBILL_PUBLIC_URL to a public "
            "https address and run this command again; the callbacks move."
        )
    if installed.failed:
        notes.append("Not everything could be set up: mend what is named above and run this command again.")
    if not shop.record.rates_on:
        notes.append(f"Its rates are off. Switch them on with `waybill shop on {shop.domain}`.")
    return notes


def sandbox_file(house: House, what: str) -> Path:
    """Where the pretend store or carrier of this installation keeps its books."""
    return (house.settings.data_dir / f"sandbox-{what}.sqlite").resolve()


def shop_data(house: House, shop: ShopEntry) -> dict[str, Any]:
    """A shop as `shop list` tells it."""
    callbacks = callbacks_of(house.settings.public_url, shop)
    app = f"{house.settings.public_url}/apps/{shop.record.app_id}/hooks" if shop.record.app_id else None
    return {
        "shop_id": shop.id,
        "platform": shop.platform,
        "domain": shop.domain,
        "name": shop.record.name,
        "currency": shop.record.currency,
        "mode": shop.settings.mode,
        "rates_on": shop.record.rates_on,
        "rate_url": callbacks.rates,
        "hook_url": callbacks.hooks,
        "app_hook_url": app,
        "locations": [{"id": each.id, "name": each.name, "default": each.is_default} for each in shop.locations],
        "accounts": [
            {"id": each.id, "carrier": each.kind.name, "test_mode": each.record.test_mode}
            for each in shop.accounts.values()
        ],
    }


def shop_lines(data: dict[str, Any]) -> list[str]:
    """The same for people."""
    switch = {True: "on", False: "off", None: "not known"}[data["rates_on"]]
    lines = [
        f"{data['name']} ({data['platform']} {data['domain']}) is shop {data['shop_id']}, in {data['mode']} mode.",
        f"  Rates: {switch}",
        f"  Rate URL: {data['rate_url']}",
        f"  Hook URL: {data['hook_url']}",
    ]
    lines += [
        f"  Location {each['id']}: {each['name']}{' (default)' if each['default'] else ''}"
        for each in data["locations"]
    ]
    lines += [f"  Carrier {each['carrier']} {each['id']}" for each in data["accounts"]]
    return lines


def step_data(step: InstallStep) -> dict[str, str]:
    """One step of a set-up or a removal."""
    return {"what": step.what, "state": step.state, "detail": step.detail}
