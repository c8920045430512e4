"""Which items a rule means: a filter over a call's lines, answered from an index that is made once for a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate
from typing import ClassVar, Self

from pydantic import Field, model_validator

from connector.rules.facts import LineFacts
from connector.rules.term import Term, Text


class ItemFilter(Term):
    """Items for which everything said here holds; of a list, one entry suffices."""

    help: ClassVar[str] = "Which items are meant: everything said must hold, of a list one entry suffices."
    skus: tuple[Text, ...] = Field(default=(), description="SKUs; * stands for any letters, as in SHIRT-*.")
    variants: tuple[Text, ...] = Field(default=(), description="The store's ids of variants.")
    products: tuple[Text, ...] = Field(default=(), description="The store's ids of products.")
    vendors: tuple[Text, ...] = Field(default=(), description="Vendors, as the store names them.")
    tags: tuple[Text, ...] = Field(default=(), description="Tags of the product.")
    collections: tuple[Text, ...] = Field(default=(), description="Collections that the product is in.")
    hazmat: bool | None = Field(default=None, description="Dangerous goods, or only what is none.")
    ships: bool | None = Field(default=None, description="What needs shipping, or only what does not (digital goods).")
    gift_card: bool | None = Field(default=None, description="Gift cards, or only what is known to be none.")
    inverted: bool = Field(default=False, description="Mean all items but these.")

    @model_validator(mode="after")
    def _something_is_said(self) -> Self:
        if self.said_nothing:
            raise ValueError("say which items are meant")
        return self

    @property
    def said_nothing(self) -> bool:
        """Whether it would mean every item."""
        return all(
            getattr(self, name) == field.get_default() for name, field in type(self).model_fields.items()
        )  # fmt: skip

    def compiled(self) -> Meant:
        """The filter as it is evaluated."""
        return Meant(self)


class LineIndex:
    """A call's lines by what filters ask for; a set of lines is the bits of a number."""

    __slots__ = ("_by", "_skus", "everything", "gift", "gift_unknown", "hazmat", "lines", "ships")

    def __init__(self, lines: Sequence[LineFacts]) -> None:
        self.lines = lines
        self.everything = (1 << len(lines)) - 1
        self.hazmat = self.ships = self.gift = self.gift_unknown = 0
        by: dict[tuple[str, str], int] = {}
        bit = 1
        for line in lines:
            for kind, word in (
                ("s", line.sku.casefold()),
                ("n", line.vendor.casefold()),
                ("v", line.variant),
                ("p", line.product),
            ):
                if word:
                    by[kind, word] = by.get((kind, word), 0) | bit
            for tag in line.tags:
                by["t", tag] = by.get(("t", tag), 0) | bit
            for collection in line.collections:
                by["c", collection] = by.get(("c", collection), 0) | bit
            if line.hazmat:
                self.hazmat |= bit
            if line.requires_shipping:
                self.ships |= bit
            if line.gift_card:
                self.gift |= bit
            elif line.gift_card is None:
                self.gift_unknown |= bit
            bit <<= 1
        self._by = by
        self._skus = {line.sku.casefold() for line in lines if line.sku}

    def any_of(self, keys: Iterable[tuple[str, str]]) -> int:
        """The lines that have one of the keys."""
        by, found = self._by, 0
        for key in keys:
            found |= by.get(key, 0)
        return found

    def skus_like(self, matches: Callable[[str], object]) -> int:
        """The lines whose SKU has that form."""
        return self.any_of([("s", sku) for sku in self._skus if matches(sku)])

    def of(self, mask: int) -> list[LineFacts]:
        """The lines of a set."""
        if mask == self.everything:
            return list(self.lines)
        found = []
        while mask:
            low = mask & -mask
            found.append(self.lines[low.bit_length() - 1])
            mask ^= low
        return found


class Meant:
    """A filter made ready: from an index to the set of lines that are meant."""

    __slots__ = ("_exact", "_filter", "_like", "_words")

    def __init__(self, wanted: ItemFilter) -> None:
        self._filter = wanted
        self._exact = [("s", sku.casefold()) for sku in wanted.skus if "*" not in sku]
        self._like = _like([sku.casefold() for sku in wanted.skus if "*" in sku])
        self._words = [
            group
            for group in (
                [("v", each.rsplit("/", 1)[-1]) for each in wanted.variants],
                [("p", each.rsplit("/", 1)[-1]) for each in wanted.products],
                [("n", each.casefold()) for each in wanted.vendors],
                [("t", each.casefold()) for each in wanted.tags],
                [("c", each.casefold()) for each in wanted.collections],
            )
            if group
        ]

    def lines(self, index: LineIndex) -> int:
        """The set of lines that are meant."""
        wanted, found = self._filter, index.everything
        if self._exact or self._like:
            found = index.any_of(self._exact)
            if self._like:
                found |= index.skus_like(self._like)
        for group in self._words:
            if not found:
                break
            found &= index.any_of(group)
        if wanted.hazmat is not None:
            found &= index.hazmat if wanted.hazmat else ~index.hazmat
        if wanted.ships is not None:
            found &= index.ships if wanted.ships else ~index.ships
        if wanted.gift_card is not None:
            found &= index.gift if wanted.gift_card else ~(index.gift | index.gift_unknown)
        return index.everything & ~found if wanted.inverted else found


def _like(forms: Sequence[str]) -> Callable[[str], object] | None:
    """A test of casefolded SKUs; None without forms. Most forms are a beginning, and those are cheap."""
    if not forms:
        return None
    begins = tuple(form[:-1] for form in forms if form.count("*") == 1 and form.endswith("*"))
    if len(begins) == len(forms):
        return lambda sku: sku.startswith(begins)
    return re.compile("|".join(translate(form.replace("[", "[[]").replace("?", "[?]")) for form in forms)).match
