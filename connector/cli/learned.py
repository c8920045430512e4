"""Commands about what quoting has seen: learned prices held against the real ones, and rate requests by day."""

from __future__ import annotations

from datetime import timedelta

import click

from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.quotes import behind
from connector.quotes.learning.report import ServiceReport, report
from connector.wiring import House


def add_to(quote: click.Group) -> None:
    """Register the commands."""

    @command(quote, "learned")
    @click.argument("shop")
    def learned(speaker: Speaker, shop: str) -> None:
        """Hold learned prices against the live ones that came after them.

        Each live answer of the last 40 days is told first from those before it, then compared: the error that a buyer
        would have seen.
        """
        bound, lines = in_house(lambda house: _learned(house, shop))
        data = {"bound_percent": str(bound), "services": [_data(line) for line in lines]}
        speaker.answer(data, _text(lines, str(bound)))

    @command(quote, "requests")
    @click.argument("shop")
    @click.option("--days", type=click.IntRange(1, 400), default=28, help="How many days back.")
    def requests(speaker: Speaker, shop: str, days: int) -> None:
        """Count the rate requests that arrived, by day (UTC) and outcome.

        Hold it against the store's own count: what never arrived here is not Waybill's doing.
        """
        found = in_house(lambda house: _requests(house, shop, days))
        data = {"days": [{"day": day, "received": sum(each.values()), "outcomes": each} for day, each in found.items()]}
        lines = [
            f"{day}  {sum(each.values()):>8}  " + ", ".join(f"{name} {count}" for name, count in sorted(each.items()))
            for day, each in found.items()
        ]
        speaker.answer(data, lines or ["No rate request has arrived in these days."])


async def _learned(house: House, reference: str) -> tuple[object, list[ServiceReport]]:
    shop = named_shop(house, reference)
    bound = shop.settings.learned_bound_percent
    answers = await house.database.run(behind.live_of, shop.id)
    return bound, report(answers, float(bound * 10))


async def _requests(house: House, reference: str, days: int) -> dict[str, dict[str, int]]:
    shop = named_shop(house, reference)
    since = house.clock.now().date() - timedelta(days=days - 1)
    found = await house.database.run(behind.requests_by_day, shop.id, since)
    return {day.isoformat(): each for day, each in found.items()}


def _data(line: ServiceReport) -> dict[str, object]:
    return {
        "account": line.account_id,
        "carrier": line.carrier,
        "service": line.service,
        "prices": line.came,
        "told": line.told,
        "within_bound": line.kept,
        "median_error_percent": _rounded(line.error(0.5)),
        "p95_error_percent": _rounded(line.error(0.95)),
        "changes": line.changes,
        "changed_at": line.changed_at,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _text(lines: list[ServiceReport], bound: str) -> list[str]:
    if not lines:
        return ["Nothing has been learned yet: no carrier account has answered live in the last 40 days."]
    came, told, kept = (sum(getattr(line, name) for line in lines) for name in ("came", "told", "kept"))
    shown = [
        (
            f"{told} of {came} prices were known within {bound} % before the carrier named them; "
            f"{kept} of these kept their bound."
        ),
        "",
        f"{'service':<40} {'prices':>7} {'known':>7} {'median error':>13} {'95 of 100':>10}",
    ]
    for line in lines:
        errors = [line.error(share) for share in (0.5, 0.95)]
        said = ["-" if each is None else f"{each:.2f} %" for each in errors]
        shown.append(
            f"{f'{line.carrier} {line.service}':<40} {line.came:>7} {line.told:>7} {said[0]:>13} {said[1]:>10}"
        )
        if line.changed_at is not None:
            shown.append(f"    the carrier changed this price {line.changes} times, last on {line.changed_at:%Y-%m-%d}")
    return shown
