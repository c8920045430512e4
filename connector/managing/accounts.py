"""Connect a carrier account: it is asked for a price first, to see whether it works and whether it spends money."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection

from carriers.address import Address
from carriers.carrier import CarrierKind
from carriers.errors import CarrierError, Misconfigured
from carriers.measure import Weight
from carriers.parcel import Parcel, RateRequest
from connector.directory import ShopEntry
from connector.storage.accounts import (
    AccountRecord,
    NoSuchAccount,
    add_account,
    list_accounts,
    put_account_settings,
    set_account_mode,
    switch_account,
)
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock

_PROBE_S = 15.0


@dataclass(frozen=True, slots=True)
class Connected:
    """A carrier account that was kept.

    `updated`: it was there before, and got new settings. `unproved`: why the carrier could not be asked now, or
    nothing. `deaf`: its tracking webhooks are refused, as no secret of theirs is set.
    """

    record: AccountRecord
    updated: bool
    unproved: str
    deaf: bool


@dataclass(frozen=True, slots=True)
class CarrierDesk:
    """Connects and disconnects carrier accounts. `data_dir` is where the sandbox carrier keeps its books."""

    database: Database
    keyring: Keyring
    outgoing: Outgoing
    clock: Clock
    kinds: Mapping[str, CarrierKind]
    data_dir: Path

    @property
    def sellers(self) -> list[CarrierKind]:
        """The carriers that an account can be connected of, by name."""
        return [kind for _, kind in sorted(self.kinds.items()) if kind.capabilities.sells_labels]

    async def connect(
        self, shop: ShopEntry, kind: CarrierKind, fields: Mapping[str, Any], actor: Actor, replacing: str = ""
    ) -> Connected:
        """Prove an account and keep it; one with the same key, or the one to replace, gets the new fields.

        A test shop takes no account whose answers say production. Raises ValidationError for fields that the carrier
        cannot take, NoSuchAccount, and WaybillError; then nothing is kept.
        """
        same = await self.database.run(self._same, shop.id, kind, fields, replacing)
        given = dict(fields) if same is None else {**same.settings, **fields}
        if same is None and "path" in kind.settings.model_fields:
            path = (self.data_dir / f"sandbox-carrier-{secrets.token_hex(4)}.sqlite").resolve()
            given = {"path": str(path), "secret": secrets.token_urlsafe(32), **given}
        checked = kind.settings.model_validate(given)
        test_mode, unproved = await self._probe(shop, kind, checked)
        if shop.settings.mode == "test" and test_mode is False:
            raise WaybillError(
                "This shop is in test mode, and the account's answers say production: it could spend money. "
                "Give a test key, or set mode=live first.",
                detail="mode",
            )
        deaf = "webhook_secret" in kind.settings.model_fields and not given.get("webhook_secret")
        now = self.clock.now()
        record = await self.database.run(self._keep, shop.id, kind.name, given, test_mode, same, actor, now)
        return Connected(record, same is not None, unproved, deaf)

    async def disconnect(self, shop: ShopEntry, account_id: str, actor: Actor) -> None:
        """It is asked for no more prices and sells no more labels. Raises NoSuchAccount."""
        if account_id not in shop.accounts:
            raise NoSuchAccount("The shop has no such carrier account.", detail=account_id)
        now = self.clock.now()
        await self.database.run(switch_account, shop.id, account_id, False, actor, now)

    def _same(
        self, connection: Connection, shop_id: str, kind: CarrierKind, fields: Mapping[str, Any], replacing: str
    ) -> AccountRecord | None:
        """The account of the shop that is meant, or that has this key already, connected or not."""
        key = fields.get("api_key")
        if not key and not replacing:
            return None
        records = list_accounts(connection, self.keyring, shop_id, inactive=True)
        mine = [each for each in records if each.carrier == kind.name]
        if replacing:
            found = next((each for each in mine if each.id == replacing), None)
            if found is None:
                raise NoSuchAccount("The shop has no such carrier account.", detail=replacing)
            return found
        return next((each for each in mine if each.settings.get("api_key") == key), None)

    def _keep(
        self,
        connection: Connection,
        shop_id: str,
        carrier: str,
        fields: dict[str, Any],
        test_mode: bool | None,
        same: AccountRecord | None,
        actor: Actor,
        now: datetime,
    ) -> AccountRecord:
        if same is None:
            return add_account(connection, self.keyring, shop_id, carrier, fields, test_mode, actor, now)
        same_key = same.settings.get("api_key") == fields.get("api_key")
        mode = same.test_mode if test_mode is None and same_key else test_mode
        put_account_settings(connection, self.keyring, shop_id, same.id, fields, actor, now)
        if mode is not None:
            set_account_mode(connection, shop_id, same.id, mode, actor, now)
        if not same.active:
            switch_account(connection, shop_id, same.id, True, actor, now)
        return AccountRecord(same.id, shop_id, carrier, mode, True, same.created_at, fields, same.hook_token)

    async def _probe(self, shop: ShopEntry, kind: CarrierKind, settings: BaseModel) -> tuple[bool | None, str]:
        """Ask the account for a price within the shop's own town: does the key work, and is it a test key."""
        origin = shop.quoting.default_origin()
        place = origin.address if origin else Address("US", "94104", "CA", "San Francisco")
        question = RateRequest(place, place, (Parcel(Weight(500)),), shop.record.currency)
        connection = kind.connect(settings, self.outgoing, self.clock)
        try:
            rates = await connection.rates(question, _PROBE_S)
        except Misconfigured as error:
            said = f"{kind.title} did not accept the credentials: {error.message}"
            raise WaybillError(said, detail="api_key") from error
        except CarrierError as error:
            cause = ": ".join(part for part in (error.message.rstrip("."), error.detail) if part)
            return None, f"{kind.title} could not be asked now ({cause}); the account was kept unproved."
        finally:
            await connection.close()
        return rates.test_mode, ""
