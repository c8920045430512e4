"""The command `carrier add`: connect a carrier account, and see first whether it works and spends money."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from click.core import ParameterSource
from pydantic import ValidationError
from sqlalchemy import Connection

from carriers.address import Address
from carriers.carrier import CarrierKind
from carriers.errors import CarrierError, Misconfigured
from carriers.measure import Weight
from carriers.parcel import Parcel, RateRequest
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, field_error, in_house, secret
from connector.cli.shops import sandbox_file
from connector.directory import ShopEntry
from connector.storage.accounts import (
    AccountRecord,
    NoSuchAccount,
    add_account,
    list_accounts,
    put_account_settings,
    set_account_mode,
    switch_account,
)
from connector.storage.audit import Actor
from connector.wiring import CARRIERS, House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_PROBE_S = 15.0
_MODES = {True: "test", False: "production", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Connected:
    """A carrier account that was kept. `updated`: it was there before, and got new settings."""

    record: AccountRecord
    updated: bool
    notes: tuple[str, ...]


def add_to(group: click.Group) -> None:
    """Register the command."""
    carriers = click.Group("carrier", help="Connect carriers.")
    group.add_command(carriers)

    @command(carriers, "add")
    @click.argument("shop")
    @click.argument(
        "carrier", type=click.Choice(sorted(name for name, kind in CARRIERS.items() if kind.capabilities.sells_labels))
    )
    @click.option(
        "--api-key",
        envvar="WAYBILL_API_KEY",
        help="The carrier's key; better as WAYBILL_API_KEY, or - to read it from standard input.",
    )
    @click.option(
        "--webhook-secret",
        envvar="WAYBILL_WEBHOOK_SECRET",
        help="Signs its tracking webhooks; better as WAYBILL_WEBHOOK_SECRET, or - to read it.",
    )
    @click.option("--api-base", help="Where the carrier's API is, if not at its usual place.")
    def add_carrier(speaker: Speaker, shop: str, carrier: str, **given: str | None) -> None:
        """Connect a carrier account; it is asked for a price first, to see whether it is a test account.

        An account with the same key is not added twice: it gets the new settings.
        """
        fields = _fields(CARRIERS[carrier], given)

        async def connect(house: House) -> tuple[Connected, str]:
            found = named_shop(house, shop)
            done = await connect_carrier(house, found, CARRIERS[carrier], fields)
            return done, f"{house.settings.public_url}/hooks/carrier/{done.record.hook_token}"

        done, url = in_house(connect)
        data = {
            "account_id": done.record.id,
            "carrier": carrier,
            "test_mode": done.record.test_mode,
            "updated": done.updated,
            "hook_url": url,
            "notes": list(done.notes),
        }
        what = "Updated" if done.updated else "Connected"
        first = f"{what} {carrier} as {done.record.id} ({_MODES[done.record.test_mode]})."
        speaker.answer(data, [first, f"Tracking hook: {url}", *done.notes])

    _add_hook(carriers)
    _add_remove(carriers)


def _add_remove(carriers: click.Group) -> None:
    @command(carriers, "remove")
    @click.argument("shop")
    @click.argument("account")
    def remove(speaker: Speaker, shop: str, account: str) -> None:
        """Disconnect a carrier account: it is asked for no more prices and sells no more labels.

        What was bought from it stays; `carrier add` with the same key connects it again, as the account that it was.
        """

        async def switch_off(house: House) -> None:
            found = named_shop(house, shop)
            now = house.clock.now()
            await house.database.run(switch_account, found.id, _account(found, account), False, _BY_COMMAND, now)

        in_house(switch_off)
        speaker.answer({"account_id": account, "state": "removed"}, [f"Account {account} is disconnected."])


def _account(shop: ShopEntry, account: str) -> str:
    if account not in shop.accounts:
        raise NoSuchAccount("The shop has no such carrier account.", detail=account)
    return account


def _add_hook(carriers: click.Group) -> None:
    @command(carriers, "hook")
    @click.argument("shop")
    @click.argument("account")
    def hook(speaker: Speaker, shop: str, account: str) -> None:
        """Register the account's tracking hook at the carrier, so that its news reach this server."""

        async def register(house: House) -> tuple[str, str]:
            found = named_shop(house, shop)
            entry = found.accounts[_account(found, account)]
            url = f"{house.settings.public_url}/hooks/carrier/{entry.record.hook_token}"
            if entry.kind.set_up_hook is None:
                raise WaybillError(f"{entry.kind.title} takes no addresses from here; enter it by hand: {url}")
            checked = entry.kind.settings.model_validate(dict(entry.record.settings))
            return await entry.kind.set_up_hook(checked, url), url

        state, url = in_house(register)
        texts = {"done": "The carrier posts its news here from now on:", "kept": "The carrier knew this address:"}
        speaker.answer({"account_id": account, "state": state, "hook_url": url}, [f"{texts[state]} {url}"])


def _fields(kind: CarrierKind, given: Mapping[str, str | None]) -> dict[str, str]:
    """What was given for this carrier. A variable of the environment that it has no use for is passed over."""
    context, fields = click.get_current_context(), {}
    for name, value in given.items():
        option = "--" + name.replace("_", "-")
        if value is None:
            continue
        if name in kind.settings.model_fields:
            fields[name] = secret(value, option) or ""
        elif context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise WaybillError(f"The carrier {kind.name} takes no {option}.", detail=option)
    return fields


async def connect_carrier(house: House, shop: ShopEntry, kind: CarrierKind, fields: Mapping[str, Any]) -> Connected:
    """Prove the account and keep it. A test shop takes no account whose answers say production."""
    same = await house.database.run(_same_account, house, shop.id, kind, fields)
    given = dict(fields) if same is None else {**same.settings, **fields}
    if same is None and "path" in kind.settings.model_fields:
        path = str(sandbox_file(house, f"carrier-{secrets.token_hex(4)}"))
        given = {"path": path, "secret": secrets.token_urlsafe(32), **given}
    try:
        checked = kind.settings.model_validate(given)
    except ValidationError as error:
        raise field_error(error, kind.settings) from error
    test_mode, notes = await _probe(house, shop, kind, checked)
    if shop.settings.mode == "test" and test_mode is False:
        raise WaybillError(
            "This shop is in test mode, and the account's answers say production: it could spend money. "
            "Give a test key, or set mode=live first.",
            detail="mode",
        )
    if "webhook_secret" in kind.settings.model_fields and not given.get("webhook_secret"):
        notes.append(
            f"Without --webhook-secret {kind.title}'s tracking webhooks are refused: run this command again with it."
        )
    record = await house.database.run(
        _keep_account, house, shop.id, kind.name, given, test_mode, same, house.clock.now()
    )
    return Connected(record, same is not None, tuple(notes))


def _same_account(
    connection: Connection, house: House, shop_id: str, kind: CarrierKind, fields: Mapping[str, Any]
) -> AccountRecord | None:
    """The account of the shop that has this key already, connected or not."""
    key = fields.get("api_key")
    records = list_accounts(connection, house.keyring, shop_id, inactive=True) if key else []
    return next((each for each in records if each.carrier == kind.name and each.settings.get("api_key") == key), None)


def _keep_account(
    connection: Connection,
    house: House,
    shop_id: str,
    carrier: str,
    fields: dict[str, Any],
    test_mode: bool | None,
    same: AccountRecord | None,
    now: datetime,
) -> AccountRecord:
    if same is None:
        return add_account(connection, house.keyring, shop_id, carrier, fields, test_mode, _BY_COMMAND, now)
    mode = same.test_mode if test_mode is None else test_mode
    put_account_settings(connection, house.keyring, shop_id, same.id, fields, _BY_COMMAND, now)
    if mode is not None:
        set_account_mode(connection, shop_id, same.id, mode, _BY_COMMAND, now)
    if not same.active:
        switch_account(connection, shop_id, same.id, True, _BY_COMMAND, now)
    return AccountRecord(same.id, shop_id, carrier, mode, True, same.created_at, fields, same.hook_token)


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
        cause = ": ".join(part for part in (error.message.rstrip("."), error.detail) if part)
        return None, [f"{kind.title} could not be asked now ({cause}); the account was kept unproved."]
    finally:
        await connection.close()
    return rates.test_mode, []
