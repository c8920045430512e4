"""The commands `threshold …`: free shipping from an amount, the store's own discount, and what paid orders show."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from carriers.money import Money
from connector.cli.naming import named_shop
from connector.cli.output import BY_COMMAND, Speaker, command, in_house
from connector.managing import thresholds
from connector.orders.due_report import FIELDS, DueReport, report
from connector.rules.thresholds import Threshold, Tier
from connector.wiring import House
from webhooks.errors import WaybillError


def add_to(group: click.Group) -> None:
    """Register the commands."""
    threshold = click.Group("threshold", help="Free shipping from an amount.")
    group.add_command(threshold)
    _showing(threshold)
    _changing(threshold)
    _publishing(threshold)


def _showing(threshold: click.Group) -> None:
    @command(threshold, "list")
    @click.argument("shop")
    def list_thresholds(speaker: Speaker, shop: str) -> None:
        """Show a shop's thresholds: what is free for whom, from which amount."""

        async def read(house: House) -> tuple[Threshold, ...]:
            return named_shop(house, shop).settings.rules.thresholds

        found = in_house(read)
        body = {"thresholds": [each.model_dump(mode="json", exclude_defaults=True) for each in found]}
        speaker.answer(body, [line for each in found for line in said(each)] or ["No free shipping by value."])

    @command(threshold, "report")
    @click.argument("shop")
    @click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660), help="How far back.")
    @click.option("--csv", "as_csv", is_flag=True, help="The orders that are not right, as CSV.")
    def due_report(speaker: Speaker, shop: str, days: int, as_csv: bool) -> None:
        """Show which paid orders paid more or less for shipping than was due for what they bought, and what it cost."""

        async def read(house: House) -> DueReport:
            since = house.clock.now() - timedelta(days=days)
            return await house.database.run(report, named_shop(house, shop).id, since)

        found = in_house(read)
        if as_csv and not speaker.as_json:
            click.echo(to_csv(found), nl=False)
            return
        speaker.answer(to_json(found), _report_lines(found, days))


def _changing(threshold: click.Group) -> None:
    @command(threshold, "set")
    @click.argument("shop")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def set_threshold(speaker: Speaker, shop: str, file: Path) -> None:
        """Add a threshold from a JSON file, or replace the one of its name. The settings get a new version."""
        try:
            body = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise WaybillError("The file holds no JSON.", detail=str(file)) from error
        if not isinstance(body, dict):
            raise WaybillError("The file holds no threshold: it is one JSON object.", detail=str(file))
        wanted = thresholds.read(body)

        async def put(house: House) -> int:
            return await thresholds.put(
                house.database,
                house.clock,
                named_shop(house, shop),
                wanted,
                BY_COMMAND,
                clock_is_moved=house.settings.test_clock is not None,
            )

        version = in_house(put)
        speaker.answer({"version": version, "name": wanted.name}, [f"Version {version}", *said(wanted)])

    @command(threshold, "remove")
    @click.argument("shop")
    @click.argument("name")
    def remove_threshold(speaker: Speaker, shop: str, name: str) -> None:
        """Take a threshold out. The settings get a new version."""

        async def remove(house: House) -> int:
            return await thresholds.remove(
                house.database,
                house.clock,
                named_shop(house, shop),
                name,
                BY_COMMAND,
                clock_is_moved=house.settings.test_clock is not None,
            )

        version = in_house(remove)
        speaker.answer({"version": version, "name": name}, [f"Version {version}", f"{name} is out."])


def _publishing(threshold: click.Group) -> None:
    @command(threshold, "publish")
    @click.argument("shop")
    @click.argument("name")
    @click.option("--up-to", default="", metavar="AMOUNT", help="The greatest shipping price that becomes free.")
    def publish(speaker: Speaker, shop: str, name: str, up_to: str) -> None:
        """Make a threshold the store's own automatic discount, which sees coupons at once; safe to repeat.

        From then on Waybill leaves it to the store. What the store cannot express is refused, with the field's name.
        """

        async def run(house: House) -> str:
            entry = named_shop(house, shop)
            most = Money.parse(up_to, entry.record.currency) if up_to else None
            return await thresholds.publish(
                house.database,
                house.clock,
                entry,
                name,
                most,
                BY_COMMAND,
                clock_is_moved=house.settings.test_clock is not None,
            )

        discount_id = in_house(run)
        speaker.answer({"name": name, "discount": discount_id}, [f"{name} is the store's own discount {discount_id}."])

    @command(threshold, "unpublish")
    @click.argument("shop")
    @click.argument("name")
    def unpublish(speaker: Speaker, shop: str, name: str) -> None:
        """Take a published threshold back: the store's discount goes, and Waybill applies it again."""

        async def run(house: House) -> bool:
            return await thresholds.unpublish(
                house.database,
                house.clock,
                named_shop(house, shop),
                name,
                BY_COMMAND,
                clock_is_moved=house.settings.test_clock is not None,
            )

        was_there = in_house(run)
        line = f"{name} is Waybill's again." if was_there else f"{name} is Waybill's again; the store had no discount."
        speaker.answer({"name": name, "was_there": was_there}, [line])


def said(threshold: Threshold) -> list[str]:
    """A threshold as lines of text."""
    lines = [f"{threshold.name}{' (left to the store)' if threshold.by_store else ''}"]
    currency = threshold.currency
    lines += [
        f"    from {Money.parse(tier.amount, currency)}: {_freed(tier, currency)}" for tier in threshold.all_tiers
    ]
    if threshold.where:
        lines.append(f"    to {', '.join(threshold.where)}")
    if threshold.customer_tags:
        lines.append(f"    for customers tagged {', '.join(threshold.customer_tags)}")
    out = threshold.excludes.model_dump(mode="json", exclude_defaults=True)
    if out:
        lines.append(f"    not with {'; '.join(f'{key} {_listed(value)}' for key, value in out.items())}")
    return lines


def _freed(tier: Tier, currency: str) -> str:
    what = tier.service_class or ", ".join(tier.services) or "the cheapest service"
    what = "every service" if what == "*" else what
    return f"{what} free" if tier.price == 0 else f"{what} for {Money.parse(tier.price, currency)}"


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def to_json(found: DueReport) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "counts": found.counts,
        "free_cost": list(found.free_cost),
        "charged_cost": list(found.charged_cost),
        "flagged": found.flagged,
        "orders": [each.fields() for each in found.orders],
    }


def to_csv(found: DueReport) -> str:
    """The orders that are not right."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\r\n")
    writer.writeheader()
    for each in found.orders:
        row = each.fields()
        writer.writerow({**row, "placed_at": each.placed_at.isoformat()})
    return out.getvalue()


def _report_lines(found: DueReport, days: int) -> list[str]:
    counts = found.counts
    wrong = counts["free"] + counts["charged"]
    first = "Every order paid what was due." if not wrong else f"{wrong} of {sum(counts.values())} orders were wrong."
    lines = [
        f"{first} (last {days} days)",
        f"    right            {counts['right']}",
        f"    wrongly free     {counts['free']}  cost {', '.join(map(str, found.free_cost)) or 'nothing'}",
        f"    wrongly charged  {counts['charged']}  {', '.join(map(str, found.charged_cost)) or 'nothing'}",
        f"    store's discount {counts['discounted']}",
        f"    not known        {counts['unknown']}",
        f"    margin flagged   {found.flagged}",
    ]
    for each in found.orders:
        label = "" if each.label is None else f" (label {each.label})"
        lines.append(f"{each.name}  {each.kind}: {'' if each.why is None else each.why.say()}{label}")
    return lines
