"""Names of columns, settings and fields that a reason holds, shown in words: a typed name stands beside them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

HOLDS_NAMES = {"customs_missing": "gaps", "address_corrected": "fields", "address_line_too_long": "field"}
"""Codes whose texts show such names, and the parameter that holds them: `Mug: hs_code, sku; customs_signer`."""

_MORE = re.compile(r" \(\+\d+\)\Z")
_IN_CURRENCY = re.compile(r"(?P<name>\w+)_in_(?P<currency>[A-Z]{3})")


def in_words(gaps: str, text_of: Callable[[str], str | None]) -> str:
    """The same list with each name's text; `text_of` knows it by `field_NAME`. What has none stays as it is."""
    return "; ".join(_of_one(said, text_of) for said in gaps.split("; "))


def _of_one(said: str, text_of: Callable[[str], str | None]) -> str:
    """A product with what it lacks, or what the shop lacks; the part of a product's name where it holds a semicolon."""
    rest = _MORE.search(said)
    product, colon, names = said[: rest.start() if rest else None].rpartition(": ")
    words = [_word(name, text_of) for name in names.split(", ")]
    told = [word for word in words if word is not None]
    return f"{product}{colon}{', '.join(told)}{rest[0] if rest else ''}" if len(told) == len(words) else said


def _word(name: str, text_of: Callable[[str], str | None]) -> str | None:
    parts = _IN_CURRENCY.fullmatch(name)
    text = text_of(f"field_{parts['name'] if parts else name}")
    return text if text is None or parts is None else text.replace("{currency}", parts["currency"])
