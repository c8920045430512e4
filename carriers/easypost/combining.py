"""Put the prices of several parcels together: an option counts only if every parcel has it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from carriers.money import Money, MoneyError
from carriers.rate import Problem, Rate, Rates


def combine(answers: Sequence[tuple[Rates, int]]) -> Rates:
    """One answer for all parcels, from the answer for each and how many parcels it stands for.

    Prices are summed, the slowest parcel's transit counts, and nothing of several parcels can be bought by an id.
    """
    if len(answers) == 1 and answers[0][1] == 1:
        return answers[0][0]
    by_key = [({rate.key: rate for rate in rates.rates}, count) for rates, count in answers]
    found: list[Rate] = []
    problems = list(dict.fromkeys(problem for rates, _ in answers for problem in rates.problems))
    for key in dict.fromkeys(rate.key for rates, _ in answers for rate in rates.rates):
        options = [(rates[key], count) for rates, count in by_key if key in rates]
        summed = _sum(options) if len(options) == len(answers) else None
        if summed is not None:
            found.append(summed)
        else:
            problems.append(Problem(key[0], key[1], "not_every_parcel", key[2]))
    modes = {rates.test_mode for rates, _ in answers} - {None}
    return Rates(
        tuple(found),
        tuple(problems),
        partial=any(rates.partial for rates, _ in answers),
        test_mode=False if False in modes else (True if modes else None),
    )


def _sum(options: Sequence[tuple[Rate, int]]) -> Rate | None:
    first = options[0][0]
    try:
        price = sum((rate.price * count for rate, count in options[1:]), first.price * options[0][1])
        listed = _listed(options)
    except MoneyError:
        return None
    days = [rate.transit_days for rate, _ in options]
    dates = [rate.delivery_at for rate, _ in options]
    return replace(
        first,
        price=price,
        list_price=listed,
        transit_days=None if None in days else max(day for day in days if day is not None),
        delivery_at=None if None in dates else max(date for date in dates if date is not None),
        guaranteed=all(rate.guaranteed for rate, _ in options),
        rate_id="",
    )


def _listed(options: Sequence[tuple[Rate, int]]) -> Money | None:
    total: Money | None = None
    for rate, count in options:
        if rate.list_price is None:
            return None
        part = rate.list_price * count
        total = part if total is None else total + part
    return total
