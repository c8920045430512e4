"""The command that packs orders from tables, or loads containers, without a shop."""

from __future__ import annotations

import gc
import gzip
import json
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from connector.cli.output import Speaker, as_json, command
from connector.packing.carton import Carton
from connector.packing.errors import PackingError
from connector.packing.explain import Explained, explain
from connector.packing.goods import Goods
from connector.packing.load import load
from connector.packing.pack import pack
from connector.packing.picture import draw
from connector.packing.result import PackedCarton, Packing, Placed
from connector.packing.rules import Rules
from connector.packing.tables import Instance, read_cartons, read_orders, read_thpack

_GZIP = b"\x1f\x8b"
_FILE = click.Path(dir_okay=False, path_type=Path)


def add_to(group: click.Group) -> None:
    """Register the command."""

    @command(group, "pack")
    @click.option("--cartons", type=_FILE, help="Cartons as CSV without a header.")
    @click.option("--items", type=_FILE, help="Items of one order or several as CSV without a header, .gz too.")
    @click.option("--thpack", type=_FILE, help="Container-loading instances instead, one container each.")
    @click.option("--objective", type=click.Choice(["count", "billed"]), default="count", help="What is least.")
    @click.option("--divisor", type=click.IntRange(min=1), default=5000, help="Cubic centimetres that count as one kg.")
    @click.option("--support", type=click.FloatRange(0, 1), default=0.0, help="Share of each base that must rest.")
    @click.option(
        "--svg", type=click.Path(file_okay=False, path_type=Path), help="Folder for a picture of each carton."
    )
    @click.option("--why", is_flag=True, help="Say why not a cheaper carton, and what the packer does step by step.")
    def pack_command(
        speaker: Speaker,
        cartons: Path | None,
        items: Path | None,
        thpack: Path | None,
        objective: Literal["count", "billed"],
        divisor: int,
        support: float,
        svg: Path | None,
        why: bool,
    ) -> None:
        """Pack the orders of a table into cartons, each unit with its place.

        Any unit may be turned in any way. One line an order: with --json an object each.
        """
        if svg is not None:
            svg.mkdir(parents=True, exist_ok=True)
        if thpack is not None:
            if cartons is not None or items is not None:
                raise click.UsageError("--thpack stands alone, without --cartons and --items.")
            for instance in read_thpack(_lines(thpack)):
                _load_one(speaker, instance, support, svg)
            return
        if cartons is None or items is None:
            raise click.UsageError("Give --cartons and --items, or --thpack.")
        known = read_cartons(_lines(cartons))
        rules = Rules(objective=objective, divisor=divisor, support=support)
        orders = read_orders(_lines(items))
        gc.freeze()  # The tables stay: without this the collector goes through all of them now and then.
        try:
            for order, goods in orders.items():
                _pack_one(speaker, order, goods, known, rules, svg, why=why)
        finally:
            gc.unfreeze()


def _pack_one(
    speaker: Speaker,
    order: str,
    goods: Sequence[Goods],
    cartons: Sequence[Carton],
    rules: Rules,
    svg: Path | None,
    *,
    why: bool,
) -> None:
    start = time.process_time()
    packing = pack(goods, cartons, rules)
    ms = (time.process_time() - start) * 1000
    words = explain(packing, goods, cartons, rules) if why else None
    if svg is not None:
        for number, parcel in enumerate(packing.cartons, 1):
            title = f"{order}: parcel {number} of {len(packing.cartons)}, {parcel.carton.name}"
            _picture(svg, f"{order}-{number}", draw(parcel, title))
    if speaker.as_json:
        click.echo(json.dumps(_order_data(order, packing, ms, words), default=as_json, ensure_ascii=False))
    else:
        for line in _order_lines(order, packing, ms, words):
            click.echo(line)


def _load_one(speaker: Speaker, instance: Instance, support: float, svg: Path | None) -> None:
    start = time.process_time()
    loaded = load(instance.goods, instance.room, support=support)
    ms = (time.process_time() - start) * 1000
    if svg is not None:
        container = Carton("container", instance.room, instance.room)
        volume = sum(each.width * each.length * each.depth for each in loaded.placed)
        parcel = PackedCarton(container, instance.room, instance.room, 0, 0, 0, loaded.placed, volume)
        _picture(svg, f"instance-{instance.number}", draw(parcel, f"Instance {instance.number}"))
    if speaker.as_json:
        data = {
            "instance": instance.number,
            "fill": round(loaded.fill, 6),
            "items": [_item(placed) for placed in loaded.placed],
            "steps": loaded.steps,
            "ms": round(ms, 3),
        }
        click.echo(json.dumps(data))
    else:
        units = sum(placed.units for placed in loaded.placed)
        click.echo(f"Instance {instance.number}: {loaded.fill:.2%} full with {units} units ({ms:.1f} ms)")


def _order_data(order: str, packing: Packing, ms: float, words: list[Explained] | None) -> dict[str, Any]:
    cartons = []
    for number, parcel in enumerate(packing.cartons):
        data: dict[str, Any] = {
            "carton": parcel.carton.name,
            "gross_weight": parcel.gross,
            "billed_weight": parcel.billed,
            "items": [_item(placed) for placed in parcel.placed],
        }
        if words is not None:
            said = words[number]
            data["why"] = [*said.figures, *said.why_not]
            data["packing_steps"] = list(said.steps)
        cartons.append(data)
    unpacked = [{"sku": left.key, "units": left.units, "reason": left.why.say()} for left in packing.left]
    return {"order": order, "cartons": cartons, "unpacked": unpacked, "steps": packing.steps, "ms": round(ms, 3)}


def _item(placed: Placed) -> dict[str, Any]:
    return {
        "sku": placed.key,
        "x": placed.x,
        "y": placed.y,
        "z": placed.z,
        "width": placed.width,
        "length": placed.length,
        "depth": placed.depth,
    }


def _order_lines(order: str, packing: Packing, ms: float, words: list[Explained] | None) -> Iterator[str]:
    count = len(packing.cartons)
    yield f"{order}: {count} {'carton' if count == 1 else 'cartons'}, {packing.billed} g billed ({ms:.1f} ms)"
    for number, parcel in enumerate(packing.cartons):
        yield (
            f"  {parcel.carton.name}: {parcel.units} units, {parcel.fill:.0%} full,"
            f" {parcel.gross} g gross, {parcel.billed} g billed"
        )
        if words is not None:
            said = words[number]
            for reason in (*said.figures, *said.why_not, *said.steps):
                yield f"    {reason.say()}"
    for left in packing.left:
        yield f"  Not packed, {left.units}: {left.why.say()}"


def _picture(folder: Path, name: str, svg: str) -> None:
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[-100:].lstrip(".")
    (folder / f"{safe}.svg").write_text(svg, encoding="utf-8")


def _lines(path: Path) -> list[str]:
    """The lines of a text file, unpacked where it is gzip."""
    raw = path.read_bytes()
    try:
        if raw.startswith(_GZIP):
            raw = gzip.decompress(raw)
        return raw.decode("utf-8-sig").splitlines(keepends=True)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PackingError(f"{path.name} is not a whole gzip file.", detail=path.name) from error
    except UnicodeDecodeError as error:
        raise PackingError(f"{path.name} is not text in UTF-8.", detail=path.name) from error
