"""The commands `invoice …`: what carriers really charged, against the labels that were bought."""

from __future__ import annotations

from pathlib import Path

import click

from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.labels import invoice_import
from connector.labels.invoice_cells import SizeUnit, WeightUnit
from connector.labels.invoice_csv import FIELDS, Amounts, Layout, Sheet, read_sheet
from connector.labels.invoice_layouts import load_layout
from connector.labels.invoices import Imported, Leftover, count, leftovers
from connector.storage.audit import Actor
from connector.wiring import House
from webhooks.errors import WaybillError

_BY_COMMAND = Actor("command", "waybill")
_COLUMN = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help=f"Which column holds a field, where it has another name; fields: {', '.join(FIELDS)}.",
)


def add_to(group: click.Group) -> None:
    """Register the commands."""
    invoice = click.Group("invoice", help="Carriers' invoices.")
    group.add_command(invoice)

    @command(invoice, "import")
    @click.argument("shop")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--carrier", default="", metavar="NAME", help="Whose file it is: its columns are kept for the next.")
    @_COLUMN
    @click.option(
        "--amounts",
        type=click.Choice(["total", "adjustment"]),
        help="Whether an amount is the whole price of a label or what was added to it; default: total.",
    )
    @click.option("--weight-unit", type=click.Choice(["g", "kg", "oz", "lb"]), help="Of weights; default: kg.")
    @click.option("--size-unit", type=click.Choice(["mm", "cm", "in"]), help="Of lengths; default: cm.")
    @click.option("--encoding", default="utf-8-sig", show_default=True, help="How the file is written.")
    @click.option("--check", is_flag=True, help="Say what would be booked, and book nothing.")
    @click.option("--leave-faulty", is_flag=True, help="Leave out labels that have a line which cannot be read.")
    def import_invoice(
        speaker: Speaker,
        shop: str,
        file: Path,
        carrier: str,
        columns: tuple[str, ...],
        amounts: Amounts | None,
        weight_unit: WeightUnit | None,
        size_unit: SizeUnit | None,
        encoding: str,
        check: bool,
        leave_faulty: bool,
    ) -> None:
        """Book what a carrier's invoice (CSV) adds to the labels that were bought, each label once for each invoice.

        A line that cannot be read stops it before anything is booked. With `price_basis=expected` offers then hold
        what is to be expected on top.
        """
        try:
            rows = file.read_text(encoding=encoding).splitlines()
        except (UnicodeDecodeError, LookupError) as error:
            raise click.BadParameter(f"the file is not {encoding}.", param_hint="--encoding") from error
        given = _Given(_columns(columns), amounts, weight_unit, size_unit)
        only = "check" if check else "readable" if leave_faulty else ""
        sheet, done = in_house(lambda house: _import(house, shop, rows, carrier, given, only))
        speaker.answer(
            {
                "checked": check,
                "booked": done.booked,
                "unchanged": done.unchanged,
                "known": done.known,
                "refunded": done.refunded,
                "matched_later": done.matched_later,
                "added": list(done.added),
                "unknown": [{"line": line, "tracking": tracking} for line, tracking in done.unknown],
                "other_currency": [{"line": line, "tracking": tracking} for line, tracking in done.other_currency],
                "faults": [{"line": each.number, "field": each.field, "what": each.what} for each in sheet.faults],
            },
            ([_CHECKED] if check else []) + _lines(done) + [each.say() for each in sheet.faults],
        )

    @command(invoice, "unmatched")
    @click.argument("shop")
    def unmatched(speaker: Speaker, shop: str) -> None:
        """List the lines of invoices that no label has; each import looks them up again."""
        found = in_house(lambda house: _left(house, shop))
        data = [
            {
                "at": each.at,
                "invoice": each.line.invoice,
                "number": each.line.name,
                "money": each.line.amount,
                "reason": each.line.reason,
                "why": each.why,
            }
            for each in found
        ]
        lines = [
            f"{row['at']:%Y-%m-%d} {row['invoice']} {row['number']} {row['money']} {row['reason']} ({row['why']})"
            for row in data
        ]
        speaker.answer({"lines": data}, lines or ["Every line has its label."])


_CHECKED = "Nothing was booked; this is what it would be:"


class _Given:
    """What the command line says of a file; what it leaves out is as it was the last time."""

    def __init__(
        self,
        columns: dict[str, str],
        amounts: Amounts | None,
        weight_unit: WeightUnit | None,
        size_unit: SizeUnit | None,
    ) -> None:
        self.columns, self.amounts, self.weight_unit, self.size_unit = columns, amounts, weight_unit, size_unit

    def over(self, kept: Layout) -> Layout:
        """The layout to read by."""
        return Layout(
            {**kept.columns, **self.columns},
            self.amounts or kept.amounts,
            self.weight_unit or kept.weight_unit,
            self.size_unit or kept.size_unit,
        )


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    chosen = {}
    for each in given:
        field, sign, column = each.partition("=")
        if not sign or field not in FIELDS or not column:
            raise click.BadParameter(
                f"{each!r} is not FIELD=COLUMN; fields: {', '.join(FIELDS)}.", param_hint="--column"
            )
        chosen[field] = column
    return chosen


async def _import(
    house: House, reference: str, rows: list[str], carrier: str, given: _Given, only: str
) -> tuple[Sheet, Imported]:
    shop = named_shop(house, reference)
    name = carrier.strip()
    if len(name) > 60:
        raise WaybillError("A carrier's name has at most 60 characters.", detail="--carrier")
    kept = await house.database.run(load_layout, shop.id, name) if name else None
    layout = given.over(kept or Layout())
    sheet = read_sheet(rows, layout, shop.record.currency)
    now = house.clock.now()
    if only == "check":
        return sheet, count(await invoice_import.look(house.database, shop.id, sheet.lines, layout.amounts, now))
    if only != "readable":
        sheet.whole()
    file = invoice_import.name_of(rows)
    done = await invoice_import.book(
        house.database, shop.id, sheet, layout, carrier=name, name=file, actor=_BY_COMMAND, now=now
    )
    return sheet, done


async def _left(house: House, reference: str) -> list[Leftover]:
    return await house.database.run(leftovers, named_shop(house, reference).id)


def _lines(done: Imported) -> list[str]:
    added = ", ".join(str(each) for each in done.added) or "nothing"
    lines = [f"{done.booked} labels cost other than they were bought at: {added} in all."]
    if done.unchanged:
        lines.append(f"{done.unchanged} labels cost what they were bought at.")
    if done.known:
        lines.append(f"{done.known} lines were imported before.")
    if done.refunded:
        lines.append(f"{done.refunded} voided labels were given back.")
    if done.matched_later:
        lines.append(f"{done.matched_later} lines of earlier files found their label.")
    lines += [f"Line {line}: no label has the number {tracking}." for line, tracking in done.unknown]
    lines += [f"Line {line}: {tracking} was bought in another currency." for line, tracking in done.other_currency]
    return lines
