"""The shops, accounts and apps as a process holds them in memory; `directory` keeps them up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from carriers.carrier import Carrier, CarrierKind
from connector.quotes.shop import QuotingShop
from connector.shop_settings import ShopSettings
from connector.storage.shops import AccountRecord, AppRecord, LocationRecord, ShopRecord
from connector.store import ClaimsShop, ReadAppHook, Store, StoreKind, VerifyAppHook
from webhooks.outgoing import OutgoingClient
from webhooks.ports import Clock


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """A connected carrier account. `outgoing` is its own, where it has one: who hangs there holds up no other."""

    record: AccountRecord
    kind: CarrierKind
    connection: Carrier
    outgoing: OutgoingClient | None = None

    async def close(self) -> None:
        """Let go of the connection."""
        await self.connection.close()
        if self.outgoing is not None:
            await self.outgoing.aclose()

    @property
    def id(self) -> str:
        """Our id of the account."""
        return self.record.id

    @property
    def shop_id(self) -> str:
        """Whose account it is."""
        return self.record.shop_id

    @property
    def carrier(self) -> Carrier:
        """The connection."""
        return self.connection


@dataclass(frozen=True, slots=True)
class ShopEntry:
    """A connected shop with its settings, places and carrier accounts."""

    record: ShopRecord
    kind: StoreKind
    quoting: QuotingShop
    accounts: Mapping[str, AccountEntry]
    locations: tuple[LocationRecord, ...]
    app: AppRecord | None = None

    @property
    def id(self) -> str:
        """Our id of the shop."""
        return self.record.id

    @property
    def domain(self) -> str:
        """The store's own name of the shop."""
        return self.record.domain

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.record.platform

    @property
    def store(self) -> Store:
        """The connection to the store."""
        return self.quoting.store

    @property
    def settings(self) -> ShopSettings:
        """The settings that hold now."""
        return self.quoting.settings

    @property
    def rates_token(self) -> str:
        """The secret part of its rate URL."""
        return self.record.rates_token

    @property
    def hooks_token(self) -> str:
        """The secret part of its hook URL."""
        return self.record.hooks_token

    @property
    def claims_shop(self) -> ClaimsShop:
        """Reads which shop a request's headers name."""
        return self.kind.claims_shop


@dataclass(frozen=True, slots=True)
class AppEntry:
    """An app whose deliveries come to one endpoint for all shops."""

    record: AppRecord
    kind: StoreKind
    clock: Clock

    @property
    def id(self) -> str:
        """Our id of the app."""
        return self.record.id

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.record.platform

    @property
    def secrets(self) -> tuple[str, ...]:
        """Its client secrets, newest first."""
        return self.record.secrets_at(self.clock.now())

    @property
    def client_id(self) -> str:
        """The platform's name of it."""
        return self.record.client_id

    @property
    def verify_app_hook(self) -> VerifyAppHook | None:
        """Checks a delivery."""
        return self.kind.verify_app_hook

    @property
    def read_app_hook(self) -> ReadAppHook | None:
        """Reads a verified delivery."""
        return self.kind.read_app_hook


class AppID(Protocol):
    """What names an app."""

    @property
    def id(self) -> str:
        """Our id of it; of a single shop's own app the shop's."""
        ...

    @property
    def platform(self) -> str:
        """The platform's name."""
        ...


@dataclass(frozen=True, slots=True)
class OwnApp:
    """The app of a single shop, whose secret is among the shop's credentials; empty once they were dropped."""

    record: ShopRecord
    kind: StoreKind

    @property
    def id(self) -> str:
        """Stands for the app in the inbox."""
        return self.record.id

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.record.platform

    @property
    def secrets(self) -> tuple[str, ...]:
        """Its client secrets, newest first."""
        names = ("client_secret", "previous_client_secret", "secret")
        return tuple(secret for name in names if (secret := self.record.credentials.get(name)))

    @property
    def verify_app_hook(self) -> VerifyAppHook | None:
        """Checks a delivery."""
        return self.kind.verify_app_hook

    @property
    def read_app_hook(self) -> ReadAppHook | None:
        """Reads a verified delivery."""
        return self.kind.read_app_hook


def through_app(kind: StoreKind, fields: Mapping[str, str], app: AppRecord, now: datetime) -> dict[str, Any]:
    """A shop's own fields with those of the app that it is connected through, as far as the platform has them."""
    secret, *previous = app.secrets_at(now)
    added = {
        "client_id": app.client_id,
        "client_secret": secret,
        "previous_client_secret": previous[0] if previous else None,
        "grant": "token_exchange",
        "api_base": app.api_base,
    }
    return {**fields, **{name: value for name, value in added.items() if name in kind.settings.model_fields}}
