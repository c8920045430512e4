"""What happens when a merchant opens an app of ours: let in, installed or repaired, shown how things stand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import structlog

from connector.checkup import kept
from connector.checkup.finding import Checkup
from connector.directory import ShopEntry
from connector.installing.installer import Installed, Installer
from connector.installing.switch import LookOver, NotSwitched, switch_off, switch_on
from connector.installing.visits import AppPlatform, Visit
from connector.storage.apps import AppRecord
from connector.storage.audit import Actor
from connector.storage.logins import links
from connector.store import InstallStep, StoreError, StoreMisconfigured
from webhooks.errors import WaybillError

log = structlog.get_logger(__name__)

Deed = Literal["look", "on", "off", "on_anyway"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a shop stands. `shop` None: it could not be connected; `trouble` says why, or why something else failed.

    `rates_on` None: the store has no rate service of ours. `refused`: what kept the rates from being switched on.
    """

    shop: ShopEntry | None
    steps: tuple[InstallStep, ...] = ()
    rates_on: bool | None = None
    checkup: Checkup | None = None
    trouble: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class AppDesk:
    """The app of one platform, for all its shops."""

    name: str
    installer: Installer
    platform: AppPlatform
    look_over: LookOver
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def apps(self) -> list[AppRecord]:
        """The apps that may be opened."""
        return [app.record for app in self.installer.directory.apps(self.name)]

    def connected(self, app: AppRecord, domain: str) -> ShopEntry | None:
        """The live shop that is connected through this app."""
        shop = self.installer.directory.shop_by_domain(self.name, domain)
        return shop if shop is not None and shop.app is not None and shop.app.id == app.id else None

    async def open(self, visit: Visit) -> Standing:
        """Connect the shop if it is not, repair what is missing, and say how it stands. Raises no StoreError."""
        async with self._locks.setdefault(visit.shop, asyncio.Lock()):
            await self.installer.directory.refresh()
            shop = self.connected(visit.app, visit.shop)
            try:
                installed = await self._let_in(visit, shop)
            except StoreError as error:
                log.warning("app_not_opened", shop=visit.shop, why=error.message, detail=error.detail)
                return Standing(shop, trouble=error.message)
        checkup = await self.installer.database.run(kept.latest, installed.shop.id)
        return Standing(installed.shop, installed.steps, installed.rates_on, checkup)

    async def _let_in(self, visit: Visit, shop: ShopEntry | None) -> Installed:
        """Repair with the access that there is; where there is none (any more), exchange the visit for it."""
        actor = actor_of(visit)
        if shop is not None:
            try:
                return await self.installer.repair(shop, actor)
            except StoreMisconfigured:
                if not visit.id_token:
                    raise
        tokens = await self.platform.exchange(self.installer.outgoing, visit, self.installer.clock.now())
        return await self.installer.connect_through_app(visit.app, visit.shop, tokens, actor)

    async def admit(self, app: AppRecord, domain: str, code: str) -> Standing:
        """Connect a shop whose merchant gave permission outside the store's admin."""
        now = self.installer.clock.now()
        async with self._locks.setdefault(domain, asyncio.Lock()):
            try:
                tokens = await self.platform.redeem(self.installer.outgoing, app, domain, code, now)
                installed = await self.installer.connect_through_app(app, domain, tokens, actor_of(Visit(app, domain)))
            except StoreError as error:
                log.warning("app_not_admitted", shop=domain, why=error.message, detail=error.detail)
                return Standing(self.connected(app, domain), trouble=error.message)
        return Standing(installed.shop, installed.steps, installed.rates_on)

    async def act(self, shop: ShopEntry, deed: Deed, actor: Actor) -> Standing:
        """Look the shop over anew, or turn the switch; then say how it stands. Raises no StoreError."""
        trouble, refused = "", False
        try:
            match deed:
                case "look":
                    await self.look_over(shop)
                case "off":
                    await switch_off(self.installer, shop, actor)
                case "on" | "on_anyway":
                    await switch_on(self.installer, shop, actor, self.look_over, anyway=deed == "on_anyway")
        except NotSwitched as error:
            trouble, refused = error.message, True
        except WaybillError as error:
            trouble = error.message
        known = self.installer.directory.shop(shop.id) or shop
        steps: tuple[InstallStep, ...] = ()
        rates_on: bool | None = known.record.rates_on
        try:
            installed = await self.installer.repair(known, actor)
            known, steps, rates_on = installed.shop, installed.steps, installed.rates_on
        except StoreError as error:
            trouble = trouble or error.message
        checkup = await self.installer.database.run(kept.latest, shop.id)
        return Standing(known, steps, rates_on, checkup, trouble, refused)

    async def invite(self, shop: ShopEntry, email: str, actor: Actor) -> str:
        """The address of a one-time link by which this person becomes an owner of this shop alone.

        Raises UserExists or BadEmail.
        """
        installer = self.installer
        now = installer.clock.now()
        token = await installer.database.run(links.invite, installer.keyring, email, "owner", shop.id, actor, now)
        return f"{installer.public_url}/welcome/{token}"

    def public_url(self) -> str:
        """Where we are reached."""
        return self.installer.public_url

    def sign(self, what: Mapping[str, str]) -> str:
        """A proof of ours over these values, to be given back by a page of ours."""
        text = "\n".join(f"{name}={what[name]}" for name in sorted(what))
        return self.installer.keyring.keyed_hash(f"app page:{self.name}\n{text}".encode())


def actor_of(visit: Visit) -> Actor:
    """Who acts: the person by the platform's id, or the store where it names none."""
    return Actor("person", f"shopify:{visit.subject}") if visit.subject else Actor("store", visit.shop)
