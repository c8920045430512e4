"""The dates of one call's services: what promises need, taken from the cart, the facts and the settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from connector.promises.window import Goods, Lane, Promises, Service, Spot, Start, Window, at_noon, promises_of
from connector.quotes.answers import KeptRate
from connector.quotes.facts import Facts
from connector.quotes.reduced import Place, ReducedCart
from connector.shop_settings import ShopSettings


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
