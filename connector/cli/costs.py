"""Commands about what shipping costs: does the ledger tie, what came of it, and one label's packet for a dispute."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from carriers.money import Money, MoneyError
from connector.cli.naming import named_shop
from connector.cli.output import EXIT_FAILED, Speaker, command, in_house, with_house
from connector.insight import cost_csv, ledger_check, truth_rows
from connector.insight.dispute import packet
from connector.insight.evidence import prove, text_of
from connector.insight.ledger_check import Checked
from connector.insight.prices import lists_of
from connector.insight.truth import Truth
from connector.labels.claims import ClaimAct, note_claim
from connector.orders import view
from connector.storage.audit import Actor
from connector.wiring import House
from connector.words.spreadsheet import csv_lines
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")


def add_to(group: click.Group) -> None:
    """Register the commands."""
    costs = click.Group("costs", help="What shipping really costs.")
    group.add_command(costs)

    @command(costs, "check")
    @click.argument("shop")
    def check(speaker: Speaker, shop: str) -> None:
        """Compare every amount in the ledger with its label, void, invoice and order, to the cent.

        Exit code 1: something does not tie.
        """
        found = in_house(lambda house: _check(house, shop))
        data = {
            "ties": not found.gaps,
            "entries": found.entries,
            "labels": found.labels,
            "orders": found.orders,
            "gaps": [{"subject": gap.subject, "what": gap.what} for gap in found.gaps],
            "balances": [
                {"account": account, "money": Money(minor, currency)}
                for (account, currency), minor in sorted(found.balances.items())
            ],
        }
        head = f"{found.entries} entries of {found.labels} labels and {found.orders} paid orders"
        tie = f"{head} tie." if not found.gaps else f"{head}: {len(found.gaps)} do not tie."
        speaker.answer(data, [tie, *(f"  {gap.say()}" for gap in found.gaps)])
        if found.gaps:
            raise SystemExit(EXIT_FAILED)

    @command(costs, "report")
    @click.argument("shop")
    @click.option("--days", type=click.IntRange(1, 1100), default=90, show_default=True, help="Orders of so many days.")
    @click.option("--limit", default="1", show_default=True, help="Count orders that lost more than this amount.")
    @click.option("--csv", "as_csv", is_flag=True, help="One line for each order, as CSV.")
    def report(speaker: Speaker, shop: str, days: int, limit: str, as_csv: bool) -> None:
        """Say what buyers paid for shipping, what labels cost and what carriers invoiced, and why that differs."""
        found = in_house(lambda house: _report(house, shop, days, limit))
        if as_csv and not speaker.as_json:
            click.echo(csv_lines([cost_csv.HEADER, *cost_csv.rows(found)]).decode(), nl=False)
            return
        speaker.answer(_data(found, days), _lines(found, days))

    @command(costs, "dispute")
    @click.argument("parcel")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; default: PARCEL.pdf here.")
    def dispute(speaker: Speaker, parcel: str, out: Path | None) -> None:
        """Write a parcel's packet for a dispute with its carrier, as one PDF: quote, plan, measures, invoice."""
        path = out or Path(f"{parcel}.pdf")
        content, key = in_house(lambda house: _packet(house, parcel))
        path.write_bytes(content)
        data = {"parcel_id": parcel, "file": str(path), "public_key": key}
        speaker.answer(data, [f"Wrote {path}, signed with the key whose public part is {key}"])

    @command(costs, "verify")
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @click.option("--key", default="", help="The public key that it has to be signed with.")
    def verify(speaker: Speaker, file: Path, key: str) -> None:
        """Say whether a packet for a dispute is as it was written, and with which key it was signed.

        Exit code 1: it was changed or written again, or is signed with another key.
        """
        try:
            found = prove(file.read_bytes())
        except OSError as error:
            raise WaybillError(f"{file} cannot be read: {error.strerror}.", detail="FILE") from error
        mine = key in {"", found.public_key}
        said = {
            "unchanged": "The packet is unchanged.",
            "values": "The file was written again, so that its pages prove nothing; the values in it are unchanged.",
            "changed": "The packet was changed after it was signed.",
        }[found.state]
        by = f"Public key: {found.public_key}" + ("" if mine else "; this is another one than was asked for.")
        speaker.answer({"file": str(file), "state": found.state, "public_key": found.public_key}, [said, by])
        if found.state != "unchanged" or not mine:
            raise SystemExit(EXIT_FAILED)

    @command(costs, "claim")
    @click.argument("parcel")
    @click.option("--amount", required=True, help="In the label's currency.")
    @click.option("--reason", required=True, help="Why, for the audit.")
    @click.option("--paid", "act", flag_value="claim_paid", help="The carrier paid that much of the claim.")
    @click.option("--denied", "act", flag_value="claim_lost", help="The carrier denied that much of the claim.")
    def claim(speaker: Speaker, parcel: str, amount: str, reason: str, act: ClaimAct | None) -> None:
        """Note what is claimed of a carrier for a parcel's label, and later what it paid or denied."""
        left = with_house(lambda house: _claim(house, parcel, act or "claimed", amount, reason))
        speaker.answer({"parcel_id": parcel, "open": left}, [f"{left} of the claim is open."])


def _shop_of(house: House, parcel_id: str) -> str:
    shop_id = house.here(view.shop_of_parcel, parcel_id)
    if shop_id is None:
        raise WaybillError("There is no such parcel; `waybill order show` names them.", detail=parcel_id)
    return shop_id


async def _packet(house: House, parcel_id: str) -> tuple[bytes, str]:
    shop_id = await house.database.run(view.shop_of_parcel, parcel_id)
    shop = None if shop_id is None else house.directory.shop(shop_id)
    if shop is None:
        raise WaybillError("There is no such parcel; `waybill order show` names them.", detail=parcel_id)
    now, fonts, keyring = house.clock.now(), house.settings.fonts, house.keyring
    content = await house.database.run(packet, shop.id, parcel_id, now, keyring, fonts, lists_of(shop))
    return content, text_of(keyring.public_key)


def _claim(house: House, parcel_id: str, act: ClaimAct, amount: str, reason: str) -> Money:
    shop_id = _shop_of(house, parcel_id)
    return house.here(note_claim, shop_id, parcel_id, act, amount, reason, _BY_COMMAND, house.clock.now())


async def _check(house: House, reference: str) -> Checked:
    return await house.database.run(ledger_check.check, named_shop(house, reference).id)


async def _report(house: House, reference: str, days: int, limit: str) -> Truth:
    shop = named_shop(house, reference)
    try:
        most = Money.parse(limit, shop.record.currency)
    except MoneyError as error:
        raise WaybillError(f"{limit!r} is not an amount in {shop.record.currency}.", detail="--limit") from error
    since = house.clock.now() - timedelta(days=days)
    return await house.database.run(truth_rows.truth, shop.id, shop.record.currency, since, most, lists_of(shop))


def _data(found: Truth, days: int) -> dict[str, Any]:
    return {
        "days": days,
        "currency": found.currency,
        "orders": len(found.orders),
        "known": found.known,
        "invoiced": found.invoiced,
        "other_currency": found.other_currency,
        "sums": {
            "quoted": found.quoted,
            "charged": found.charged,
            "bought": found.bought,
            "cost": found.billed,
        },
        "median_loss": found.median_loss,
        "p90_loss": found.p90_loss,
        "limit": found.limit,
        "losing": found.losing,
        "losing_permille": found.losing_permille,
        "causes": [{"cause": cause, "labels": count, "sum": sum_} for cause, count, sum_ in found.causes],
        "periods": [
            {
                "since": each.since.isoformat(),
                "orders": each.orders,
                "invoiced": each.invoiced,
                "quoted": each.quoted,
                "charged": each.charged,
                "bought": each.bought,
                "cost": each.cost,
            }
            for each in found.periods
        ],
    }


def _lines(found: Truth, days: int) -> list[str]:
    if not found.known:
        return [f"No label of the last {days} days is known to have cost anything."]
    lines = [
        f"Buyers paid {found.charged} for shipping of {found.known} orders in {days} days; it cost {found.billed}.",
        f"Quoted {found.quoted}, labels {found.bought}; {found.invoiced} orders are invoiced.",
    ]
    if found.median_loss is not None:
        lines.append(f"Invoiced less charged: median {found.median_loss}, nine of ten at most {found.p90_loss}.")
    share = f"{found.losing_permille / 10:g} %"
    lines.append(f"{found.losing} orders ({share}) lost more than {found.limit}.")
    lines += [f"  {cause.replace('_', ' '):<20} {count:>6} labels  {sum_}" for cause, count, sum_ in found.causes]
    lines += [
        f"  from {each.since}  {each.orders:>5} orders, {each.invoiced} invoiced: paid {each.charged}, cost {each.cost}"
        for each in found.periods
    ]
    if found.other_currency:
        lines.append(f"{found.other_currency} orders in other currencies are not in these figures.")
    return lines
