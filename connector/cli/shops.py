"""Commands that connect stores: shop add, shop list."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import ValidationError
from sqlalchemy import Connection

from connector.cli.output import Speaker, command, field_error, in_house, secret
from connector.directory import ShopEntry
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.shops import add_shop, put_credentials, put_facts, put_locations
from connector.store import Callbacks, InstallStep, ShopFacts, StoreLocation
from connector.wiring import STORES, House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")


class MemoryVault:
    """Keeps tokens for the time of one command, before the shop has a row to keep them in."""

    def __init__(self) -> None:
        self._fields: Mapping[str, str] | None = None

    async def load(self) -> Mapping[str, str] | None:
        """What was saved."""
        return self._fields

    async def save(self, fields: Mapping[str, str]) -> None:
        """Keep it."""
        self._fields = dict(fields)


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
    def add_sandbox(speaker: Speaker, currency: str, name: str, domain: str | None) -> None:
        """Connect a pretend store: for trying, without accounts or network."""
        own = {"domain": domain} if domain else {}
        _add(speaker, "sandbox", sandbox_credentials() | {"currency": currency, "name": name} | own)

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
    def add_shopify(speaker: Speaker, domain: str, client_id: str, client_secret: str, api_base: str) -> None:
        """Connect a Shopify store through an app of the merchant's own.

        For a store that is connected already, take over new credentials and repair or move its callbacks.
        """
        given = {"domain": domain, "client_id": client_id, "api_base": api_base}
        _add(speaker, "shopify", given | {"client_secret": secret(client_secret, "--client-secret") or ""}, again=True)

    @command(shop, "list")
    def list_all(speaker: Speaker) -> None:
        """List the connected stores."""

        async def read(house: House) -> tuple[list[dict[str, Any]], Path]:
            return [_shop_data(house, shop) for shop in house.directory.shops()], house.settings.data_dir

        found, folder = in_house(read)
        none = [f"No shop is connected yet (data folder {folder}). Connect one with `waybill shop add`."]
        speaker.answer({"shops": found}, [line for each in found for line in _shop_lines(each)] or none)


def _currency(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise click.BadParameter("a currency is three capital letters, such as EUR.")
    return value


def _add(speaker: Speaker, platform: str, credentials: dict[str, str], *, again: bool = False) -> None:
    data = in_house(lambda house: connect_shop(house, platform, credentials, again=again))
    steps = [f"  {step['what']}: {step['state']} {step['detail']}".rstrip() for step in data["install"]]
    speaker.answer(data, [*_shop_lines(data), *steps, *data["notes"]])


def sandbox_credentials() -> dict[str, str]:
    """What a new pretend shop needs: a name of its own and a secret."""
    return {"secret": secrets.token_urlsafe(32), "domain": f"shop-{secrets.token_hex(3)}.sandbox.example"}


async def connect_shop(
    house: House, platform: str, credentials: dict[str, str], *, again: bool = False
) -> dict[str, Any]:
    """Prove the credentials, keep the shop, and register the callbacks. Nothing is kept if the proof fails.

    With `again` a shop that is connected already gets the new credentials; otherwise that raises ShopExists.
    """
    kind = STORES[platform]
    if "path" in kind.settings.model_fields:
        credentials = {"path": str(sandbox_file(house, "store")), **credentials}
    try:
        checked = kind.settings.model_validate(credentials)
    except ValidationError as error:
        raise field_error(error, kind.settings) from error
    store = kind.connect(checked, house.outgoing, house.clock, MemoryVault())
    try:
        facts, places = await store.facts(), await store.locations()
    finally:
        await store.close()
    known = house.directory.shop_by_domain(platform, facts.domain) if again else None
    shop_id = await house.database.run(
        _keep_shop, house, platform, facts, places, credentials, known.id if known else None
    )
    await house.directory.refresh()
    shop = house.directory.shop(shop_id)
    if shop is None:
        raise WaybillError("The shop was kept and cannot be loaded; see the log.", detail=shop_id)
    steps = [_step(step) for step in await shop.store.install(callbacks_of(house, shop))]
    return {**_shop_data(house, shop), "install": steps, "notes": _notes(house, platform, steps)}


def _keep_shop(
    connection: Connection,
    house: House,
    platform: str,
    facts: ShopFacts,
    places: list[StoreLocation],
    credentials: dict[str, str],
    known_id: str | None,
) -> str:
    now = house.clock.now()
    if known_id is not None:
        put_credentials(connection, house.keyring, known_id, credentials, _BY_COMMAND, now)
        put_facts(connection, known_id, name=facts.name, currency=facts.currency, timezone=facts.timezone)
        put_locations(connection, known_id, places, now)
        return known_id
    record = add_shop(
        connection,
        house.keyring,
        platform=platform,
        domain=facts.domain,
        name=facts.name,
        currency=facts.currency,
        timezone=facts.timezone,
        credentials=credentials,
        actor=_BY_COMMAND,
        now=now,
    )
    put_locations(connection, record.id, places, now)
    settings_versions.publish(connection, record.id, {}, _BY_COMMAND, now)
    return record.id


def _notes(house: House, platform: str, steps: list[dict[str, str]]) -> list[str]:
    """What a person should do next."""
    notes = []
    address = urlsplit(house.settings.public_url)
    if platform != "sandbox" and (address.scheme != "https" or address.hostname in {"127.0.0.1", "localhost", "::1"}):
        notes.append(
            f"{STORES[platform].title} cannot reach {house.settings.public_url}: set WAYBILL_PUBLIC_URL to a public "
            "https address and run this command again; the callbacks move."
        )
    if any(step["state"] == "failed" for step in steps):
        notes.append("Not everything could be set up: mend what is named above and run this command again.")
    return notes


def callbacks_of(house: House, shop: ShopEntry) -> Callbacks:
    """The URLs that the store has to know."""
    base = house.settings.public_url
    return Callbacks(f"{base}/rates/{shop.id}/{shop.rates_token}", f"{base}/hooks/{shop.id}/{shop.hooks_token}")


def sandbox_file(house: House, what: str) -> Path:
    """Where the pretend store or carrier of this installation keeps its books."""
    return (house.settings.data_dir / f"sandbox-{what}.sqlite").resolve()


def _shop_data(house: House, shop: ShopEntry) -> dict[str, Any]:
    callbacks = callbacks_of(house, shop)
    app = f"{house.settings.public_url}/apps/{shop.record.app_id}/hooks" if shop.record.app_id else None
    return {
        "shop_id": shop.id,
        "platform": shop.platform,
        "domain": shop.domain,
        "name": shop.record.name,
        "currency": shop.record.currency,
        "mode": shop.settings.mode,
        "rate_url": callbacks.rates,
        "hook_url": callbacks.hooks,
        "app_hook_url": app,
        "locations": [{"id": each.id, "name": each.name, "default": each.is_default} for each in shop.locations],
        "accounts": [
            {"id": each.id, "carrier": each.kind.name, "test_mode": each.record.test_mode}
            for each in shop.accounts.values()
        ],
    }


def _shop_lines(data: dict[str, Any]) -> list[str]:
    lines = [
        f"{data['name']} ({data['platform']} {data['domain']}) is shop {data['shop_id']}, in {data['mode']} mode.",
        f"  Rate URL: {data['rate_url']}",
        f"  Hook URL: {data['hook_url']}",
    ]
    lines += [
        f"  Location {each['id']}: {each['name']}{' (default)' if each['default'] else ''}"
        for each in data["locations"]
    ]
    lines += [f"  Carrier {each['carrier']} {each['id']}" for each in data["accounts"]]
    return lines


def _step(step: InstallStep) -> dict[str, str]:
    return {"what": step.what, "state": step.state, "detail": step.detail}
