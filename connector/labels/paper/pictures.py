"""A PNG as a PDF takes it: its packed rows as they are where that is possible, else unpacked and packed again."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

_GREY, _RGB, _PALETTE = 0, 2, 3
_INCH_MM = 25.4


@dataclass(frozen=True, slots=True)
class Picture:
    """Dots, packed by zlib. `predicted`: each row has PNG's filter byte. `size_pt` is None without a resolution."""

    width: int
    height: int
    bits: int
    colours: int
    data: bytes
    predicted: bool
    palette: bytes = b""
    size_pt: tuple[float, float] | None = None


def read_picture(content: bytes) -> Picture:
    """The picture of a PNG that is known to be whole. Raises ValueError for other bytes."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("This is no PNG.")
    chunks = _chunks(content)
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks["IHDR"][0])
    size = _size(chunks, width, height)
    direct = kind in {_GREY, _RGB, _PALETTE} and not interlaced and bits <= 8 and "tRNS" not in chunks
    if direct:
        palette = chunks["PLTE"][0] if kind == _PALETTE else b""
        colours = 3 if kind == _RGB else 1
        return Picture(width, height, bits, colours, b"".join(chunks["IDAT"]), True, palette, size)
    return _flattened(content, size)


def _flattened(content: bytes, size: tuple[float, float] | None) -> Picture:
    """On white, without transparency, in grey where there are no colours."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        picture = opened.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(white, picture).convert("RGB")
    channels = flat.split()
    grey = channels[0].tobytes() == channels[1].tobytes() == channels[2].tobytes()
    dots = channels[0] if grey else flat
    return Picture(flat.width, flat.height, 8, 1 if grey else 3, zlib.compress(dots.tobytes()), False, size_pt=size)


def _size(chunks: dict[str, list[bytes]], width: int, height: int) -> tuple[float, float] | None:
    """In points, where the picture says how many dots an inch has, and it is a printer's number."""
    if "pHYs" not in chunks:
        return None
    across, up, unit = struct.unpack(">IIB", chunks["pHYs"][0])
    if unit != 1 or not across or not up:
        return None
    dots = across * _INCH_MM / 1000, up * _INCH_MM / 1000
    if not all(150 <= each <= 1300 for each in dots):
        return None
    return width / dots[0] * 72, height / dots[1] * 72


def _chunks(content: bytes) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    at = 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        name = content[at + 4 : at + 8].decode("latin-1")
        found.setdefault(name, []).append(content[at + 8 : at + 8 + length])
        at += 12 + length
    if "IHDR" not in found or "IDAT" not in found:
        raise ValueError("The PNG is not whole.")
    return found
