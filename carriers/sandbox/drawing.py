"""Draw a sandbox label: 4 by 6 inches in black and white, VOID SAMPLE across it, as PDF or PNG."""

from __future__ import annotations

import functools
import io
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from barcode.codex import Code128
from PIL import Image, ImageChops, ImageDraw, ImageFont

from carriers.address import Address
from carriers.parcel import Shipment

_WIDTH_IN, _HEIGHT_IN = 4, 6
_DRAWN_AT = 203  # Sizes below are in dots at 203 dpi, and are scaled for 300.


@dataclass(frozen=True, slots=True)
class LabelText:
    """What a label says."""

    shipment: Shipment
    service: str
    tracking_code: str
    bought_at: datetime


def draw(text: LabelText, label_format: str, dpi: int) -> bytes:
    """The label as "pdf" or "png"; the same text gives the same bytes."""
    picture = _Label(text, dpi).picture()
    out = io.BytesIO()
    if label_format == "pdf":
        # Pillow would write the present time into the file.
        made = time.gmtime(text.bought_at.timestamp())
        picture.save(out, "PDF", resolution=float(dpi), title="VOID SAMPLE", creationDate=made, modDate=made)
    else:
        picture.save(out, "PNG", dpi=(dpi, dpi), optimize=True)
    return out.getvalue()


@functools.cache
def _font(dots: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(dots)
    if not isinstance(font, ImageFont.FreeTypeFont):  # Pillow without FreeType has a small bitmap font only.
        raise TypeError("Pillow was built without FreeType, so labels cannot be drawn.")
    return font


@functools.cache
def _drawable(character: str) -> bool:
    """Whether the font has the character, and not its box for missing ones."""
    font = _font(20)
    box, missing = font.getmask(character), font.getmask("\uffff")
    return character == " " or (box.size, bytes(box)) != (missing.size, bytes(missing))


_SPELLED = str.maketrans(
    dict(zip("ŁłØøĐđŦŧıħ", "LlOoDdTtih", strict=True))
    | {"ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Þ": "Th", "þ": "th", "ð": "d"}
    | dict(zip("ΑΒΓΔΕΖΗΙΚΛΜΝΞΟΠΡΣΤΥΦ", "AVGDEZIIKLMNXOPRSTYF", strict=True))
    | dict(zip("αβγδεζηικλμνξοπρσςτυφ", "avgdeziiklmnxoprsstyf", strict=True))
    | {"Θ": "Th", "θ": "th", "Χ": "Ch", "χ": "ch", "Ψ": "Ps", "ψ": "ps", "Ω": "O", "ω": "o"}  # noqa: RUF001  Greek it is.
)
"""Letters that do not come apart into a plain one and an accent; Greek as in ISO 843."""


def printable(text: str) -> str:
    """The text in characters that the label's font has: accents fall away, Greek is spelled out, `?` stands in."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split())).translate(_SPELLED)
    kept = (character for character in plain if unicodedata.category(character)[0] not in "CM")
    return "".join(character if _drawable(character) else "?" for character in kept)


class _Label:
    """One label being drawn."""

    def __init__(self, text: LabelText, dpi: int) -> None:
        self._text = text
        self._scale = dpi / _DRAWN_AT
        self._size = (_WIDTH_IN * dpi, _HEIGHT_IN * dpi)
        self._image = Image.new("L", self._size, 255)
        self._pen = ImageDraw.Draw(self._image)

    def picture(self) -> Image.Image:
        """The whole label, in black and white dots as a thermal printer makes them."""
        self._frame()
        self._head()
        self._addresses()
        self._details()
        self._barcode()
        self._foot()
        marked = ImageChops.darker(self._image.point(lambda grey: 255 if grey > 150 else 0), _watermark(self._size))
        return marked.convert("1", dither=Image.Dither.NONE)

    def _dots(self, length: float) -> int:
        return round(length * self._scale)

    def _say(self, x: float, y: float, text: str, size: int, room: float = 772, *, bold: bool = False) -> None:
        """Write a line at (x, y), no wider than `room`: smaller by up to a third, then cut."""
        line = printable(text)
        dots, limit = self._dots(size), self._dots(room)
        while dots > self._dots(size * 2 / 3) and _font(dots).getlength(line) > limit:
            dots -= 1
        while line and _font(dots).getlength(line) > limit:
            line = line[:-1]
        width = dots // 24 if bold else 0
        self._pen.text((self._dots(x), self._dots(y)), line, fill=0, font=_font(dots), stroke_width=width)

    def _rule(self, y: float, thick: int = 4) -> None:
        self._pen.line((self._dots(16), self._dots(y), self._dots(796), self._dots(y)), fill=0, width=self._dots(thick))

    def _frame(self) -> None:
        box = (self._dots(14), self._dots(14), self._dots(797), self._dots(1203))
        self._pen.rectangle(box, outline=0, width=self._dots(4))

    def _head(self) -> None:
        letter = {"Economy": "E", "Standard": "S", "Express": "X"}.get(self._text.service, "?")
        self._pen.rectangle((self._dots(14), self._dots(14), self._dots(184), self._dots(184)), fill=0)
        font = _font(self._dots(150))
        centre = (self._dots(99), self._dots(99))
        self._pen.text(centre, letter, fill=255, font=font, anchor="mm", stroke_width=self._dots(3))
        self._say(206, 34, "SANDBOX CARRIER", 36, 570, bold=True)
        self._say(206, 84, self._text.service.upper(), 64, 570, bold=True)
        self._rule(184)

    def _addresses(self) -> None:
        shipment = self._text.shipment
        self._say(34, 198, "FROM", 20, bold=True)
        for at, line in enumerate(_lines(shipment.origin)):
            self._say(130, 196 + 28 * at, line, 24, 640)
        self._rule(374, 2)
        self._say(34, 390, "SHIP TO", 24, bold=True)
        for at, line in enumerate(_lines(shipment.destination)):
            self._say(66, 428 + 44 * at, line, 40, 700, bold=at == 0)
        self._rule(706)

    def _details(self) -> None:
        shipment, parcel = self._text.shipment, self._text.shipment.parcel
        columns = (
            ("WEIGHT", f"{parcel.weight.grams / 1000:.3f} kg"),
            ("SIZE", "x".join(str(mm // 10) for mm in _sides(shipment)) + " cm" if parcel.size else "-"),
            ("DATE", self._text.bought_at.strftime("%Y-%m-%d")),
            ("SIGNATURE", {"none": "no", "any": "yes", "adult": "adult"}[shipment.signature]),
        )
        for at, (title, value) in enumerate(columns):
            self._say(34 + 194 * at, 718, title, 17, 180, bold=True)
            self._say(34 + 194 * at, 742, value, 26, 180)
        self._rule(784)

    def _barcode(self) -> None:
        modules = Code128(self._text.tracking_code).build()[0]
        # At least two dots a module; the quiet zone of ten modules stays within the frame.
        module = max((self._size[0] - self._dots(80)) // (len(modules) + 20), 2)
        left = (self._size[0] - module * len(modules)) // 2
        top, bottom = self._dots(842), self._dots(1042)
        for at, bit in enumerate(modules):
            if bit == "1":
                self._pen.rectangle((left + at * module, top, left + (at + 1) * module - 1, bottom), fill=0)
        self._say(34, 796, "TRACKING NUMBER", 20, bold=True)
        code = self._text.tracking_code
        grouped = " ".join([code[:3], *(code[at : at + 4] for at in range(3, len(code), 4))])
        where = (self._size[0] // 2, self._dots(1072))
        self._pen.text(where, grouped, fill=0, font=_font(self._dots(36)), anchor="mm", stroke_width=1)
        self._rule(1104)

    def _foot(self) -> None:
        self._say(34, 1116, "REFERENCE", 17, bold=True)
        self._say(34, 1138, self._text.shipment.reference, 26, 745)
        kind = "RETURN - " if self._text.shipment.is_return else ""
        self._say(34, 1172, f"{kind}VOID SAMPLE - NOT VALID FOR CARRIAGE", 20, 745, bold=True)


@functools.cache
def _watermark(size: tuple[int, int]) -> Image.Image:
    """VOID SAMPLE across the upper two thirds, in sparse dots; the barcode stays clear. Nobody draws on it."""
    scale = size[0] / _WIDTH_IN / _DRAWN_AT
    word = Image.new("L", size, 255)
    middle = (size[0] // 2, round(484 * scale))
    font = _font(round(136 * scale))
    ImageDraw.Draw(word).text(middle, "VOID SAMPLE", fill=0, font=font, anchor="mm", stroke_width=round(3 * scale))
    word = word.rotate(36, resample=Image.Resampling.BILINEAR, center=middle, fillcolor=255)
    return ImageChops.lighter(word.point(lambda grey: 255 if grey > 128 else 0), _dot_screen(size))


def _dot_screen(size: tuple[int, int]) -> Image.Image:
    """White, with one black dot in each square of three by three: a light grey on paper."""
    tile = Image.new("L", (3, 3), 255)
    tile.putpixel((1, 1), 0)
    screen = Image.new("L", size, 255)
    for x in range(0, size[0], 3):
        screen.paste(tile, (x, 0))
    strip = screen.crop((0, 0, size[0], 3))
    for y in range(3, size[1], 3):
        screen.paste(strip, (0, y))
    return screen


def _lines(address: Address) -> list[str]:
    town = " ".join(part for part in (address.postal_code, address.city, address.province) if part.strip())
    lines = [address.name, address.company, address.street1, address.street2, town, address.country]
    return [line for line in lines if line.strip()]


def _sides(shipment: Shipment) -> tuple[int, ...]:
    size = shipment.parcel.size
    return (size.length, size.width, size.height) if size else ()


def draw_lines(lines: Sequence[str]) -> bytes:
    """A page of plain lines as a PDF, the same bytes for the same lines."""
    size, step = (_WIDTH_IN * _DRAWN_AT, _HEIGHT_IN * _DRAWN_AT), 34
    pages = []
    for at in range(0, len(lines), 33):
        image = Image.new("1", size, 1)
        pen = ImageDraw.Draw(image)
        for number, line in enumerate(lines[at : at + 33]):
            pen.text((40, 40 + number * step), printable(line), fill=0, font=_font(26))
        pages.append(image)
    out, made = io.BytesIO(), time.gmtime(0)
    pages[0].save(
        out, "PDF", resolution=float(_DRAWN_AT), save_all=True, append_images=pages[1:], creationDate=made, modDate=made
    )
    return out.getvalue()
