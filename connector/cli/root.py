"""The command `waybill` and its groups."""

from __future__ import annotations

from importlib.metadata import version

import click

from connector.cli import (
    accounts,
    alerts,
    apps,
    care,
    cartons,
    catalogue,
    check,
    costs,
    demo,
    invoices,
    orders,
    pack,
    papers,
    promises,
    quotes,
    rehearse,
    rules,
    service,
    settings,
    shops,
    storefront,
    tables,
    thresholds,
    upkeep,
    users,
)
from connector.cli.output import Root


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("waybill"))
def waybill() -> None:
    """The shipping desk of an online store. `waybill demo` shows it at work without accounts or network."""


for part in (
    service,
    apps,
    shops,
    check,
    accounts,
    tables,
    settings,
    storefront,
    rules,
    thresholds,
    quotes,
    rehearse,
    pack,
    promises,
    catalogue,
    cartons,
    orders,
    papers,
    invoices,
    costs,
    upkeep,
    alerts,
    users,
    care,
    demo,
):
    part.add_to(waybill)
