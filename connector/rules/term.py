"""What every part of a stored rule is: a small frozen model that keeps only what was said, and amounts that fit."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from carriers.money import Money


class Term(BaseModel):
    """A part of a rule. `help` is one line for a merchant; its fields' descriptions make forms and docs.

    Stored without what is as it is by default, so that an earlier release reads what it knows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    help: ClassVar[str] = ""

    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        body: dict[str, Any] = handler(self)
        fields = type(self).model_fields
        return {
            name: value
            for name, value in body.items()
            if name == "kind" or fields[name].is_required() or getattr(self, name) != fields[name].get_default()
        }


def _one_spelling(text: str) -> str:
    return " ".join(text.split())


Text = Annotated[str, AfterValidator(_one_spelling), Field(min_length=1, max_length=120)]
"""A word or a short text."""

Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


@lru_cache(maxsize=4096)
def minor_of(amount: Decimal, currency: str) -> int:
    """An amount of major units in minor ones. Raises MoneyError where the currency has no such amount."""
    return Money.parse(amount, currency).minor


def said(value: object) -> str:
    """A value of a field in few words, for a reason."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple | frozenset):
        return ", ".join(said(each) for each in value)
    return said_of(value) if isinstance(value, Term) else str(value)


def said_of(term: Term) -> str:
    """What a term was given, in few words: only what differs from its default."""
    fields = type(term).model_fields
    given = [
        f"{name.replace('_', ' ')} {said(getattr(term, name))}"
        for name in fields
        if name != "kind" and (fields[name].is_required() or getattr(term, name) != fields[name].get_default())
    ]
    return "; ".join(given)
