"""What a process knows of its shops, in memory: read at the start, read again when the config version moves.

The checkout asks nothing but this; a shop or an account that cannot be loaded is left out with a log line and stops
no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import anyio
import structlog
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from carriers.carrier import Carrier, CarrierKind
from connector import shop_settings
from connector.entries import AccountEntry, AppEntry, AppID, OwnApp, ShopEntry, through_app
from connector.promises.lanes import LaneBook
from connector.promises.public_holidays import knows
from connector.promises.settings import PromiseSettings
from connector.quotes.adjustments import load_expected
from connector.quotes.ask import Account
from connector.quotes.kept_windows import load_lanes
from connector.quotes.shop import Origin, QuotingShop
from connector.shop_settings import ShopSettings
from connector.storage import config_version, settings_versions
from connector.storage.database import Database
from connector.storage.secrets import Keyring, SealError
from connector.storage.shops import (
    AccountRecord,
    AppRecord,
    LocationRecord,
    ShopRecord,
    list_accounts,
    list_apps,
    list_locations,
    list_shops,
)
from connector.storage.vault import ShopTokenVault
from connector.store import Store, StoreKind
from connector.storefront_settings import storefront_key
from webhooks.errors import WaybillError
from webhooks.outgoing import Outgoing, OutgoingClient
from webhooks.ports import Clock

log = structlog.get_logger(__name__)

__all__ = ["AccountEntry", "AppEntry", "Directory", "OwnApp", "ShopEntry", "UnknownKind", "through_app"]


class UnknownKind(WaybillError):
    """No adapter of this name is registered."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    version: int
    shops: list[ShopRecord]
    apps: list[AppRecord]
    accounts: list[AccountRecord]
    locations: dict[str, list[LocationRecord]]
    settings: dict[str, tuple[int, Mapping[str, Any]]]
    gone: list[ShopRecord]
    adjustments: dict[str, Mapping[str, tuple[int, int]]]
    lanes: dict[str, LaneBook]


@dataclass(slots=True)
class _State:
    version: int = -1
    shops: dict[str, ShopEntry] = field(default_factory=dict)
    apps: dict[str, AppEntry] = field(default_factory=dict)
    by_domain: dict[tuple[str, str], ShopEntry] = field(default_factory=dict)
    gone: dict[tuple[str, str], ShopRecord] = field(default_factory=dict)
    by_hook_token: dict[bytes, AccountEntry] = field(default_factory=dict)
    by_storefront: dict[bytes, ShopEntry] = field(default_factory=dict)


class Directory:
    """The shops of this installation. Look-ups are dictionary reads; `refresh` does the database's part."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        outgoing: Outgoing,
        clock: Clock,
        stores: Mapping[str, StoreKind],
        carriers: Mapping[str, CarrierKind],
        meter: Callable[[str, Carrier], Carrier] = lambda _name, connection: connection,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._outgoing = outgoing
        self._clock = clock
        self._stores = stores
        self._carriers = carriers
        self._meter = meter
        self._state = _State()

    @property
    def ready(self) -> bool:
        """True once the shops are in memory."""
        return self._state.version >= 0

    def shop(self, shop_id: str) -> ShopEntry | None:
        """A live shop by our id."""
        return self._state.shops.get(shop_id)

    def shops(self) -> list[ShopEntry]:
        """Every live shop."""
        return list(self._state.shops.values())

    def shop_by_domain(self, platform: str, domain: str) -> ShopEntry | None:
        """A live shop by the store's own name of it."""
        return self._state.by_domain.get((platform, domain.lower()))

    def shop_by_storefront(self, key: str) -> ShopEntry | None:
        """The live shop whose storefront is switched on and has this public key."""
        return self._state.by_storefront.get(_digest(key))

    def app(self, app_id: str) -> AppEntry | None:
        """An app by our id."""
        return self._state.apps.get(app_id)

    def apps(self, platform: str) -> list[AppEntry]:
        """Every app of a platform."""
        return [app for app in self._state.apps.values() if app.platform == platform]

    def app_of(self, name: str, headers: Mapping[str, str]) -> AppEntry | OwnApp | None:
        """The app that may post to this name: an app's id, or a platform's name for the app of the headers' shop.

        That shop may have left. Of a shop that was never here the only app there is may speak.
        """
        kind = self._stores.get(name)
        if kind is None:
            return self._state.apps.get(name)
        record = self._known(name, kind.claims_shop(headers) or "")
        if record is not None:
            return OwnApp(record, kind) if record.app_id is None else self._state.apps.get(record.app_id)
        apps = self.apps(name)
        return apps[0] if len(apps) == 1 else None

    def shop_of_app(self, app: AppID, domain: str) -> str | None:
        """The id of the shop that an app may speak for by this domain, here or gone; None if there is none."""
        record = self._known(app.platform, domain)
        if record is None:
            return None
        mine = record.id if isinstance(app, OwnApp) else record.app_id
        return record.id if mine == app.id else None

    def kind_of(self, shop_id: str) -> StoreKind | None:
        """The platform of a shop, here or gone."""
        live = self._state.shops.get(shop_id)
        if live is not None:
            return live.kind
        left = next((record for record in self._state.gone.values() if record.id == shop_id), None)
        return None if left is None else self._stores.get(left.platform)

    def _known(self, platform: str, domain: str) -> ShopRecord | None:
        key = (platform, domain.lower())
        live = self._state.by_domain.get(key)
        return live.record if live is not None else self._state.gone.get(key)

    def account(self, shop_id: str, account_id: str) -> AccountEntry | None:
        """A carrier account of a shop."""
        shop = self._state.shops.get(shop_id)
        return None if shop is None else shop.accounts.get(account_id)

    def carrier_hook(self, token: str) -> AccountEntry | None:
        """The account whose tracking URL ends with this token."""
        return self._state.by_hook_token.get(_digest(token))

    async def refresh(self) -> bool:
        """Read what changed; False if nothing did. While the database is away what is known goes on.

        So it does when something was sealed with a key that this process has not (yet); raises SealError only where
        nothing is known before.
        """
        try:
            loaded = await self._database.run(self._load, self._state.version)
        except (SQLAlchemyError, SealError) as error:
            if isinstance(error, SealError) and not self.ready:
                raise
            log.warning("directory_waits", cause=type(error).__name__)
            return False
        if loaded is None:
            return False
        await self._take_over(loaded)
        return True

    async def run(self, every_s: float = 1.0) -> None:
        """Keep up with changes until cancelled."""
        while True:
            await anyio.sleep(every_s)
            await self.refresh()

    async def close(self) -> None:
        """Let go of every connection."""
        for shop in self._state.shops.values():
            await _close(shop)

    def _load(self, connection: Connection, known: int) -> _Loaded | None:
        version = config_version.read(connection)
        if version == known:
            return None
        everyone = list_shops(connection, self._keyring, gone=True)
        shops = [shop for shop in everyone if shop.status == "live"]
        settings = {}
        for shop in shops:
            latest = settings_versions.latest(connection, shop.id)
            settings[shop.id] = (latest.version, latest.body) if latest else (0, {})
        return _Loaded(
            version,
            shops,
            list_apps(connection, self._keyring),
            list_accounts(connection, self._keyring),
            {shop.id: list(list_locations(connection, shop.id)) for shop in shops},
            settings,
            [shop for shop in everyone if shop.status == "gone"],
            {shop.id: load_expected(connection, shop.id) for shop in shops},
            {shop.id: load_lanes(connection, shop.id, _coverage(settings[shop.id][1])) for shop in shops},
        )

    async def _take_over(self, loaded: _Loaded) -> None:
        before, state = self._state, _State(loaded.version)
        for app in loaded.apps:
            kind = self._stores.get(app.platform)
            if kind is not None:
                state.apps[app.id] = AppEntry(app, kind, self._clock)
        state.gone = {(record.platform, record.domain): record for record in loaded.gone}
        for record in loaded.shops:
            try:
                entry = self._shop(record, loaded, before.shops.get(record.id))
            except (WaybillError, ValidationError) as error:
                log.warning("shop_left_out", shop=record.id, cause=type(error).__name__)
                continue
            state.shops[record.id] = entry
            state.by_domain[record.platform, record.domain] = entry
            if entry.settings.storefront.on:
                state.by_storefront[_digest(storefront_key(record.id, entry.settings.storefront))] = entry
            for account in entry.accounts.values():
                state.by_hook_token[_digest(account.record.hook_token)] = account
        self._state = state
        for shop_id, old in before.shops.items():
            await _close_unused(old, state.shops.get(shop_id))

    def _shop(self, record: ShopRecord, loaded: _Loaded, before: ShopEntry | None) -> ShopEntry:
        version, body = loaded.settings[record.id]
        settings = shop_settings.load(body)
        kind = self._stores.get(record.platform)
        if kind is None:
            raise UnknownKind("No store platform has this name.", detail=record.platform)
        app = next((each for each in loaded.apps if each.id == record.app_id), None)
        same = before is not None and before.record == record and before.app == app
        same = same and before is not None and before.settings.hmac == settings.hmac
        store = before.store if before is not None and same else self.connect_store(record, settings, app)
        accounts = self._accounts(
            [each for each in loaded.accounts if each.shop_id == record.id],
            before.accounts if before is not None and before.record.timezone == record.timezone else {},
            record.timezone,
        )
        locations = tuple(loaded.locations[record.id])
        for each in locations:
            knows(each.address.country)  # Reads the country's calendar before the checkout needs it.
        quoting = QuotingShop(
            id=record.id,
            store=store,
            settings=settings,
            settings_version=version,
            timezone=record.timezone,
            origins=tuple(
                Origin(each.id, each.external_id, each.address, each.is_default) for each in locations if each.active
            ),
            accounts=tuple(
                Account(each.id, each.kind.name, each.connection, each.shop_id) for each in accounts.values()
            ),
            adjustments=loaded.adjustments[record.id],
            lanes=loaded.lanes[record.id],
        )
        return ShopEntry(record, kind, quoting, accounts, locations, app)

    def _accounts(
        self, records: Sequence[AccountRecord], before: Mapping[str, AccountEntry], timezone: str
    ) -> dict[str, AccountEntry]:
        """The accounts that can be connected; one that cannot costs its own prices only."""
        accounts = {}
        for record in records:
            known = before.get(record.id)
            try:
                if known is not None and known.record.settings == record.settings:
                    accounts[record.id] = replace(known, record=record)
                else:
                    accounts[record.id] = self.connect_account(record, timezone)
            except (WaybillError, ValidationError) as error:
                log.warning("account_left_out", account=record.id, cause=type(error).__name__)
        return accounts

    def connect_store(self, record: ShopRecord, settings: ShopSettings, app: AppRecord | None = None) -> Store:
        """A store connection from kept credentials, and those of the app that the shop is connected through.

        Raises UnknownKind, or ValidationError for what is incomplete.
        """
        kind = self._stores.get(record.platform)
        if kind is None:
            raise UnknownKind("No store platform has this name.", detail=record.platform)
        fields: dict[str, Any] = dict(record.credentials)
        if app is not None:
            fields = through_app(kind, fields, app, self._clock.now())
        if "hmac" in kind.settings.model_fields:
            fields["hmac"] = settings.hmac
        vault = ShopTokenVault(self._database, self._keyring, record.id)
        return kind.connect(kind.settings.model_validate(fields), self._outgoing, self._clock, vault)

    def connect_account(self, record: AccountRecord, timezone: str = "UTC") -> AccountEntry:
        """A carrier connection from kept settings and the shop's time zone, where the carrier's dates are in it.

        Raises UnknownKind, or ValidationError for what is incomplete.
        """
        kind = self._carriers.get(record.carrier)
        if kind is None:
            raise UnknownKind("No carrier has this name.", detail=record.carrier)
        fields: dict[str, Any] = dict(record.settings)
        if "timezone" in kind.settings.model_fields:
            fields["timezone"] = timezone
        settings = kind.settings.model_validate(fields)
        own = self._outgoing.apart() if isinstance(self._outgoing, OutgoingClient) else None
        connection = kind.connect(settings, own or self._outgoing, self._clock)
        return AccountEntry(record, kind, self._meter(kind.name, connection), own)


def _coverage(body: Mapping[str, Any]) -> int:
    """What a shop set; settings that cannot be read leave the shop out later, with the reason."""
    try:
        return shop_settings.load(body).promises.coverage
    except WaybillError:
        return PromiseSettings().coverage


def _digest(token: str) -> bytes:
    """Tokens are found by their digest, so that a look-up tells nothing by its time."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


async def _close(shop: ShopEntry) -> None:
    await shop.store.close()
    for account in shop.accounts.values():
        await account.close()


async def _close_unused(old: ShopEntry, new: ShopEntry | None) -> None:
    if new is None:
        await _close(old)
        return
    if old.store is not new.store:
        await old.store.close()
    kept = {id(each.connection) for each in new.accounts.values()}
    for account in old.accounts.values():
        if id(account.connection) not in kept:
            await account.close()
