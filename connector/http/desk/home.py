"""A shop's home: is the checkout healthy, and what needs a person today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import Connection, func

from carriers.breaker import Guarded
from connector.attention.board import HOUSE, Matter, open_matters
from connector.checkup import kept
from connector.checkup.finding import Checkup
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, Page, View
from connector.http.desk.setup import as_switched
from connector.http.desk.waiting import Waiting, close, waiting_of
from connector.orders.tables import orders
from connector.quotes.ledger import AT_CHECKOUT, quotes
from connector.storage.deliveries import last_delivery_at
from connector.watch.shops import Share, share_of
from connector.work.lease import worker_runs

SHARE_OVER = timedelta(hours=24)
_SUBSCRIPTIONS = "webhooks"
SLOW_MS = 500
"""What Shopify asks of 95 of 100 answers, in milliseconds (market.md, 6.1)."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the checkout does. Times in milliseconds are of today's answers, in the shop's own day."""

    answers: int
    half_ms: int | None
    most_ms: int | None
    share: Share
    last_asked: datetime | None
    last_order: datetime | None
    last_news: datetime | None
    worker: bool
    checkup: Checkup | None

    @property
    def subscribed(self) -> bool | None:
        """Whether the store is to tell us of orders, as the last check saw it; None: it could not be seen."""
        if self.checkup is None:
            return None
        if any(finding.check == _SUBSCRIPTIONS for finding in self.checkup.findings):
            return False
        return True if _SUBSCRIPTIONS in self.checkup.passed else None

    @property
    def is_slow(self) -> bool:
        """Whether too many answers take too long."""
        return self.most_ms is not None and self.most_ms > SLOW_MS


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The home of a shop."""
    midnight = datetime.combine(ask.now.astimezone(ask.zone).date(), time.min, ask.zone)
    health, waiting, whole = await house.database.run(_read, ask, midnight)
    carriers = [
        (each.kind.title, each.record.test_mode, _phase(each.connection)) for each in ask.shop.accounts.values()
    ]
    values = {"health": health, "waiting": waiting, "whole": whole, "carriers": carriers}
    return View("home.html", {**values, "wrong": _wrong(ask, health, carriers)})


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Mark a matter as done, where only a person can know that it is."""
    done = await house.database.run(close, ask.shop.id, ask.typed.get("matter", ""), ask.actor, ask.now)
    if done:
        return Goto(ask.base, done="home.closed")
    shown = await show(house, ask)
    return shown.with_complaint(Complaint("home.closed_before")) if isinstance(shown, View) else shown


def _read(connection: Connection, ask: Ask, midnight: datetime) -> tuple[Health, list[Waiting], list[Matter]]:
    shop_id = ask.shop.id
    today = quotes.c.at >= midnight
    count = connection.execute(quotes.select(shop_id, func.count()).where(AT_CHECKOUT, today)).scalar_one()
    health = Health(
        answers=count,
        half_ms=_percentile(connection, shop_id, midnight, count, 50),
        most_ms=_percentile(connection, shop_id, midnight, count, 95),
        share=share_of(connection, shop_id, ask.now, SHARE_OVER),
        last_asked=connection.execute(quotes.select(shop_id, func.max(quotes.c.at)).where(AT_CHECKOUT)).scalar(),
        last_order=connection.execute(orders.select(shop_id, func.max(orders.c.placed_at))).scalar(),
        last_news=last_delivery_at(connection, shop_id),
        worker=worker_runs(connection),
        checkup=as_switched(kept.latest(connection, shop_id), ask.shop.record.rates_on),
    )
    whole = open_matters(connection, HOUSE) if ask.user.owns_installation else []
    return health, waiting_of(connection, ask.shop.id, ask.base), whole


def _percentile(connection: Connection, shop_id: str, since: datetime, count: int, percent: int) -> int | None:
    """The answer time that so many of 100 stay within."""
    if not count:
        return None
    query = quotes.select(shop_id, quotes.c.elapsed_ms).where(AT_CHECKOUT, quotes.c.at >= since)
    place = max(0, -(-count * percent // 100) - 1)
    return connection.execute(query.order_by(quotes.c.elapsed_ms).offset(place).limit(1)).scalar()


def _phase(connection: object) -> str:
    return str(connection.breaker_phase) if isinstance(connection, Guarded) else "closed"


def _wrong(ask: Ask, health: Health, carriers: list[tuple[str, bool | None, str]]) -> list[str]:
    """The codes of what is not as it should be, the gravest first."""
    causes = {
        "off": ask.shop.record.rates_on is not True,
        "no_carriers": not carriers,
        "worker": not health.worker,
        "share": health.share.is_high,
        "breaker": any(phase == "open" for _, _, phase in carriers),
        "slow": health.is_slow,
        "setup": health.checkup is not None and bool(health.checkup.findings),
    }
    return [code for code, is_so in causes.items() if is_so]


PAGES = (Page("", "home", "packer", show, act),)
