"""A table ready for use: compiled once, then asked without any input or output. The same question, the same answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from carriers.address import Address
from carriers.money import Money
from carriers.parcel import RateRequest
from carriers.rate_table.bands import Bands, group
from carriers.rate_table.checks import by_place
from carriers.rate_table.pricing import billable_ng, dimensional_grams, minor
from carriers.rate_table.tariff import (
    UNBOUND,
    UNIT_NG,
    Dates,
    PricedBy,
    PriceLine,
    ServiceLine,
    SurchargeLine,
    Tariff,
    WeightUnit,
    grams_up,
    key,
    show_weight,
)
from carriers.rate_table.zones import NOWHERE, Unclear, Zones

T = TypeVar("T")
Grid = Bands[Bands[Bands[PriceLine]]]


@dataclass(frozen=True, slots=True)
class Priced:
    """What a service costs, and how that came about: the zone, the lines of the file, the weights that counted.

    `parts` are the single parcels' prices in minor units, where there are several.
    """

    service: str
    price: Money
    days: int | None
    zone: str
    lines: tuple[int, ...]
    billable_grams: tuple[int, ...]
    surcharges: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NotPriced:
    """Why a service (empty: the whole table) has no price. `code` is one of `Problem.code`."""

    code: str
    message: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class _Service:
    key: str
    title: str
    days: int | None
    round_to_ng: int
    priced_by: PricedBy
    divisors: tuple[tuple[Dates, int], ...]

    def divisor_on(self, day: date) -> int:
        """0: only the actual weight counts."""
        for dates, divisor in self.divisors:
            if dates.have(day):
                return divisor
        return 0


@dataclass(slots=True)
class _Place:
    """One service's prices in one zone and currency, and what may come on top."""

    grid: Grid
    surcharges: tuple[SurchargeLine, ...]
    currency: str
    zone: str
    latest: tuple[date, tuple[int, int, tuple[str, ...]]] | None = None

    def on(self, day: date) -> tuple[int, int, tuple[str, ...]]:
        """The sums of percentages and of amounts that hold on a day, and their names; kept for the next call."""
        latest = self.latest
        if latest is None or latest[0] != day:
            self.latest = latest = (day, self._sum(day))
        return latest[1]

    def _sum(self, day: date) -> tuple[int, int, tuple[str, ...]]:
        millionths, amount, names = 0, 0, []
        for line in self.surcharges:
            if line.dates.have(day):
                millionths += line.millionths
                amount += line.amount
                names.append(line.name)
        return millionths, amount, tuple(names)


class Table:
    """A rate table's prices."""

    def __init__(self, tariff: Tariff, zones: Zones) -> None:
        self.name = tariff.table.name
        self.currency = tariff.table.currency
        self.services = tuple(tariff.titles[f"service {each.name}"] for each in tariff.services)
        self.zone_count = len({line.zone for line in tariff.zones})
        self.price_count = len(tariff.prices)
        self._unit = tariff.table.unit
        self._unit_ng = UNIT_NG[self._unit]
        self._zones = zones
        self._services = tuple(_service(tariff, line) for line in tariff.services)
        self._currencies = frozenset(line.currency for line in tariff.prices)
        self._places: dict[tuple[str, str], dict[str, _Place]] = {}
        for (service, zone, currency), lines in by_place(tariff.prices).items():
            extra = tuple(
                each
                for each in tariff.surcharges
                if each.service in {"", service} and each.zone in {"", zone} and each.currency in {"", currency}
            )
            grid = Bands({i: Bands({s: _weights(found) for s, found in w.items()}) for i, w in group(lines).items()})
            place = _Place(grid, extra, currency, tariff.titles[f"zone {zone}"])
            self._places.setdefault((service, zone), {})[currency] = place

    def price(self, request: RateRequest, day: date) -> tuple[tuple[Priced, ...], tuple[NotPriced, ...]]:
        """Every service's price for all parcels together on a day of the shop's, or the reason why it has none.

        A service has a price only if every parcel has one. Where a cut postal code may lie in several zones the
        dearest price holds, and only if each of them has one.
        """
        if not request.parcels:
            return (), (NotPriced("rate_refused", "There is no parcel to be priced."),)
        zones = self._zones.find(request.destination)
        if isinstance(zones, Unclear):
            message = f"Prices depend on the {zones.field} of the destination, which is not known yet."
            return (), (NotPriced("rate_refused", message),)
        if not zones:
            country = request.destination.country.upper()[:2]
            return (), (NotPriced("no_service", f"No zone of the table covers this destination ({country})."),)
        priced, missing = [], []
        for service in self._services:
            found = self._dearest(service, zones, request, day)
            if isinstance(found, Priced):
                priced.append(found)
            else:
                missing.append(found)
        return tuple(priced), tuple(missing)

    def price_in(self, zone: str, service: str, request: RateRequest, day: date) -> Priced | NotPriced:
        """One service's price as if the destination were in that zone, by its name or the number in it."""
        wanted = {key(zone), f"zone {key(zone)}"}
        zones = {found for _, found in self._places if found in wanted or found.removeprefix("zone ") in wanted}
        asked = next((each for each in self._services if each.key == key(service)), None)
        if asked is None or len(zones) != 1:
            return NotPriced("no_service", f"{service} has no price in zone {zone}.", service)
        return self._one(asked, zones.pop(), request, day)

    def zones_of(self, destination: Address) -> tuple[str, ...] | Unclear:
        """The zones that a destination is or may be in."""
        return self._zones.find(destination)

    def priced_in(self, currency: str) -> str:
        """The currency that counts when prices are wanted in this one: itself if a line has it, else the table's."""
        return currency if currency in self._currencies else self.currency

    def edges(self, zone: str, currency: str, day: date) -> tuple[tuple[int, ...], bool] | None:
        """The grams from which on one parcel costs something else there; None where more than its band counts.

        The second value says whether a parcel's size counts too.
        """
        found, divided = {0}, False
        for service in self._services:
            currencies = self._places.get((service.key, zone), {})
            place = currencies.get(currency) or currencies.get(self.currency)
            if place is None:
                continue
            by_items = place.grid.only
            weights = None if by_items is None else by_items.only
            if weights is None or any(line.per_unit or line.step_ng for line in weights.values):
                return None
            divided = divided or service.divisor_on(day) != 0
            bounds = (*weights.lows, *(high + 1 for high in weights.highs if high < UNBOUND))
            found.update(_first_weight(bound, service.round_to_ng) for bound in bounds)
        return tuple(sorted(found)), divided

    def _dearest(
        self, service: _Service, zones: tuple[str, ...], request: RateRequest, day: date
    ) -> Priced | NotPriced:
        best: Priced | None = None
        for zone in zones:
            found = self._one(service, zone, request, day)
            if isinstance(found, NotPriced):
                if len(zones) == 1:
                    return found
                message = (
                    f"{service.title}: the postal code is cut short, and not every zone that it may mean has a price."
                )
                return NotPriced("rate_refused", message, service.title)
            if best is not None and best.price.currency != found.price.currency:
                message = f"{service.title}: the postal code is cut short, and its zones have prices in two currencies."
                return NotPriced("rate_refused", message, service.title)
            days = found.days if best is None else _later(best.days, found.days)
            if best is None or found.price > best.price:
                best = found
            if best.days != days:
                best = replace(best, days=days)
        assert best is not None  # noqa: S101 - there is at least one zone.
        return best

    def _one(self, service: _Service, zone: str, request: RateRequest, day: date) -> Priced | NotPriced:
        currencies = self._places.get((service.key, zone)) if zone != NOWHERE else None
        place = currencies and (currencies.get(request.currency) or currencies.get(self.currency))
        if not place:
            return NotPriced("no_service", f"{service.title} is not offered in this zone.", service.title)
        weights = self._weights_for(place, service, request)
        if isinstance(weights, NotPriced):
            return weights
        millionths, amount, names = place.on(day)
        each, lines, billed = [], [], []
        days = service.days
        for ng in _billable(service, request, service.divisor_on(day), self._unit):
            grams = grams_up(ng)
            line = weights.at(grams)
            if line is None:
                return self._out_of_bounds(service, place.zone, weights, grams)
            each.append(minor(line, ng, self._unit_ng, millionths, amount))
            lines.append(line.number)
            billed.append(grams)
            if line.days is not None:
                days = line.days if len(lines) == 1 else _later(days, line.days)
        price, parts = Money(sum(each), place.currency), tuple(each) if len(each) > 1 else ()
        return Priced(service.title, price, days, place.zone, tuple(lines), tuple(billed), names, parts)

    def _weights_for(self, place: _Place, service: _Service, request: RateRequest) -> Bands[PriceLine] | NotPriced:
        """The weight bands for the cart's number of items and its subtotal."""
        by_items = place.grid.only
        if by_items is None:
            if request.units is None:
                message = f"{service.title} depends on the number of items, which is not known."
                return NotPriced("rate_refused", message, service.title)
            by_items = place.grid.at(request.units)
            if by_items is None:
                limits = _limits(place.grid, str)
                message = f"{service.title} takes {limits} items to {place.zone}; the cart has {request.units}."
                return NotPriced("rate_refused", message, service.title)
        by_subtotal = by_items.only
        if by_subtotal is None:
            goods = request.goods
            if goods is None or goods.currency != place.currency:
                why = "which is not known" if goods is None else f"which is not in {place.currency}"
                return NotPriced("rate_refused", f"{service.title} depends on the subtotal, {why}.", service.title)
            by_subtotal = by_items.at(goods.minor)
            if by_subtotal is None:
                limits = _limits(by_items, lambda value: str(Money(value, place.currency)))
                message = f"{service.title} takes subtotals of {limits} to {place.zone}; this one is {goods}."
                return NotPriced("rate_refused", message, service.title)
        return by_subtotal

    def _out_of_bounds(self, service: _Service, zone: str, weights: Bands[PriceLine], grams: int) -> NotPriced:
        limits = _limits(weights, lambda value: show_weight(value, self._unit))
        counts = f"{'this parcel' if service.priced_by == 'parcel' else 'the shipment'} counts as"
        message = f"{service.title} takes {limits} to {zone}; {counts} {show_weight(grams, self._unit)}."
        return NotPriced("rate_refused", message, service.title)


def _service(tariff: Tariff, line: ServiceLine) -> _Service:
    own = [(each.dates, each.divisor) for each in tariff.divisors if each.service == line.name]
    shared = [(each.dates, each.divisor) for each in tariff.divisors if not each.service]
    table = tariff.table
    return _Service(
        line.name,
        tariff.titles[f"service {line.name}"],
        line.days,
        table.round_to_ng if line.round_to_ng is None else line.round_to_ng,
        line.priced_by or table.priced_by,
        (*own, *shared),
    )


def _weights(lines: list[PriceLine]) -> Bands[PriceLine]:
    return Bands({line.grams: line for line in lines})


def _billable(service: _Service, request: RateRequest, divisor: int, unit: WeightUnit) -> Iterator[int]:
    """The weights that are priced: of each parcel, or of all together."""
    together = 0
    for parcel in request.parcels:
        grams = parcel.weight.grams
        if divisor and parcel.size is not None:
            grams = max(grams, dimensional_grams(parcel.size, divisor, unit))
        if service.priced_by == "parcel":
            yield billable_ng(grams, service.round_to_ng)
        together += grams
    if service.priced_by == "shipment":
        yield billable_ng(together, service.round_to_ng)


def _first_weight(billed: int, round_to_ng: int) -> int:
    """The least weight in grams that counts as so many grams or more."""
    return bisect_left(range(billed + 1), billed, key=lambda grams: grams_up(billable_ng(grams, round_to_ng)))


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _limits(bands: Bands[T], show: Callable[[int], str]) -> str:
    low, high = bands.lows[0], bands.highs[-1]
    if high >= UNBOUND:
        return f"at least {show(low)}"
    return f"at most {show(high)}" if low <= 1 else f"from {show(low)} to {show(high)}"
