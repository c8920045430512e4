"""Words that buyers read and that the law, or a later complaint, takes at their word.

Sources: Directive 2005/29/EC, annex I, no. 20 ("free" where something is to be paid); Directive 2011/83/EU, article 19
(a fee for a means of payment is no more than it costs the trader); Regulation (EU) 2018/302, article 4 (a trader need
not deliver everywhere in the Union, but sells to buyers from everywhere in it). Facts for a merchant, no legal advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.rules.actions import AddRate, Free, RefuseGoods, Rename
from connector.rules.ruleset import Rule, RuleSet
from connector.words.reason import Reason

EU = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905
)  # fmt: skip
_GUARANTEED = re.compile(
    r"guarante|garanti|garantál|zaručen|garantovan|gwarant|εγγυημ|երաշխավոր|مضمون", re.IGNORECASE
)  # fmt: skip
_FREE = re.compile(
    r"\bfree\b(?! ?(from|returns?))|\bgratis\b|kostenlos|zadarmo|zdarma|darmow|δωρεάν|անվճար|مجان", re.IGNORECASE
)  # fmt: skip
_ON_DELIVERY = re.compile(
    r"cash on delivery|\bC\.?O\.?D\.?\b|nachnahme|dobierk|dobírk|pobrani|αντικαταβολ|عند الاستلام", re.IGNORECASE
)  # fmt: skip

Found = tuple[str, Reason]


def texts(rules: RuleSet, wording: Mapping[str, str]) -> Iterator[Found]:
    """What to look at, each with its path."""
    for path, text in wording.items():
        if _GUARANTEED.search(text):
            yield path, Reason("lint_guaranteed", {"text": text})
    for number, rule in enumerate(rules.rules):
        if rule.enabled:
            yield from _of_rule(f"rules.{number}", rule)


def _of_rule(path: str, rule: Rule) -> Iterator[Found]:
    for at, action in enumerate(rule.then):
        here = f"{path}.then.{at}"
        match action:
            case Rename() | AddRate():
                for field in ("name", "description"):
                    text = str(getattr(action, field))
                    if _GUARANTEED.search(text):
                        yield f"{here}.{field}", Reason("lint_guaranteed", {"text": text})
                    if _FREE.search(text) and _may_cost(rule, action):
                        yield f"{here}.{field}", Reason("lint_called_free", {"text": text})
                    if _ON_DELIVERY.search(text):
                        yield f"{here}.{field}", Reason("lint_cash_on_delivery", {"text": text})
            case RefuseGoods():
                places = sorted({area.country for row in action.table for area in row.areas} & EU)
                if places:
                    yield here, Reason("lint_geo_blocking", {"places": ", ".join(places)})
            case _:
                continue
    if _ON_DELIVERY.search(rule.name):
        yield f"{path}.name", Reason("lint_cash_on_delivery", {"text": rule.name})


def _may_cost(rule: Rule, action: Rename | AddRate) -> bool:
    if isinstance(action, AddRate):
        return bool(action.table) or bool(action.amount)
    return not any(isinstance(each, Free) for each in rule.then)
