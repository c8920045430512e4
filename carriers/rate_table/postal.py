"""Postal codes in one form for comparison, and the patterns that a zone names them by.

A code becomes text without spaces, hyphens and dots, in capitals, with `$` at its end if it is complete: `81101$`,
`M5V3L9$`, `100011234$`. British codes keep one space between district and rest (`SW1A 2AA$`), so that E1 is not the
beginning of E14. What digital wallets cut off (the first three characters in Canada, the district or three characters
in Britain) has no `$`. A pattern is then a beginning of such a text, or a range of beginnings of one length.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_NOISE = re.compile(r"[\s.\-\u2010-\u2015]+")
_BRITISH = frozenset({"GB", "GG", "IM", "JE"})
_BRITISH_WHOLE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})")
_DISTRICT = re.compile(r"([A-Z]{1,2})(\d{1,2})([A-Z]?)")
_WHOLE = {
    "CA": re.compile(r"[A-Z]\d[A-Z]\d[A-Z]\d"),
    "IE": re.compile(r"[A-Z]\d[\dW][A-Z\d]{4}"),
    "NL": re.compile(r"\d{4}[A-Z]{2}"),
    "US": re.compile(r"\d{5}(\d{4})?"),
}
# Beginnings that people write for all codes below them, without a star.
_AREA = {
    "CA": re.compile(r"[A-Z]\d[A-Z]"),
    "IE": re.compile(r"[A-Z]\d[\dW]"),
    "NL": re.compile(r"\d{4}"),
    "US": re.compile(r"\d{5}"),
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """Every code whose text begins so; with `$` at the end it is one code."""

    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """Every code whose first `length` characters, read as a number, are from `low` to `high`, both inclusive.

    `alphabet` is `9` for digits, `A` for digits and letters, or the letters of a British area, whose districts are
    meant then and whose `length` is 0.
    """

    alphabet: str
    length: int
    low: int
    high: int


Pattern = Beginning | Range


def normal(country: str, postal_code: str) -> str:
    """A destination's code as it is looked up; empty where nothing is known. `country` in capitals."""
    if not postal_code:
        return ""
    if not postal_code.isascii():
        plain = unicodedata.normalize("NFKC", postal_code)
        postal_code = "".join(str(unicodedata.digit(each, each)) for each in plain)
    code = _NOISE.sub("", postal_code).upper()
    if country in _BRITISH:
        return _british(code, postal_code)
    if code[:2] == country and code[2:].isdigit():
        code = code[2:]  # As in LV-1010.
    whole = _WHOLE.get(country)
    return code + "$" if code and (whole is None or whole.fullmatch(code)) else code


def read_pattern(country: str, text: str) -> Pattern | str:
    """A pattern as a merchant writes it, or the sentence that says what is wrong with it."""
    low, dots, high = text.partition("..")
    if dots:
        return _range(country, low.strip(), high.strip(), text)
    bare = text.rstrip("*").rstrip()
    if "*" in bare:
        return f"`{text}`: a star stands at the end only."
    code = normal(country, bare)
    if not code.strip("$ "):
        return f"`{text}` is no postal code."
    if not _is_code(code):
        return f"`{text}` has characters that no postal code has."
    return _one(country, bare, text, code)


def _one(country: str, bare: str, text: str, code: str) -> Pattern | str:
    if text.endswith("*"):
        return Beginning(_star(country, bare, text))
    if country in _BRITISH:
        if code.endswith("$"):
            return Beginning(code)
        district = code.strip()
        if _DISTRICT.fullmatch(district):
            return Beginning(district + " ")
        return f"`{text}` is neither a whole code nor a district; write {text}* for all codes that begin so."
    area = _AREA.get(country)
    if area is not None and area.fullmatch(code.rstrip("$")):
        return Beginning(code.rstrip("$"))
    if not code.endswith("$"):
        return f"`{text}` is no whole code of {country}; write {text}* for all codes that begin so."
    return Beginning(code)


def coordinate(alphabet: str, length: int, code: str) -> int | None:
    """Where a code lies on the line of a kind of ranges; None if it does not lie there."""
    if length == 0:
        found = _DISTRICT.fullmatch(code.partition(" ")[0])
        return int(found[2]) if found and found[1] == alphabet and not found[3] and " " in code else None
    head = code[:length]
    if len(head) < length or "$" in head:
        return None
    return _number(alphabet, head)


def stretches(alphabet: str, length: int, beginning: str) -> tuple[tuple[int, int], ...]:
    """Where the codes lie that have this beginning: the first and the last place of each stretch of the line."""
    if length == 0:
        found = re.fullmatch(r"([A-Z]{1,2})(\d?)", beginning)
        if not found or found[1] != alphabet:
            return ()
        first = int(found[2] or 0)
        return ((first, first), (first * 10, first * 10 + 9)) if found[2] else ((0, 99),)
    if "$" in beginning or " " in beginning:
        return ()
    last = "9" if alphabet == "9" else "Z"
    low_place = _number(alphabet, beginning[:length].ljust(length, "0"))
    high_place = _number(alphabet, beginning[:length].ljust(length, last))
    return () if low_place is None or high_place is None else ((low_place, high_place),)


def _number(alphabet: str, head: str) -> int | None:
    if not head.isascii() or not head.isalnum():
        return None
    if alphabet == "9":
        return int(head) if head.isdigit() else None
    return int(head, 36)


def _british(code: str, written: str) -> str:
    """`SW1A 2AA$` whole; `SW1A ` a district; `SW1`, the cut beginning of SW1A or SW19, as it is."""
    whole = _BRITISH_WHOLE.fullmatch(code)
    if whole:
        return f"{whole[1]} {whole[2]}$"
    outward, _, rest = written.strip().upper().partition(" ")
    if rest.strip() and _DISTRICT.fullmatch(outward):
        return f"{outward} {_NOISE.sub('', rest)}"
    if _DISTRICT.fullmatch(code):
        cut = len(code) == 3 and code[:2].isalpha()
        return code if cut else code + " "
    return code


def _star(country: str, bare: str, text: str) -> str:
    """The beginning that a starred pattern means. In Britain `E1 *` is the district, and `E1*` also E10 to E19."""
    code = normal(country, bare).rstrip("$")
    if country in _BRITISH:
        spaced = text.rstrip("*").endswith(" ")
        return code.strip() + " " if spaced and " " not in code.strip() else code.strip()
    return code


def _is_code(code: str) -> bool:
    return bool(re.fullmatch(r"[0-9A-Z ]+\$?", code))


def _range(country: str, low: str, high: str, text: str) -> Range | str:
    if country in _BRITISH:
        ends = [_DISTRICT.fullmatch(_NOISE.sub("", end).upper()) for end in (low, high)]
        first, last = ends
        if first is None or last is None or first[1] != last[1] or first[3] or last[3]:
            return f"`{text}`: a range in {country} goes from district to district of one area, such as IV1..IV28."
        return _ordered(text, first[1], 0, int(first[2]), int(last[2]))
    ends_of = [normal(country, end).rstrip("$") for end in (low, high)]
    if not all(end and _is_code(end) and " " not in end for end in ends_of):
        return f"`{text}`: a range goes from one postal code to another, such as 8000..8199."
    if len(ends_of[0]) != len(ends_of[1]):
        return f"`{text}`: both ends of a range have the same number of characters."
    alphabet = "9" if all(end.isdigit() for end in ends_of) else "A"
    first_place, last_place = (_number(alphabet, end) for end in ends_of)
    if first_place is None or last_place is None:
        return f"`{text}` is no range of postal codes."
    return _ordered(text, alphabet, len(ends_of[0]), first_place, last_place)


def _ordered(text: str, alphabet: str, length: int, low: int, high: int) -> Range | str:
    return Range(alphabet, length, low, high) if low <= high else f"`{text}`: the range ends before it begins."
