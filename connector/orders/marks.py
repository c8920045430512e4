"""What the merchant's rules ask for with the offer that the buyer chose: held orders, and wishes that nobody takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector.directory import ShopEntry
from connector.orders.quote_of import Linked
from connector.words.reason import Reason


def held_by_rule(linked: Linked | None, before: Sequence[Any] = ()) -> Reason | None:
    """Why a rule holds the order; None where none does, or a person let go of it `before` an edit."""
    why = {} if linked is None else dict(linked.offer.marks)
    if "hold" not in why or any("rule_hold" in (each.released or ()) for each in before):
        return None
    return Reason("rule_hold", {"why": why["hold"]})


def not_taken(shop: ShopEntry, linked: Linked | None) -> Iterator[Reason]:
    """Wishes that a person has to see to, because the carrier takes them from nobody here."""
    if linked is None or not linked.offer.marks:
        return
    marks, as_bought = dict(linked.offer.marks), linked.offer.bought_as
    account = None if as_bought is None else shop.accounts.get(as_bought.account_id)
    if as_bought is not None and as_bought.how == "cheapest":
        sell = (each for each in shop.accounts.values() if each.connection.capabilities.sells_labels)
        account = next(sell, None)
    if "signature" in marks and (account is None or not account.connection.capabilities.signature):
        named = linked.offer.name if as_bought is None or not as_bought.carrier else as_bought.carrier
        yield Reason("signature_not_taken", {"carrier": named})
    if "insurance" in marks:
        yield Reason("insurance_by_hand", {"percent": marks["insurance"]})
