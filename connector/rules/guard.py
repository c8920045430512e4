"""The margin guard: whether an order pays for its shipping. Pure; docs/thresholds.md says what each word means.

Unknown costs are never taken as nothing: then the guard is off and says why. Everything is rounded against the margin.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

from carriers.money import Money
from connector.rules.exchange import exchange_up
from connector.rules.facts import CallFacts, LineFacts
from connector.rules.guard_settings import GuardSettings
from connector.words.reason import Reason


class Guarded(NamedTuple):
    """One offer as the guard sees it, in the call's currency.

    `before` is what it cost before a threshold lowered it, None where none did. `bound` is the most that its label is
    expected to cost, None where nobody knows; `sure` whether that is a carrier's own answer. `permille` is what
    invoices are seen to add to it, None where that was not looked at.
    """

    code: str
    price: Money
    before: Money | None
    bound: Money | None
    sure: bool
    permille: int | None = None


class Verdict(NamedTuple):
    """What the guard says of one offer: `price` is the new one where it acts."""

    code: str
    state: Literal["flagged", "refused", "capped", "off"]
    why: Reason
    price: Money | None = None


class _Sums(NamedTuple):
    """Goods without tax, and what is left of them after cost and fee, in minor units."""

    goods: int
    margin: int


def look(settings: GuardSettings, call: CallFacts, offers: Iterable[Guarded], cartons: Money) -> list[Verdict]:
    """Verdicts on those offers of which there is something to say. `cartons`: what the parcels' packaging costs.

    A verdict without a code is about the whole call. The offers are not asked for where the guard is off.
    """
    if settings.act == "off":
        return []
    found = _Look(settings, call, cartons.minor)
    after = found.sums(after_discounts=True)
    if isinstance(after, Reason):
        return [Verdict("", "off", after)]
    told = found.sums(after_discounts=False)
    verdicts = []
    for offer in offers:
        verdict = found.verdict(offer, after, told if isinstance(told, _Sums) else after)
        if verdict is not None:
            verdicts.append(verdict)
    return verdicts


def knows_tax(settings: GuardSettings, tax: str) -> bool:
    """Whether the goods' worth without tax can be told; `tax` as in `CartSums`."""
    return tax == "excluded" or settings.tax_percent is not None


class _Look:
    """One look at one call."""

    def __init__(self, settings: GuardSettings, call: CallFacts, cartons: int) -> None:
        self._settings = settings
        self._call = call
        self._cartons = cartons
        tax = "unknown" if call.sums is None else call.sums.tax
        self._tax = Decimal(0) if tax == "excluded" else settings.tax_percent

    def sums(self, *, after_discounts: bool) -> _Sums | Reason:
        """Of this call's lines: what a buyer pays and what is left, or why that cannot be told."""
        if self._tax is None:
            return Reason("guard_tax_unknown")
        shown = net = cost = 0
        off = _shares(self._call) if after_discounts else [0] * len(self._call.lines)
        for line, discount in zip(self._call.lines, off, strict=True):
            if line.gift_card:
                continue  # Money for money: no margin.
            price = max(0, line.value - discount)
            shown += price
            net += self._net(price) if line.taxable else price
            unit = self._cost(line)
            if unit is None:
                return Reason("guard_cost_unknown", {"item": (line.name or line.sku or "?")[:80]})
            cost += unit
        fee = _up(shown, self._settings.fee_percent) + self._fixed_fee()
        return _Sums(net, net - cost - fee)

    def verdict(self, offer: Guarded, after: _Sums, told: _Sums) -> Verdict | None:
        """None where the offer pays for itself, or the loss is within the share."""
        if offer.bound is None:
            return Verdict(offer.code, "off", Reason("guard_no_bound", {"offer": offer.code}))
        spent = self._spent(offer, offer.bound)
        acts = self._settings.act in {"cap", "refuse"} and offer.before is not None and offer.sure
        if acts and offer.before is not None and self._is_too_much(spent, offer.price, told):
            return self._act(offer, offer.before, spent, told)
        if not self._is_too_much(spent, offer.price, after):
            return None
        said = self._said(offer, spent, after)
        return Verdict(offer.code, "flagged", Reason("guard_flagged", said))

    def _act(self, offer: Guarded, before: Money, spent: int, told: _Sums) -> Verdict:
        said = self._said(offer, spent, told)
        if self._settings.act == "refuse":
            return Verdict(offer.code, "refused", Reason("guard_refused", said), before)
        part, whole = self._settings.share_percent.as_integer_ratio()
        allowed = max(0, told.margin) * part // (100 * whole)
        needed = self._gross(max(0, spent - allowed))
        price = Money(min(before.minor, max(needed, offer.price.minor)), before.currency)
        return Verdict(offer.code, "capped", Reason("guard_capped", said), price)

    def _is_too_much(self, spent: int, price: Money, sums: _Sums) -> bool:
        loss = spent - self._net(price.minor)
        part, whole = self._settings.share_percent.as_integer_ratio()
        return sums.margin < 0 or loss * 100 * whole > sums.margin * part

    def _said(self, offer: Guarded, spent: int, sums: _Sums) -> dict[str, str | int | Money]:
        currency = self._call.currency
        loss = spent - self._net(offer.price.minor)
        return {"offer": offer.code, "loss": Money(loss, currency), "margin": Money(sums.margin, currency)}

    def _spent(self, offer: Guarded, bound: Money) -> int:
        """Label, cartons and what invoices are expected to add."""
        percent = self._settings.adjustment_percent
        if offer.permille is not None:
            percent = Decimal(max(0, offer.permille)) / 10
        return bound.minor + self._cartons + _up(bound.minor, percent)

    def _cost(self, line: LineFacts) -> int | None:
        """What the line's units cost the merchant; the shop's share of their price where nobody knows."""
        if line.unit_cost is not None:
            unit: Money | None = line.unit_cost
            if line.unit_cost.currency != self._call.currency:
                unit = exchange_up(line.unit_cost, self._call.currency, self._call.rates)
            if unit is not None:
                return unit.minor * line.quantity
        share = self._settings.cost_share_percent
        if share is None:
            return None
        return _up(self._net(line.value) if line.taxable else line.value, share)

    def _fixed_fee(self) -> int:
        settings, currency = self._settings, self._call.currency
        if not settings.fee_fixed:
            return 0
        fixed = Money.parse(settings.fee_fixed, settings.fee_currency)
        if fixed.currency != currency:
            fixed = exchange_up(fixed, currency, self._call.rates) or Money(fixed.minor, currency)
        return fixed.minor

    def _net(self, minor: int) -> int:
        """Without the tax that it holds, rounded down."""
        part, whole = (self._tax or Decimal(0)).as_integer_ratio()
        return minor * 100 * whole // (100 * whole + part)

    def _gross(self, net: int) -> int:
        """The least price that is `net` without its tax."""
        part, whole = (self._tax or Decimal(0)).as_integer_ratio()
        return -(-net * (100 * whole + part) // (100 * whole))


def _shares(call: CallFacts) -> list[int]:
    """Each line's share of the discount, by value over all lines and what is not listed; 0 where it is not known."""
    told = [line.discount for line in call.lines]
    if told and None not in told:
        return [share or 0 for share in told]
    sums = call.sums
    if sums is None or not sums.discount:
        return [0] * len(call.lines)
    discount = max(0, sums.discount - (sums.shipping_discount or 0))
    listed = sum(line.value for line in call.lines)
    whole = max(sums.subtotal, listed)
    return [-(-line.value * discount // whole) if whole else 0 for line in call.lines]


def _up(minor: int, percent: Decimal) -> int:
    """A share of an amount, rounded up."""
    part, whole = percent.as_integer_ratio()
    return -(-minor * part // (100 * whole))
