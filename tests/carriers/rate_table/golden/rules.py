"""What the golden tables ask for, written out by hand: plain sums and ifs that share nothing with the code under test.

`python -m tests.carriers.rate_table.golden.rules` writes `cases.csv` from these rules and the questions beside
them. Each zone is written into its question by hand, so that finding it is not left to a second look-up; weights that
count are worked out from the carrier's formula in fractions.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

CASES = Path(__file__).with_name("cases.csv")
COLUMNS = ("table", "country", "province", "postal", "parcels", "items", "subtotal", "currency", "day", "expected")
POUND = Fraction(45359237, 100000)  # grams


@dataclass(frozen=True)
class Question:
    """A question with its zone; `parcels` are grams, or grams@LxWxH in millimetres."""

    table: str
    zone: str
    country: str
    province: str
    postal: str
    parcels: str
    currency: str
    day: str = "2026-10-15"
    items: str = ""
    subtotal: str = ""

    @property
    def boxes(self) -> list[tuple[int, int]]:
        """Grams and cubic millimetres of each parcel; 0 where the size is not known."""
        found = []
        for each in self.parcels.split("+"):
            grams, _, size = each.partition("@")
            found.append((int(grams), math.prod(int(side) for side in size.split("x")) if size else 0))
        return found


def cents(value: Fraction) -> Fraction:
    """Half a cent and more goes up."""
    return Fraction(math.floor(value * 100 + Fraction(1, 2)), 100)


def counts(grams: int, volume: int, divisor: int) -> int:
    """The larger of actual weight and cm3 / divisor kg, in started grams."""
    return max(grams, math.ceil(Fraction(volume, 1000) / divisor * 1000))


def europe(asked: Question) -> Iterator[str]:
    """Parcel: 5000 always; Express: 4000 from December on. Fuel 7.5 % in November, peak 1.50 to Christmas Eve."""
    fuel = Fraction(75, 1000) if "2026-11-01" <= asked.day <= "2026-11-30" else Fraction(0)
    island = Fraction(1, 10) if asked.zone == "World" else Fraction(0)
    sums: list[Fraction] = []
    for grams, volume in asked.boxes:
        base = europe_parcel(asked.zone, Fraction(counts(grams, volume, 5000), 1000))
        if base is None:
            yield "Parcel !rate_refused"
            break
        sums.append(cents(base * (1 + fuel + island)))
    else:
        days = {"Tatras": 4, "Peaks": 6, "World": 14}.get(asked.zone, 3)
        yield f"Parcel {float(sum(sums)):.2f} EUR {days}"
    yield europe_express(asked, fuel)


def europe_parcel(zone: str, kg: Fraction) -> Fraction | None:
    """Without anything on top; None beyond the last band."""
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    if zone == "Slovakia":
        steps = math.ceil((kg - 5) / half) if kg > 5 else 0
        price = Fraction("3.90") if kg <= 1 else Fraction("5.20") + Fraction("0.35") * steps
        return price if kg <= Fraction("31.5") else None
    if zone == "Capital":
        return Fraction("2.80") + Fraction("0.415") * max(Fraction(0), kg - 2) if kg <= Fraction("31.5") else None
    if zone in {"Tyrol", "Austria"}:
        start = Fraction(11 if zone == "Tyrol" else 8)
        return start + Fraction("1.10") * max(0, math.ceil(kg - 1)) if kg <= 30 else None
    flat = {
        "Office": Fraction(0),
        "Tatras": 6 + Fraction("1.25") * kg,
        "Peaks": Fraction("9.99"),
        "World": 15 + Fraction("2.40") * max(0, math.ceil((kg - 2) / quarter)),
    }
    return flat[zone] if kg <= 20 or zone == "Office" else None


def europe_express(asked: Question, fuel: Fraction) -> str:
    """Slovakia and the capital only, up to 10 kg."""
    if asked.zone not in {"Slovakia", "Capital"}:
        return "Express !no_service"
    total = Fraction(0)
    for grams, volume in asked.boxes:
        if counts(grams, volume, 4000 if asked.day >= "2026-12-01" else 5000) > 10_000:
            return "Express !rate_refused"
        base = Fraction("9.90") if asked.zone == "Slovakia" else Fraction("7.90")
        peak = Fraction("1.50") if "2026-11-20" <= asked.day <= "2026-12-24" else Fraction(0)
        total += cents(base * (1 + fuel)) + peak
    return f"Express {float(total):.2f} EUR 1"


def pounds(grams: int, volume: int, divisor: int, step: Fraction) -> Fraction:
    """Billable pounds, rounded up to steps; a limit that lies within a weight's last gram counts as reached."""
    cubic_inches = volume / Fraction("16387.064")
    counted = max(grams, math.ceil(cubic_inches / divisor * POUND))
    steps = 0
    while math.ceil(steps * step * POUND) < counted:
        steps += 1
    return steps * step


def america(asked: Question) -> Iterator[str]:
    """Ground by whole pounds (139), Air by half pounds (166); fuel 12.25 % on Ground to the end of 2026."""
    fuel = Fraction("0.1225") if asked.day <= "2026-12-31" else Fraction(0)
    area = Fraction("3.15") if asked.zone == "Far" else Fraction(0)
    ground, air = Fraction(0), Fraction(0)
    ground_limit, air_limit = False, False
    for grams, volume in asked.boxes:
        lb = pounds(grams, volume, 139, Fraction(1))
        over = max(Fraction(0), lb - 1)
        ground_limit = ground_limit or lb > {"Far": 50, "Tower": 10**9}.get(asked.zone, 70)
        base = {
            "States": 8 + Fraction("0.95") * over,
            "New York": Fraction("6.50") + Fraction("0.60") * over,
            "Manhattan": 5 + Fraction("0.25") * lb,
            "Tower": Fraction(0),
            "Harlem": Fraction("5.75") + Fraction("0.25") * lb,
            "Far": 14 + Fraction("2.10") * over,
        }[asked.zone]
        ground += cents(base * (1 + fuel)) + area
        half = pounds(grams, volume, 166, Fraction(1, 2))
        air_limit = air_limit or half > 20
        rates = {"States": ("12.00", "2.35"), "New York": ("11.00", "2.05"), "Manhattan": ("11.00", "1.85")}
        if asked.zone in rates:
            start, each = rates[asked.zone]
            air += cents(Fraction(start) + Fraction(each) * half)
    days = {"Manhattan": 3, "Tower": 0, "Harlem": 4, "Far": 9}.get(asked.zone, 5)
    yield "Ground !rate_refused" if ground_limit else f"Ground {float(ground):.2f} USD {days}"
    if asked.zone in {"Tower", "Harlem", "Far"}:
        yield "Air !no_service"
    else:
        yield "Air !rate_refused" if air_limit else f"Air {float(air):.2f} USD 2"


_POST = {
    "Highlands": ("8.45", 20, 5),
    "Skye": ("11.25", 20, 6),
    "East": ("2.95", 20, 2),
    "Palace": ("4.20", 20, 3),
    "Ulster": ("9.60", 10, 4),
}
_CANADA = {"Canada": ("14.50", 3), "Toronto": ("9.25", 3), "Dome": ("6.00", 3), "North": ("41.75", 9)}


def crown(asked: Question) -> Iterator[str]:
    """Flat prices by zone; several zones (a+b) mean a cut code: the dearest of them, and only if all have one."""
    zones = asked.zone.split("+")
    (grams, _), *_ = asked.boxes
    yield "Post " + _dearest([_post(zone, grams, asked.currency) for zone in zones])
    yield "Van " + _dearest([_van(zone, grams) for zone in zones])


def _post(zone: str, grams: int, currency: str) -> str:
    if zone == "Britain":
        price = "3.35" if grams <= 2000 else "5.95"
        return f"{price} GBP 3" if grams <= 20_000 else "!rate_refused"
    if zone in _POST:
        price, most, days = _POST[zone]
        return f"{price} GBP {days}" if grams <= most * 1000 else "!rate_refused"
    if zone == "Canada" and currency != "CAD":
        return "8.90 GBP 3" if grams <= 30_000 else "!rate_refused"
    if currency != "CAD":
        return "!no_service"  # Neither in the currency that is asked for, nor in the table's.
    price, days = _CANADA[zone]
    return f"{price} CAD {days}" if grams <= 30_000 else "!rate_refused"


def _van(zone: str, grams: int) -> str:
    price = {"East": "7.00 GBP 1", "Palace": "7.50 GBP 1", "Toronto": "12.00 CAD 1"}.get(zone)
    if price is None:
        return "!no_service"
    return price if grams <= 30_000 else "!rate_refused"


def _dearest(found: list[str]) -> str:
    if len(found) == 1:
        return found[0]
    if any(each.startswith("!") for each in found):
        return "!rate_refused"
    days = max(int(each.split()[2]) for each in found)
    price = max((each.split()[:2] for each in found), key=lambda each: Fraction(each[0]))
    return f"{price[0]} {price[1]} {days}"


def counts_table(asked: Question) -> Iterator[str]:
    """Yen are whole. Items and Worth look at the shipment, Both at each parcel. Divisor 6000."""
    grams = sum(counts(weight, volume, 6000) for weight, volume in asked.boxes)
    items = int(asked.items) if asked.items else None
    worth = int(asked.subtotal) if asked.subtotal else None
    golden = 120 if "2026-04-29" <= asked.day <= "2026-05-05" else 0
    if items is None or not 1 <= items <= 10:
        yield "Items !rate_refused"
    elif items <= 3:
        yield f"Items {550 + golden} JPY 2"
    else:
        by_weight = max(Fraction(0), Fraction(grams, 1000) - 5) * Fraction("75.5")
        yield f"Items {math.floor(900 + by_weight + Fraction(1, 2)) + golden} JPY 2"
    if worth is None or grams > 25_000:
        yield "Worth !rate_refused"
    else:
        yield f"Worth {800 if worth <= 4999 else 400 if worth <= 9999 else 0} JPY 4"
    yield _both(asked, items, worth)


def _both(asked: Question, items: int | None, worth: int | None) -> str:
    if items is None or not 1 <= items <= 20:
        return "Both !rate_refused"
    if items == 1 and (worth is None or worth > 9999):
        return "Both !rate_refused"
    total = 0
    for weight, volume in asked.boxes:
        grams = counts(weight, volume, 6000)
        if grams > 10_000:
            return "Both !rate_refused"
        base = Fraction(610 if grams <= 2000 else 1220)
        if items >= 2:
            base = 755 + Fraction(grams, 1000) * Fraction("33.333333")
        total += math.floor(base * Fraction(105, 100) + Fraction(1, 2))
    return f"Both {total} JPY"


RULES = {"europe": europe, "america": america, "crown": crown, "counts": counts_table}


def expected(asked: Question) -> str:
    """Every service's price, or why it has none."""
    if asked.zone.startswith("!"):
        return asked.zone
    return "; ".join(RULES[asked.table](asked))


def write_cases(path: Path = CASES) -> int:
    """Write the file; how many cases it has."""
    from tests.carriers.rate_table.golden.questions import questions

    asked = list(dict.fromkeys(questions()))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in asked:
            writer.writerow([*(getattr(each, name) for name in COLUMNS[:-1]), expected(each)])
    return len(asked)


if __name__ == "__main__":
    write_cases()
