"""What is wrong with a tariff as a whole, before it goes live: gaps, overlaps, contradictions; and what is only odd."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise

from carriers.money import Money
from carriers.rate_table.bands import gaps, group, overlaps
from carriers.rate_table.errors import Fault
from carriers.rate_table.pricing import exact
from carriers.rate_table.tariff import NANO, UNIT_NG, PriceLine, Span, SurchargeLine, Tariff, show_weight
from carriers.rate_table.zones import Zones

Key = tuple[str, str, str]


def by_place(prices: Iterable[PriceLine]) -> dict[Key, list[PriceLine]]:
    """Prices by service, zone and currency."""
    found: dict[Key, list[PriceLine]] = {}
    for line in prices:
        found.setdefault((line.service, line.zone, line.currency), []).append(line)
    return found


def contradictions(tariff: Tariff, zones: Zones) -> Iterator[Fault]:
    """What can be said even while some lines could not be read: two answers to one question."""
    yield from zones.faults
    for (_, _, currency), lines in by_place(tariff.prices).items():
        yield from overlaps(group(lines), _Show(tariff, currency))
    for one, other in combinations(tariff.divisors[:1000], 2):
        if one.service == other.service and one.dates.meet(other.dates):
            yield Fault(other.number, "divisor", f"Line {one.number} names a divisor for some of the same days.")


def incomplete(tariff: Tariff) -> Iterator[Fault]:
    """What is missing, once every line can be read."""
    table = tariff.table
    for kind, there in (("service", tariff.services), ("zone", tariff.zones), ("price", tariff.prices)):
        if not there:
            yield Fault(table.number, "row", f"The table has no {kind} line.")
    priced = {line.service for line in tariff.prices}
    for service in tariff.services:
        if tariff.prices and service.name not in priced:
            yield Fault(service.number, "service", "No price line is for this service.")
    for (_, _, currency), lines in by_place(tariff.prices).items():
        yield from gaps(group(lines), _Show(tariff, currency))
        if table.never_falls:
            yield from _falls(tariff, lines)
    yield from _without_amount(tariff)


def oddities(tariff: Tariff, zones: Zones) -> Iterator[Fault]:
    """What is allowed, and may not be meant."""
    priced = {(line.service, line.zone) for line in tariff.prices}
    titles = tariff.titles
    for zone in {line.zone: line for line in reversed(tariff.zones)}.values():
        missing = [titles[f"service {s.name}"] for s in tariff.services if (s.name, zone.zone) not in priced]
        if missing:
            what = "Nothing is shipped there" if len(missing) == len(tariff.services) else "Not offered there"
            yield Fault(zone.number, "zone", f"{what}: {', '.join(missing)} has no price for it.")
    for name, country in zones.countries.items():
        if country.whole is None and zones.everywhere is None:
            number = min(line.number for line in tariff.zones if name in line.countries)
            yield Fault(number, "country", f"No line is for the rest of {name}: what is not named is not served.")
    for (_, _, currency), lines in by_place(tariff.prices).items():
        yield from _late_starts(lines, _Show(tariff, currency))
    slugs: dict[str, str] = {}
    for service in tariff.services:
        slug = re.sub(r"[\W_]+", "-", service.name).strip("-")
        if slugs.setdefault(slug, service.name) != service.name:
            yield Fault(service.number, "service", "Another service has the same name but for signs and spaces.")


class _Show:
    """Writes the bounds of bands for people."""

    def __init__(self, tariff: Tariff, currency: str) -> None:
        self._unit = tariff.table.unit
        self._currency = currency

    def __call__(self, column: str, value: int) -> str:
        if column == "weight":
            return show_weight(value, self._unit)
        return str(Money(value, self._currency)) if column == "subtotal" else f"{value} items"


def _falls(tariff: Tariff, lines: list[PriceLine]) -> Iterator[Fault]:
    """Where a heavier parcel would cost less, although the table says that prices never fall."""
    unit_ng = UNIT_NG[tariff.table.unit]
    for within in group(lines).values():
        for column in within.values():
            for before, after in pairwise(column):
                highest = exact(before, before.grams.high * NANO, unit_ng)
                if highest > exact(after, after.grams.low * NANO, unit_ng):
                    at = show_weight(after.grams.low, tariff.table.unit)
                    yield Fault(after.number, "price", f"The price falls at {at} from what line {before.number} asks.")


def _without_amount(tariff: Tariff) -> Iterator[Fault]:
    """Amounts on top that one currency has and another, in which the same services are priced, has not."""
    amounts = [line for line in tariff.surcharges if line.currency]
    currencies = by_place(tariff.prices)
    for line in amounts:
        wanted = {
            currency
            for service, zone, currency in currencies
            if line.service in {"", service} and line.zone in {"", zone}
        }
        if line.currency not in wanted:
            yield Fault(line.number, "currency", f"No price that this is for is in {line.currency}.")
        for currency in sorted(wanted - {each.currency for each in amounts if _same_but_currency(each, line)}):
            yield Fault(line.number, "amount", f"{line.name} has no line with its amount in {currency}.")


def _same_but_currency(one: SurchargeLine, other: SurchargeLine) -> bool:
    return (one.name, one.service, one.zone, one.dates) == (other.name, other.service, other.zone, other.dates)


def _late_starts(lines: list[PriceLine], show: _Show) -> Iterator[Fault]:
    groups = group(lines)
    spans: list[tuple[str, list[tuple[Span, PriceLine]]]] = []
    for items, within in groups.items():
        spans.append(("subtotal", [(subtotal, found[0]) for subtotal, found in within.items()]))
        spans += [("weight", [(line.grams, line) for line in found]) for found in within.values()]
        spans.append(("items", [(items, next(iter(within.values()))[0])]))
    least = min(groups)
    for column, found in spans:
        span, line = min(found, key=lambda each: each[0])
        lowest = 1 if column != "subtotal" else 0
        if span.low > lowest and (column != "items" or span == least):
            yield Fault(line.number, f"{column}_from", f"Below {show(column, span.low)} there is no price.")
