"""An answer explained for a merchant: the first sentence is the answer, and everything fits one screen."""

from __future__ import annotations

from carriers.money import Money
from connector import shop_settings
from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer
from connector.quotes.decide import DecidedOffer, Decision, plan
from connector.quotes.ledger import LedgerRow
from connector.words.reason import Reason


def explain(row: LedgerRow) -> list[str]:
    """Lines of text, in English."""
    lines = [_answer(row.decision), "", *_cart(row)]
    if row.decision.offers:
        lines += ["", "Prices:"]
        for offer in row.decision.offers:
            lines += _price(offer)
    if row.decision.withheld:
        lines += ["", "Not shown:"]
        for each in row.decision.withheld:
            name = f"{each.carrier} {each.service}".strip()
            said = f' The carrier said: "{each.said}"' if each.said else ""
            lines.append(f"  {name}: {Reason.from_json(each.reason).say()}{said}")
    for rule, why in row.decision.passed_rules:
        lines.append(f"  Rule {rule!r} did not apply: {Reason.from_json(why).say()}")
    asked = ", ".join(_asked(a) for a in row.answers)
    lines += ["", f"Answered in {row.elapsed_ms} ms" + (f"; carriers: {asked}." if asked else ".")]
    lines.append(f"Settings version {row.facts.settings_version}, {row.at:%Y-%m-%d %H:%M:%S} UTC, quote {row.id}.")
    return lines


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
    return Reason.from_json(decision.why).say() if decision.why else ""


def _cart(row: LedgerRow) -> list[str]:
    cart, place = row.cart, row.cart.destination
    where = (
        ", ".join(part for part in (place.postal_code, place.city, place.province, place.country) if part)
        if place
        else "?"
    )
    units = sum(line.quantity for line in cart.lines)
    lines = [f"Cart: {units} unit{'s' if units != 1 else ''} worth {cart.goods} after discounts, to {where}."]
    planned = plan(cart, shop_settings.load(row.facts.settings))
    if isinstance(planned, Plan):
        for number, parcel in enumerate(planned.parcels, 1):
            size = f", {parcel.size}" if parcel.size else ""
            tare = f" of which carton {parcel.tare.grams} g" if parcel.tare.grams else ""
            lines.append(f"Parcel {number} of {len(planned.parcels)}: {parcel.gross.grams} g{tare}{size}.")
        lines += [f"  {note.say()}" for note in planned.notes]
    return lines


def _price(offer: DecidedOffer) -> list[str]:
    lines = [f"  {offer.name} ({offer.code}): {Money(offer.minor, offer.currency)}"]
    lines += [f"    {Money(step.minor, step.currency)}  {Reason.from_json(step.reason).say()}" for step in offer.steps]
    if offer.earliest:
        lines.append(f"    Arrives on {offer.earliest:%A %d %B}.")
    if offer.bought_as:
        lines.append(f"    Bought as {offer.bought_as.carrier} {offer.bought_as.service}.")
    return lines


def _asked(answer: AccountAnswer) -> str:
    if answer.source == "held":
        return f"{answer.carrier} as shown before"
    state = "" if answer.state == "answered" else f" ({answer.state})"
    return f"{answer.carrier} {answer.elapsed_ms} ms{state}"
