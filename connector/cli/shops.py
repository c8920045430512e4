"""Commands that connect stores and carriers, and set what a merchant can set."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from sqlalchemy import Connection

from carriers.address import Address
from carriers.carrier import CarrierKind
from carriers.errors import CarrierError, Misconfigured
from carriers.measure import Weight
from carriers.parcel import Parcel, RateRequest
from connector import shop_settings
from connector.cli.output import Speaker, command, field_error, in_house, secret
from connector.directory import ShopEntry
from connector.storage import settings_versions
from connector.storage.accounts import AccountRecord
from connector.storage.audit import Actor
from connector.storage.shops import ShopRecord, add_account, add_shop, put_locations
from connector.store import Callbacks, InstallStep, ShopFacts, StoreLocation
from connector.wiring import CARRIERS, STORES, House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_PROBE_S = 15.0


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
    carrier = click.Group("carrier", help="Connect carriers.")
    group.add_command(shop)
    shop.add_command(shop_add)
    group.add_command(carrier)

    @command(shop_add, "sandbox")
    @click.option("--currency", default="EUR", show_default=True, help="The pretend shop's currency.")
    @click.option("--name", default="Sandbox Shop", show_default=True, help="The pretend shop's name.")
    def add_sandbox(speaker: Speaker, currency: str, name: str) -> None:
        """Connect a pretend store: for trying, without accounts or network."""
        _add(speaker, "sandbox", sandbox_credentials() | {"currency": currency, "name": name})

    @command(shop_add, "shopify")
    @click.option("--domain", required=True, help="my-shop.myshopify.com")
    @click.option("--client-id", envvar="WAYBILL_CLIENT_ID", required=True, help="From the Dev Dashboard.")
    @click.option(
        "--client-secret", envvar="WAYBILL_CLIENT_SECRET", required=True, help="Also WAYBILL_CLIENT_SECRET; - reads it."
    )
    @click.option("--api-base", default="", help="Where the API is, if not at the domain.")
    def add_shopify(speaker: Speaker, domain: str, client_id: str, client_secret: str, api_base: str) -> None:
        """Connect a Shopify store through an app of the merchant's own."""
        given = {"domain": domain, "client_id": client_id, "api_base": api_base}
        _add(speaker, "shopify", given | {"client_secret": secret(client_secret, "--client-secret") or ""})

    @command(shop, "list")
    def list_all(speaker: Speaker) -> None:
        """List the connected stores."""

        async def read(house: House) -> list[dict[str, Any]]:
            return [_shop_data(house, shop) for shop in house.directory.shops()]

        found = in_house(read)
        speaker.answer({"shops": found}, [line for each in found for line in _shop_lines(each)] or ["No shop yet."])

    @command(carrier, "add")
    @click.argument("shop_id")
    @click.argument("kind", type=click.Choice(sorted(CARRIERS)))
    @click.option("--api-key", envvar="WAYBILL_API_KEY", help="Also WAYBILL_API_KEY; - reads it from standard input.")
    @click.option("--webhook-secret", envvar="WAYBILL_WEBHOOK_SECRET", help="Also WAYBILL_WEBHOOK_SECRET; - reads it.")
    @click.option("--api-base", default=None, help="Where the carrier's API is, if not at its usual place.")
    def add_carrier(
        speaker: Speaker, shop_id: str, kind: str, api_key: str | None, webhook_secret: str | None, api_base: str | None
    ) -> None:
        """Connect a carrier account; its prices are asked once to see whether it is a test account."""
        given = {
            "api_key": secret(api_key, "--api-key"),
            "webhook_secret": secret(webhook_secret, "--webhook-secret"),
            "api_base": api_base,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        record, url, notes = in_house(lambda house: _add_carrier(house, shop_id, CARRIERS[kind], fields))
        mode = {True: "test", False: "production", None: "unknown"}[record.test_mode]
        data = {
            "account_id": record.id,
            "carrier": kind,
            "test_mode": record.test_mode,
            "hook_url": url,
            "notes": notes,
        }
        speaker.answer(data, [f"Connected {kind} as {record.id} ({mode}).", f"Tracking hook: {url}", *notes])

    @command(group, "settings")
    @click.argument("shop_id")
    @click.argument("changes", nargs=-1, metavar="[KEY=VALUE]…")
    def settings(speaker: Speaker, shop_id: str, changes: tuple[str, ...]) -> None:
        """Show a shop's settings with defaults and reasons; with KEY=VALUE, publish a version with the changes."""
        version, shown = in_house(lambda house: _settings(house, shop_id, changes))
        rows = [
            {"key": s.key, "value": s.value, "default": s.default, "form": s.form, "reason": s.reason} for s in shown
        ]
        text = [f"Version {version}"]
        for each in shown:
            mark = "" if each.value == each.default else f"   (default: {each.default or 'none'})"
            text += [f"{each.key} = {each.value or 'none'}{mark}", f"    {each.form}. {each.reason}"]
        speaker.answer({"version": version, "settings": rows}, text)


def _add(speaker: Speaker, platform: str, credentials: dict[str, str]) -> None:
    data = in_house(lambda house: connect_shop(house, platform, credentials))
    speaker.answer(
        data,
        [
            *_shop_lines(data),
            *(f"  {step['what']}: {step['state']} {step['detail']}".rstrip() for step in data["install"]),
        ],
    )


def sandbox_credentials() -> dict[str, str]:
    """What a new pretend shop needs: a name of its own and a secret."""
    return {"secret": secrets.token_urlsafe(32), "domain": f"shop-{secrets.token_hex(3)}.sandbox.example"}


async def connect_shop(house: House, platform: str, credentials: dict[str, str]) -> dict[str, Any]:
    """Prove the credentials, keep the shop, and register the callbacks. Nothing is kept if the proof fails."""
    kind = STORES[platform]
    if "path" in kind.settings.model_fields:
        credentials = {"path": str(_sandbox_file(house, "store")), **credentials}
    try:
        checked = kind.settings.model_validate(credentials)
    except ValidationError as error:
        raise field_error(error, platform) from error
    store = kind.connect(checked, house.outgoing, house.clock, MemoryVault())
    try:
        facts, places = await store.facts(), await store.locations()
    finally:
        await store.close()
    record = await house.database.run(_keep_shop, house, platform, facts, places, credentials)
    await house.directory.refresh()
    shop = house.directory.shop(record.id)
    if shop is None:
        raise WaybillError("The shop was kept and cannot be loaded; see the log.", detail=record.id)
    steps = await shop.store.install(callbacks_of(house, shop))
    return {**_shop_data(house, shop), "install": [_step(step) for step in steps]}


def _keep_shop(
    connection: Connection,
    house: House,
    platform: str,
    facts: ShopFacts,
    places: list[StoreLocation],
    credentials: dict[str, str],
) -> ShopRecord:
    now = house.clock.now()
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
    return record


async def _add_carrier(
    house: House, shop_id: str, kind: CarrierKind, fields: dict[str, Any]
) -> tuple[AccountRecord, str, list[str]]:
    shop = house.directory.shop(shop_id)
    if shop is None:
        raise WaybillError("There is no such shop.", detail=shop_id)
    record, notes = await connect_carrier(house, shop, kind, fields)
    return record, f"{house.settings.public_url}/hooks/carrier/{record.hook_token}", notes


async def connect_carrier(
    house: House, shop: ShopEntry, kind: CarrierKind, fields: dict[str, Any]
) -> tuple[AccountRecord, list[str]]:
    """Prove the account and keep it. A test shop takes no account whose answers say production."""
    if "path" in kind.settings.model_fields:
        fields = {
            "path": str(_sandbox_file(house, f"carrier-{secrets.token_hex(4)}")),
            "secret": secrets.token_urlsafe(32),
            **fields,
        }
    try:
        checked = kind.settings.model_validate(fields)
    except ValidationError as error:
        raise field_error(error, kind.name) from error
    test_mode, notes = await _probe(house, shop, kind, checked)
    if shop.settings.mode == "test" and test_mode is False:
        raise WaybillError(
            "This shop is in test mode, and the account's answers say production: it could spend money. "
            "Give a test key, or set mode=live first.",
            detail="mode",
        )
    record = await house.database.run(_keep_account, house, shop.id, kind.name, fields, test_mode, house.clock.now())
    return record, notes


def _keep_account(
    connection: Connection,
    house: House,
    shop_id: str,
    carrier: str,
    fields: dict[str, Any],
    test_mode: bool | None,
    now: datetime,
) -> AccountRecord:
    return add_account(connection, house.keyring, shop_id, carrier, fields, test_mode, _BY_COMMAND, now)


async def _probe(house: House, shop: ShopEntry, kind: CarrierKind, settings: Any) -> tuple[bool | None, list[str]]:
    """Ask the account for a price within the shop's own town: does the key work, and is it a test key."""
    origin = shop.quoting.default_origin()
    place = origin.address if origin else Address("US", "94104", "CA", "San Francisco")
    question = RateRequest(place, place, (Parcel(Weight(500)),), shop.record.currency)
    connection = kind.connect(settings, house.outgoing, house.clock)
    try:
        rates = await connection.rates(question, _PROBE_S)
    except Misconfigured as error:
        raise WaybillError(f"{kind.title} did not accept the credentials: {error.message}", detail="api_key") from error
    except CarrierError as error:
        return None, [f"{kind.title} could not be asked now ({error.message}); the account was kept unproved."]
    finally:
        await connection.close()
    return rates.test_mode, []


async def _settings(house: House, shop_id: str, changes: tuple[str, ...]) -> tuple[int, list[shop_settings.Shown]]:
    pairs = {}
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise WaybillError(f"{change!r} is not KEY=VALUE.", detail=key)
        pairs[key] = value
    version, settings = await change_settings(house, shop_id, pairs)
    return version, shop_settings.show(settings)


async def change_settings(
    house: House, shop_id: str, changes: Mapping[str, str]
) -> tuple[int, shop_settings.ShopSettings]:
    """Publish a version with these changes (none: nothing is published). Raises SettingsError; then nothing changed."""
    shop = house.directory.shop(shop_id)
    if shop is None:
        raise WaybillError("There is no such shop.", detail=shop_id)
    version = shop.quoting.settings_version
    if not changes:
        return version, shop.settings
    settings = shop_settings.change(shop.settings, changes, shop.record.currency)
    _fits_shop(house, shop, settings)
    body = shop_settings.dump(settings)
    now = house.clock.now()
    new = await house.database.run(settings_versions.publish, shop_id, body, _BY_COMMAND, now, based_on=version)
    return new, settings


def _fits_shop(house: House, shop: ShopEntry, settings: shop_settings.ShopSettings) -> None:
    """What a change needs to know of the rest of the shop."""
    place = settings.default_location
    if place and not any(place in {each.id, each.external_id} for each in shop.locations):
        known = ", ".join(f"{each.id} ({each.name})" for each in shop.locations)
        raise WaybillError(f"The shop has no location {place}. It has: {known or 'none'}.", detail="default_location")
    if settings.mode == "live" and house.settings.test_clock is not None:
        raise WaybillError("A live shop refuses WAYBILL_TEST_CLOCK; take it out of the environment.", detail="mode")
    if settings.mode == "test":
        spending = [each.id for each in shop.accounts.values() if each.record.test_mode is False]
        if spending:
            raise WaybillError(f"A test shop takes no production account: {', '.join(spending)}.", detail="mode")


def callbacks_of(house: House, shop: ShopEntry) -> Callbacks:
    """The URLs that the store has to know."""
    base = house.settings.public_url
    return Callbacks(f"{base}/rates/{shop.id}/{shop.rates_token}", f"{base}/hooks/{shop.id}/{shop.hooks_token}")


def _sandbox_file(house: House, what: str) -> Path:
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
