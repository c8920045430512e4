"""The dates of one call's services: what promises need, taken from the cart, the facts and the settings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connector.promises.public_holidays import knows
from connector.promises.window import Goods, Lane, Promises, Service, Spot, Start, Window, at_noon, promises_of
from connector.quotes.answers import KeptRate
from connector.quotes.facts import Facts
from connector.quotes.reduced import Place, ReducedCart
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

    def window(self, account_id: str, rate: KeptRate) -> Window | None:
        """When the parcels of a rate arrive; None where no day can be told."""
        if self.goods is None:
            return None
        seen = self.lanes.get(lane_key(account_id, rate.carrier, rate.service)) if self.lanes else None
        lane = None if seen is None else Lane(*seen)
        service = Service(rate.carrier, rate.service, rate.transit_days, rate.transit_basis, lane)
        return self.promises.window(self.start, self.goods, service, self.to)

    def moments(self, window: Window) -> tuple[datetime, datetime]:
        """First and last day as platforms want them: at noon where the goods leave."""
        return at_noon(window.earliest, self.promises.zone), at_noon(window.latest, self.promises.zone)


def dates_of(cart: ReducedCart, facts: Facts, settings: ShopSettings, now: datetime) -> Dates:
    """What the dates of this call rest on."""
    names = (facts.location_id, facts.store_location)
    promises = promises_of(settings.promises, facts.timezone, spot_of(facts.origin), names)
    start = promises.start(now, facts.rate_cache_s)
    goods = goods_of(cart, promises, facts.store_location)
    return Dates(promises, start, goods, spot_of(cart.destination), facts.lanes)


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


def spot_of(place: Place | None) -> Spot:
    """A place as calendars ask."""
    return Spot() if place is None else Spot(place.country, place.province, place.postal_code)


def lane_key(account_id: str, carrier: str, service: str) -> str:
    """How facts name a service of an account."""
    return f"{account_id}/{carrier}/{service}"


_FASTER = {"economy": 0, "standard": 1, "express": 2, "overnight": 3}


def not_sooner(services: Sequence[Priced]) -> list[tuple[Priced, Priced]]:
    """Express services that cost more than a slower one and arrive no sooner; each with that other one.

    Where neither is sold as faster the buyer has the choice.
    """
    dated = [each for each in services if each.latest is not None]
    found = []
    for mine in dated:
        for other in dated:
            if _is_no_sooner(mine, other):
                found.append((mine, other))
                break
    return found


def _is_no_sooner(mine: Priced, other: Priced) -> bool:
    if mine.latest is None or other.latest is None or mine.earliest is None or other.earliest is None:
        return False
    dearer = mine.price.currency == other.price.currency and mine.price.minor > other.price.minor
    if not dearer or other.latest > mine.latest or other.earliest > mine.earliest:
        return False
    rank, others = _FASTER.get(mine.service_class, 0), _FASTER.get(other.service_class, 0)
    if rank < _FASTER["express"]:
        return False
    takes_less = mine.transit_days is not None and other.transit_days is not None
    return rank > others or (takes_less and mine.transit_days < other.transit_days)


def date_notes(dates: Dates, services: Sequence[Priced]) -> tuple[Reason, ...]:
    """What a merchant should know of these dates: a calendar that is not known, or why there is no date at all."""
    if dates.goods is None:
        return (Reason("back_order_without_date"),) if services else ()
    if all(each.latest is None for each in services):
        return ()
    places = dict.fromkeys((dates.promises.origin.country, dates.to.country))
    return tuple(Reason("calendar_unknown", {"place": each}) for each in places if each and not knows(each).country)
