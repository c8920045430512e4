"""The command `invoice import`: what carriers really charged, against the labels that were bought."""

from __future__ import annotations

from pathlib import Path

import click

from connector.cli.naming import named_shop
from connector.cli.output import Speaker, command, in_house
from connector.labels.invoices import FIELDS, Amounts, Imported, book_invoice, read_invoice
from connector.wiring import House


def add_to(group: click.Group) -> None:
    """Register the command."""
    invoice = click.Group("invoice", help="Carriers' invoices.")
    group.add_command(invoice)

    @command(invoice, "import")
    @click.argument("shop")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="FIELD=COLUMN",
        help=f"Which column holds a field, where it has another name; fields: {', '.join(FIELDS)}.",
    )
    @click.option(
        "--amounts",
        type=click.Choice(["total", "adjustment"]),
        default="total",
        show_default=True,
        help="Whether an amount is the whole price of a label or what was added to it.",
    )
    @click.option("--encoding", default="utf-8-sig", show_default=True, help="How the file is written.")
    def import_invoice(
        speaker: Speaker, shop: str, file: Path, columns: tuple[str, ...], amounts: Amounts, encoding: str
    ) -> None:
        """Book what a carrier's invoice (CSV) adds to the labels that were bought, each label once for each invoice.

        All or nothing: a line that cannot be read stops the import. With `price_basis=expected` offers then hold what
        is to be expected on top.
        """
        chosen = _columns(columns)
        try:
            rows = file.read_text(encoding=encoding).splitlines()
        except (UnicodeDecodeError, LookupError) as error:
            raise click.BadParameter(f"the file is not {encoding}.", param_hint="--encoding") from error
        done = in_house(lambda house: _import(house, shop, rows, chosen, amounts))
        speaker.answer(
            {
                "booked": done.booked,
                "unchanged": done.unchanged,
                "known": done.known,
                "added": list(done.added),
                "unknown": [{"line": line, "tracking": tracking} for line, tracking in done.unknown],
                "other_currency": [{"line": line, "tracking": tracking} for line, tracking in done.other_currency],
            },
            _lines(done),
        )


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    chosen = {field: field for field in FIELDS}
    for each in given:
        field, sign, column = each.partition("=")
        if not sign or field not in chosen or not column:
            raise click.BadParameter(
                f"{each!r} is not FIELD=COLUMN; fields: {', '.join(FIELDS)}.", param_hint="--column"
            )
        chosen[field] = column
    return chosen


async def _import(house: House, reference: str, rows: list[str], columns: dict[str, str], amounts: Amounts) -> Imported:
    shop = named_shop(house, reference)
    lines = read_invoice(rows, columns, shop.record.currency)
    return await house.database.run(book_invoice, shop.id, lines, amounts, house.clock.now())


def _lines(done: Imported) -> list[str]:
    added = ", ".join(str(each) for each in done.added) or "nothing"
    lines = [f"{done.booked} labels cost other than they were bought at: {added} in all."]
    if done.unchanged:
        lines.append(f"{done.unchanged} labels cost what they were bought at.")
    if done.known:
        lines.append(f"{done.known} lines were imported before.")
    lines += [f"Line {line}: no label has the number {tracking}." for line, tracking in done.unknown]
    lines += [f"Line {line}: {tracking} was bought in another currency." for line, tracking in done.other_currency]
    return lines
