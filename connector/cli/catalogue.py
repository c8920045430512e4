"""Commands about a shop's catalogue: its table in and out, gaps, a fresh reading, measurements and their lessons."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from connector.catalogue import keep, measured
from connector.catalogue.check import Gap, gaps
from connector.catalogue.edit import accept, export_sheet, import_sheet
from connector.catalogue.measured import Measured, Size, read_scale
from connector.catalogue.product import key_of, too_dense
from connector.catalogue.refresh import CatalogueReader
from connector.catalogue.sheet import Fault, read_sheet
from connector.catalogue.suspects import Suspect, suspects
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.directory import ShopEntry
from connector.labels.measured import record_parcel
from connector.quotes.ledger import quotes
from connector.storage.audit import Actor
from connector.wiring import House
from connector.work.port import Run, Task
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_SALES_OF = 2000  # The newest so many quotes say how often a product is asked for.


def add_to(group: click.Group) -> None:
    """Register the commands."""
    catalogue = click.Group("catalogue", help="What is known of products: sizes, weights, customs data; and its gaps.")
    group.add_command(catalogue)
    for add in (
        _file_commands,
        _check_command,
        _refresh_command,
        _measured_command,
        _suspects_command,
        _accept_command,
    ):
        add(catalogue)


def _file_commands(catalogue: click.Group) -> None:
    @command(catalogue, "import")
    @click.argument("shop")
    @click.argument("file", type=_FILE)
    @click.option("--check", is_flag=True, help="Only say what is wrong; keep nothing.")
    def import_file(speaker: Speaker, shop: str, file: Path, check: bool) -> None:
        """Check a whole CSV file of products, and keep it if nothing is wrong with it.

        A file with a fault changes nothing.
        """
        sheet = read_sheet(_text(file))

        async def do(house: House) -> int:
            found = named_shop(house, shop)
            if sheet.faults or check:
                return 0
            return await house.database.run(import_sheet, found.id, sheet, _BY_COMMAND, house.clock.now())

        changed = in_house(do)
        _tell_file(speaker, len(sheet.rows), changed, sheet.faults)

    @command(catalogue, "export")
    @click.argument("shop")
    @click.option("--all", "everything", is_flag=True, help="A line for each of the store's variants, too.")
    @click.option("--out", type=_OUT, help="File to write; default: the screen.")
    def export_file(speaker: Speaker, shop: str, everything: bool, out: Path | None) -> None:
        """Give the shop's own table as CSV, in mm and g; importing it again changes nothing."""

        async def do(house: House) -> str:
            found = named_shop(house, shop)
            return await house.database.run(export_sheet, found.id, everything=everything)

        _give_file(speaker, in_house(do), out)


def _check_command(catalogue: click.Group) -> None:
    @command(catalogue, "check")
    @click.argument("shop")
    @click.option("--destination", help="Also what customs need for this country: two letters.")
    @click.option("--csv", "out", type=_OUT, help="Write the gaps to this file, too.")
    def check_all(speaker: Speaker, shop: str, destination: str | None, out: Path | None) -> None:
        """List the gaps that cost money or block a destination, worst first, naming product and field."""
        country = (destination or "").upper()
        if destination is not None and not re.fullmatch("[A-Z]{2}", country):
            raise WaybillError("A destination is a country's two letters, such as BR.", detail="--destination")

        async def do(house: House) -> list[Gap]:
            return await house.database.run(_gaps, named_shop(house, shop), country)

        found = in_house(do)
        if out is not None:
            out.write_text(_gaps_csv(found), encoding="utf-8")
        _tell_gaps(speaker, found)


def _refresh_command(catalogue: click.Group) -> None:
    @command(catalogue, "refresh")
    @click.argument("shop")
    def refresh(speaker: Speaker, shop: str) -> None:
        """Read all of the store's products now, instead of waiting for the sweep."""

        async def do(house: House) -> int:
            found = named_shop(house, shop)
            if not found.store.capabilities.products:
                raise WaybillError("This store does not tell of its products.", detail=found.platform)
            names = found.settings.packing.field_names
            reader = CatalogueReader(house.database, house.work, lambda _: (found.store, names), house.clock.now)
            await reader.sweep(_Now(Task("catalogue.sweep", f"now:{found.id}", found.id)))
            return len(await house.database.run(keep.entries, found.id))

        variants = in_house(do)
        speaker.answer({"variants": variants}, [f"The catalogue knows {variants} variants."])


def _measured_command(catalogue: click.Group) -> None:
    @command(catalogue, "measured")
    @click.argument("shop")
    @click.argument("file", type=_FILE)
    def measured_file(speaker: Speaker, shop: str, file: Path) -> None:
        """Take in a scale's CSV file: weights and sizes of parcels or of single products. It changes no record."""
        text = _text(file)
        lines, faults = read_scale(text)
        digest = sha256(text.encode()).hexdigest()[:12]

        def keep_all(connection: Connection, shop_id: str, house: House) -> int:
            now, kept = house.clock.now(), 0
            for each in lines:
                cause = each.reference or f"{digest}:{each.line}"
                if each.parcel:
                    kept += record_parcel(
                        connection,
                        shop_id,
                        each.parcel,
                        grams=each.grams,
                        size=each.size,
                        source="scale",
                        cause=cause,
                        now=now,
                    )
                else:
                    told = Measured("scale", cause, now, each.grams, each.size, key=each.key)
                    kept += measured.record(connection, shop_id, told, now)
            return kept

        async def do(house: House) -> int:
            found = named_shop(house, shop)
            return 0 if faults else await house.database.run(keep_all, found.id, house)

        _tell_file(speaker, len(lines), in_house(do), faults)


def _suspects_command(catalogue: click.Group) -> None:
    @command(catalogue, "suspects")
    @click.argument("shop")
    def suspected(speaker: Speaker, shop: str) -> None:
        """Name products whose recorded weight or size explains repeated differences, with the evidence."""

        async def do(house: House) -> list[tuple[Suspect, str]]:
            return await house.database.run(_suspects, named_shop(house, shop).id)

        found = in_house(do)
        _tell_suspects(speaker, found)


def _accept_command(catalogue: click.Group) -> None:
    @command(catalogue, "accept")
    @click.argument("shop")
    @click.argument("key")
    @click.option("--weight", type=click.IntRange(1, 2_000_000), help="Grams of one unit; default: as suggested.")
    @click.option("--size", help="LENGTHxWIDTHxHEIGHT of one unit in mm; default: as suggested.")
    def accept_one(speaker: Speaker, shop: str, key: str, weight: int | None, size: str | None) -> None:
        """Take a suggested (or a given) weight or size into the shop's own table, marked as measured."""
        given = _edges(size)

        async def do(house: House) -> tuple[int | None, Size | None]:
            now = house.clock.now()
            return await house.database.run(_accept, named_shop(house, shop).id, key, weight, given, now)

        grams, edges = in_house(do)
        said = [f"{grams} g"] if grams is not None else []
        said += ["x".join(map(str, edges)) + " mm"] if edges is not None else []
        data = {"key": key, "weight_g": grams, "size_mm": None if edges is None else "x".join(map(str, edges))}
        speaker.answer(data, [f"{key} now counts as {' and '.join(said)}."])


def _accept(
    connection: Connection, shop_id: str, key: str, grams: int | None, edges: Size | None, now: datetime
) -> tuple[int | None, Size | None]:
    """Take in what is given, else what is suggested. Raises WaybillError where there is nothing, or it cannot be."""
    known = keep.products(connection, shop_id, [key]).get(key)
    if known is None:
        raise WaybillError("The catalogue does not know this product.", detail=key)
    if grams is None and edges is None:
        mine = [each for each, _ in _suspects(connection, shop_id) if each.key == key]
        grams = next((each.suggested_g for each in mine if each.suggested_g is not None), None)
        edges = next((each.suggested_mm for each in mine if each.suggested_mm is not None), None)
    if grams is None and edges is None:
        raise WaybillError("Nothing is suggested for this product; give --weight or --size.", detail=key)
    whole, heavy = edges or known.size, grams if grams is not None else known.weight_g
    if whole is not None and heavy is not None and too_dense(heavy, whole):
        raise WaybillError("That is denser than any metal: is a unit wrong?", detail=key)
    accept(connection, shop_id, key, weight_g=grams, size=edges, actor=_BY_COMMAND, now=now)
    return grams, edges


class _Now(Run):
    """A run in this process, outside the queue."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def task(self) -> Task:
        """Which work this is."""
        return self._task

    async def step(self, name: str, call: Any) -> Any:  # noqa: ARG002 - nothing watches.
        """Do it."""
        return await call()

    def fence(self) -> bool:
        """Reading is always allowed."""
        return True


def _gaps(connection: Connection, shop: ShopEntry, country: str) -> list[Gap]:
    settings = shop.settings
    rooms = [
        carton.packed().inner for carton in settings.packing.cartons if carton.in_stock and carton.bulge_mm is None
    ]
    largest = max(rooms, key=lambda room: room.volume, default=None)
    room = None if largest is None or settings.packing.unfit == "own_box" else sorted(largest, reverse=True)
    return gaps(
        keep.entries(connection, shop.id),
        destination=country,
        origins=sorted({place.address.country for place in shop.locations if place.address.country}),
        has_default_weight=settings.default_item_weight_g is not None,
        has_cartons=bool(rooms),
        room=None if room is None else (room[0], room[1], room[2]),
        sold=_asked_for(connection, shop.id),
    )


def _asked_for(connection: Connection, shop_id: str) -> Counter[str]:
    found: Counter[str] = Counter()
    newest = quotes.select(shop_id, quotes.c.cart).order_by(quotes.c.at.desc()).limit(_SALES_OF)
    for cart in connection.execute(newest).scalars():
        for line in cart["lines"]:
            found[key_of(line.get("variant_id", ""), line.get("sku", ""))] += line["quantity"]
    return found


def _suspects(connection: Connection, shop_id: str) -> list[tuple[Suspect, str]]:
    known = {each.key: each.product for each in keep.entries(connection, shop_id)}
    weights = {key: product.weight_g for key, product in known.items() if product.weight_g is not None}
    sizes = {key: product.size for key, product in known.items() if product.size is not None}
    found = suspects(measured.all_of(connection, shop_id), weights, sizes)
    return [(each, known[each.key].name or known[each.key].sku or each.key) for each in found]


def _tell_suspects(speaker: Speaker, found: list[tuple[Suspect, str]]) -> None:
    rows = [
        {
            "key": each.key,
            "name": name,
            "what": each.what,
            "recorded": each.recorded,
            "suggested": _suggested(each),
            "parcels": each.parcels,
            "agree": each.agree,
            "evidence": list(each.causes),
        }
        for each, name in found
    ]
    lines = [f"{len(rows)} products have a record that measurements speak against. Nothing was changed."]
    for each, name in found:
        lines.append(f"  {name} ({each.key}), {each.what}: {each.recorded}, rather {_suggested(each)}.")
        lines.append(f"    {each.agree} of {each.parcels} measurements agree: {', '.join(each.causes)}.")
    speaker.answer({"suspects": rows}, lines)


def _suggested(suspect: Suspect) -> str:
    if suspect.suggested_mm is not None:
        return "x".join(map(str, suspect.suggested_mm)) + " mm"
    return f"{suspect.suggested_g} g"


def _edges(said: str | None) -> tuple[int, int, int] | None:
    if said is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})x(\d{1,5})", said)
    if found is None or not all(0 < int(each) <= 20_000 for each in found.groups()):
        raise WaybillError("A size is three lengths in millimetres, such as 300x200x100.", detail="--size")
    return int(found[1]), int(found[2]), int(found[3])


def _tell_gaps(speaker: Speaker, found: list[Gap]) -> None:
    counts = Counter(gap.severity for gap in found)
    rows = [
        {
            "severity": gap.severity,
            "field": gap.field,
            "key": gap.key,
            "sku": gap.sku,
            "name": gap.name,
            "sold": gap.sold,
            "text": gap.why.say(),
        }
        for gap in found
    ]
    data = {"blocks": counts["blocks"], "costs": counts["costs"], "look": counts["look"], "gaps": rows}
    lines = [f"{counts['blocks']} gaps block orders, {counts['costs']} cost money, {counts['look']} need a look."]
    lines += [f"  {gap.severity}: {gap.name} ({gap.sku or gap.key}), {gap.field}: {gap.why.say()}" for gap in found]
    speaker.answer(data, lines)


def _gaps_csv(found: list[Gap]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["severity", "field", "key", "sku", "name", "sold", "text"])
    writer.writerows([[g.severity, g.field, g.key, g.sku, g.name, g.sold, g.why.say()] for g in found])
    return out.getvalue()


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WaybillError(f"{file.name} is not text in UTF-8.", detail=file.name) from error


def _tell_file(speaker: Speaker, lines: int, changed: int, faults: tuple[Fault, ...]) -> None:
    told = [{"line": each.line, "field": each.field, "text": each.message} for each in faults]
    text = [f"{lines} lines, {changed} changes."]
    if faults:
        text = [f"Nothing was changed: the file has {len(faults)} fault(s).", *(f"  {each}" for each in faults)]
    speaker.answer({"lines": lines, "changed": changed, "faults": told}, text)
    if faults:
        raise SystemExit(1)


def _give_file(speaker: Speaker, text: str, out: Path | None) -> None:
    if out is not None:
        out.write_text(text, encoding="utf-8")
    data = {"out": None if out is None else str(out), "file": text if out is None else None}
    speaker.answer(data, [text.rstrip("\n")] if out is None else [f"Written to {out}."])
