"""The switch: whether a store's checkout asks us for prices. And the way out: take everything of ours away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.checkup.finding import Checkup, Finding
from connector.directory import ShopEntry
from connector.installing.installer import Installer
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.shops import drop_credentials, mark_gone, note_switch
from connector.store import InstallStep, StoreError
from webhooks.errors import WaybillError

LookOver = Callable[[ShopEntry], Awaitable[Checkup]]
"""Makes a check-up of a shop."""

ABOUT_THE_SWITCH = frozenset({"check_service_off", "check_service_stopped", "check_never_asked", "check_not_asked"})
"""Findings that switching on cures."""


class NotSwitched(WaybillError):
    """The rates were not switched on; `findings` say what would keep buyers from seeing them."""

    def __init__(self, message: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(message, detail="; ".join(finding.reason.say() for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Switched:
    """How the switch stands now. `was` None: it was not known; `missing`: the store has no rate service of ours.

    `findings` are what stops the rates, where they were switched on all the same.
    """

    rates_on: bool
    was: bool | None
    missing: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """A shop that was let go. `left_over`: why something of ours may still be in the store; empty if nothing is."""

    shop: ShopEntry
    steps: tuple[InstallStep, ...]
    left_over: str = ""


async def switch_on(
    installer: Installer, shop: ShopEntry, actor: Actor, look_over: LookOver | None = None, *, anyway: bool = False
) -> Switched:
    """Let the checkout ask us; the rate service is registered first where it is missing.

    Raises NotSwitched where the check-up names what would keep buyers from seeing the prices, unless `anyway`; and
    StoreError.
    """
    stopping: tuple[Finding, ...] = ()
    if await shop.store.rates_on() is None:
        installed = await installer.repair(shop, actor)
        if installed.rates_on is None:
            said = next((step.detail for step in installed.failed), "")
            raise WaybillError("The store does not take our rate service.", detail=said)
        shop = installed.shop
    if look_over is not None:
        stopping = _stopping(await look_over(shop))
        if stopping and not anyway:
            raise NotSwitched("Not switched on: buyers would see no prices.", stopping)
    await shop.store.switch_rates(True)
    await _note(installer, shop, actor, rates_on=True)
    return Switched(rates_on=True, was=shop.record.rates_on, findings=stopping)


async def switch_off(installer: Installer, shop: ShopEntry, actor: Actor) -> Switched:
    """Let the store sell at its own rates only. Needs the store's API and nothing else. Raises StoreError."""
    there = await shop.store.switch_rates(False)
    await _note(installer, shop, actor, rates_on=False)
    return Switched(rates_on=False, was=shop.record.rates_on, missing=not there)


async def remove(installer: Installer, shop: ShopEntry, actor: Actor) -> Removed:
    """Take rate service and subscriptions away, drop tokens and credentials; orders, labels and quotes stay.

    A store that does not let us in any more is let go all the same, and it is said what may be left over there.
    """
    steps: tuple[InstallStep, ...] = ()
    left_over = ""
    try:
        steps = tuple(await shop.store.uninstall())
    except StoreError as error:
        left_over = error.message
    refused = [step.what for step in steps if step.state == "failed"]
    if refused:
        left_over = f"The store did not take away: {', '.join(refused)}."
    await installer.database.run(_let_go, installer, shop, actor)
    await installer.directory.refresh()
    return Removed(shop, steps, left_over)


def _let_go(connection: Connection, installer: Installer, shop: ShopEntry, actor: Actor) -> None:
    mark_gone(connection, shop.id, actor, installer.clock.now())
    drop_credentials(connection, installer.keyring, shop.id, asked_only=False)


def _stopping(checkup: Checkup) -> tuple[Finding, ...]:
    return tuple(
        finding
        for finding in checkup.findings
        if finding.level == "stops_rates" and finding.reason.code not in ABOUT_THE_SWITCH
    )


async def _note(installer: Installer, shop: ShopEntry, actor: Actor, *, rates_on: bool) -> None:
    def note(connection: Connection) -> None:
        note_switch(connection, shop.id, rates_on)
        audit.record(
            connection,
            now=installer.clock.now(),
            actor=actor,
            action="shop.on" if rates_on else "shop.off",
            subject=shop.id,
            shop_id=shop.id,
        )

    await installer.database.run(note)
    await installer.directory.refresh()
