"""The daily cap: what a shop may spend on labels in one day of its own calendar, counted from its intents.

The sum is read, compared and the intent written in one transaction that holds the cap's row, so that two workers
cannot pass it together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, func

from carriers.money import Money
from carriers.rate import Rate
from connector.directory import Directory, ShopEntry
from connector.labels import gates, record
from connector.labels.gates import Asked
from connector.labels.tables import labels
from connector.rules.exchange import exchange
from connector.storage.database import Database
from connector.words.reason import Reason
from connector.work.port import Run, TryLater, Work

SPENT = ("intent", "sent", "unknown", "bought", "void_requested", "void_refused")
"""States of labels whose money is gone or about to go. What was voided or refused costs nothing."""


@dataclass(frozen=True, slots=True)
class Today:
    """What a shop has spent in its present day, and what it may; no cap lets everything pass."""

    spent: Money
    cap: Money | None

    def allows(self, price: Money) -> bool:
        """Whether a label of that price, in the shop's currency, stays within the cap."""
        return self.cap is None or self.spent + price <= self.cap


def today(connection: Connection, shop: ShopEntry, now: datetime, but_for: str = "") -> Today:
    """The sum of the day's intents, other currencies at the shop's exchange rates; `but_for` is a label left out."""
    chosen = (
        labels.select(shop.id, labels.c.currency, func.sum(labels.c.minor).label("minor"))
        .where(
            labels.c.intent_at >= start_of_day(now, shop.record.timezone),
            labels.c.state.in_(SPENT),
            labels.c.id != but_for,
        )
        .group_by(labels.c.currency)
    )
    home = shop.record.currency
    spent = Money.zero(home)
    for row in connection.execute(chosen).all():
        counted = _at_home(shop, Money(int(row.minor), row.currency))
        if counted is not None:  # Its rate of exchange may be gone since it was bought.
            spent += counted
    return Today(spent, cap_of(shop))


def cap_of(shop: ShopEntry) -> Money | None:
    """The shop's cap for a day, if it has one."""
    amount = shop.settings.daily_cap
    return None if amount is None else Money.rounded(amount, shop.record.currency)


def write_intent(
    connection: Connection,
    work: Work,
    shop: ShopEntry,
    parcel: Any,
    label: Any,
    rate: Rate,
    why: Reason,
    asked: Asked,
    now: datetime,
) -> Any | None:
    """Write the intent unless it would pass the cap; then the queue stops, with one matter, and the parcel waits.

    A price that cannot be compared with the cap stops its account's queue instead.
    """
    if shop.settings.daily_cap is not None and not asked.over_cap:
        gates.lock(connection, shop.id, gates.CAP)
        price = _at_home(shop, rate.price)
        if price is None:
            stop = Reason("cap_not_comparable", {"price": rate.price, "home": shop.record.currency})
            gates.wait(connection, parcel, label, label.account_id, stop, asked, now)
            gates.shut(connection, work, shop.id, label.account_id, stop, now, needed=rate.price)
            return None
        day = today(connection, shop, now, but_for=label.id)
        if not day.allows(price):
            assert day.cap is not None  # noqa: S101 - without a cap everything is allowed.
            stop = Reason("daily_cap_reached", {"cap": day.cap, "spent": day.spent})
            gates.wait(connection, parcel, label, gates.CAP, stop, asked, now)
            gates.shut(connection, work, shop.id, gates.CAP, stop, now, needed=price)
            return None
    return record.write_intent(connection, label, rate, why, asked.actor, now)


@dataclass(frozen=True, slots=True)
class GateKeeper:
    """The job `labels.probe` (a gate's subject): find out whether buying may go on."""

    database: Database
    directory: Directory
    work: Work
    now: Callable[[], datetime]

    async def probe(self, run: Run) -> None:
        """Open the gate where its cause is gone as far as we know; else let one parcel try."""
        shop = self.directory.shop(run.task.shop_id)
        if shop is None:
            raise TryLater("The shop is not in memory: it is gone, or cannot be loaded.")
        (subject,) = run.task.args
        await self.database.run(self._probe, shop, subject)

    def _probe(self, connection: Connection, shop: ShopEntry, subject: str) -> None:
        now = self.now()
        row = gates.lock(connection, shop.id, subject)
        if row.shut_at is None:
            return
        code = Reason.from_json(row.reason).code
        if code == "wallet_empty":
            gates.probe(connection, self.work, shop.id, subject, now)
            return
        needed = _at_home(shop, Money(row.needed_minor, row.needed_currency))
        if shop.settings.daily_cap is None or (needed is not None and today(connection, shop, now).allows(needed)):
            gates.open_gate(connection, self.work, shop.id, subject, now)
        else:
            gates.ask_again(connection, self.work, shop.id, subject, now + gates.CAP_PROBE)


def start_of_day(now: datetime, timezone: str) -> datetime:
    """When the present day began where the shop is."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def _at_home(shop: ShopEntry, money: Money) -> Money | None:
    """The amount in the shop's currency; None without a rate of exchange."""
    home = shop.record.currency
    if money.currency == home:
        return money
    changed = exchange(money, home, shop.settings.exchange_rates)
    return None if changed is None else changed.money
