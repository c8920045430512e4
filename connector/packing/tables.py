"""Reading goods, cartons and containers from tables: what cannot be is refused with its line and field."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connector.packing.carton import Carton
from connector.packing.errors import PackingError, TableError
from connector.packing.goods import Extents, Goods, Handling

ITEM_FIELDS = ("order", "quantity", "sku", "width", "length", "depth", "weight")
CARTON_FIELDS = (
    "name",
    "outer width",
    "outer length",
    "outer depth",
    "empty weight",
    "inner width",
    "inner length",
    "inner depth",
    "maximum gross weight",
)
_WHOLE = re.compile(r"[+-]?\d{1,12}(\.0+)?")
_UNITS = {
    "quantity": "a whole number",
    "weight": "a whole number of grams",
    "empty weight": "a whole number of grams",
    "maximum gross weight": "a whole number of grams",
}
_DENSEST = 230
"""Grams per cm3, ten times the densest metal: more in a parcel's weight means that the units are mixed."""
_TELLING_WEIGHT = 200
"""Grams below which a placeholder of a few millimetres does no harm."""


def read_orders(lines: Iterable[str]) -> dict[str, list[Goods]]:
    """Orders from CSV lines without a header: order, quantity, sku, width, length, depth (mm), weight (g) of a unit.

    Raises TableError for the first line that cannot be.
    """
    orders: dict[str, list[Goods]] = {}
    for number, row in _rows(lines, ITEM_FIELDS):
        order, sku = _text(row, 0, number, ITEM_FIELDS), _text(row, 2, number, ITEM_FIELDS)
        quantity, width, length, depth, weight = (_whole(row, at, number, ITEM_FIELDS) for at in (1, 3, 4, 5, 6))
        try:
            goods = Goods(sku, quantity, Extents(width, length, depth), weight)
        except PackingError as error:
            raise TableError(number, error.detail, error.message) from error
        _check_density(goods, number)
        orders.setdefault(order, []).append(goods)
    return orders


def read_cartons(lines: Iterable[str]) -> list[Carton]:
    """Cartons from CSV lines without a header: name, outer size (mm), empty weight (g), inner size, maximum gross (g).

    Raises TableError for the first line that cannot be, and for a table without any.
    """
    cartons: list[Carton] = []
    for number, row in _rows(lines, CARTON_FIELDS):
        name = _text(row, 0, number, CARTON_FIELDS)
        if any(name == carton.name for carton in cartons):
            raise TableError(number, "name", f"There is a carton {name!r} already.")
        a, b, c, tare, d, e, f, most = (_whole(row, at, number, CARTON_FIELDS) for at in range(1, 9))
        try:
            cartons.append(Carton(name, Extents(a, b, c), Extents(d, e, f), tare, most))
        except PackingError as error:
            raise TableError(number, error.detail, error.message) from error
    if not cartons:
        raise TableError(1, "name", "There is no carton in the table.")
    return cartons


@dataclass(frozen=True, slots=True)
class Instance:
    """A container and the goods for it; x, y, z run along its length, width and height."""

    number: int
    room: Extents
    goods: tuple[Goods, ...]


def read_thpack(lines: Iterable[str]) -> list[Instance]:
    """Container-loading instances as OR-Library's thpack files have them. Raises TableError for what is none."""
    words = _Words(lines)
    instances = []
    for _ in range(words.take("number of problems", 1, 10_000)):
        number = words.take("problem number", 0, 10**9)
        words.rest_of_line()
        room = Extents(*(words.take(name, 1, 10**6) for name in ("length", "width", "height")))
        goods = []
        for _ in range(words.take("number of item types", 1, 10_000)):
            sku = str(words.take("item type", 0, 10**9))
            sides = [
                (words.take(name, 1, 10**6), words.take(f"{name} may stand vertical", 0, 1))
                for name in ("length", "width", "height")
            ]
            count = words.take("count", 0, 10**6)
            if not count:
                continue
            size = Extents(sides[0][0], sides[1][0], sides[2][0])
            stands = (bool(sides[0][1]), bool(sides[1][1]), bool(sides[2][1]))
            try:
                goods.append(Goods(sku, count, size, 0, Handling(may_stand=stands)))
            except PackingError as error:
                raise TableError(words.line, error.detail, error.message) from error
        instances.append(Instance(number, room, tuple(goods)))
    return instances


class _Words:
    """Whole numbers one after the other, whatever the lines; each knows its line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words = [(number, word) for number, line in enumerate(lines, 1) for word in line.split()]
        self._at = 0
        self.line = 1

    def take(self, name: str, least: int, most: int) -> int:
        if self._at == len(self._words):
            raise TableError(self.line, name, "The file ends before it.")
        self.line, word = self._words[self._at]
        self._at += 1
        if not _WHOLE.fullmatch(word) or not least <= int(float(word)) <= most:
            raise TableError(self.line, name, f"It must be a whole number from {least} to {most}, not {word[:40]!r}.")
        return int(float(word))

    def rest_of_line(self) -> None:
        """Skip what else the line holds (a seed)."""
        while self._at < len(self._words) and self._words[self._at][0] == self.line:
            self._at += 1


def _rows(lines: Iterable[str], fields: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(fields):
                raise TableError(
                    reader.line_num,
                    fields[min(len(row), len(fields) - 1)],
                    f"The line has {len(row)} fields, not {len(fields)}: {', '.join(fields)}.",
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise TableError(reader.line_num, fields[0], f"The line cannot be read: {error}.") from error


def _text(row: Sequence[str], at: int, line: int, fields: Sequence[str]) -> str:
    text = row[at].strip().removeprefix("\ufeff")
    if not text:
        raise TableError(line, fields[at], "It is empty.")
    return text


def _whole(row: Sequence[str], at: int, line: int, fields: Sequence[str]) -> int:
    text = row[at].strip()
    name = fields[at]
    if not _WHOLE.fullmatch(text):
        wanted = _UNITS.get(name, "a whole number of millimetres")
        raise TableError(line, name, f"It must be {wanted}, without a unit, not {text[:40]!r}.")
    return int(text.partition(".")[0])


def _check_density(goods: Goods, line: int) -> None:
    if goods.weight >= _TELLING_WEIGHT and goods.weight * 1000 > _DENSEST * goods.size.volume:
        raise TableError(
            line,
            "weight",
            f"{goods.weight} g in {goods.size} is far denser than any metal: are the sizes in another unit?",
        )
