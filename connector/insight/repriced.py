"""What is known of a label, completed by prices of its measures where its carrier added something without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from carriers.address import Address
from carriers.invoice import NOTHING
from connector.insight.gaps import Evidence, unnamed
from connector.insight.prices import Bought, Lists, relisted
from connector.quotes.ledger import quotes
from connector.quotes.reduced import ReducedCart
from connector.storage.database import in_parts


class Repriced:
    """Adds to an evidence what a list of prices, or labels bought before, say of its measures, where that matters."""

    def __init__(
        self,
        connection: Connection,
        shop_id: str,
        lists: Lists,
        known: Sequence[tuple[Any, Any, Evidence, list[Any]]],
    ) -> None:
        self._lists = lists
        self._bought: Bought | None = None
        self._known = known
        self._connection, self._shop_id = connection, shop_id
        open_ones = [(row, parcel) for row, parcel, evidence, _ in known if is_open(evidence)]
        self._to = _places(connection, shop_id, {parcel.quote_id for _, parcel in open_ones if parcel.quote_id})

    def complete(self, row: Any, parcel: Any, evidence: Evidence) -> Evidence:
        """The same evidence, with prices and what the plan said of the destination."""
        if not is_open(evidence):
            return evidence
        planned, to = evidence.planned, self._to.get(parcel.quote_id or "")
        if to is not None and planned.residential is None:
            planned = replace(planned, residential=to.residential)
        listed = None if to is None else relisted(self._lists, row, parcel, to)
        if listed is not None:
            planned = replace(planned, zone=planned.zone or listed.zone)
            known = replace(evidence, planned=planned, price_of=listed.price)
        else:
            known = replace(evidence, planned=planned, price_of=self.bought.price_of(row))
        return replace(known, home_fee=self.bought.home_fee(row))

    @property
    def by_others(self) -> bool:
        """Whether a label was priced by what others cost."""
        return self._bought is not None

    @property
    def bought(self) -> Bought:
        """The labels of the same time, made ready once one of them is needed."""
        if self._bought is None:
            self._bought = Bought()
            for row, _, evidence, lines in self._known:
                if lines:
                    as_bought = evidence.captured.zone if evidence.invoiced == evidence.bought else ""
                    zone = evidence.planned.zone or as_bought
                    charges = [(each.word, each.minor) for each in evidence.charges]
                    self._bought.add(row, replace(evidence.planned, zone=zone), charges)
        return self._bought


def is_open(evidence: Evidence) -> bool:
    """Whether something was added that no word of the carrier's explains, and measures might."""
    return evidence.captured != NOTHING and unnamed(evidence) != 0


def _places(connection: Connection, shop_id: str, ids: set[str]) -> dict[str, Address]:
    """Where quotes' carts go, as far as it was kept."""
    found: dict[str, Address] = {}
    wanted = sorted(ids)
    for some in in_parts(wanted):
        part = quotes.c.id.in_(some)
        for quote_id, cart in connection.execute(quotes.select(shop_id, quotes.c.id, quotes.c.cart).where(part)).all():
            to = ReducedCart.from_plain(cart).destination
            if to is not None:
                found[quote_id] = to.address()
    return found
