"""Which cards are laid into a parcel: a shop's rules against what is known of the order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carriers.money import Money
from connector.paper_settings import InsertRule


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What a rule may ask. `goods` is the order's subtotal, or None where the store did not say."""

    first_order: bool = False
    tags: frozenset[str] = frozenset()
    country: str = ""
    goods: Money | None = None


def cards_for(rules: Sequence[InsertRule], facts: OrderFacts) -> tuple[str, ...]:
    """The cards, in the order of the rules, each once. What is not known meets no condition."""
    return tuple(dict.fromkeys(rule.card for rule in rules if _holds(rule, facts)))


def _holds(rule: InsertRule, facts: OrderFacts) -> bool:
    if rule.first_order and not facts.first_order:
        return False
    if rule.tag and rule.tag.casefold() not in {tag.casefold() for tag in facts.tags}:
        return False
    if rule.countries and facts.country.upper() not in rule.countries:
        return False
    if rule.over is None:
        return True
    if facts.goods is None or facts.goods.currency != rule.currency:
        return False
    return facts.goods >= Money.parse(rule.over, rule.currency)
