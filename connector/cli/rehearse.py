"""The command `rehearse`: what shipping past orders would have cost, without buying anything or needing an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from carriers.money import Money
from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.insight.order_csv import read_orders
from connector.insight.rehearsal import OnlyLearn, Rehearsal, past_orders
from connector.insight.rehearsed import Group, Report, report
from connector.quotes.desk import QuoteDesk
from connector.store import PastOrder
from connector.wiring import House
from webhooks.errors import WaybillError

_TELL_EVERY = 50


def add_to(group: click.Group) -> None:
    """Register the command."""

    @command(group, "rehearse")
    @click.argument("shop")
    @click.option("--days", default=60, show_default=True, type=click.IntRange(1, 3650), help="How far to look back.")
    @click.option(
        "--orders",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Read the orders from this export of the store's admin instead of asking the store.",
    )
    @click.option("--thresholds", default="40,50,60", show_default=True, help="Amounts to try as free shipping limits.")
    @click.option("--most", default=5000, show_default=True, type=click.IntRange(1), help="The most orders to price.")
    def rehearse(speaker: Speaker, shop: str, days: int, file: Path | None, thresholds: str, most: int) -> None:
        """Price past orders with your carriers and say what they would have cost against what buyers paid.

        Nothing is bought and nothing is changed. What carriers answer is learned from, so that the first checkouts are
        answered faster.
        """
        rows = None if file is None else file.read_text(encoding="utf-8-sig").splitlines()
        found = in_house(lambda house: _rehearse(house, speaker, shop, days, rows, thresholds, most))
        speaker.answer(_data(found), _lines(found))


async def _rehearse(
    house: House, speaker: Speaker, reference: str, days: int, rows: list[str] | None, thresholds: str, most: int
) -> Report:
    shop = named_shop(house, reference)
    currency = shop.record.currency
    limits = [_limit(text, currency) for text in thresholds.split(",") if text.strip()]
    if not shop.accounts:
        raise WaybillError("The shop has no carrier account to ask: add one with `waybill carrier add`.")
    since = house.clock.now() - timedelta(days=days)

    async def orders() -> AsyncIterator[PastOrder]:
        count = 0
        if rows is None:
            async for order in past_orders(shop.store, since):
                if count < most:
                    yield order
                count += 1
            return
        for order in read_orders(rows):
            if count < most:
                yield order
            count += 1

    def tell(count: int) -> None:
        if count % _TELL_EVERY == 0:
            speaker.progress(f"{count} orders priced …")

    desk = QuoteDesk(house.clock.now, house.keyring.keyed_hash, OnlyLearn(house.ledger))
    try:
        found = await Rehearsal(shop.quoting, desk).run(orders(), tell)
    finally:
        await desk.aclose()
        await house.ledger.flush()
    return report(found, currency, limits)


def _limit(text: str, currency: str) -> Money:
    try:
        return Money.parse(text.strip(), currency)
    except WaybillError as error:
        raise click.BadParameter(f"{text!r} is not an amount in {currency}.", param_hint="--thresholds") from error


def _lines(found: Report) -> list[str]:
    if not found.orders:
        return ["There is no order to rehearse in that time."]
    if not found.priced:
        lines = [f"None of {found.orders} orders got a price from your carriers."]
        return [*lines, *_dead(found)]
    verdict = "more than" if found.left.minor >= 0 else "less than"
    by = found.left if found.left.minor >= 0 else -found.left
    lines = [
        f"Buyers paid {found.charged} for shipping, {by} {verdict} the {found.cost} that the labels would have cost.",
        (
            f"{found.priced} of {found.orders} orders got a price; {found.losing} of them would have lost money. "
            f"In {found.as_chosen} the buyer's own service was priced, in the others the cheapest one."
        ),
        "",
        "By destination:",
        *map(_group, found.by_country[:15]),
        "",
        "By weight:",
        *map(_group, found.by_weight),
    ]
    if found.worst:
        lines += ["", "The worst orders:"]
        lines += [
            f"  {each.name} to {each.country} {each.postal_code}, {each.grams / 1000:g} kg: "
            f"paid {each.charged}, label {each.cost} ({each.service})"
            for each in found.worst
        ]
    lines += _dead(found)
    if found.thresholds:
        lines += ["", "Free shipping would have meant:"]
        lines += [
            f"  from {each.amount}: {each.free_orders} free orders, {each.labels} for their labels, "
            f"{each.income_lost} of shipping income given up"
            for each in found.thresholds
        ]
    if found.other_currency:
        lines += ["", f"{found.other_currency} orders in other currencies are left out."]
    return lines


def _group(group: Group) -> str:
    return (
        f"  {group.key:<10} {group.orders:>5} orders   paid {group.charged}   labels {group.cost}   left {group.left}"
    )


def _dead(found: Report) -> list[str]:
    if not found.dead_zones:
        return []
    zones = [f"  {zone.country}: {zone.orders} of {zone.of} orders. {zone.why.say()}" for zone in found.dead_zones]
    return ["", "No price:", *zones]


def _data(found: Report) -> dict[str, Any]:
    return {
        "currency": found.currency,
        "orders": found.orders,
        "priced": found.priced,
        "as_chosen": found.as_chosen,
        "losing": found.losing,
        "charged": found.charged,
        "cost": found.cost,
        "left": found.left,
        "other_currency": found.other_currency,
        "by_country": [_group_data(group) for group in found.by_country],
        "by_weight": [_group_data(group) for group in found.by_weight],
        "worst": [
            {
                "order": each.name,
                "country": each.country,
                "postal_code": each.postal_code,
                "grams": each.grams,
                "charged": each.charged,
                "cost": each.cost,
                "service": each.service,
            }
            for each in found.worst
        ],
        "dead_zones": [
            {"country": zone.country, "orders": zone.orders, "of": zone.of, "why": zone.why}
            for zone in found.dead_zones
        ],
        "thresholds": [
            {
                "amount": each.amount,
                "free_orders": each.free_orders,
                "labels": each.labels,
                "income_lost": each.income_lost,
            }
            for each in found.thresholds
        ],
    }


def _group_data(group: Group) -> dict[str, Any]:
    return {"key": group.key, "orders": group.orders, "charged": group.charged, "cost": group.cost, "left": group.left}
