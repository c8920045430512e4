"""A simulator as a process on business time, reachable from another network too: `python -m tests.e2e.simulated …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from starlette.types import ASGIApp

from connector.clock import open_clock
from tests.simulators import easypost, shopify
from tests.simulators.server import run


def main() -> None:
    """Serve one of them; the first line on standard output is its loopback URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("party", choices=["easypost", "shopify"])
    parser.add_argument("--clock", required=True, help="WAYBILL_TEST_CLOCK with an instant, so that all agree")
    parser.add_argument("--host", action="append", default=[], help="one more address to listen on")
    parser.add_argument("--accounts", choices=["one", "many"], default="one", help="EasyPost's set of accounts")
    given = parser.parse_args()
    app: ASGIApp = easypost.build(accounts=given.accounts)
    if given.party == "shopify":
        app = shopify.build(now=open_clock(given.clock, Path()).now)
    run(app, hosts=("127.0.0.1", *given.host))


if __name__ == "__main__":
    main()
