"""The only place that builds, binds and registers: from process settings to a house whose rooms know each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

import carriers.easypost
import carriers.rate_table
import carriers.sandbox
import connector.stores.sandbox
import connector.stores.sandbox.checkup
import connector.stores.shopify
import connector.stores.shopify.app
import connector.stores.shopify.checkup
from carriers.carrier import Carrier, CarrierKind
from connector.attention import alerts
from connector.attention.board import need_person, settled
from connector.attention.post import Hook, Mailbox, Post
from connector.catalogue import refresh as catalogue
from connector.catalogue.fields import FieldName
from connector.catalogue.memory import Products
from connector.catalogue.refresh import CatalogueReader
from connector.checkup import refused as refusals
from connector.checkup.asked import Platform
from connector.checkup.clinic import Clinic
from connector.checkup.finding import Checkup
from connector.clock import open_clock
from connector.directory import Directory, ShopEntry
from connector.http.desk.house import DeskHouse
from connector.http.limits import Limits
from connector.http.ports import APP, CARRIER, HealthReport, Quoted
from connector.installing.app_desk import AppDesk
from connector.installing.installer import Installer
from connector.installing.moves import REPAIR, CallbackCare
from connector.installing.news import AppHooks
from connector.installing.privacy import Departures
from connector.labels.aftercare import Aftercare
from connector.labels.files import LabelShelf
from connector.labels.purchase import Purchasing
from connector.labels.retention import KEEP as KEEP_FILES
from connector.labels.retention import forget_old, referred_to
from connector.labels.spending import GateKeeper
from connector.labels.sweep import LabelSweep
from connector.managing.accounts import CarrierDesk
from connector.metered import MeteredCarrier
from connector.metrics import Metrics
from connector.orders.news import StoreHooks
from connector.orders.refresh import Orders
from connector.orders.sweep import OrderSweep
from connector.quotes import behind
from connector.quotes.behind import KEEP_LIVE
from connector.quotes.desk import QuoteDesk
from connector.quotes.follow import Follower
from connector.quotes.ledger import LedgerWriter, forget_older
from connector.quotes.observed import Observed
from connector.settings import Settings, read_keys
from connector.smtp import MailServer
from connector.storage import persons
from connector.storage.database import Database, open_database
from connector.storage.deliveries import open_inbox
from connector.storage.logins.sessions import SWEEP as LOGINS
from connector.storage.migrate import migrate, require_current, schema_state
from connector.storage.retention import Sweep, sweep
from connector.storage.secrets import Keyring, SealError
from connector.storage.shops import list_shops
from connector.storage.vault import ShopTokenVault
from connector.store import Incoming, RateCall, Store, StoreKind
from connector.tracking.news import CarrierHooks
from connector.tracking.push import Pusher
from connector.tracking.record import forget_strays
from connector.watch.rounds import Watch
from connector.words.reason import Reason
from connector.work import failures
from connector.work.durable import DurableWork, WorkSettings, make_tables
from connector.work.failures import Failure
from connector.work.lease import list_executors
from connector.work.port import Observe, Run, Task, Work
from connector.work.retention import QUEUED_KEYS
from connector.work.runner import Hooks
from webhooks.inbox import KEEP_KEYS, Inbox
from webhooks.outgoing import OutgoingClient
from webhooks.ports import Clock
from webhooks.receiver import Receiver
from webhooks.signatures import standard_key

T = TypeVar("T")

STORES: Mapping[str, StoreKind] = {
    kind.name: kind for kind in (connector.stores.shopify.KIND, connector.stores.sandbox.KIND)
}
PLATFORMS: Mapping[str, Platform] = {
    "shopify": Platform(connector.stores.shopify.checkup.checks),
    "sandbox": Platform(connector.stores.sandbox.checkup.checks, calls_from_outside=False),
}
CARRIERS: Mapping[str, CarrierKind] = {
    kind.name: kind for kind in (carriers.easypost.KIND, carriers.rate_table.KIND, carriers.sandbox.KIND)
}

_CONNECTIONS = 64  # To one host: 50 rate calls a second of 1.1 s each are 55 at once.
_KEEP_QUOTES = timedelta(days=400)
_KEEP_BODIES = timedelta(days=7)
_KEEP_STRAYS = timedelta(days=90)
_KEEP_ALERTS = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class House:
    """Everything that one process has, built and bound."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    database: Database
    outgoing: OutgoingClient
    directory: Directory
    inbox: Inbox
    shelf: LabelShelf
    metrics: Metrics
    work: DurableWork
    ledger: LedgerWriter
    refused: refusals.RefusedBook
    quote_desk: QuoteDesk

    def here(self, act: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """One transaction in this thread, on a schema that is known to be current."""
        self.prepare_database()
        return self.database.run_here(act, *args, **kwargs)

    def prepare_database(self) -> None:
        """Make the schema of a fresh database; refuse one that is not this release's."""
        prepare_database(self.database)

    @property
    def clinic(self) -> Clinic:
        """What checks shops."""
        return Clinic(
            self.database,
            self.directory,
            self.outgoing,
            self.clock,
            self.settings.public_url,
            self.settings.allow_private_addresses,
            PLATFORMS,
            lambda shop_id: ShopTokenVault(self.database, self.keyring, shop_id),
        )

    @property
    def shopify_app(self) -> AppDesk:
        """The app's page at Shopify."""
        return AppDesk("shopify", self.installer, connector.stores.shopify.app.ShopifyApps(), self.look_over)

    async def look_over(self, shop: ShopEntry) -> Checkup:
        """Check a shop now."""
        return await self.clinic.check(shop.id)

    @property
    def carrier_desk(self) -> CarrierDesk:
        """What connects carrier accounts."""
        return CarrierDesk(self.database, self.keyring, self.outgoing, self.clock, CARRIERS, self.settings.data_dir)

    @property
    def installer(self) -> Installer:
        """What connects stores."""
        return Installer(
            self.database, self.keyring, self.directory, self.outgoing, self.clock, STORES, self.settings.public_url
        )

    def check_key(self) -> None:
        """Raises SealError, saying what to do, where the key does not open what the database holds."""
        try:
            self.database.run_here(list_shops, self.keyring)
        except SealError as error:
            raise SealError(
                "The key does not open what the database holds: restore the key file, or set WAYBILL_KEYS."
            ) from error

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    async def aclose(self) -> None:
        """Let go of everything."""
        await self.quote_desk.aclose()
        await self.directory.close()
        await self.outgoing.aclose()
        self.database.close()


def open_house(settings: Settings, observe: Observe | None = None, work_settings: WorkSettings | None = None) -> House:
    """Build a house. Nothing is started.

    `observe` sees the boundaries of jobs' steps; `work_settings` replaces how a worker works (fault tests do both).
    """
    clock = open_clock(settings.test_clock, settings.data_dir)
    keyring = Keyring.from_keys(read_keys(settings))
    database = open_database(settings.database_url, pool_size=settings.database_connections)
    outgoing = OutgoingClient(allow_private=settings.allow_private_addresses, connections_per_host=_CONNECTIONS)
    metrics = Metrics()

    def meter(name: str, connection: Carrier) -> Carrier:
        return MeteredCarrier(name, connection, metrics)

    directory = Directory(database, keyring, outgoing, clock, STORES, CARRIERS, meter)
    hooks = Hooks(on_outcome=_count(metrics), on_failure=_tell_person)
    if observe is not None:
        hooks = Hooks(observe=observe, on_outcome=hooks.on_outcome, on_failure=hooks.on_failure)
    usual = WorkSettings(jobs=settings.worker_jobs, ttl_s=settings.lease_s, grace_s=settings.grace_s)
    work = DurableWork(database, clock, work_settings or usual, hooks)
    ledger = LedgerWriter(database, metrics.ledger_lost.inc)
    house = House(
        settings=settings,
        clock=clock,
        keyring=keyring,
        database=database,
        outgoing=outgoing,
        directory=directory,
        inbox=open_inbox(keyring, clock),
        shelf=LabelShelf(settings.label_dir, keyring),
        metrics=metrics,
        work=work,
        ledger=ledger,
        refused=refusals.RefusedBook(database, clock.now),
        quote_desk=QuoteDesk(
            clock.now, keyring.keyed_hash, ledger, observed=Observed(metrics), products=Products(database)
        ),
    )
    register_jobs(house, work)
    return house


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

    aftercare = Aftercare(database, directory, work, house.shelf, now)
    departures = Departures(house.keyring, house.inbox, now)
    reader = CatalogueReader(database, work, lambda shop_id: _reading_shop(directory, shop_id), now)
    store_hooks = StoreHooks(database, directory, work, house.inbox, departures, reader.changed)
    work.register("hooks.store", store_hooks.process)
    work.register("hooks.app", AppHooks(database, directory, house.inbox, departures, store_hooks).process)
    work.register(REPAIR, CallbackCare(house.installer).repair)
    work.register("shops.check", house.clinic.sweep)
    work.register("hooks.carrier", CarrierHooks(database, directory, work, house.inbox, now, stray).process)
    work.register(catalogue.SWEEP, reader.sweep)
    work.register(catalogue.READ, reader.read)
    work.register("orders.refresh", orders.refresh)
    work.register("orders.sweep", OrderSweep(database, directory, work, now).sweep)
    work.register("labels.buy", purchasing.buy)
    work.register("labels.settle", purchasing.settle)
    work.register("labels.probe", GateKeeper(database, directory, work, now).probe)
    work.register("labels.files", aftercare.fetch)
    work.register("labels.void", aftercare.void)
    work.register("labels.sweep", LabelSweep(database, directory, work, now).sweep)
    work.register("tracking.push", Pusher(database, directory, now).push)
    work.register("house.retention", _Retention(house).run)


def _reading_shop(directory: Directory, shop_id: str) -> tuple[Store, Sequence[FieldName]] | None:
    shop = directory.shop(shop_id)
    return None if shop is None else (shop.store, shop.settings.packing.field_names)


def prepare_database(database: Database) -> None:
    """Make the schema of a fresh database; raises SchemaMismatch for one that is not this release's."""
    if schema_state(database) == "empty":
        migrate(database, also=[make_tables])
    require_current(database)


def migrate_house(settings: Settings) -> None:
    """Bring the database of these settings to this release."""
    database = open_database(settings.database_url)
    try:
        migrate(database, also=[make_tables])
    finally:
        database.close()


def receiver(house: House) -> refusals.Receiving:
    """What takes webhooks in: stored and queued in one transaction."""

    def enqueue(connection: Connection, key: str) -> None:
        delivery = house.inbox.load(connection, key)
        if delivery is None or not delivery.shop_id:
            return
        kind, _, owner = delivery.endpoint.partition(":")
        args: tuple[str, ...] = (key,)
        name = "hooks.app" if kind == APP else "hooks.store"
        if kind == CARRIER:
            name, args = "hooks.carrier", (key, owner)
        house.work.enqueue(connection, Task(name, key, delivery.shop_id, args))

    receiving = Receiver(house.inbox, house.database.transaction, enqueue)
    return refusals.Receiving(receiving.receive, house.refused)


def follower(house: House) -> Follower:
    """What keeps a process that quotes up with the others."""
    desk = house.quote_desk

    def is_local(carrier: str) -> bool:
        kind = CARRIERS.get(carrier)
        return kind is not None and kind.capabilities.local

    return Follower(house.database, house.ledger.writer, desk.shown, desk.learned, house.clock.now, is_local)


_OUTCOMES: Mapping[str, Literal["answered", "empty", "backup"]] = {
    "offers": "answered",
    "not_served": "empty",
    "backup": "backup",
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """Answers rate calls for the HTTP front."""

    house: House

    def again(self, shop_id: str, incoming: Incoming) -> Quoted | None:
        """See connector.http.ports.Quoting."""
        shop = self.house.directory.shop(shop_id)
        given = None if shop is None else self.house.quote_desk.again(shop.quoting, incoming)
        return None if given is None else Quoted(given.reply, _OUTCOMES[given.outcome], given.source, given.signature)

    async def answer(self, shop_id: str, call: RateCall, received_at: float, incoming: Incoming) -> Quoted:
        """See connector.http.ports.Quoting."""
        shop = self.house.directory.shop(shop_id)
        assert shop is not None  # noqa: S101 - the front has just found it.
        given = await self.house.quote_desk.give(shop.quoting, call, received_at, incoming)
        return Quoted(given.reply, _OUTCOMES[given.outcome], given.source, given.signature)

    def hung_up(self, shop_id: str, after_s: float) -> None:
        """See connector.http.ports.Quoting."""
        self.house.quote_desk.patience.hung_up(shop_id, after_s)

    def received(self, shop_id: str, outcome: str) -> None:
        """See connector.http.ports.Quoting."""
        self.house.ledger.request(shop_id, self.house.clock.now().date(), outcome)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How database, schema and workers are, for health pages and metrics."""

    database: Database
    lease_s: float

    async def report(self) -> HealthReport:
        """See connector.http.ports.Health."""
        try:
            return await self.database.run(self._look)
        except SQLAlchemyError:
            return HealthReport(database="down")

    def _look(self, connection: Connection) -> HealthReport:
        alive = [each for each in list_executors(connection) if each.kind == "worker" and each.is_alive]
        failed = [each for each in failures.list_failures(connection) if each.state in {"failed", "parked"}]
        return HealthReport(
            database="up",
            migrations="current",
            worker_heartbeat_age_s=min((max(0.0, self.lease_s - each.expires_in_s) for each in alive), default=None),
            failed_work=len(failed),
        )


def desk_house(house: House) -> DeskHouse:
    """What the desk's pages work with."""
    return DeskHouse(
        database=house.database,
        directory=house.directory,
        keyring=house.keyring,
        work=house.work,
        outgoing=house.outgoing,
        clock=house.clock,
        clinic=house.clinic,
        installer=house.installer,
        carrier_desk=house.carrier_desk,
        shelf=house.shelf,
        metrics=house.metrics,
        health=Surroundings(house.database, house.settings.lease_s),
        limits=Limits.of(house.settings),
        public_url=house.settings.public_url,
        clock_is_moved=house.settings.test_clock is not None,
    )


def watch_of(house: House) -> Watch:
    """What watches the installation, in a web or a worker process."""
    settings = house.settings
    heartbeat = settings.heartbeat_url
    return Watch(
        house.database,
        house.directory,
        post_of(house),
        house.outgoing,
        house.clock,
        settings.public_url,
        (settings.data_dir, settings.label_dir),
        "" if heartbeat is None else heartbeat.get_secret_value(),
    )


def post_of(house: House) -> Post:
    """How alerts leave the house, as the process settings say."""
    settings = house.settings
    mailbox = hook = None
    if settings.smtp_url is not None:
        server = MailServer.read(settings.smtp_url.get_secret_value())
        sender = settings.alert_mail_from or (server.user if "@" in server.user else settings.alert_mail_to)
        mailbox = Mailbox(server, sender, settings.alert_mail_to)
    if settings.alert_url and settings.alert_secret is not None:
        key = standard_key(settings.alert_secret.get_secret_value())
        assert key is not None  # noqa: S101 - the settings were checked.
        hook = Hook(settings.alert_url, key)
    return Post(house.outgoing, settings.public_url, mailbox, hook)


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
            Sweep("quotes", lambda connection, now: forget_older(connection, now - _KEEP_QUOTES)),
            Sweep("quote_news", lambda connection, now: behind.forget(connection, now - _KEEP_QUOTES, now - KEEP_LIVE)),
        ]


async def _in_thread(work: Callable[..., T], *args: Any) -> T:
    import anyio.to_thread

    return await anyio.to_thread.run_sync(work, *args)


def _count(metrics: Metrics) -> Callable[[str, str, float], None]:
    def count(job: str, outcome: str, seconds: float) -> None:
        metrics.jobs.labels(job, outcome).inc()
        metrics.job_seconds.labels(job).observe(seconds)

    return count


def _tell_person(connection: Connection, failure: Failure, now: datetime) -> None:
    """Work that is not tried again by itself comes before a person."""
    task = failure.task
    if failure.state == "failed":
        why = Reason("work_failed", {"job": task.name, "error": failure.message})
        need_person(connection, task.shop_id, failure.id, why, now)
    elif failure.state == "parked":
        need_person(connection, task.shop_id, failure.id, Reason("work_parked", {"job": task.name}), now)
    else:
        settled(connection, task.shop_id, failure.id, now)
