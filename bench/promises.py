"""Promises: how many parcels keep the day that a lane's own history promises, at 50, 80, 90 and 95 of 100.

Every Monday each lane is estimated from what was known that morning (slow parcels still under way), and the parcels of
the week are held against it. `share off` is how far the stated share is from what was kept, in points; the bar is 2.
The world that the parcels come from shares no code with the predictor. `--real FOLDER` takes real deliveries instead:
the CSV files of the Brazilian e-commerce set of Olist (CC BY-NC-SA 4.0), which is not part of this project.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bench._promises_world import Trip, trips
from connector.promises.calendar import Calendar
from connector.promises.history import LOST_DAYS, Count, Quantiles, estimate
from connector.promises.settings import CarrierTimes, PromiseSettings
from connector.promises.window import Promises, Service, Spot

LEVELS = (50, 80, 90, 95)
_BAR = 2.0
Lane = tuple[str, str, str]
CalendarOf = Callable[[Lane], Calendar]


@dataclass(slots=True)
class Tally:
    """What was promised at one level, and what became of it. `stated` sums thousandths, `days` the days promised."""

    promised: int = 0
    stated: int = 0
    kept: int = 0
    days: int = 0

    @property
    def off(self) -> float:
        """Points by which fewer (minus) or more parcels kept the day than was stated."""
        return 100 * self.kept / self.promised - self.stated / 10 / self.promised if self.promised else 0.0


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    parser.add_argument("--seeds", type=int, default=3, help="how many worlds")
    parser.add_argument("--real", type=Path, help="folder of the real deliveries")
    given = parser.parse_args(arguments)
    missed = 0
    if given.real is not None:
        missed += _report("real", hold_back(olist(given.real), _brazil), as_json=given.json)
    else:
        together = {level: Tally() for level in LEVELS}
        for seed in range(1, given.seeds + 1):
            found = hold_back(trips(seed), _europe)
            for level, tally in found.items():
                whole = together[level]
                whole.promised += tally.promised
                whole.stated += tally.stated
                whole.kept += tally.kept
                whole.days += tally.days
            missed += _report(f"world {seed}", found, as_json=given.json)
        missed += _report("all", together, as_json=given.json)
    return int(missed > 0)


def hold_back(parcels: Iterable[Trip], calendar_of: CalendarOf) -> Mapping[int, Tally]:
    """Promise each week's parcels from what was known before it, and count what was kept."""
    lanes: dict[Lane, list[Trip]] = defaultdict(list)
    for trip in parcels:
        lanes[trip.lane].append(trip)
    found = {level: Tally() for level in LEVELS}
    for lane, all_of_it in lanes.items():
        moving = calendar_of(lane)
        weeks: dict[date, list[Trip]] = defaultdict(list)
        for trip in all_of_it:
            weeks[trip.handed_over - timedelta(days=trip.handed_over.weekday())].append(trip)
        for monday in sorted(weeks):
            counts = known_on(monday, (each for week in sorted(weeks) if week < monday for each in weeks[week]), moving)
            for level in LEVELS:
                quantiles = estimate(counts, level)
                if quantiles is not None:
                    _hold(found[level], quantiles, weeks[monday], moving)
    return found


def known_on(today: date, before: Iterable[Trip], moving: Calendar) -> list[Count]:
    """What a shop knows of its parcels in the morning of a day."""
    counted: Counter[tuple[int, int, bool]] = Counter()
    for trip in before:
        if (today - trip.handed_over).days > 400:
            continue
        week = trip.handed_over.toordinal() // 7
        if trip.delivered is not None and trip.delivered < today:
            counted[week, moving.between(trip.handed_over, trip.delivered), True] += 1
        else:
            open_days = moving.between(trip.handed_over, today - timedelta(days=1))
            counted[week, min(open_days, LOST_DAYS), False] += 1
    return [Count(week, days, parcels, arrived) for (week, days, arrived), parcels in counted.items()]


def _hold(tally: Tally, quantiles: Quantiles, week: Sequence[Trip], moving: Calendar) -> None:
    for trip in week:
        latest = moving.after(trip.handed_over, quantiles.most)
        if latest is None:
            continue
        tally.promised += 1
        tally.stated += quantiles.permille
        tally.kept += trip.delivered is not None and trip.delivered <= latest
        tally.days += quantiles.most


def _europe(lane: Lane) -> Calendar:
    """As a merchant would set it up: Saturdays at home."""
    service, origin, to = lane
    times = CarrierTimes(name="Sample", delivers="mon-sat" if to == origin else "")
    return Promises(PromiseSettings(carriers=(times,)), "Europe/Bratislava", Spot(origin)).delivery_days(
        Service("Sample", service), Spot(to)
    )


def _brazil(lane: Lane) -> Calendar:
    _, origin, to = lane
    found = Promises(PromiseSettings(), "America/Sao_Paulo", Spot("BR", origin))
    return found.delivery_days(Service("any", "any"), Spot("BR", to))


def olist(folder: Path) -> Iterator[Trip]:
    """Real deliveries by the sellers' and the buyers' states; copies that lost their sellers are of one origin."""
    sellers = {row["seller_id"]: row["seller_state"] for row in _rows(folder, "seller")}
    buyers = {row["customer_id"]: row["customer_state"] for row in _rows(folder, "customer")}
    of_order = {row["order_id"]: row["seller_id"] for row in _rows(folder, "order_items")}
    for row in _rows(folder, "orders_dataset"):
        left, came = row["order_delivered_carrier_date"], row["order_delivered_customer_date"]
        origin = sellers.get(of_order.get(row["order_id"], ""), "")
        to = buyers.get(row["customer_id"], "")
        if left and to and (came or row["order_status"] == "shipped"):
            yield Trip(("any", origin, to), _day(left), _day(came) if came else None)


def _rows(folder: Path, name: str) -> Iterator[Mapping[str, str]]:
    found = sorted(each for each in folder.glob("*.csv") if name in each.name)
    if not found:
        sys.exit(f"There is no CSV file of {name} in {folder}.")
    with found[0].open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _day(said: str) -> date:
    """Copies of the set write days as 2017-10-04 or as 10/4/2017."""
    plain = said.split(maxsplit=1)[0]
    if "/" not in plain:
        return date.fromisoformat(plain)
    month, day, year = plain.split("/")
    return date(int(year), int(month), int(day))


def _report(name: str, found: Mapping[int, Tally], *, as_json: bool) -> int:
    """Print a line for each level; how many missed the bar."""
    missed = 0
    for level, tally in found.items():
        if not tally.promised:
            continue
        holds = abs(tally.off) <= _BAR
        missed += not holds
        stated, kept = tally.stated / 10 / tally.promised, 100 * tally.kept / tally.promised
        if as_json:
            line = {
                "name": f"{name}/{level}/share off",
                "value": round(tally.off, 2),
                "unit": "points",
                "floor": _BAR,
                "stated": round(stated, 2),
                "kept": round(kept, 2),
                "days": round(tally.days / tally.promised, 2),
                "n": tally.promised,
                "machine": f"CPython {platform.python_version()}",
            }
            print(json.dumps(line))
        else:
            print(
                f"{name:<9} asked {level}: stated {stated:5.1f}, kept {kept:5.1f}, off {tally.off:+5.2f} points"
                f" ({tally.promised} parcels, {tally.days / tally.promised:.1f} days){'' if holds else '  MISSED'}"
            )
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
