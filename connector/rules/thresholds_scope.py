"""Which thresholds hold for a call: for whom they are, which replaces which, and what excludes a call. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connector.rules.facts import CallFacts, LineFacts
from connector.rules.thresholds import Ready
from connector.words.reason import Reason


class NotFree(NamedTuple):
    """A threshold that did not make anything free, and why."""

    rule: str
    why: Reason


def holding(thresholds: Sequence[Ready], call: CallFacts, *, by_store_too: bool) -> tuple[list[Ready], list[NotFree]]:
    """Those that hold for this call, and the others with the reason. Amounts are not looked at here."""
    found: list[Ready] = []
    passed: list[NotFree] = []
    for each in thresholds:
        why = _why_not_for(each, call)
        if why is not None:
            passed.append(NotFree(each.rule.name, why))
        else:
            found.append(each)
    found = _replaced(found, call, passed)
    kept: list[Ready] = []
    for each in found:
        why = excluded(each, call)
        if why is None and each.rule.by_store and not by_store_too:
            why = Reason("threshold_by_store")
        if why is not None:
            passed.append(NotFree(each.rule.name, why))
        else:
            kept.append(each)
    return kept, passed


def _replaced(found: list[Ready], call: CallFacts, passed: list[NotFree]) -> list[Ready]:
    """Without those that a special one, or one in the cart's own currency, replaces."""
    special = next((each for each in found if each.is_special), None)
    own = {each.scope: each for each in found if each.rule.currency == call.currency}
    kept = []
    for each in found:
        by = None
        if special is not None and not each.is_special:
            by = special
        elif each.rule.currency != call.currency:
            by = own.get(each.scope)
        if by is None:
            kept.append(each)
        else:
            passed.append(NotFree(each.rule.name, Reason("threshold_replaced", {"by": by.rule.name})))
    return kept


def _why_not_for(each: Ready, call: CallFacts) -> Reason | None:
    if each.where:
        held = {place.holds(call.destination) for place in each.where}
        if "yes" not in held:
            if "unknown" in held:
                return Reason("threshold_place_unknown")
            return Reason("threshold_other_place", {"country": call.country or "?"})
    if each.groups and not (call.customer_tags and each.groups & call.customer_tags):
        return Reason("threshold_group_unknown") if call.customer_tags is None else Reason("threshold_other_group")
    return None


def excluded(each: Ready, call: CallFacts) -> Reason | None:
    """What makes the whole call not free, named; None where nothing does."""
    for place in each.remote:
        held = place.holds(call.destination)
        if held == "yes":
            return Reason("threshold_excluded_place")
        if held == "unknown":
            return Reason("threshold_excluded_place_unknown")
    rule = each.rule.excludes
    if each.tags or each.collections or each.skus or rule.hazmat or rule.unit_over_g is not None:
        for line in call.lines:
            why = _excluded_line(each, line)
            if why is not None:
                return why
    longest = rule.parcel_over_mm
    if longest is not None and any(parcel.size and max(parcel.size) > longest for parcel in call.parcels):
        return Reason("threshold_excluded_parcel", {"limit_mm": longest})
    return None


def _excluded_line(each: Ready, line: LineFacts) -> Reason | None:
    rule, item = each.rule.excludes, (line.name or line.sku or "?")[:80]
    if rule.hazmat and line.hazmat:
        return Reason("threshold_excluded_hazmat", {"item": item})
    if rule.unit_over_g is not None and line.grams is not None and line.grams > rule.unit_over_g:
        return Reason("threshold_excluded_weight", {"item": item, "limit_g": rule.unit_over_g})
    words = (each.tags & line.tags) | (each.collections & line.collections)
    if words or (line.sku and line.sku.casefold() in each.skus):
        return Reason("threshold_excluded_item", {"item": item, "by": min(words, default=line.sku)})
    return None
