"""Which zone a destination is in: the most specific one that names it. Exact, indexed, and the same every time.

What names more of the place is more specific, in this order: a whole postal code; a beginning or a range of codes, the
one with more characters first (of equal length the beginning, then the narrower range); a province; a country;
everywhere (`*`). Two zones that name the same place in the same way are a fault of the table, found at import.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from carriers.address import Address
from carriers.rate_table.errors import Fault
from carriers.rate_table.postal import Beginning, Pattern, Range, coordinate, normal, stretches

EVERYWHERE = "*"
NOWHERE = ""
"""Among the zones that a cut code may be in: perhaps in none."""


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """One line of the table about a zone: some countries; or provinces, or postal codes, of one."""

    number: int
    zone: str
    countries: tuple[str, ...]
    provinces: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """The zone depends on a field that is not known: `postal code` or `province`."""

    field: str


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ranges of one kind in one country, cut into stretches that do not overlap; None: in no range."""

    starts: Sequence[int]
    zones: Sequence[str | None]

    def at(self, place: int) -> str | None:
        """The narrowest range's zone."""
        found = bisect_right(self.starts, place) - 1
        return self.zones[found] if found >= 0 else None

    def between(self, low: int, high: int) -> set[str | None]:
        """Every zone that has a place from `low` to `high`; None stands for places in no range."""
        first = bisect_right(self.starts, low) - 1
        inside = {self.zones[at] for at in range(max(first, 0), bisect_right(self.starts, high))}
        return inside | {None} if first < 0 else inside


@dataclass(slots=True)
class Country:
    """What the table says about one country."""

    whole: str | None = None
    provinces: dict[str, str] = field(default_factory=dict)
    beginnings: dict[str, str] = field(default_factory=dict)
    ranges: dict[tuple[str, int], Ranges] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    by_length: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    areas: dict[str, Ranges] = field(default_factory=dict)
    ordered: list[str] = field(default_factory=list)

    @property
    def has_codes(self) -> bool:
        """Whether postal codes matter here."""
        return bool(self.beginnings or self.ranges)

    def by_code(self, code: str) -> str | None:
        """The zone of the longest pattern that the code begins with."""
        beginnings = self.beginnings
        area = self._area(code) if self.areas else None
        for length in self.lengths:
            if length <= len(code) and (zone := beginnings.get(code[:length])) is not None:
                return zone
            if area is not None and length == code.find(" ") + 1:
                return area
            for kind in self.by_length.get(length, ()):
                place = coordinate(*kind, code)
                zone = None if place is None else self.ranges[kind].at(place)
                if zone is not None:
                    return zone
        return None

    def _area(self, code: str) -> str | None:
        """The zone of a British range of districts."""
        for letters, ranges in self.areas.items():
            place = coordinate(letters, 0, code)
            if place is not None:
                return ranges.at(place)
        return None

    def below(self, code: str) -> set[str]:
        """The zones of patterns that begin with the code and go on: it may turn out to be in one of them."""
        found = set()
        for at in range(bisect_left(self.ordered, code), len(self.ordered)):
            if not self.ordered[at].startswith(code):
                break
            found.add(self.beginnings[self.ordered[at]])
        for (alphabet, length), ranges in self.ranges.items():
            if length == 0 or length > len(code):
                for low, high in stretches(alphabet, length, code):
                    found |= {zone for zone in ranges.between(low, high) if zone is not None}
        return found


class Zones:
    """All zones of a table, ready for look-ups. `faults` are places that two zones name in the same way."""

    def __init__(self, lines: Iterable[ZoneLine]) -> None:
        self.faults: list[Fault] = []
        self._countries: dict[str, Country] = {}
        self._everywhere: str | None = None
        self._owners: dict[tuple[object, ...], tuple[str, int]] = {}
        lines = list(lines)
        for line in lines:
            self._take(line)
        spans: dict[str, dict[tuple[str, int], list[tuple[Range, str, int]]]] = {}
        for line in lines:
            for pattern in line.patterns:
                if isinstance(pattern, Range):
                    kinds = spans.setdefault(line.countries[0], {})
                    kind = (pattern.alphabet, pattern.length)
                    kinds.setdefault(kind, []).append((pattern, line.zone, line.number))
        for name, country in self._countries.items():
            for kind, ranges in spans.get(name, {}).items():
                country.ranges[kind] = _cut(ranges, self.faults)
            _finish(country)

    def find(self, to: Address) -> tuple[str, ...] | Unclear:
        """The zone of a destination; none; or, for a code that was cut short, every zone that it may be in."""
        name = to.country.upper()
        country = self._countries.get(name)
        if country is None:
            return () if self._everywhere is None else (self._everywhere,)
        code = normal(name, to.postal_code) if country.has_codes else ""
        if country.has_codes and not code:
            return Unclear("postal code")
        zone = country.by_code(code) if code else None
        others = country.below(code) if code and not code.endswith("$") else set()
        if zone is None:
            if country.provinces and not to.province:
                return Unclear("province")
            zone = country.provinces.get(province(name, to.province), country.whole) or self._everywhere
        if others - {zone}:
            return tuple(sorted(others | {zone or NOWHERE}))
        return () if zone is None else (zone,)

    @property
    def countries(self) -> Mapping[str, Country]:
        """By ISO code; what holds everywhere else is not among them."""
        return self._countries

    @property
    def everywhere(self) -> str | None:
        """The zone of all places that no other zone names."""
        return self._everywhere

    def _take(self, line: ZoneLine) -> None:
        for name in line.countries:
            if name == EVERYWHERE:
                if self._mine(line, "country", "everywhere", (EVERYWHERE,)):
                    self._everywhere = line.zone
                continue
            country = self._countries.setdefault(name, Country())
            for each in line.provinces:
                if self._mine(line, "province", f"{name} {each}", (name, "province", each)):
                    country.provinces[each] = line.zone
            for pattern in line.patterns:
                if isinstance(pattern, Beginning):
                    shown = f"{name} {pattern.text.rstrip('$ ')}"
                    if self._mine(line, "postal", shown, (name, "postal", pattern.text)):
                        country.beginnings[pattern.text] = line.zone
            if not line.provinces and not line.patterns and self._mine(line, "country", name, (name,)):
                country.whole = line.zone

    def _mine(self, line: ZoneLine, column: str, shown: str, key: tuple[object, ...]) -> bool:
        owner, number = self._owners.setdefault(key, (line.zone, line.number))
        if owner != line.zone:
            message = f"{shown} is in zone {line.zone} here and in zone {owner} in line {number}."
            self.faults.append(Fault(line.number, column, message))
        return owner == line.zone


def province(country: str, code: str) -> str:
    """A province's code for comparison: capitals, without the country in front (US-CA is CA)."""
    return code.strip().upper().removeprefix(country + "-")


def _finish(country: Country) -> None:
    country.ordered = sorted(country.beginnings)
    country.areas = {alphabet: ranges for (alphabet, length), ranges in country.ranges.items() if length == 0}
    for kind in sorted(country.ranges):
        if kind[1]:
            country.by_length.setdefault(kind[1], []).append(kind)
    lengths = {len(text) for text in country.beginnings} | set(country.by_length)
    if country.areas:
        lengths |= {3, 4, 5}  # A district with its space: E1, E14 or SW1, SW19.
    country.lengths = tuple(sorted(lengths, reverse=True))


def _cut(ranges: Iterable[tuple[Range, str, int]], faults: list[Fault]) -> Ranges:
    """Ranges that lie within each other or apart, as stretches: the narrowest wins. Others are faults."""
    starts: list[int] = []
    zones: list[str | None] = []
    open_: list[tuple[int, int, str, int]] = []

    def begin(place: int, zone: str | None) -> None:
        if starts and starts[-1] == place:
            zones[-1] = zone
        else:
            starts.append(place)
            zones.append(zone)

    def close_before(place: int | None) -> None:
        while open_ and (place is None or open_[-1][1] < place):
            high = open_.pop()[1]
            begin(high + 1, open_[-1][2] if open_ and open_[-1][1] > high else None)

    wider_first = sorted((each.low, -each.high, number, zone) for each, zone, number in ranges)
    for low, minus_high, number, zone in wider_first:
        high = -minus_high
        close_before(low)
        if open_:
            low_of_other, high_of_other, other, other_number = open_[-1]
            same = (low, high) == (low_of_other, high_of_other)
            if same and zone == other:
                continue
            if same or high > high_of_other:
                message = (
                    f"This range of zone {zone} and one of zone {other} in line {other_number} cut across each other"
                )
                faults.append(Fault(number, "postal", f"{message}: one must lie within the other, or apart from it."))
                continue
        open_.append((low, high, zone, number))
        begin(low, zone)
    close_before(None)
    return Ranges(starts, zones)
