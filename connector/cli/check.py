"""Commands that say what is wrong and what to do: shop check, doctor."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from connector.checkup.finding import Checkup, Finding
from connector.cli.naming import named_shop
from connector.cli.output import EXIT_FAILED, Speaker, command, in_house
from connector.directory import ShopEntry
from connector.doctor.diagnosis import Diagnosis
from connector.doctor.exam import examine
from connector.wiring import House
from webhooks.errors import WaybillError

_STATES = {"ok": "ok", "look": "look at it", "broken": "BROKEN", "not_checked": "not checked"}
_LEVELS = {"stops_rates": "Stops prices", "costs_money": "Costs money", "look": "Look at it"}


def add_to(group: click.Group) -> None:
    """Register the commands; the group `shop` is there already."""
    shops = group.commands["shop"]
    assert isinstance(shops, click.Group)  # noqa: S101 - made by `shops`.

    @command(shops, "check")
    @click.argument("shop", required=False)
    @click.option("--all", "every", is_flag=True, help="Every connected store.")
    def check(speaker: Speaker, shop: str | None, every: bool) -> None:
        """Say why a store's buyers may not see our prices: each cause with its cure.

        The store, its carriers and our own address are asked. Exit code 1: something stops the prices.
        """
        if (shop is None) is not every:
            raise WaybillError("Name a shop, or give --all.", detail="SHOP")
        found = in_house(lambda house: _check(house, shop))
        data = {"shops": [_as_data(entry, checkup) for entry, checkup in found]}
        lines = [line for entry, checkup in found for line in _lines(entry, checkup)]
        speaker.answer(data, lines or ["No shop is connected yet."])
        if any(checkup.stops_rates for _, checkup in found):
            raise SystemExit(EXIT_FAILED)

    @command(group, "doctor")
    def doctor(speaker: Speaker) -> None:
        """Say what is wrong with this installation, and what to do: clock, key, database, address, disk, mail, work.

        Works while the database is down or the key is lost, and makes nothing. Exit code 1: something is broken.
        """
        found = asyncio.run(examine())
        broken = any(each.state == "broken" for each in found)
        speaker.answer(
            {"healthy": not broken, "checks": [_diagnosis_data(each) for each in found]},
            [line for each in found for line in _diagnosis(each)],
        )
        if broken:
            raise SystemExit(EXIT_FAILED)


def _diagnosis_data(found: Diagnosis) -> dict[str, Any]:
    return {
        "check": found.name,
        "state": found.state,
        "what": found.what,
        "value": found.value,
        "why": found.why,
        "cure": found.cure,
    }


def _diagnosis(found: Diagnosis) -> list[str]:
    said = " ".join(part for part in (found.value, found.why.say() if found.why else "") if part)
    first = f"{_STATES[found.state]:<12} {found.what.say()}: {said or 'in order'}"
    return [first, f"{'':<12} {found.cure}"] if found.cure else [first]


async def _check(house: House, name: str | None) -> list[tuple[ShopEntry, Checkup]]:
    shops = house.directory.shops() if name is None else [named_shop(house, name)]
    return [(shop, await house.clinic.check(shop.id)) for shop in shops]


def _as_data(shop: ShopEntry, checkup: Checkup) -> dict[str, Any]:
    return {
        "shop_id": shop.id,
        "domain": shop.domain,
        "at": checkup.at,
        "stops_rates": checkup.stops_rates,
        "passed": list(checkup.passed),
        "findings": [
            {
                "check": finding.check,
                "level": finding.level,
                "subject": finding.subject,
                "why": finding.reason,
                "cure": finding.cure,
                "link": finding.link,
            }
            for finding in checkup.findings
        ],
        "not_made": [{"check": each.name, "what": each.what, "why": each.why} for each in checkup.not_made],
    }


def _lines(shop: ShopEntry, checkup: Checkup) -> list[str]:
    lines = [line for finding in checkup.findings for line in _finding(finding)]
    lines += [f"Not checked: {each.what.say()}. {each.why.say()}" for each in checkup.not_made]
    passed = len(checkup.passed)
    if checkup.stops_rates:
        last = f"{shop.domain}: buyers do not see all prices. {passed} other checks passed."
    elif checkup.findings or checkup.not_made:
        last = f"{shop.domain}: {passed} checks passed. Nothing that was checked stops the prices."
    else:
        last = f"{shop.domain}: All {passed} checks passed, rates will show."
    return [*lines, last]


def _finding(finding: Finding) -> list[str]:
    return [f"{_LEVELS[finding.level]}: {finding.reason.say()}", f"  {finding.cure}"]
