"""The web process: answers the checkout and takes webhooks in."""

from __future__ import annotations

import gc
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import uvicorn

from connector.http.limits import Limits
from connector.http.ports import Front
from connector.http.routes import build_app
from connector.http.server import server_config
from connector.settings import Settings
from connector.storage.migrate import SchemaMismatch, require_current
from connector.storage.secrets import SealError
from connector.supervisor import EXIT_MISCONFIGURED
from connector.wiring import (
    Checkout,
    House,
    Surroundings,
    desk_house,
    follower,
    open_house,
    receiver,
    storefront_house,
    watch_of,
)


def serve(settings: Settings, host: str, port: int) -> int:
    """Serve until SIGTERM; returns the exit code."""
    house = open_house(settings)
    try:
        require_current(house.database)
        house.check_key()
    except (SchemaMismatch, SealError) as error:
        print(f"Error: {error}", flush=True)  # noqa: T201 - before anything is logged.
        house.close()
        return EXIT_MISCONFIGURED
    config = server_config(
        build_app(front_of(house)),
        host=host,
        port=port,
        connections_max=settings.connections_max,
        grace_s=settings.grace_s,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops in order and then raises the signal once more: what was heeded must not end the process.
        signal.signal(number, _heeded)
    uvicorn.Server(config).run()
    return 0


def _heeded(_number: int, _frame: object) -> None:
    """Do nothing."""


def _settle_memory() -> None:
    """Keep the collector away from what stays for good, and from looking at held answers after every few requests.

    Nothing of a request's own makes cycles; a full look at a warm process's memory holds every answer up for a moment.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def front_of(house: House) -> Front:
    """The HTTP front of a house."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await house.directory.refresh()
        _settle_memory()
        async with anyio.create_task_group() as group:
            group.start_soon(house.directory.run)
            group.start_soon(house.ledger.run)
            group.start_soon(watch_of(house).run, "web")
            group.start_soon(house.quote_desk.products.run)
            group.start_soon(house.refused.run)
            group.start_soon(follower(house).run)
            try:
                yield
            finally:
                await house.quote_desk.aclose()  # What late carriers still said goes to the ledger first.
                group.cancel_scope.cancel()
        await house.aclose()

    return Front(
        directory=house.directory,
        quoting=Checkout(house),
        receiving=receiver(house),
        health=Surroundings(house.database, house.settings.lease_s),
        metrics=house.metrics,
        limits=Limits.of(house.settings),
        lifespan=lifespan,
        desk=desk_house(house),
        rate_call_refused=lambda shop_id: house.refused.note(shop_id, "rates"),
        shopify_app=house.shopify_app,
        storefront=storefront_house(house),
    )
