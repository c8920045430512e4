"""What a carrier takes beside a label's postage (label, insurance and tracker fees): each a booked amount of its own.

The fees are kept beside the rate that the carrier booked, so that the ledger can be compared with them. A void gives
none of them back, unless the carrier says so of a fee, or exactly that much more money is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.money import Money
from connector.labels.amounts import book, booked_of_label
from connector.labels.invoice_csv import InvoiceLine

_LONGEST = 60
Fees = dict[str, Money]
"""By the carrier's own word for each."""


def kept_fees(told: Iterable[tuple[str, Money]]) -> dict[str, Any]:
    """What is kept of them beside the booked rate; nothing of a carrier that takes none."""
    found: Fees = {}
    for word, money in told:
        name = word.strip()[:_LONGEST] or "Fee"
        before = found.get(name, Money.zero(money.currency))
        if before.currency == money.currency:
            found[name] = before + money
    some = [[name, money.minor, money.currency] for name, money in found.items() if money.minor]
    return {"fees": some} if some else {}


def fees_of(label: Any) -> Fees:
    """What was taken beside a label's postage."""
    return {name: Money(minor, currency) for name, minor, currency in (label.booked_rate or {}).get("fees", ())}


def fees_within(label: Any) -> int:
    """The same together, in minor units, as far as it is in the label's currency."""
    found = fees_of(label)
    return sum(found[name].minor for name in fees_of_price(label))


def book_fees(
    connection: Connection, label: Any, order_id: str, told: Iterable[tuple[str, Money]], now: datetime
) -> None:
    """Book what is taken with the purchase, in its transaction; each fee's cause names it."""
    about = {"order_id": order_id, "parcel_id": label.parcel_id, "label_id": label.id}
    for name, minor, currency in kept_fees(told).get("fees", ()):
        book(connection, label.shop_id, "fee", Money(minor, currency), cause=_cause(label, name), now=now, **about)


def book_fees_back(connection: Connection, label: Any, order_id: str, words: Collection[str], now: datetime) -> None:
    """Book those fees back that the carrier says it gave back, each once."""
    about = {"order_id": order_id, "parcel_id": label.parcel_id, "label_id": label.id}
    said = {word.strip()[:_LONGEST] for word in words}
    for name, money in fees_of(label).items():
        if name in said:
            book(connection, label.shop_id, "fee_back", money, cause=_cause(label, name), now=now, **about)


def fees_of_price(label: Any) -> tuple[str, ...]:
    """The words of those fees that are in the label's currency, as its price is."""
    return tuple(name for name, money in fees_of(label).items() if money.currency == label.booked_currency)


def fees_outstanding(connection: Connection, label: Any) -> Money:
    """What was taken in the label's currency and did not come back."""
    back = booked_of_label(connection, label.shop_id, label.id, "fee_back")
    return Money(max(0, fees_within(label) - back), label.booked_currency)


def without_fees(label: Any, line: InvoiceLine, difference: Money) -> tuple[InvoiceLine, Money]:
    """A line of whole prices, and what it adds to the label, without the fees in it, which were booked with the label.

    They are in it where its charges name them, or where it is dearer by exactly what they come to.
    """
    words = {_letters(name) for name in fees_of(label)}
    named = [minor for word, minor in line.charges if _letters(word) in words]
    if named:
        others = tuple(charge for charge in line.charges if _letters(charge[0]) not in words)
        return replace(line, charges=others), difference - Money(sum(named), difference.currency)
    if difference.minor and difference.minor == fees_within(label):
        return line, Money.zero(difference.currency)
    return line, difference


def _letters(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _cause(label: Any, name: str) -> str:
    return f"{label.id}:fee:{name}"
