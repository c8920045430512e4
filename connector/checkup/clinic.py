"""Check a shop: every check at once, the result kept; and the daily round over all shops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from connector.checkup import kept, ours
from connector.checkup.address import check_address
from connector.checkup.asked import Asked, CallsByDay, Platform
from connector.checkup.carriers import carrier_checks
from connector.checkup.finding import Check, Checkup, Finding
from connector.checkup.run import run_checks
from connector.directory import Directory, ShopEntry
from connector.storage.database import Database
from connector.storage.shops import NoSuchShop
from connector.store import Callbacks, TokenVault
from connector.words.reason import Reason
from connector.work.port import Run
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock

EVERY = timedelta(days=1)
NOT_BEFORE = timedelta(hours=1)
"""A shop that was connected just now is being set up: its first round can wait."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """Checks shops. `platforms` has the checks of each platform by name, `open_vault` a shop's access tokens.

    `private_is_fine`: private addresses are allowed here, so that our own may be one as well.
    """

    database: Database
    directory: Directory
    outgoing: Outgoing
    clock: Clock
    public_url: str
    private_is_fine: bool
    platforms: Mapping[str, Platform]
    open_vault: Callable[[str], TokenVault]

    async def check(self, shop_id: str) -> Checkup:
        """Make every check of a shop now, keep the result, and put what stops rates before a person.

        Raises NoSuchShop for one that is not connected. A check that cannot be made is in `not_made`.
        """
        shop = self.directory.shop(shop_id)
        if shop is None:
            raise NoSuchShop("There is no such shop.", detail=shop_id)
        wanted = await self.database.run(ours.switched_on, shop.id)
        checkup = await run_checks(self._checks(shop, wanted), shop.id, self.clock.now())
        await self.database.run(kept.keep, checkup)
        return checkup

    async def sweep(self, run: Run) -> None:
        """The job `shops.check`, for one shop, once a day."""
        shop = self.directory.shop(run.task.shop_id)
        if shop is not None and self.clock.now() - shop.record.created_at >= NOT_BEFORE:
            await run.step("shop.check", lambda: self.check(shop.id))

    def _checks(self, shop: ShopEntry, rates_on: bool | None) -> list[Check]:
        look = _Ours(self, shop, rates_on)
        platform = self.platforms.get(shop.platform)
        checks: list[Check] = []
        if platform is not None:
            checks += platform.checks(self._asked(shop, rates_on, look.calls_by_day))
        if platform is None or platform.calls_from_outside:
            checks.append(Check("address", Reason("checked_address"), look.address))
        return [
            *checks,
            Check("accounts", Reason("checked_accounts"), look.accounts),
            *carrier_checks(shop, self.database, self.outgoing, self.clock.now()),
            Check("origin", Reason("checked_origin"), look.origin),
            Check("silence", Reason("checked_silence"), look.silence),
            Check("signatures", Reason("checked_signatures"), look.signatures),
            Check("worker", Reason("checked_worker"), look.worker),
        ]

    def _asked(self, shop: ShopEntry, rates_on: bool | None, calls_by_day: CallsByDay) -> Asked:
        return Asked(
            shop=shop.domain,
            store=shop.store,
            callbacks=callbacks_of(shop, self.public_url),
            settings=shop.settings,
            rates_on=rates_on,
            vault=self.open_vault(shop.id),
            outgoing=self.outgoing,
            clock=self.clock,
            calls_by_day=calls_by_day,
        )


@dataclass(frozen=True, slots=True)
class _Ours:
    """The checks that need no platform, of one shop."""

    clinic: Clinic
    shop: ShopEntry
    rates_on: bool | None

    async def accounts(self) -> list[Finding]:
        return ours.accounts(self.shop)

    async def origin(self) -> list[Finding]:
        return ours.origin(self.shop)

    async def silence(self) -> list[Finding]:
        if self.rates_on is False:
            return []  # Nobody is to ask.
        return await self.clinic.database.run(ours.silence, self.shop.id, self.clinic.clock.now())

    async def signatures(self) -> list[Finding]:
        return await self.clinic.database.run(ours.signatures, self.shop.id, self.clinic.clock.now())

    async def worker(self) -> list[Finding]:
        return await self.clinic.database.run(ours.worker)

    async def address(self) -> list[Finding]:
        clinic = self.clinic
        return await check_address(clinic.outgoing, clinic.public_url, private_is_fine=clinic.private_is_fine)

    async def calls_by_day(self) -> Mapping[date, int]:
        return await self.clinic.database.run(ours.calls_by_day, self.shop.id, self.clinic.clock.now())


def callbacks_of(shop: ShopEntry, public_url: str) -> Callbacks:
    """The URLs that the shop's store has to know."""
    return Callbacks(
        f"{public_url}/rates/{shop.id}/{shop.rates_token}", f"{public_url}/hooks/{shop.id}/{shop.hooks_token}"
    )
