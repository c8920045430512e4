"""The dates of one call's services: what promises need, taken from the cart, the facts and the settings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from connector.promises.public_holidays import knows
from connector.promises.window import Goods, Lane, Promises, Service, Spot, Start, Window, at_noon, promises_of
from connector.quotes.answers import KeptRate
from connector.quotes.facts import Facts
from connector.quotes.lru import Bounded, OfObject
from connector.quotes.reduced import Place, ReducedCart
from connector.rules.classes import usual_class
from connector.rules.facts import Priced
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a call. `goods` is None where something is out of stock and nobody knows until when."""

    promises: Promises
    start: Start
    goods: Goods | None
    to: Spot
    lanes: dict[str, tuple[int, int, int, int]]
    known: dict[object, Window | None] = field(default_factory=dict)

    def window(self, account_id: str, rate: KeptRate) -> Window | None:
        """When the parcels of a rate arrive; None where no day can be told."""
        if self.goods is None:
            return None
        seen = self.lanes.get(lane_key(account_id, rate.carrier, rate.service)) if self.lanes else None
        key = (rate.carrier, rate.service, rate.transit_days, rate.transit_basis, seen)
        known = self.known
        if key in known:
            return known[key]
        lane = None if seen is None else Lane(*seen)
        service = Service(rate.carrier, rate.service, rate.transit_days, rate.transit_basis, lane)
        found = self.promises.window(self.start, self.goods, service, self.to)
        if len(known) < _MOST_SERVICES:
            known[key] = found
        return found

    def moments(self, window: Window) -> tuple[datetime, datetime]:
        """First and last day as platforms want them: at noon where the goods leave."""
        return _noon(window.earliest, self.promises.zone), _noon(window.latest, self.promises.zone)


_noon = lru_cache(maxsize=2048)(at_noon)
_MOST_SERVICES = 256
_shared: Bounded[object, tuple[Promises, dict[object, Window | None]]] = Bounded(1024)
"""What calls share that count for one day, need the same time for packing, and go to the same place."""


def dates_of(cart: ReducedCart, facts: Facts, settings: ShopSettings, now: datetime) -> Dates:
    """What the dates of this call rest on."""
    names = (facts.location_id, facts.store_location)
    promises = promises_of(settings.promises, facts.timezone, spot_of(facts.origin), names)
    start = _start(promises, now, facts.rate_cache_s)
    goods = goods_of(cart, promises, facts.store_location)
    to = spot_of(cart.destination, postal=promises.asks_postal)
    key = (id(promises), start.day, goods, to)
    found = _shared.get(key)
    if found is None or found[0] is not promises:
        found = (promises, {})
        _shared.put(key, found, 1)
    return Dates(promises, start, goods, to, facts.lanes, found[1])


_starts: OfObject[Promises, tuple[int, datetime, Start]] = OfObject(512)


def _start(promises: Promises, now: datetime, cache_s: int) -> Start:
    """Until it is out of date, the start of the call before is that of this one too."""
    known = _starts.get(promises)
    if known is not None and known[0] == cache_s and known[1] <= now < known[2].until:
        return known[2]
    start = promises.start(now, cache_s)
    _starts.put(promises, (cache_s, now, start))
    return start


def goods_of(cart: ReducedCart, promises: Promises, store_location: str) -> Goods | None:
    """Handling and back-orders of a cart: the slowest of its lines counts."""
    handling, days = promises.handling_days, list[int]()
    not_before: date | None = None
    for line in cart.lines:
        if not line.requires_shipping:
            continue
        product = line.product
        days.append(handling if product is None or product.handling_days is None else product.handling_days)
        if product is None or not (product.places or product.available_on):
            continue
        is_out = product.is_out_of_stock(store_location)
        if is_out and product.available_on is None:
            return None
        if product.available_on is not None and (is_out or not product.places):
            not_before = product.available_on if not_before is None else max(not_before, product.available_on)
    return Goods(max(days, default=handling), not_before)


def spot_of(place: Place | None, *, postal: bool = True) -> Spot:
    """A place as calendars ask; the postal code only where it matters, so that more calls are alike."""
    return Spot() if place is None else Spot(place.country, place.province, place.postal_code if postal else "")


def lane_key(account_id: str, carrier: str, service: str) -> str:
    """How facts name a service of an account."""
    return f"{account_id}/{carrier}/{service}"


_FASTER = {"economy": 0, "standard": 1, "express": 2, "overnight": 3}


def not_sooner(services: Sequence[Priced]) -> list[tuple[Priced, Priced]]:
    """Express services that cost more than a slower one and arrive no sooner; each with that other one.

    Where neither is sold as faster the buyer has the choice.
    """
    express = [each for each in services if each.latest is not None and _rank(each) >= _FASTER["express"]]
    found = []
    for mine in express:
        for other in services:
            if _is_no_sooner(mine, other):
                found.append((mine, other))
                break
    return found


def _rank(service: Priced) -> int:
    return _FASTER.get(service.service_class, 0)


def _named_rank(service: Priced) -> int:
    """How fast it is called: by the merchant's class, else by its name; a service is not called fast for being near."""
    name, days = service.service, service.transit_days
    if service.service_class != usual_class(name, days):
        return _rank(service)
    return _FASTER.get(usual_class(name, None), 0)


def _is_no_sooner(mine: Priced, other: Priced) -> bool:
    if other.price.minor >= mine.price.minor or other.price.currency != mine.price.currency:
        return False
    if mine.latest is None or other.latest is None or mine.earliest is None or other.earliest is None:
        return False
    if other.latest > mine.latest or other.earliest > mine.earliest:
        return False
    if _named_rank(mine) > _named_rank(other):
        return True
    return mine.transit_days is not None and other.transit_days is not None and mine.transit_days < other.transit_days


def date_notes(dates: Dates, services: Sequence[Priced]) -> tuple[Reason, ...]:
    """What a merchant should know of these dates: a calendar that is not known, or why there is no date at all."""
    if dates.goods is None:
        return (Reason("back_order_without_date"),) if services else ()
    if all(each.latest is None for each in services):
        return ()
    places = dict.fromkeys((dates.promises.origin.country, dates.to.country))
    return tuple(Reason("calendar_unknown", {"place": each}) for each in places if each and not knows(each).country)
