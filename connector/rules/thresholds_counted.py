"""Which amount of a cart a threshold looks at, and what was not known about it. Pure; docs/thresholds.md is its law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from carriers.money import Money
from connector.rules.facts import CallFacts, LineFacts
from connector.rules.thresholds import Threshold
from connector.words.reason import Reason


@dataclass(frozen=True, slots=True)
class Counted:
    """The amount that is compared, and what a reader has to know about it."""

    amount: Money
    marks: tuple[Reason, ...] = ()


@dataclass(slots=True)
class _Parts:
    """The cart in parts, in minor units after the discount: each line, the unlisted rest, and the whole."""

    lines: list[int]
    unlisted: int
    whole: int
    marks: list[Reason]


def counted(call: CallFacts, rule: Threshold) -> Counted:
    """The amount of this call that counts for a threshold, in the call's currency."""
    parts = _parts(call, before_discounts=rule.basis == "before_discounts")
    if _is_usual(call, rule, parts):  # A checkout waits.
        if parts.unlisted:
            parts.marks.append(Reason("counted_unlisted", {"amount": Money(parts.unlisted, call.currency)}))
        return Counted(Money(max(0, parts.whole), call.currency), tuple(parts.marks))
    keep = [_counts(line, rule) for line in call.lines]
    net = max(0, parts.whole - _left_out(call, rule, parts, keep))
    if rule.tax != "as_shown":
        untaxed = sum(
            value for line, value, kept in zip(call.lines, parts.lines, keep, strict=True) if kept and not line.taxable
        )
        net = _in_reading(net, min(net, untaxed), call, rule, parts)
    return Counted(Money(net, call.currency), tuple(parts.marks))


def _is_usual(call: CallFacts, rule: Threshold, parts: _Parts) -> bool:
    """Whether everything counts, as it is shown."""
    everything = rule.counts_digital and (rule.counts_unlisted or not parts.unlisted)
    return everything and rule.tax == "as_shown" and not any(line.gift_card for line in call.lines)


def _left_out(call: CallFacts, rule: Threshold, parts: _Parts, keep: Sequence[bool]) -> int:
    """The value of what does not count, and its marks."""
    gift_cards = digital = 0
    for line, value, kept in zip(call.lines, parts.lines, keep, strict=True):
        if not kept and line.gift_card:
            gift_cards += value
        elif not kept:
            digital += value
    if gift_cards:
        parts.marks.append(Reason("counted_without_gift_cards", {"amount": Money(gift_cards, call.currency)}))
    if digital:
        parts.marks.append(Reason("counted_without_digital", {"amount": Money(digital, call.currency)}))
    if parts.unlisted:
        amount = Money(parts.unlisted, call.currency)
        if rule.counts_unlisted:
            parts.marks.append(Reason("counted_unlisted", {"amount": amount}))
        else:
            parts.marks.append(Reason("counted_without_unlisted", {"amount": amount}))
    return gift_cards + digital + (0 if rule.counts_unlisted else parts.unlisted)


def _in_reading(net: int, untaxed: int, call: CallFacts, rule: Threshold, parts: _Parts) -> int:
    """The amount with or without tax, as the rule reads prices; the lower reading where it is not known."""
    tax = "unknown" if call.sums is None else call.sums.tax
    if tax == "unknown":
        parts.marks.append(Reason("counted_tax_unknown"))
    if rule.tax == "without":
        return net if tax == "excluded" else untaxed + _without(net - untaxed, rule.tax_percent or Decimal(0))
    return net + _tax_on(net - untaxed, call, parts) if tax == "excluded" else net


def _parts(call: CallFacts, *, before_discounts: bool) -> _Parts:
    marks: list[Reason] = []
    values = [line.value for line in call.lines]
    listed = sum(values)
    sums = call.sums
    if sums is None:
        shares = [line.discount for line in call.lines]
        marks.append(Reason("counted_lines_only"))
        if before_discounts:
            return _Parts(values, 0, listed, marks)
        if any(share is None for share in shares):
            marks.append(Reason("counted_no_discount"))
        after = [max(0, value - (share or 0)) for value, share in zip(values, shares, strict=True)]
        return _Parts(after, 0, sum(after), marks)
    unlisted = max(0, sums.subtotal - listed)
    if before_discounts:
        return _Parts(values, unlisted, sums.subtotal, marks)
    if sums.discount is None:
        marks.append(Reason("counted_no_discount"))
    discount = sums.discount or 0
    if sums.shipping_discount is not None:
        discount = max(0, discount - sums.shipping_discount)
    elif discount:
        marks.append(Reason("counted_whole_discount"))
    discount = min(discount, sums.subtotal)
    whole = sums.subtotal - discount
    if not discount:
        return _Parts(values, unlisted, whole, marks)
    off = _spread(discount, call.lines, values, unlisted)
    after = [max(0, value - share) for value, share in zip(values, off, strict=False)]
    return _Parts(after, max(0, unlisted - off[-1]), whole, marks)


def _spread(discount: int, lines: Sequence[LineFacts], values: Sequence[int], unlisted: int) -> list[int]:
    """Each line's share of the discount, and last the unlisted rest's: as the platform says, else by value."""
    told = [line.discount for line in lines if line.discount is not None]
    if lines and len(told) == len(lines):
        return [*told, max(0, discount - sum(told))]
    weights = [*values, unlisted]
    if not sum(weights):
        return [0] * len(weights)
    # Only minor units are shared out here, whatever the currency: XXX is ISO 4217's word for none.
    return [share.minor for share in Money(discount, "XXX").share_out(weights)]


def _counts(line: LineFacts, rule: Threshold) -> bool:
    if line.gift_card:
        return rule.counts_gift_cards
    return rule.counts_digital or line.requires_shipping


def _without(minor: int, percent: Decimal) -> int:
    """What is left without the tax that an amount holds, rounded down."""
    part, whole = percent.as_integer_ratio()
    return minor * 100 * whole // (100 * whole + part)


def _tax_on(taxed: int, call: CallFacts, parts: _Parts) -> int:
    """The part of the cart's tax that falls on these goods, rounded down; 0, marked, where the total is not known."""
    sums = call.sums
    if sums is None or sums.total is None:
        parts.marks.append(Reason("counted_tax_unknown"))
        return 0
    untaxed = sum(value for line, value in zip(call.lines, parts.lines, strict=True) if not line.taxable)
    base = max(0, sums.subtotal - min(sums.discount or 0, sums.subtotal) - untaxed)
    tax = max(0, sums.total - max(0, sums.subtotal - (sums.discount or 0)))
    return 0 if base <= 0 else min(tax, tax * taxed // base)
