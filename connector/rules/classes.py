"""Service classes: economy, standard, express, overnight …, by the merchant's patterns, by name, or by transit days."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import ClassVar

from pydantic import Field

from connector.rules.facts import ServiceClass
from connector.rules.term import Term, Text

ClassName = ServiceClass

_BY_NAME: tuple[tuple[ClassName, re.Pattern[str]], ...] = (
    ("freight", re.compile(r"freight|\bltl\b|pallet")),
    ("pickup", re.compile(r"pick-?up|click ?(and|&|n) ?collect")),
    ("overnight", re.compile(r"overnight|next ?day|\b1 ?day|one ?day|before ?(9|10|12)|\b1030\b")),
    ("economy", re.compile(r"econom|saver ?ground|ground ?saver|smart ?post|sure ?post|media ?mail|library|\bbpm\b")),
    ("express", re.compile(r"express|expedited|(2|3)(nd|rd)? ?day|two ?day|three ?day")),
)
"""Words that carriers put in the names of their services, the surest first."""

_OVERNIGHT, _EXPRESS, _STANDARD = 1, 2, 7
"""Working days under way up to which a service without a telling name is of that class."""


class ServiceClassPattern(Term):
    """Which class services of a carrier are of."""

    help: ClassVar[str] = "Services of this carrier with such a name are of this class."
    carrier: Text = Field(default="*", description="The carrier's name; * for any letters.")
    service: Text = Field(default="*", description="The carrier's name of the service; * for any letters.")
    service_class: ClassName = Field(description="The class.")


ClassOf = Callable[[str, str, int | None], str]


def class_of(patterns: Sequence[ServiceClassPattern]) -> ClassOf:
    """From carrier, service and transit days to the class: the first of the merchant's patterns, else the usual one."""
    forms = [(each.carrier.casefold(), each.service.casefold(), each.service_class) for each in patterns]

    @lru_cache(maxsize=4096)
    def find(carrier: str, service: str, days: int | None) -> str:
        its_carrier, its_service = carrier.casefold(), service.casefold()
        for of_carrier, of_service, found in forms:
            if fnmatchcase(its_carrier, of_carrier) and fnmatchcase(its_service, of_service):
                return found
        return usual_class(service, days)

    return find


def usual_class(service: str, days: int | None) -> ClassName:
    """By what the name says, else by working days under way; standard where nothing is known."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", service).replace("_", " ").casefold()
    for found, form in _BY_NAME:
        if form.search(words):
            return found
    if days is None:
        return "standard"
    if days <= _OVERNIGHT:
        return "overnight"
    return "express" if days <= _EXPRESS else "standard" if days <= _STANDARD else "economy"
