"""A tracking number typed on the command line, corrected and taken back, with a worker beside it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.shell import Shell, started, until
from tests.cli.worlds import DOMAIN, Shop

pytestmark = pytest.mark.slow


def _parcel(shell: Shell, order: str) -> dict[str, Any]:
    answer = shell.run("order", "show", DOMAIN, order, "--json")
    if answer.exit_code:
        return {}
    parcels: list[dict[str, Any]] = shell.json("order", "show", DOMAIN, order)["parcels"]
    return parcels[0] if parcels else {}


@pytest.mark.need(23)
def test_an_order_goes_by_hand_and_the_store_is_told(shop: Shop) -> None:
    shell, order = shop.shell, shop.order()
    shell.ok("settings", DOMAIN, "buy=manual")
    typed = ("order", "ship", DOMAIN, order, "--carrier", "Sample Post", "--number")
    assert shell.refused(*typed, "RR1SK").startswith("There is no such order here.")
    shell.run("label", "buy", DOMAIN, order, "--wait", "0")  # Has the order read, and buys nothing yet.
    with started(shell, "work"):
        until(lambda: bool(_parcel(shell, order)), "the worker to read the order")
        assert shell.refused(*typed, "!").startswith("A tracking number has")
        assert shell.ok(*typed, "RR 1 SK") == "Kept Sample Post RR1SK. The store is being told.\n"
        assert shell.ok(*typed, "RR1SK") == "RR1SK was typed before; nothing has changed.\n"
        assert shell.refused(*typed, "RR2SK").startswith("No parcel of this order waits for a label.")
        until(lambda: _parcel(shell, order)["tracking"]["fulfilment"] == "done", "the store to be told")
        assert shell.json(*typed, "RR2SK", "--correct")["changed"] is True
        assert "went by hand" in shell.refused("label", "save", _parcel(shell, order)["id"])
        back = shell.json("order", "unship", DOMAIN, order, "--reason", "still here")
        assert (back["number"], back["worker"]) == ("RR2SK", True)
        until(lambda: _parcel(shell, order)["tracking"]["fulfilment"] == "cancelled", "the store to let go")
        assert shell.refused("order", "unship", DOMAIN, order, "--reason", "x").startswith("Nothing of this order")
        assert _parcel(shell, order)["label"]["state"] == "voided"
