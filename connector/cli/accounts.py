"""The command `carrier add`: connect a carrier account, and see first whether it works and spends money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource
from pydantic import ValidationError

from carriers.carrier import CarrierKind
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, field_error, in_house, secret
from connector.directory import ShopEntry
from connector.storage.accounts import AccountRecord, NoSuchAccount
from connector.storage.audit import Actor
from connector.wiring import CARRIERS, House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
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
            await house.carrier_desk.disconnect(named_shop(house, shop), account, _BY_COMMAND)

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
    """Prove the account and keep it, see `connector.managing.accounts`; notes say what is still missing."""
    try:
        done = await house.carrier_desk.connect(shop, kind, fields, _BY_COMMAND)
    except ValidationError as error:
        raise field_error(error, kind.settings) from error
    notes = [done.unproved] if done.unproved else []
    if done.deaf:
        notes.append(
            f"Without --webhook-secret {kind.title}'s tracking webhooks are refused: run this command again with it."
        )
    return Connected(done.record, done.updated, tuple(notes))
