"""The service under another public address: it moves what the stores know of it, by itself."""

from __future__ import annotations

import pytest

from tests.cli.shell import shell_in, started, until
from tests.cli.worlds import Shop

MOVED = "https://moved.example.com"


@pytest.mark.complaint(50)
def test_a_worker_moves_callbacks_to_the_present_address_and_says_so(shop: Shop) -> None:
    def lead_there() -> bool:
        known = shop.at_the_store(lambda keeper: keeper.callbacks())
        return known is not None and known.rates.startswith(f"{MOVED}/rates/") and known.hooks.startswith(MOVED)

    assert not lead_there()
    with started(shell_in(shop.folder, public_url=MOVED), "work") as process:
        until(lead_there, "the callbacks to move")
        until(lambda: any("callbacks_moved" in line and MOVED in line for line in process.log), "the log to say so")
    assert shop.shell.json("shop", "list")["shops"][0]["rates_on"] is False
