"""Buy a parcel's label exactly once: create, intend, buy by the kept id, look up what is unclear.

Both jobs read where the label stands and go on from there, so a crash at any point costs at most a look-up. A purchase
that left and was not answered is never repeated before the carrier's look-up ceiling has passed, and then only for the
same shipment, which a carrier sells once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from carriers.address import Address
from carriers.errors import CarrierError
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown
from carriers.money import Money
from carriers.parcel import Shipment
from connector.attention.board import need_person
from connector.directory import AccountEntry, Directory, ShopEntry
from connector.labels import gates, record, spending, stops, verifying
from connector.labels.aftercare import kept_files
from connector.labels.choose import Chosen, choose
from connector.labels.files import LabelShelf
from connector.labels.gates import Asked
from connector.labels.shipment import goes_elsewhere, shipment_for
from connector.labels.store_holds import tell_of_parcel
from connector.labels.terms import (
    address_fault,
    terms_for,
    why_not_by_rule,
    why_not_signed,
    why_not_sold,
    why_not_spent,
)
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.secrets import Keyring
from connector.words.reason import Reason
from connector.work.port import Run, TryLater, Work

log = structlog.get_logger(__name__)

_LOOK_AFTER_S = (2, 5, 10, 20, 30)
_MOST_TRIES = 3
_STALE = timedelta(hours=12)  # A created shipment older than that is priced again.


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the store says of a parcel just before money is spent: no reason means go on.

    With `cancelled` the parcel is not wanted any more; otherwise a reason holds it for a person or a later change.
    `risky` orders are bought by people only; a `test` order of a live shop is not bought at all. `goods` is what the
    order's goods are worth.
    """

    why_not: Reason | None = None
    cancelled: bool = False
    risky: bool = False
    test: bool = False
    goods: Money | None = None


StillWanted = Callable[[ShopEntry, Any], Awaitable[Wanted]]


@dataclass(frozen=True, slots=True)
class Purchasing:
    """The jobs `labels.buy` (parcel, actor's kind and name, perhaps `over_cap`) and `labels.settle` (label)."""

    database: Database
    directory: Directory
    work: Work
    keyring: Keyring
    shelf: LabelShelf
    now: Callable[[], datetime]
    still_wanted: StillWanted
    clock_is_moved: bool = False

    async def buy(self, run: Run) -> None:
        """Take a parcel from where it stands to a label, a refusal, a hold, or an outcome to be looked up."""
        await self._buy(run)
        shop = self.directory.shop(run.task.shop_id)
        if shop is not None and shop.store.capabilities.hold:
            await self.database.run(tell_of_parcel, self.work, shop, run.task.args[0], self.now())

    async def _buy(self, run: Run) -> None:
        shop_id, (parcel_id, *by) = run.task.shop_id, run.task.args
        asked = Asked.read(*by)
        actor = asked.actor
        shop = self.directory.shop(shop_id)
        parcel, label = await self.database.run(record.parcel_and_label, shop_id, parcel_id)
        if shop is None:
            raise TryLater("The shop is not in memory: it is gone, or cannot be loaded.")
        # Whoever lets go of a hold queues the rule's purchase again.
        over = {"cancelled", "bought", "voided"} | ({"held"} if actor.kind == "rule" else set())
        if parcel is None or parcel.state in over:
            return
        if label is not None and label.state in {"sent", "unknown"}:
            person = None if actor.kind == "rule" else actor
            await self.database.run(record.settle_at, self.work, label, self.now(), person)
            return
        if label is not None and label.state == "created" and self.now() - label.created_at > _STALE:
            await self.database.run(record.drop, label, self.now())
            label = None
        account = self._account(shop, parcel, label)
        if account is not None and not await self._may_go(parcel, label, account, asked):
            return
        if await self._stopped(run, shop, account, parcel, label, actor) or account is None:
            return
        if label is None:
            label = await self._create(run, shop, account, parcel, actor)
        if label is not None and label.state == "created":
            label = await self._intend(run, shop, parcel, label, asked)
        if label is not None and label.state == "intent":
            await self._purchase(run, shop, account, parcel, label, asked)

    async def _may_go(self, parcel: Any, label: Any | None, account: AccountEntry, asked: Asked) -> bool:
        """Whether the account, and for what is not counted yet the day's cap, let it go on; otherwise it waits."""
        at_cap = label is None or label.state == "created"
        return await self.database.run(gates.may_go, parcel, label, account.id, asked, self.now(), at_cap=at_cap)

    async def _stopped(
        self, run: Run, shop: ShopEntry, account: AccountEntry | None, parcel: Any, label: Any | None, actor: Actor
    ) -> bool:
        """Whether the purchase ends here: the merchant, the store or a missing account says no."""
        by_rule = actor.kind == "rule"
        if by_rule and not shop.settings.buys_when_paid:
            await self.database.run(stops.stand_back, label, self.now())
            return True
        wanted = await run.step("order.check", lambda: self.still_wanted(shop, parcel))
        if wanted.why_not is not None:
            await self.database.run(
                stops.not_wanted, parcel, label, wanted.why_not, self.now(), cancelled=wanted.cancelled
            )
            return True
        in_vain = wanted.test and shop.settings.mode == "live"
        why = Reason("test_order_in_live") if in_vain else why_not_sold(account, parcel)
        if why is None and by_rule:
            is_risky = wanted.risky and "risk_flagged" not in (parcel.released or ())
            why = Reason("risk_flagged") if is_risky else why_not_signed(account, parcel)
        if why is None and by_rule:
            why = await self.database.run(why_not_by_rule, self.keyring, shop, parcel, wanted.goods)
        if why is not None:
            await self.database.run(stops.give_up, parcel, label, why, self.now())
        return why is not None

    async def settle(self, run: Run) -> None:
        """Find out how a purchase ended, and finish it; what did not happen is bought by `labels.buy` again."""
        shop_id, (label_id, *asked_by) = run.task.shop_id, run.task.args
        shop = self.directory.shop(shop_id)
        label = await self.database.run(record.label_of, shop_id, label_id)
        if shop is None:
            raise TryLater("The shop is not in memory: it is gone, or cannot be loaded.")
        if label is None or label.state not in {"sent", "unknown"}:
            return
        account = shop.accounts.get(label.account_id)
        if account is None:
            await self.database.run(need_person, shop_id, label_id, Reason("account_gone"), self.now())
            return
        ceiling = timedelta(seconds=account.connection.capabilities.look_up_ceiling_s)
        try:
            rate = record.rate_of(label)
            found = await run.step("label.look_up", lambda: account.connection.look_up(label.handle, rate))
        except CarrierError as error:
            await self._look_again(label, error.retry_after_s)
            if self.now() - label.sent_at > ceiling + timedelta(minutes=10):
                await self.database.run(
                    need_person, shop_id, label.id, Reason("cannot_look_up", {"carrier": label.carrier}), self.now()
                )
            return
        match found:
            case Purchased():
                await self._record(run, shop, label, found)
            case Rejected(code="wallet_empty"):
                by = Asked(Actor(label.actor_kind, label.actor_name))
                await self._wallet_empty(account, label, by, found.message)
            case Rejected():
                why = Reason("carrier_refused", {"carrier": account.kind.title, "said": found.message})
                await self.database.run(record.refused, self.work, label, why, self.now())
            case NotBought():
                person = Actor(asked_by[0], asked_by[1]) if asked_by else None  # type: ignore[arg-type]  # As in buy.
                await self._not_bought(account, label, ceiling, person, pending=found.pending)

    async def _not_bought(
        self, account: AccountEntry, label: Any, ceiling: timedelta, person: Actor | None, *, pending: bool
    ) -> None:
        """Past the ceiling the same shipment is bought again, by the way of every purchase and with all its checks.

        What may be sold twice, or failed too often, only a person has bought again: `person` is who asks for it.
        """
        if pending:
            await self._look_again(label, None)
            return
        if self.now() < label.sent_at + ceiling:
            await self._look_again(label, None, latest=label.sent_at + ceiling)
            return
        unsafe = account.connection.capabilities.repeat_purchase == "unsafe"
        if person is None and (unsafe or label.tries >= _MOST_TRIES):
            await self.database.run(record.stays_unclear, label, self.now())
            return
        await self.database.run(record.again, self.work, label, person, self.now())

    async def _look_again(self, label: Any, retry_after_s: float | None, latest: datetime | None = None) -> None:
        wait = retry_after_s or _LOOK_AFTER_S[min(label.looks, len(_LOOK_AFTER_S) - 1)]
        due_at = self.now() + timedelta(seconds=wait)
        if latest is not None:
            due_at = min(due_at, max(latest, self.now() + timedelta(seconds=1)))
        await self.database.run(record.unclear, self.work, label, due_at, self.now())

    async def _create(self, run: Run, shop: ShopEntry, account: AccountEntry, parcel: Any, actor: Actor) -> Any | None:
        shipment = await self._shipment(run, shop, account, parcel, by_rule=actor.kind == "rule")
        if isinstance(shipment, Reason):
            await self.database.run(record.hold, shop.id, parcel.id, shipment, self.now())
            return None
        try:
            created = await run.step("label.create", lambda: account.connection.create(shipment))
        except CarrierError as error:
            if error.code in {"rate_refused", "credentials"}:
                why = Reason("carrier_refused", {"carrier": account.kind.title, "said": error.message})
                await self.database.run(record.hold, shop.id, parcel.id, why, self.now())
                return None
            raise
        return await run.step(
            "label.keep",
            lambda: self.database.run(self._open, parcel, account, shipment, created, actor),
        )

    async def _shipment(
        self, run: Run, shop: ShopEntry, account: AccountEntry, parcel: Any, *, by_rule: bool
    ) -> Shipment | Reason:
        """The shipment to create, or why a person must look at the parcel or its address first."""
        made = await self.database.run(shipment_for, self.keyring, shop, account.connection.capabilities, parcel)
        if isinstance(made, Reason):
            return made
        why = address_fault(shop, parcel, made)
        return why or await self._verify(run, shop, account, parcel, made.destination, by_rule=by_rule) or made

    def _open(
        self,
        connection: Connection,
        parcel: Any,
        account: AccountEntry,
        shipment: Shipment,
        created: Created,
        actor: Actor,
    ) -> Any | None:
        if goes_elsewhere(connection, self.keyring, parcel, shipment):
            raise TryLater("The address was changed while the shipment was made.", retry_after_s=1)
        return record.open_label(connection, parcel, account.id, account.kind.name, created, actor, self.now())

    async def _verify(
        self, run: Run, shop: ShopEntry, account: AccountEntry, parcel: Any, address: Address, *, by_rule: bool
    ) -> Reason | None:
        """What a carrier says against this address, which it is asked about once, or that none could be asked."""
        asking = verifying.asks(shop, account)
        if asking is None:
            return verifying.why_unverified(shop, parcel, {}) if by_rule else None
        entry, verifier = asking
        kept = await self.database.run(verifying.remembered, self.keyring, parcel, address)
        if kept is None:
            found = await run.step("address.verify", lambda: verifying.look_up(verifier, address, run.task.attempt))
            kept = await self.database.run(verifying.keep, self.keyring, parcel, address, found, self.now())
        why = verifying.why_not(parcel, kept, entry.kind.title)
        return why or (verifying.why_unverified(shop, parcel, kept) if by_rule else None)

    async def _intend(self, run: Run, shop: ShopEntry, parcel: Any, label: Any, asked: Asked) -> Any | None:
        by_person = asked.actor.kind in {"person", "command"}
        terms = await self.database.run(terms_for, self.keyring, shop, parcel, self.now())
        chosen = choose(record.rates_of(label), parcel.bought_as, by_person=by_person, terms=terms)
        if isinstance(chosen, Chosen) and (refused := terms.refuses(chosen.rate)) is not None:
            await self.database.run(stops.give_up, parcel, label, refused, self.now())
            return None
        if isinstance(chosen, Chosen):
            rate, why = chosen.rate, chosen.why
            return await run.step(
                "label.intent",
                lambda: self.database.run(
                    spending.write_intent, self.work, shop, parcel, label, rate, why, asked, self.now()
                ),
            )
        give_up = stops.refuse if terms.otherwise == "refuse" else stops.give_up
        await self.database.run(give_up, parcel, label, chosen, self.now())
        return None

    async def _purchase(
        self, run: Run, shop: ShopEntry, account: AccountEntry, parcel: Any, label: Any, asked: Asked
    ) -> None:
        forbidden = why_not_spent(shop, account, label, clock_is_moved=self.clock_is_moved)
        if forbidden is not None:
            await self.database.run(stops.give_up, parcel, label, forbidden, self.now())
            return
        sent = await run.step("label.mark", lambda: self.database.run(_mark_sent, parcel, label, asked, self.now()))
        if sent is None:
            return
        rate = record.rate_of(sent)
        assert rate is not None  # noqa: S101 - the table's check says that an intent has a rate.
        carrier = account.connection
        outcome = await run.step("label.purchase", lambda: carrier.purchase(sent.handle, rate, run.fence))
        match outcome:
            case Purchased():
                await self._record(run, shop, sent, outcome)
            case Unknown():
                log.warning("purchase_unclear", label=sent.id, why=outcome.why)
                await self._look_again(sent, None)
            case Rejected(code="fenced"):
                raise TryLater("This worker lost its lease before the purchase left.")
            case Rejected(code="not_sent" | "overloaded"):
                await self.database.run(record.not_sent, sent)
                raise TryLater("The carrier could not be reached yet.", retry_after_s=outcome.retry_after_s)
            case Rejected(code="wallet_empty"):
                await self._wallet_empty(account, sent, asked, outcome.message)
            case Rejected():
                why = Reason("carrier_refused", {"carrier": account.kind.title, "said": outcome.message})
                await self.database.run(record.refused, self.work, sent, why, self.now())

    async def _wallet_empty(self, account: AccountEntry, label: Any, asked: Asked, said: str) -> None:
        """Nothing was bought, and nothing of this account is tried until its probe."""
        why = Reason("wallet_empty", {"carrier": account.kind.title, "said": said})
        await self.database.run(_unpaid, self.work, label, why, asked, self.now())

    async def _record(self, run: Run, shop: ShopEntry, label: Any, outcome: Purchased) -> None:
        files = await kept_files(self.shelf, outcome)
        await run.step(
            "label.record",
            lambda: self.database.run(
                _bought,
                self.work,
                label,
                outcome,
                files,
                fulfil_now=shop.settings.fulfil_when == "label",
                notify_buyer=shop.settings.store_notifies,
                now=self.now(),
            ),
        )

    def _account(self, shop: ShopEntry, parcel: Any, label: Any | None) -> AccountEntry | None:
        if label is not None:
            return shop.accounts.get(label.account_id)
        if parcel.bought_as is not None and parcel.bought_as["account_id"]:
            return shop.accounts.get(parcel.bought_as["account_id"])
        sell = (each for each in shop.accounts.values() if each.connection.capabilities.sells_labels)
        return next(sell, next(iter(shop.accounts.values()), None))


def _mark_sent(connection: Connection, parcel: Any, label: Any, asked: Asked, now: datetime) -> Any | None:
    """The last look at the account's gate, and the mark that the purchase leaves, in one transaction."""
    if not gates.may_go(connection, parcel, label, label.account_id, asked, now, at_cap=False):
        return None
    return record.mark_sent(connection, label, now)


def _unpaid(connection: Connection, work: Work, label: Any, why: Reason, asked: Asked, now: datetime) -> None:
    gates.shut(connection, work, label.shop_id, label.account_id, why, now)
    if record.unpaid(connection, label, why, now):
        parcel = record.parcel_of(connection, label.shop_id, label.parcel_id)
        gates.wait(connection, parcel, None, label.account_id, why, asked, now)


def _bought(
    connection: Connection,
    work: Work,
    label: Any,
    outcome: Purchased,
    files: list[record.KeptFile],
    *,
    fulfil_now: bool,
    notify_buyer: bool,
    now: datetime,
) -> bool:
    """Record the label; where its account was without money, it has some again, and everything goes on."""
    refused_at = gates.hold_shut(connection, label.shop_id, label.account_id)
    new = record.bought(
        connection, work, label, outcome, files, fulfil_now=fulfil_now, notify_buyer=notify_buyer, now=now
    )
    if new and refused_at is not None and label.sent_at >= refused_at:
        gates.open_gate(connection, work, label.shop_id, label.account_id, now)
    return new
