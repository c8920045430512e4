"""The rooms' jobs, bound and registered by name; and the daily one that lets go of what is kept too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

from connector.attention import alerts
from connector.attention.board import need_person, settled
from connector.catalogue import refresh as catalogue
from connector.catalogue.fields import FieldName
from connector.catalogue.refresh import CatalogueReader
from connector.checkup import refused as refusals
from connector.directory import Directory
from connector.insight import punctuality
from connector.insight.punctuality import Punctuality
from connector.installing.moves import REPAIR, CallbackCare
from connector.installing.news import AppHooks
from connector.installing.privacy import Departures
from connector.labels import gates, record
from connector.labels.aftercare import Aftercare
from connector.labels.collect import MANIFEST_JOB, PICKUP_JOB, Collections
from connector.labels.invoice_news import take_in as take_in_money
from connector.labels.late import LATE, LatePurchases
from connector.labels.purchase import Purchasing
from connector.labels.retention import KEEP as KEEP_FILES
from connector.labels.retention import forget_old, referred_to
from connector.labels.spending import GateKeeper
from connector.labels.sweep import LabelSweep
from connector.labels.voids import VOID, Voids
from connector.metrics import Metrics
from connector.orders import batches
from connector.orders.news import StoreHooks
from connector.orders.refresh import Orders
from connector.orders.sweep import OrderSweep
from connector.quotes import behind
from connector.quotes import kept_windows as promises
from connector.quotes.behind import KEEP_LIVE
from connector.quotes.ledger import forget_older
from connector.storage import persons
from connector.storage.logins.sessions import SWEEP as LOGINS
from connector.storage.retention import Sweep, sweep
from connector.store import Store
from connector.tracking.holding import HOLD, StoreHolding
from connector.tracking.news import CarrierHooks
from connector.tracking.push import Pusher
from connector.tracking.record import forget_strays
from connector.words.reason import Reason
from connector.work.failures import Failure
from connector.work.port import Run, Work
from connector.work.retention import QUEUED_KEYS
from webhooks.inbox import KEEP_KEYS

if TYPE_CHECKING:
    from connector.wiring.house import House

T = TypeVar("T")

_KEEP_QUOTES = timedelta(days=400)
_KEEP_PROMISES = timedelta(days=promises.KEEP_DAYS)
_KEEP_BODIES = timedelta(days=7)
_KEEP_STRAYS = timedelta(days=90)
_KEEP_ALERTS = timedelta(days=90)


def register_jobs(house: House, work: Work) -> None:
    """Bind the rooms' jobs and make them known by name."""
    database, directory, now = house.database, house.directory, house.clock.now
    orders = Orders(database, directory, work, house.keyring, now)
    purchasing = Purchasing(
        database,
        directory,
        work,
        house.keyring,
        house.shelf,
        now,
        orders.still_wanted,
        clock_is_moved=house.settings.test_clock is not None,
    )

    def stray(carrier: str) -> None:
        house.metrics.unknown_parcels.labels(carrier).inc()

    aftercare = Aftercare(database, directory, house.shelf, now)
    departures = Departures(house.keyring, house.inbox, now)
    reader = CatalogueReader(database, work, lambda shop_id: _reading_shop(directory, shop_id), now)
    store_hooks = StoreHooks(database, directory, work, house.inbox, departures, reader.changed)
    work.register("hooks.store", store_hooks.process)
    work.register("hooks.app", AppHooks(database, directory, house.inbox, departures, store_hooks).process)
    work.register(REPAIR, CallbackCare(house.installer).repair)
    work.register("shops.check", house.clinic.sweep)
    carrier_hooks = CarrierHooks(database, directory, work, house.inbox, now, stray, take_in_money)
    work.register("hooks.carrier", carrier_hooks.process)
    work.register(catalogue.SWEEP, reader.sweep)
    work.register(catalogue.READ, reader.read)
    work.register("orders.refresh", orders.refresh)
    work.register("orders.sweep", OrderSweep(database, directory, work, now).sweep)
    work.register(record.BUY, purchasing.buy)
    work.register(record.SETTLE, purchasing.settle)
    work.register(gates.PROBE, GateKeeper(database, directory, work, now).probe)
    work.register(record.FILES, aftercare.fetch)
    work.register(VOID, Voids(database, directory, work, now).follow)
    work.register(LATE, LatePurchases(database, directory, work, house.shelf, now).look)
    collections = Collections(database, directory, house.shelf, now)
    work.register(MANIFEST_JOB, collections.manifest)
    work.register(PICKUP_JOB, collections.pickup)
    work.register(batches.JOB, batches.BatchBuyer(database, work, now).buy)
    work.register("labels.sweep", LabelSweep(database, directory, work, now).sweep)
    work.register(HOLD, StoreHolding(database, directory, now).bring_in_line)
    work.register("tracking.push", Pusher(database, directory, now).push)
    work.register(punctuality.SWEEP, Punctuality(database, directory, now).sweep)
    work.register("house.retention", _Retention(house).run)


def _reading_shop(directory: Directory, shop_id: str) -> tuple[Store, Sequence[FieldName]] | None:
    shop = directory.shop(shop_id)
    return None if shop is None else (shop.store, shop.settings.packing.field_names)


@dataclass(frozen=True, slots=True)
class _Retention:
    """The job `house.retention`: once a day, what is kept too long goes."""

    house: House

    async def run(self, _run: Run) -> None:
        now = self.house.clock.now()
        await self.house.database.run(sweep, self._sweeps(), now)
        kept = await self.house.database.run(referred_to)
        await _in_thread(self.house.shelf.clear, kept)
        await _in_thread(self.house.work.sweep_finished, now)

    def _sweeps(self) -> list[Sweep]:
        inbox = self.house.inbox
        return [
            Sweep("persons", persons.forget_due),
            Sweep("inbox", lambda connection, now: inbox.sweep(connection, now - KEEP_KEYS)),
            Sweep("inbox_bodies", lambda connection, now: inbox.drop_bodies(connection, now - _KEEP_BODIES)),
            Sweep("label_files", lambda connection, now: forget_old(connection, now - KEEP_FILES)),
            Sweep("strays", lambda connection, now: forget_strays(connection, now - _KEEP_STRAYS)),
            Sweep("alerts", lambda connection, now: alerts.forget_old(connection, now - _KEEP_ALERTS)),
            QUEUED_KEYS,
            LOGINS,
            Sweep("refused", lambda connection, now: refusals.forget_older(connection, now - refusals.KEEP)),
            Sweep("promises", lambda connection, now: promises.forget_older(connection, now - _KEEP_PROMISES)),
            Sweep("quotes", lambda connection, now: forget_older(connection, now - _KEEP_QUOTES)),
            Sweep("quote_news", lambda connection, now: behind.forget(connection, now - _KEEP_QUOTES, now - KEEP_LIVE)),
        ]


async def _in_thread(work: Callable[..., T], *args: Any) -> T:
    import anyio.to_thread

    return await anyio.to_thread.run_sync(work, *args)


def count(metrics: Metrics) -> Callable[[str, str, float], None]:
    """Count how jobs end, and how long they take."""

    def count(job: str, outcome: str, seconds: float) -> None:
        metrics.jobs.labels(job, outcome).inc()
        metrics.job_seconds.labels(job).observe(seconds)

    return count


def tell_person(connection: Connection, failure: Failure, now: datetime) -> None:
    """Work that is not tried again by itself comes before a person."""
    task = failure.task
    if failure.state == "failed":
        why = Reason("work_failed", {"job": task.name, "error": failure.message})
        need_person(connection, task.shop_id, failure.id, why, now)
    elif failure.state == "parked":
        need_person(connection, task.shop_id, failure.id, Reason("work_parked", {"job": task.name}), now)
    else:
        settled(connection, task.shop_id, failure.id, now)
