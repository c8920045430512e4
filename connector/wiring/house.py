"""A house: everything that one process has, built from its settings and bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import connector.stores.sandbox
import connector.stores.sandbox.checkup
import connector.stores.shopify
import connector.stores.shopify.app
import connector.stores.shopify.checkup
from carriers.carrier import Carrier
from connector.catalogue.memory import Products
from connector.checkup import refused as refusals
from connector.checkup.clinic import Clinic
from connector.checkup.finding import Checkup
from connector.clock import open_clock
from connector.directory import Directory, ShopEntry
from connector.installing.app_desk import AppDesk
from connector.installing.installer import Installer
from connector.labels.files import LabelShelf
from connector.labels.places import blobs_of
from connector.managing.accounts import CarrierDesk
from connector.metered import MeteredCarrier
from connector.metrics import Metrics
from connector.quotes.desk import QuoteDesk
from connector.quotes.ledger import LedgerWriter
from connector.quotes.observed import Observed
from connector.settings import Settings, read_keys
from connector.storage.database import Database, open_database
from connector.storage.deliveries import open_inbox
from connector.storage.migrate import migrate, require_current, schema_state
from connector.storage.secrets import Keyring, SealError
from connector.storage.shops import list_shops
from connector.storage.vault import ShopTokenVault
from connector.wiring.jobs import count, register_jobs, tell_person
from connector.wiring.kinds import CARRIERS, PLATFORMS, STORES
from connector.work.durable import DurableWork, WorkSettings, make_tables
from connector.work.port import Observe
from connector.work.runner import Hooks
from webhooks.inbox import Inbox
from webhooks.outgoing import OutgoingClient
from webhooks.ports import Clock

T = TypeVar("T")

_CONNECTIONS = 64  # To one host: 50 rate calls a second of 1.1 s each are 55 at once.


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
    hooks = Hooks(on_outcome=count(metrics), on_failure=tell_person)
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
        shelf=LabelShelf(blobs_of(settings), keyring),
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
