"""What a label would have cost with other measures: by the shop's rate tables, else by labels that it bought before."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from statistics import median_low
from typing import Any

from carriers.address import Address
from carriers.invoice import Measures
from carriers.measure import Size, Weight
from carriers.price_list import Listed, PriceList, price_list_of
from connector.entries import ShopEntry
from connector.insight.gaps import DIVISOR, PriceOf, billed, by_word, zone_name

Lists = Mapping[str, PriceList]
"""The shop's lists of prices by our id of the account."""

Key = tuple[str, str, str, str, str]
"""Account, carrier, service, currency, zone."""


def lists_of(shop: ShopEntry) -> dict[str, PriceList]:
    """The lists among a shop's accounts."""
    found = {each.id: price_list_of(each.connection) for each in shop.accounts.values()}
    return {account: each for account, each in found.items() if each is not None}


@dataclass(slots=True)
class Bought:
    """Labels that were bought, by what they were bought at: kept prices where there is no list."""

    points: dict[Key, dict[int, list[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    homes: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    _ready: dict[Key, tuple[list[int], list[int]]] = field(default_factory=dict)

    def add(self, label: Any, measures: Measures, charges: Iterable[tuple[str, int]]) -> None:
        """One label, as it was declared, and what its carrier named on the bill."""
        carrier, service = carrier_of(label)
        grams = billed(measures, DIVISOR)
        if grams is not None and measures.zone:
            key = (label.account_id, carrier, service, label.booked_currency, zone_name(measures.zone))
            self.points[key][grams].append(label.booked_minor)
        for word, minor in charges:
            if minor > 0 and by_word(word) == "residential":
                self.homes[carrier, label.booked_currency].append(minor)

    def home_fee(self, label: Any) -> int | None:
        """What this carrier took for a delivery to a home, where it named that: the middle of what is known."""
        known = self.homes.get((carrier_of(label)[0], label.booked_currency))
        return median_low(known) if known else None

    def price_of(self, label: Any) -> PriceOf:
        """The price of labels of the same service and zone that weighed as much: between two, in proportion."""
        carrier, service = carrier_of(label)

        def price(measures: Measures) -> int | None:
            grams = billed(measures, DIVISOR)
            if grams is None or not measures.zone:
                return None
            key = (label.account_id, carrier, service, label.booked_currency, zone_name(measures.zone))
            return self._at(key, grams)

        return price

    def _at(self, key: Key, grams: int) -> int | None:
        if key not in self._ready:
            known = sorted(self.points.get(key, {}).items())
            self._ready[key] = ([weight for weight, _ in known], [median_low(paid) for _, paid in known])
        weights, paid = self._ready[key]
        place = bisect_left(weights, grams)
        if place == len(weights):
            return None
        if weights[place] == grams:
            return paid[place]
        if place == 0:
            return None
        low, high = weights[place - 1], weights[place]
        return paid[place - 1] + (paid[place] - paid[place - 1]) * (grams - low) // (high - low)


@dataclass(frozen=True, slots=True)
class Relisted:
    """A label's list: its service there, where the parcel went, and the zone that this is in."""

    listed: PriceList
    service: str
    to: Address
    zone: str
    currency: str
    day: date

    def price(self, measures: Measures) -> int | None:
        """The list's price; weights that a carrier billed by count as they are."""
        grams = measures.grams if measures.billed_grams is None else measures.billed_grams
        if grams is None:
            return None
        sides = measures.size if measures.billed_grams is None else None
        zone = "" if zone_name(measures.zone) == zone_name(self.zone) else measures.zone
        size = None if sides is None else Size(*sides)
        listed = Listed(self.service, self.to, Weight(grams).grams, size, self.currency, self.day, zone)
        found = self.listed.list_price(listed)
        return found.minor if found is not None and found.currency == self.currency else None


def relisted(lists: Lists, label: Any, parcel: Any, to: Address) -> Relisted | None:
    """The list that a label's price can be looked up in: the one it was quoted from, else one that names its service.

    A list names a service by its own name ("Ground") or with the carrier's before it ("UPS Ground").
    """
    as_bought, (carrier, service) = parcel.bought_as or {}, carrier_of(label)
    quoted = lists.get(as_bought.get("account_id") or "")
    names = (as_bought.get("service") or "", f"{carrier} {service}", service)
    for listed in (quoted, *lists.values()):
        if listed is None:
            continue
        known = {_plain(each): each for each in listed.listed_services}
        found = next((known[_plain(name)] for name in names if name and _plain(name) in known), None)
        if found is not None:
            at = (label.settled_at or label.created_at).date()
            return Relisted(listed, found, to, listed.zone_of(to), label.booked_currency, at)
    return None


def carrier_of(label: Any) -> tuple[str, str]:
    """Carrier and service of a label that was bought."""
    rate = label.booked_rate or getattr(label, "rate", None) or {}
    return str(rate.get("carrier", label.carrier)), str(rate.get("service", ""))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
