"""The worker process: runs durable jobs, and starts what is due on a clock."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import anyio
import structlog
import uvicorn
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connector.catalogue import refresh as catalogue
from connector.checkup import clinic
from connector.http.routes import build_worker_app
from connector.http.server import server_config
from connector.insight import punctuality
from connector.installing import moves
from connector.labels import sweep as label_sweep
from connector.orders import sweep as order_sweep
from connector.settings import Settings
from connector.storage.migrate import SchemaMismatch, require_current
from connector.storage.secrets import SealError
from connector.supervisor import EXIT_MISCONFIGURED
from connector.wiring import House, Surroundings, open_house, watch_of
from connector.work.durable import WorkSettings
from connector.work.port import Observe, Task

log = structlog.get_logger(__name__)

_DAILY = timedelta(days=1)


async def work(settings: Settings, observe: Observe | None = None, work_settings: WorkSettings | None = None) -> int:
    """Work until SIGTERM; returns the exit code."""
    house = open_house(settings, observe, work_settings)
    try:
        require_current(house.database)
        house.check_key()
    except (SchemaMismatch, SealError) as error:
        print(f"Error: {error}", flush=True)  # noqa: T201 - before anything is logged.
        house.close()
        return EXIT_MISCONFIGURED
    await house.directory.refresh()
    async with AsyncExitStack() as stack:
        # From here on a signal waits until everything has started, and then stops it in order.
        told = stack.enter_context(anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT))
        stack.push_async_callback(house.aclose)
        await house.work.start()
        stack.push_async_callback(house.work.stop, settings.grace_s)
        async with anyio.create_task_group() as group:
            group.start_soon(house.directory.run)
            group.start_soon(_tick, house)
            group.start_soon(watch_of(house).run, "worker")
            if settings.worker_port is not None:
                group.start_soon(_serve_figures, house, settings.worker_port)
            await anext(told)
            group.cancel_scope.cancel()
    return 0


async def _tick(house: House) -> None:
    """Queue each sweep once for each span of business time, whichever worker is first."""
    queued: dict[tuple[str, str], int] = {}
    moving: set[tuple[str, str]] = set()
    while True:
        try:
            fresh = _fresh_spans(house, queued)
            if fresh:
                await house.database.run(_queue_sweeps, house, fresh)
                queued |= fresh
            moved = _moved_callbacks(house, moving)
            if moved:
                await house.database.run(_queue_moves, house, moved)
                moving |= moved
        except SQLAlchemyError as error:
            log.warning("sweeps_wait", cause=type(error).__name__)
        await anyio.sleep(1)


def _fresh_spans(house: House, queued: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Sweep and shop, with the number of the present span, where this process has not queued it yet."""
    now = house.clock.now().timestamp()
    sweeps = (
        ("orders.sweep", order_sweep.EVERY),
        ("labels.sweep", label_sweep.EVERY),
        (punctuality.SWEEP, punctuality.EVERY),
        (catalogue.SWEEP, catalogue.EVERY),
        (moves.REPAIR, moves.EVERY),
        ("shops.check", clinic.EVERY),
    )
    subjects = [(name, shop.id, every) for shop in house.directory.shops() for name, every in sweeps]
    subjects.append(("house.retention", "", _DAILY))
    spans = {(name, shop_id): int(now // every.total_seconds()) for name, shop_id, every in subjects}
    return {key: span for key, span in spans.items() if queued.get(key) != span}


def _queue_sweeps(connection: Connection, house: House, spans: dict[tuple[str, str], int]) -> None:
    for (name, shop_id), span in spans.items():
        house.work.enqueue(connection, Task(name, f"{name}:{shop_id}:{span}", shop_id))


def _moved_callbacks(house: House, known: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Shops whose callbacks lead to another address than ours, where this process has not seen to it yet."""
    wanted = house.settings.public_url
    found = {(shop.id, shop.record.callbacks_base) for shop in house.directory.shops() if moves.has_moved(shop, wanted)}
    return found - known


def _queue_moves(connection: Connection, house: House, moved: set[tuple[str, str]]) -> None:
    second = int(house.clock.now().timestamp())
    for shop_id, base in sorted(moved):
        log.info("callbacks_move", shop=shop_id, known=base, wanted=house.settings.public_url)
        house.work.enqueue(connection, Task(moves.REPAIR, f"{moves.REPAIR}:{shop_id}:moved:{second}", shop_id))


async def _serve_figures(house: House, port: int) -> None:
    app = build_worker_app(Surroundings(house.database, house.settings.lease_s), house.metrics)
    config = server_config(app, host=house.settings.host, port=port)
    await uvicorn.Server(config).serve()
