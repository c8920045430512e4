"""An answer explained for a merchant: the first sentence is the answer, and everything fits one screen."""

from __future__ import annotations

from collections.abc import Callable

from carriers.money import Money
from connector.quotes.answers import AccountAnswer
from connector.quotes.decision import DecidedOffer, Decision
from connector.quotes.ledger import LedgerRow
from connector.quotes.parcels_shown import ShownParcel, ShownParcels, parcels_of_quote
from connector.quotes.passed import passed_rules

_SCREEN = 40  # Lines.


def explain(row: LedgerRow) -> list[str]:
    """Lines of text, in English; closer together, and the longest lists cut, where they would not fit one screen."""
    lines = _lines(row, _price, len(row.answers) + 1000)
    return lines if len(lines) <= _SCREEN else _lines(row, _price_in_short, 2)


def _lines(row: LedgerRow, price: Callable[[DecidedOffer], list[str]], most: int) -> list[str]:
    """`most` is how many parcels, assumptions and services that are not shown are listed at least."""
    offers = row.decision.offers
    head = [_answer(row.decision), "", *_cart(row, most)]
    if offers:
        head += ["", "Prices:", *(line for offer in offers for line in price(offer))]
    asked = ", ".join(_asked(a) for a in row.answers)
    foot = ["", f"Answered in {row.elapsed_ms} ms" + (f"; carriers: {asked}." if asked else ".")]
    if row.channel:
        foot.append("A page asked before the checkout; the checkout shows the same for half an hour.")
    foot.append(f"Settings version {row.facts.settings_version}, {row.at:%Y-%m-%d %H:%M:%S} UTC, quote {row.id}.")
    room = max(most, _SCREEN - len(head) - len(foot) - 2)
    return [*head, *_not_shown(row, room), *foot]


def _not_shown(row: LedgerRow, most: int) -> list[str]:
    found = []
    for each in row.decision.withheld:
        name = f"{each.carrier} {each.service}".strip()
        said = f' The carrier said: "{each.said}"' if each.said else ""
        found.append(f"  {name}: {each.reason.say()}{said}")
    for rule, why in passed_rules(row):
        found.append(f"  Rule {rule!r} did not apply: {why.say()}")
    if not row.decision.withheld:
        return _cut(found, most)
    return ["", "Not shown:", *_cut(found, most)]


def _cut(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"  … and {len(lines) - most + 1} more."]


def _answer(decision: Decision) -> str:
    if decision.outcome == "backup":
        return f"The store's own backup rates were used: {_why(decision)}"
    if decision.outcome == "not_served":
        return f"The buyer was told that nothing can be shipped: {_why(decision)}"
    cheapest = min(decision.offers, key=lambda offer: offer.minor)
    price = Money(cheapest.minor, cheapest.currency)
    shown = "free" if price.minor == 0 else f"from {price}"
    text = f"The buyer saw {len(decision.offers)} option{'s' if len(decision.offers) != 1 else ''}, {shown}."
    return text if decision.why is None else f"{text} These are your safety rates: {_why(decision)}"


def _why(decision: Decision) -> str:
    return decision.why.say() if decision.why else ""


def _cart(row: LedgerRow, most: int) -> list[str]:
    cart, place = row.cart, row.cart.destination
    where = (
        ", ".join(part for part in (place.postal_code, place.city, place.province, place.country) if part)
        if place
        else "?"
    )
    units = sum(line.quantity for line in cart.lines)
    discounts = " after discounts" if cart.totals and cart.totals.discount is not None else ""
    lines = [f"Cart: {units} unit{'s' if units != 1 else ''} worth {cart.goods}{discounts}, to {where}."]
    found = parcels_of_quote(row)
    if isinstance(found, ShownParcels):
        parcels = [line for parcel in found.parcels for line in _parcel(parcel, short=most <= 2)]
        lines += _cut(parcels, most)
        if not found.same:
            lines.append("  This release packs the cart otherwise than it was packed then.")
    return [*lines, *_cut([f"  {note.say()}" for note in row.decision.notes], most)]


def _parcel(parcel: ShownParcel, *, short: bool) -> list[str]:
    size = f", {parcel.size}" if parcel.size else ""
    tare = f" of which carton {parcel.tare.grams} g" if parcel.tare.grams else ""
    lines = [f"Parcel {parcel.number} of {parcel.count}: {parcel.gross.grams} g{tare}{size}."]
    if parcel.figures and not short:
        inside = ", ".join(f"{units} x {name}" for name, units in parcel.contents[:6])
        more = ", …" if len(parcel.contents) > 6 else ""
        lines.append(f"  In {parcel.carton}: {inside}{more}.")
        told = [each for each in parcel.figures if each.code != "pack_gross"] + list(parcel.why_not[:2])
        lines += [f"  {each.say()}" for each in told]
    return lines


def _price(offer: DecidedOffer) -> list[str]:
    lines = [f"  {offer.name} ({offer.code}): {Money(offer.minor, offer.currency)}"]
    lines += [f"    {Money(step.minor, step.currency)}  {step.reason.say()}" for step in offer.steps]
    if offer.earliest:
        lines.append(f"    Arrives on {offer.earliest:%A %d %B}.")
    if offer.bought_as:
        lines.append(f"    {offer.bought_as.said()}.")
    return lines


def _price_in_short(offer: DecidedOffer) -> list[str]:
    steps = "; ".join(f"{Money(step.minor, step.currency)} {step.reason.say()}" for step in offer.steps)
    arrives = f", arrives on {offer.earliest:%A %d %B}" if offer.earliest else ""
    bought = f"; {offer.bought_as.said()}" if offer.bought_as else ""
    return [
        f"  {offer.name} ({offer.code}): {Money(offer.minor, offer.currency)}{arrives}",
        f"    {steps}{bought}.",
    ]


def _asked(answer: AccountAnswer) -> str:
    if answer.source == "held":
        return f"{answer.carrier} as shown before"
    state = "" if answer.state == "answered" else f" ({answer.state})"
    return f"{answer.carrier} {answer.elapsed_ms} ms{state}"
