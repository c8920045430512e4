"""Calls and services for tests of rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from carriers.money import Money
from connector.rules.compiled import compile_rules
from connector.rules.engine import Evaluated, evaluate
from connector.rules.facts import CallFacts, CartSums, Destination, LineFacts, ParcelFacts, Priced
from connector.rules.ruleset import RuleSet

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=ZoneInfo("Europe/Bratislava"))  # A Tuesday.

LINES = (
    LineFacts(2, 1500, 400, "MUG-1", "Mug", "11", "1", "Clay", frozenset({"fragile"}), frozenset({"kitchen"})),
    LineFacts(1, 4000, 1200, "KNIFE", "Knife", "12", "2", "Steel", frozenset({"sharp"}), frozenset({"kitchen"})),
    LineFacts(1, 1000, None, "EBOOK", "Book", "13", "3", "Press", requires_shipping=False),
)


def a_call(**changes: Any) -> CallFacts:
    """A cart of 80.00 EUR to Vienna, one parcel."""
    known: dict[str, Any] = {
        "currency": "EUR",
        "lines": LINES,
        "sums": CartSums(8000, 1000),
        "destination": Destination("AT", "9", "Wien", "1010"),
        "location": "loc_1",
        "now": NOON,
        "parcels": (ParcelFacts(2300, (400, 300, 200)),),
        **changes,
    }
    return CallFacts(**known)


def service(code: str, minor: int, **changes: Any) -> Priced:
    """A service with a price in EUR unless said otherwise."""
    currency = changes.pop("currency", "EUR")
    return Priced(code, Money(minor, currency))._replace(**{"carrier": "Post", "service": code.title(), **changes})


SERVICES = (
    service("ground", 700, transit_days=4, service_class="standard"),
    service("air", 1900, transit_days=1, service_class="overnight", carrier="Wing"),
    service("slow", 900, transit_days=9, service_class="economy"),
)


def rules_of(*rules: dict[str, Any], **more: Any) -> RuleSet:
    """A rule set from plain parts; rules without a name are numbered."""
    named = [{"name": f"rule {number}", **rule} for number, rule in enumerate(rules)]
    return RuleSet.model_validate({"rules": named, **more})


def run(rules: RuleSet, call: CallFacts | None = None, services: tuple[Priced, ...] = SERVICES) -> Evaluated:
    """What the rules make of a call."""
    return evaluate(compile_rules(rules), call or a_call(), services, explain=True)


def prices(found: Evaluated) -> dict[str, int]:
    """The prices by code, in the order shown."""
    return {each.code: each.price.minor for each in found.services}
