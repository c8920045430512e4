"""Commands about rate tables: import a file, export it, try a price."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.money import Money, MoneyError
from carriers.parcel import Parcel, RateRequest
from carriers.rate_table import KIND, BadTable, Checked, Fault, check_table, pack, read_table, unpack, write_canonical
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.directory import ShopEntry
from connector.storage.accounts import (
    AccountRecord,
    NoSuchAccount,
    add_account,
    list_accounts,
    put_account_settings,
    switch_account,
)
from connector.storage.audit import Actor
from connector.wiring import House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})x(\d{1,5})")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: the account that has it now, if it was kept, and what was found in it."""

    checked: Checked
    account_id: str | None = None
    updated: bool = False


def add_to(group: click.Group) -> None:
    """Register the commands."""
    table = click.Group("table", help="Your own prices, from CSV files.")
    group.add_command(table)

    @command(table, "import")
    @click.argument("shop")
    @click.argument("file", type=_FILE)
    @click.option("--account", help="The account whose table it replaces; default: the one with the table's name.")
    @click.option("--check", is_flag=True, help="Only say what is wrong or odd; keep nothing.")
    def import_file(speaker: Speaker, shop: str, file: Path, account: str | None, check: bool) -> None:
        """Check a whole file, and put its prices into the checkout if nothing is wrong with it.

        A file with a fault changes nothing.
        """
        raw = file.read_bytes()
        done = in_house(lambda house: import_table(house, named_shop(house, shop), raw, account, keep=not check))
        speaker.answer(_data(done), _lines(done))
        if done.checked.faults:
            raise SystemExit(1)

    @command(table, "export")
    @click.argument("shop")
    @click.argument("account")
    @click.option("--canonical", is_flag=True, help="In the one form that equal tables share.")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: the screen.")
    def export_file(speaker: Speaker, shop: str, account: str, canonical: bool, out: Path | None) -> None:
        """Give a table's file back, byte for byte as it was imported."""

        async def find(house: House) -> AccountRecord:
            found = named_shop(house, shop)
            return await house.database.run(_record, house, found.id, account)

        record = in_house(find)
        _export(speaker, record, out, canonical=canonical)

    @command(table, "price")
    @click.argument("shop")
    @click.option("--account", help="The table's account; default: every table of the shop.")
    @click.option("--file", type=_FILE, help="A file that is not imported, instead.")
    @click.option("--country", required=True, help="Where it goes: two letters.")
    @click.option("--province", default="", help="Province or state.")
    @click.option("--postal", default="", help="Postal code, whole or cut short.")
    @click.option("--grams", type=click.IntRange(0), required=True, help="Weight of each parcel.")
    @click.option("--size", help="Of each parcel in millimetres, such as 300x200x100.")
    @click.option("--parcels", type=click.IntRange(1, 100), default=1, show_default=True, help="How many, all alike.")
    @click.option("--items", type=click.IntRange(0), help="Pieces in the cart.")
    @click.option("--subtotal", help="What the goods cost, such as 59.90, in the currency.")
    @click.option("--currency", help="Default: the shop's.")
    @click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day; default: today in the shop.")
    def price_one(speaker: Speaker, shop: str, account: str | None, file: Path | None, **given: Any) -> None:
        """Try what a table asks for, and see the line of the file that says so."""
        raw = None if file is None else file.read_bytes()

        async def ask(house: House) -> dict[str, Any]:
            found = named_shop(house, shop)
            files = {"": raw} if raw is not None else await house.database.run(_files, house, found.id, account)
            return price(house, found, files, given)

        data = in_house(ask)
        speaker.answer(data, [line for each in data["tables"] for line in _price_lines(each)])


async def import_table(
    house: House, shop: ShopEntry, raw: bytes, account_id: str | None = None, *, keep: bool = True
) -> Imported:
    """Check a file and keep it, as a new account of the shop or in place of a table that it has.

    The account is `account_id`, else the one whose table has the same name. Raises NoSuchAccount.
    """
    checked = check_table(raw)
    if checked.table is None or not keep:
        return Imported(checked)
    fields = {"file": pack(raw), "timezone": shop.record.timezone}
    record, updated = await house.database.run(_keep, house, shop.id, account_id, checked.table.name, fields)
    return Imported(checked, record, updated)


def price(house: House, shop: ShopEntry, files: Mapping[str, bytes], given: Mapping[str, Any]) -> dict[str, Any]:
    """What tables ask for, with the lines that say so; `files` by the ids of their accounts."""
    currency = (given["currency"] or shop.record.currency).upper()
    size = _size(given["size"])
    parcel = Parcel(Weight(given["grams"]), size)
    to = Address(given["country"].upper(), given["postal"], given["province"])
    origin = shop.quoting.default_origin()
    request = RateRequest(
        origin.address if origin else to,
        to,
        (parcel,) * given["parcels"],
        currency,
        goods=None if given["subtotal"] is None else _money(given["subtotal"], currency),
        units=given["items"],
    )
    day: date = (given["day"] or house.clock.now().astimezone(ZoneInfo(shop.record.timezone))).date()
    answers = []
    for account_id, raw in files.items():
        table = read_table(raw)
        priced, missing = table.price(request, day)
        services = [
            {
                "service": each.service,
                "price": each.price,
                "days": each.days,
                "zone": each.zone,
                "lines": list(each.lines),
                "billable_grams": list(each.billable_grams),
                "surcharges": list(each.surcharges),
            }
            for each in priced
        ]
        without = [{"service": each.service, "code": each.code, "text": each.message} for each in missing]
        answers.append({"account_id": account_id, "name": table.name, "services": services, "without_price": without})
    return {"day": day.isoformat(), "tables": answers}


def _keep(
    connection: Connection, house: House, shop_id: str, account_id: str | None, name: str, fields: dict[str, Any]
) -> tuple[str, bool]:
    """The account's id, and whether it was there before."""
    now = house.clock.now()
    if account_id is not None:
        known: AccountRecord | None = _record(connection, house, shop_id, account_id)
    else:
        known = next((each for each in _tables(connection, house, shop_id) if _name(each) == name), None)
    if known is None:
        return add_account(connection, house.keyring, shop_id, KIND.name, fields, None, _BY_COMMAND, now).id, False
    put_account_settings(connection, house.keyring, shop_id, known.id, fields, _BY_COMMAND, now)
    if not known.active:
        switch_account(connection, shop_id, known.id, True, _BY_COMMAND, now)
    return known.id, True


def _tables(connection: Connection, house: House, shop_id: str) -> list[AccountRecord]:
    """The shop's tables, those that were switched off too."""
    records = list_accounts(connection, house.keyring, shop_id, inactive=True)
    return [each for each in records if each.carrier == KIND.name]


def _files(connection: Connection, house: House, shop_id: str, account_id: str | None) -> dict[str, bytes]:
    """The files of the tables that are in use: of one account, or all."""
    tables = [each for each in _tables(connection, house, shop_id) if each.active and account_id in {None, each.id}]
    if not tables:
        raise NoSuchAccount("The shop has no such rate table.", detail=account_id or "")
    return {each.id: unpack(str(each.settings["file"])) for each in tables}


def _export(speaker: Speaker, record: AccountRecord, out: Path | None, *, canonical: bool) -> None:
    raw = unpack(str(record.settings["file"]))
    if canonical:
        checked = check_table(raw)
        if checked.table is None:
            raise BadTable(checked.faults)
        raw = write_canonical(checked.lines)
    if out is not None:
        out.write_bytes(raw)
    elif not speaker.as_json:
        click.echo(raw, nl=False)
        return
    data = {"account_id": record.id, "bytes": len(raw), "out": None if out is None else str(out)}
    text = None if out is not None else raw.decode("utf-8-sig")
    speaker.answer({**data, "file": text}, [f"Wrote {len(raw)} bytes to {out}."])


def _record(connection: Connection, house: House, shop_id: str, account_id: str) -> AccountRecord:
    for each in _tables(connection, house, shop_id):
        if each.id == account_id:
            return each
    raise NoSuchAccount("The shop has no rate table with this id.", detail=account_id)


def _name(record: AccountRecord) -> str | None:
    """The table's name; None for a file that this release does not read."""
    table = check_table(unpack(str(record.settings["file"]))).table
    return None if table is None else table.name


def _size(said: str | None) -> Size | None:
    if said is None:
        return None
    found = _SIZE.fullmatch(said.replace(" ", "").lower())
    if found is None or not all(int(each) for each in found.groups()):
        raise WaybillError("A size is three lengths in millimetres, such as 300x200x100.", detail="--size")
    return Size(*(int(each) for each in found.groups()))


def _money(said: str, currency: str) -> Money:
    try:
        return Money.parse(said, currency)
    except MoneyError as error:
        raise WaybillError(error.message, detail="--subtotal") from error


def _data(done: Imported) -> dict[str, Any]:
    table = done.checked.table
    return {
        "account_id": done.account_id,
        "updated": done.updated,
        "name": None if table is None else table.name,
        "services": [] if table is None else list(table.services),
        "zones": 0 if table is None else table.zone_count,
        "prices": 0 if table is None else table.price_count,
        "faults": [_fault(each) for each in done.checked.faults],
        "notes": [_fault(each) for each in done.checked.notes],
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "field": fault.field, "text": fault.message}


def _lines(done: Imported) -> list[str]:
    checked = done.checked
    if checked.table is None:
        first = f"Nothing was changed: the file has {len(checked.faults)} fault(s)."
        return [first, *(f"  {each}" for each in checked.faults)]
    table = checked.table
    found = f"{table.name}: {len(table.services)} services, {table.zone_count} zones, {table.price_count} prices."
    kept = "The file is good; nothing was kept."
    if done.account_id is not None:
        kept = f"{'Replaced the table of' if done.updated else 'Kept as'} account {done.account_id}."
    return [found, kept, *(f"  Note, {each}" for each in checked.notes)]


def _price_lines(table: Mapping[str, Any]) -> list[str]:
    lines = [f"{table['name']} {table['account_id']}".rstrip()]
    for each in table["services"]:
        days = "" if each["days"] is None else f", {each['days']} working days"
        extra = f", with {', '.join(each['surcharges'])}" if each["surcharges"] else ""
        weights = " + ".join(f"{grams} g" for grams in each["billable_grams"])
        where = f"zone {each['zone']}, line {', '.join(map(str, each['lines']))}, {weights}{extra}{days}"
        lines.append(f"  {each['service']}: {each['price']} ({where})")
    return [*lines, *(f"  {each['service'] or 'No price'}: {each['text']}" for each in table["without_price"])]
