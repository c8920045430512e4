"""Connects stores: proves the credentials, keeps the shop, registers the callbacks, repairs and moves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from pydantic import BaseModel
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from connector.attention.board import need_person, settled
from connector.directory import Directory, ShopEntry, through_app
from connector.installing.callbacks import callbacks_of, is_public
from connector.storage import audit, settings_versions
from connector.storage.apps import AppRecord
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.secrets import Keyring
from connector.storage.shops import (
    ShopExists,
    add_shop,
    note_callbacks,
    note_switch,
    put_connection,
    put_facts,
    put_locations,
    put_tokens,
)
from connector.store import InstallStep, ShopFacts, StoreKind, StoreLocation
from connector.words.reason import Reason
from webhooks.errors import WaybillError
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock

log = structlog.get_logger(__name__)

AddressNote = Literal["address_not_public"]


class MemoryVault:
    """Keeps tokens for the time of one connection, before the shop has a row to keep them in."""

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self.fields = fields

    async def load(self) -> Mapping[str, str] | None:
        """What was saved."""
        return self.fields

    async def save(self, fields: Mapping[str, str]) -> bool:
        """Keep it."""
        self.fields = dict(fields)
        return True

    async def claim(self, for_s: float) -> bool:  # noqa: ARG002 - nobody else has it.
        """Nobody else renews."""
        return True

    async def give_up(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A store that answered with these credentials. `fields` are kept; `tokens` where a platform granted some."""

    platform: str
    facts: ShopFacts
    places: Sequence[StoreLocation]
    fields: Mapping[str, str]
    app: AppRecord | None = None
    tokens: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """A connected shop and what its set-up did. `rates_on` None: the store did not say, or has no service of ours."""

    shop: ShopEntry
    steps: tuple[InstallStep, ...]
    rates_on: bool | None

    @property
    def failed(self) -> tuple[InstallStep, ...]:
        """Steps that the store refused."""
        return tuple(step for step in self.steps if step.state == "failed")


@dataclass(frozen=True, slots=True)
class Installer:
    """What connects stores of this installation, which is reached at `public_url`."""

    database: Database
    keyring: Keyring
    directory: Directory
    outgoing: Outgoing
    clock: Clock
    kinds: Mapping[str, StoreKind]
    public_url: str

    async def connect(
        self, platform: str, settings: BaseModel, fields: Mapping[str, str], actor: Actor, *, again: bool = False
    ) -> Installed:
        """Prove the credentials (`settings` are `fields`, checked), keep the shop, and register the callbacks.

        Nothing is kept if the proof fails. With `again` a shop that is connected already gets the new credentials;
        otherwise that raises ShopExists. Raises StoreError.
        """
        proved = await self._prove(platform, settings, fields, MemoryVault())
        return await self.keep(proved, actor, again=again)

    async def connect_through_app(
        self, app: AppRecord, domain: str, tokens: Mapping[str, str], actor: Actor
    ) -> Installed:
        """The same for a store whose merchant installed an app of ours and granted these tokens. Raises StoreError."""
        kind = self.kinds[app.platform]
        fields = {"domain": domain}
        settings = kind.settings.model_validate(through_app(kind, fields, app, self.clock.now()))
        vault = MemoryVault(tokens)
        proved = await self._prove(app.platform, settings, fields, vault, app)
        return await self.keep(proved, actor, again=True)

    async def _prove(
        self,
        platform: str,
        settings: BaseModel,
        fields: Mapping[str, str],
        vault: MemoryVault,
        app: AppRecord | None = None,
    ) -> Proved:
        store = self.kinds[platform].connect(settings, self.outgoing, self.clock, vault)
        try:
            facts, places = await store.facts(), await store.locations()
        finally:
            await store.close()
        return Proved(platform, facts, places, fields, app, vault.fields if app else None)

    async def keep(self, proved: Proved, actor: Actor, *, again: bool) -> Installed:
        """Keep a proved store as a shop (the one that it was, if it left), then register its callbacks."""
        await self.directory.refresh()
        try:
            shop_id = await self.database.run(self._keep, proved, actor, again)
        except IntegrityError:  # Another process has kept the same store in this moment: then it is there.
            shop_id = await self.database.run(self._keep, proved, actor, again)
        await self.directory.refresh()
        shop = self.directory.shop(shop_id)
        if shop is None:
            raise WaybillError("The shop was kept and cannot be loaded; see the log.", detail=shop_id)
        return await self.repair(shop, actor)

    def _keep(self, connection: Connection, proved: Proved, actor: Actor, again: bool) -> str:
        now, facts = self.clock.now(), proved.facts
        app_id = proved.app.id if proved.app else None
        try:
            record = add_shop(
                connection,
                self.keyring,
                platform=proved.platform,
                domain=facts.domain,
                name=facts.name,
                currency=facts.currency,
                timezone=facts.timezone,
                credentials=proved.fields,
                actor=actor,
                now=now,
                app_id=app_id,
            )
            shop_id = record.id
        except ShopExists as exists:
            if not again:
                raise
            shop_id = exists.detail
            put_connection(connection, self.keyring, shop_id, proved.fields, app_id, actor, now)
            put_facts(connection, shop_id, name=facts.name, currency=facts.currency, timezone=facts.timezone)
        if proved.tokens is not None:
            put_tokens(connection, self.keyring, shop_id, proved.tokens)
        put_locations(connection, shop_id, proved.places, now)
        if settings_versions.latest(connection, shop_id) is None:
            settings_versions.publish(connection, shop_id, {}, actor, now)
        return shop_id

    async def repair(self, shop: ShopEntry, actor: Actor) -> Installed:
        """Make the store know our callbacks: what is missing is made, what leads elsewhere is moved.

        The switch stays as it is; a rate service that was lost comes back as it was switched. Raises StoreError where
        the store could not be read.
        """
        steps = tuple(await shop.store.install(callbacks_of(self.public_url, shop), on=bool(shop.record.rates_on)))
        rates_on = await shop.store.rates_on()
        await self.database.run(self._note, shop, steps, rates_on, actor)
        await self.directory.refresh()
        for step in steps:
            if step.state == "moved":
                log.info("callback_moved", shop=shop.id, what=step.what, how=step.detail)
        return Installed(self.directory.shop(shop.id) or shop, steps, rates_on)

    def _note(
        self, connection: Connection, shop: ShopEntry, steps: Sequence[InstallStep], rates_on: bool | None, actor: Actor
    ) -> None:
        now = self.clock.now()
        failed = [step for step in steps if step.state == "failed"]
        changed = {step.what: step.state for step in steps if step.state not in {"kept", "absent"}}
        if rates_on is not shop.record.rates_on and (rates_on is not None or not failed):
            note_switch(connection, shop.id, rates_on)
        if not failed and shop.record.callbacks_base != self.public_url:
            note_callbacks(connection, shop.id, self.public_url)
        if changed:
            moved = next((step.detail for step in steps if step.state == "moved"), "")
            audit.record(
                connection,
                now=now,
                actor=actor,
                action="shop.callbacks",
                subject=shop.id,
                shop_id=shop.id,
                detail={"steps": changed, "moved": moved},
            )
        if failed:
            why = Reason("callbacks_refused", {"what": failed[0].what, "said": failed[0].detail[:300]})
            need_person(connection, shop.id, shop.id, why, now)
        else:
            settled(connection, shop.id, shop.id, now, "callbacks_refused", "address_not_public", "access_ended")

    def address_note(self, platform: str) -> AddressNote | None:
        """What a person should know of our address before a store elsewhere is to reach it."""
        return "address_not_public" if platform != "sandbox" and not is_public(self.public_url) else None
