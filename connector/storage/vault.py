"""Where a shop's connection keeps its access tokens: one sealed column, renewed by one process at a time."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy import Connection, or_, select, update

from connector.storage.database import Database
from connector.storage.schema import database_time
from connector.storage.secrets import Keyring
from connector.storage.shops import open_fields, seal_fields, shops_table


class ShopTokenVault:
    """The tokens of one shop, shared by every process. A claim's times are the database's own clock."""

    def __init__(self, database: Database, keyring: Keyring, shop_id: str) -> None:
        self._database = database
        self._keyring = keyring
        self._shop_id = shop_id
        self._claim = ""

    async def load(self) -> Mapping[str, str] | None:
        """The fields last saved by any process, or None."""
        token = await self._database.run(self._read)
        return None if token is None else open_fields(self._keyring, token)

    async def save(self, fields: Mapping[str, str]) -> bool:
        """Replace the fields in one go and end the claim. A shop that left keeps none.

        False if the claim was lost meanwhile: another process took over, or the shop was connected anew.
        """
        claim, self._claim = self._claim, ""
        return await self._database.run(self._write, seal_fields(self._keyring, fields), claim)

    async def claim(self, for_s: float) -> bool:
        """Whether this connection alone may renew now. A claim of a process that died ends by itself."""
        claim = secrets.token_hex(16)
        if not await self._database.run(self._take, claim, for_s):
            return False
        self._claim = claim
        return True

    async def give_up(self) -> None:
        """End the claim without a change."""
        claim, self._claim = self._claim, ""
        await self._database.run(self._drop, claim)

    def _read(self, connection: Connection) -> str | None:
        return connection.execute(select(shops_table.c.access_tokens).where(shops_table.c.id == self._shop_id)).scalar()

    def _write(self, connection: Connection, token: str, claim: str) -> bool:
        change = update(shops_table).where(shops_table.c.id == self._shop_id, shops_table.c.status == "live")
        if claim:
            change = change.where(shops_table.c.token_claim == claim)
        values = {"access_tokens": token, "token_claim": None, "token_claim_until": None}
        return connection.execute(change.values(**values)).rowcount == 1

    def _take(self, connection: Connection, claim: str, for_s: float) -> bool:
        now = database_time(connection.dialect.name)
        free = or_(shops_table.c.token_claim.is_(None), shops_table.c.token_claim_until < now)
        change = update(shops_table).where(shops_table.c.id == self._shop_id, free)
        values = {"token_claim": claim, "token_claim_until": now + for_s}
        return connection.execute(change.values(**values)).rowcount == 1

    def _drop(self, connection: Connection, claim: str) -> None:
        change = update(shops_table).where(shops_table.c.id == self._shop_id, shops_table.c.token_claim == claim)
        connection.execute(change.values(token_claim=None, token_claim_until=None))
