"""What a label file is: told by its own bytes and read to its end, never by what somebody called it.

A page of an error, half a PDF or an empty picture is no label; it is refused before it is kept, so that whether a label
can be printed is the same question as whether its file is kept.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["pdf", "png", "zpl", "epl2"]

MEDIA_TYPES: dict[Kind, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "zpl": "application/zpl",
    "epl2": "application/epl2",
}
MOST_BYTES = 16 * 1024 * 1024
_MOST_PIXELS = 60_000_000
_HTML = re.compile(rb"^\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|error)", re.IGNORECASE)
_ZPL_LABEL = re.compile(rb"\^XA(.*?)\^XZ", re.DOTALL | re.IGNORECASE)

_DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    RecursionError,
    zlib.error,
    struct.error,
)
"""What a reader of PDFs stumbles with over a file that is broken in a way that nobody thought of."""

Fault = Literal["empty", "too_long", "html", "unknown", "truncated", "damaged", "no_pages"]


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is what it says: its kind, and how many pages (or labels) it prints."""

    kind: Kind
    pages: int

    @property
    def media_type(self) -> str:
        """As a browser is told."""
        return MEDIA_TYPES[self.kind]


def read_document(content: bytes) -> Document | Fault:
    """What the bytes are, or why they are no label. Reads all of it; never raises."""
    if not content.strip():
        return "empty"
    if len(content) > MOST_BYTES:
        return "too_long"
    if _HTML.match(content[:400]):
        return "html"
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(content)
    if re.search(rb"\^XA", content[:4096], re.IGNORECASE):
        return _zpl(content)
    if content.lstrip(b"\r\n").startswith((b"N\n", b"N\r\n")):
        return Document("epl2", 1) if re.search(rb"(?m)^P\d", content) else "truncated"
    return "unknown"


def _pdf(content: bytes) -> Document | Fault:
    """Its end mark has to be there, and every page has to have content that can be unpacked."""
    if b"%%EOF" not in content[-2048:]:
        return "truncated"
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # It tells of a bad file what we tell ourselves.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = PdfReader(io.BytesIO(content), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                return "damaged"
            pages = len(reader.pages)
            for page in reader.pages:
                float(page.mediabox.width)
                contents = page.get_contents()
                if contents is not None:
                    contents.get_data()
    except (PyPdfError, *_DAMAGE):
        return "damaged"
    return Document("pdf", pages) if pages else "no_pages"


def _png(content: bytes) -> Document | Fault:
    """Every byte of the picture has to unpack."""
    from PIL import Image, UnidentifiedImageError

    if b"IEND" not in content[-64:]:
        return "truncated"
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return "too_long"
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return "damaged"
    return Document("png", 1)


def _zpl(content: bytes) -> Document | Fault:
    """Each label begins with ^XA and ends with ^XZ, and something is printed in between."""
    begins = len(re.findall(rb"\^XA", content, re.IGNORECASE))
    labels = _ZPL_LABEL.findall(content)
    if begins != len(labels):
        return "truncated"
    printing = [inside for inside in labels if inside.strip()]
    return Document("zpl", len(printing)) if printing else "no_pages"
