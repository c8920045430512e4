"""Commands about the cartons of a shop: what it packs into, kept with its settings as versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from connector import shop_settings
from connector.catalogue.cartons import CartonEntry, read_cartons, write_cartons
from connector.catalogue.sheet import Fault
from connector.cli.catalogue import _FILE, _OUT, _give_file, _text
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, field_error, in_house
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.wiring import House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
Cartons = tuple[CartonEntry, ...]


def add_to(group: click.Group) -> None:
    """Register the commands."""
    carton = click.Group("carton", help="What the shop packs into: boxes, bags, carriers' flat-rate packages.")
    group.add_command(carton)
    _single_commands(carton)
    _file_commands(carton)


def _single_commands(carton: click.Group) -> None:
    @command(carton, "add")
    @click.argument("shop")
    @click.argument("name")
    @click.option("--size", required=True, help="Outer LENGTHxWIDTHxHEIGHT in mm.")
    @click.option("--inner", help="Inner LENGTHxWIDTHxHEIGHT in mm; default: as outside.")
    @click.option("--tare", type=int, help="Grams of the empty carton.")
    @click.option("--max-gross", type=int, help="Grams that it may weigh packed.")
    @click.option("--padding", type=int, help="Millimetres to keep free along each wall.")
    @click.option(
        "--cost", help="Of the empty carton, or with --flat-rate the carrier's price; in the shop's currency."
    )
    @click.option("--flat-rate", is_flag=True, help="A carrier's package with one price whatever it weighs.")
    @click.option("--packaging", help="The carrier's own name of it.")
    @click.option("--bulge", type=int, help="A bag or envelope, stuffed up to so many mm.")
    @click.option("--carrier", "carriers", multiple=True, help="An account or a kind of carrier that takes it.")
    @click.option("--out-of-stock", is_flag=True, help="Known, but not used.")
    def add(speaker: Speaker, shop: str, name: str, **given: Any) -> None:
        """Add a carton, or replace the one with this name."""

        def change(cartons: Cartons, currency: str) -> Cartons:
            entry = _entry(name, given, currency)
            return (*(each for each in cartons if each.name != name), entry)

        _tell(speaker, *in_house(lambda house: change_cartons(house, shop, change)))

    @command(carton, "list")
    @click.argument("shop")
    def list_all(speaker: Speaker, shop: str) -> None:
        """Show the shop's cartons."""
        _tell(speaker, *in_house(lambda house: change_cartons(house, shop, None)))

    @command(carton, "remove")
    @click.argument("shop")
    @click.argument("name")
    def remove(speaker: Speaker, shop: str, name: str) -> None:
        """Take a carton away; quotes that used it keep it."""

        def change(cartons: Cartons, _currency: str) -> Cartons:
            if all(each.name != name for each in cartons):
                raise WaybillError("The shop has no carton of this name.", detail=name)
            return tuple(each for each in cartons if each.name != name)

        _tell(speaker, *in_house(lambda house: change_cartons(house, shop, change)))


def _file_commands(carton: click.Group) -> None:
    @command(carton, "import")
    @click.argument("shop")
    @click.argument("file", type=_FILE)
    def import_file(speaker: Speaker, shop: str, file: Path) -> None:
        """Replace all cartons by those of a CSV file; with a fault nothing is changed."""
        entries, faults = read_cartons(_text(file))
        change = None if faults else lambda _cartons, _currency: entries
        version, cartons = in_house(lambda house: change_cartons(house, shop, change))
        _tell(speaker, version, cartons, faults)
        if faults:
            raise SystemExit(1)

    @command(carton, "export")
    @click.argument("shop")
    @click.option("--out", type=_OUT, help="File to write; default: the screen.")
    def export_file(speaker: Speaker, shop: str, out: Path | None) -> None:
        """Give the shop's cartons as CSV; importing it again changes nothing."""
        _, cartons = in_house(lambda house: change_cartons(house, shop, None))
        _give_file(speaker, write_cartons(cartons), out)


async def change_cartons(
    house: House, reference: str, change: Callable[[Cartons, str], Cartons] | None
) -> tuple[int, Cartons]:
    """The settings' version and the cartons, after a change (None: as they are). Raises SettingsError."""
    shop = named_shop(house, reference)
    version, before = shop.quoting.settings_version, shop.settings.packing.cartons
    after = before if change is None else change(before, shop.record.currency)
    if after == before:
        return version, before
    body = shop_settings.dump(shop.settings)
    listed = [each.model_dump(mode="json") for each in after]
    body["packing"] = {**body.get("packing", {}), "cartons": listed}
    settings = shop_settings.load(body)
    new = await house.database.run(
        settings_versions.publish,
        shop.id,
        shop_settings.dump(settings),
        _BY_COMMAND,
        house.clock.now(),
        based_on=version,
    )
    return new, settings.packing.cartons


def _entry(name: str, given: dict[str, Any], currency: str) -> CartonEntry:
    length, width, height = _edges(given["size"], "--size")
    inner = _edges(given["inner"], "--inner") if given["inner"] else (None, None, None)
    body = {
        "name": name,
        "length_mm": length,
        "width_mm": width,
        "height_mm": height,
        "inner_length_mm": inner[0],
        "inner_width_mm": inner[1],
        "inner_height_mm": inner[2],
        "tare_g": given["tare"] or 0,
        "max_gross_g": given["max_gross"],
        "padding_mm": given["padding"] or 0,
        "cost": given["cost"],
        "currency": currency if given["cost"] is not None else "",
        "flat_rate": given["flat_rate"],
        "packaging": given["packaging"] or "",
        "bulge_mm": given["bulge"],
        "carriers": given["carriers"],
        "in_stock": not given["out_of_stock"],
    }
    try:
        return CartonEntry.model_validate(body)
    except ValidationError as error:
        raise field_error(error, CartonEntry) from error


def _edges(said: str, option: str) -> tuple[int, int, int]:
    parts = said.lower().split("x")
    if len(parts) != 3 or not all(part.isdigit() and 0 < int(part) <= 20_000 for part in parts):
        raise WaybillError("A size is three lengths in millimetres, such as 300x200x100.", detail=option)
    return int(parts[0]), int(parts[1]), int(parts[2])


def _tell(speaker: Speaker, version: int, cartons: Cartons, faults: tuple[Fault, ...] = ()) -> None:
    data = {
        "version": version,
        "cartons": [{**each.model_dump(mode="json"), "carriers": " ".join(each.carriers)} for each in cartons],
        "faults": [{"line": each.line, "field": each.field, "text": each.message} for each in faults],
    }
    lines = [f"Nothing was changed: the file has {len(faults)} fault(s)."] if faults else [f"{len(cartons)} cartons."]
    lines += [f"  {each}" for each in faults] or [f"  {_line(each)}" for each in cartons]
    speaker.answer(data, lines)


def _line(each: CartonEntry) -> str:
    parts = [f"{each.name}: {each.length_mm}x{each.width_mm}x{each.height_mm} mm", f"empty {each.tare_g} g"]
    if each.max_gross_g is not None:
        parts.append(f"up to {each.max_gross_g} g")
    if each.bulge_mm is not None:
        parts.append(f"stuffed up to {each.bulge_mm} mm")
    if each.money is not None:
        parts.append(f"{'flat rate' if each.flat_rate else 'costs'} {each.money}")
    if each.carriers:
        parts.append(f"only with {', '.join(each.carriers)}")
    return ", ".join(parts) + ("" if each.in_stock else " (out of stock)")
