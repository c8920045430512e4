"""The command line: every command calls the same functions as hooks and pages do."""

from __future__ import annotations


def main() -> None:
    """The console script `waybill`."""
    from connector.cli.root import waybill

    waybill(prog_name="waybill")
