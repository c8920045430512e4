"""Checks that our own rows answer: accounts, origin, price questions that stopped, refused messages, workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, func

from connector.checkup.finding import Finding
from connector.checkup.refused import refusals
from connector.directory import ShopEntry
from connector.orders.tables import orders
from connector.quotes.ledger import quotes
from connector.storage import audit
from connector.storage.deliveries import last_delivery_at
from connector.words.reason import Param, Reason
from connector.work.lease import worker_runs

SILENCE = timedelta(days=2)
_FEWEST_ORDERS = 2
_CALL_DAYS = 7
_FEWEST_WRONG = 3
_SWITCHED = {"shop.on": True, "shop.off": False}


def accounts(shop: ShopEntry) -> list[Finding]:
    """Whether somebody can name a price, and whether what is bought is meant to be paid."""
    if not shop.accounts:
        return [Finding(Reason("check_no_account"), "stops_rates")]
    found = []
    for account in shop.accounts.values():
        title = {"carrier": account.kind.title}
        if shop.settings.mode == "test" and account.record.test_mode is False:
            found.append(Finding(Reason("check_account_production", title), "costs_money", account.id))
        if shop.settings.mode == "live" and account.record.test_mode is True:
            found.append(Finding(Reason("check_account_test", title), "costs_money", account.id))
    return found


def origin(shop: ShopEntry) -> list[Finding]:
    """Whether it is known where goods leave from."""
    if shop.quoting.default_origin() is not None:
        return []
    named = shop.settings.default_location
    if named:
        return [Finding(Reason("check_default_location_gone", {"location": named}), "stops_rates", named)]
    return [Finding(Reason("check_no_origin"), "stops_rates")]


def silence(connection: Connection, shop_id: str, now: datetime) -> list[Finding]:
    """Orders come, and no checkout has asked for a price for days."""
    last = connection.execute(quotes.select(shop_id, func.max(quotes.c.at))).scalar()
    since = max(last, now - SILENCE * 15) if last else now - SILENCE * 15
    if now - since < SILENCE:
        return []
    placed = orders.select(shop_id, func.count()).where(orders.c.placed_at > max(since, now - SILENCE))
    count = connection.execute(placed).scalar() or 0
    if count < _FEWEST_ORDERS:
        return []
    if last is None:
        return [Finding(Reason("check_never_asked", {"orders": count}), "stops_rates")]
    return [Finding(Reason("check_not_asked", {"days": (now - last).days, "orders": count}), "stops_rates")]


def calls_by_day(connection: Connection, shop_id: str, now: datetime) -> dict[date, int]:
    """How many price questions came on each of the last days (UTC); days without any are there with 0."""
    today = now.astimezone(UTC).date()
    counts = dict.fromkeys((today - timedelta(days=back) for back in range(_CALL_DAYS)), 0)
    for day in counts:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        asked = quotes.select(shop_id, func.count()).where(
            quotes.c.at >= start, quotes.c.at < start + timedelta(days=1)
        )
        counts[day] = connection.execute(asked).scalar() or 0
    return counts


def signatures(connection: Connection, shop_id: str, now: datetime) -> list[Finding]:
    """Messages or price questions whose signature does not fit: the secret is another one."""
    found = []
    answered = connection.execute(quotes.select(shop_id, func.max(quotes.c.at))).scalar()
    unanswered = refusals(connection, shop_id, "rates", answered, now)
    if unanswered is not None:
        params: dict[str, Param] = {"count": unanswered.count, "since": unanswered.since}
        found.append(Finding(Reason("check_questions_refused", params), "stops_rates"))
    forged = refusals(connection, shop_id, "hooks", last_delivery_at(connection, shop_id), now)
    if forged is not None:
        params = {"count": forged.count, "since": forged.since}
        found.append(Finding(Reason("check_messages_refused", params), "costs_money"))
    lately = quotes.select(shop_id, quotes.c.signature, func.count()).where(quotes.c.at > now - timedelta(days=1))
    by_kind = {row[0]: row[1] for row in connection.execute(lately.group_by(quotes.c.signature))}
    wrong = by_kind.get("wrong", 0)
    if wrong >= _FEWEST_WRONG and not by_kind.get("valid"):
        found.append(Finding(Reason("check_questions_unproved", {"count": wrong}), "look"))
    return found


def switched_on(connection: Connection, shop_id: str) -> bool | None:
    """How somebody last switched the prices here; None if nobody did. What the store made of it is another matter."""
    for entry in audit.entries(connection, shop_id, subject=shop_id, limit=500):
        if entry.action in _SWITCHED:
            return _SWITCHED[entry.action]
    return None


def worker(connection: Connection) -> list[Finding]:
    """Whether a worker does what orders need."""
    if worker_runs(connection):
        return []
    return [Finding(Reason("check_no_worker"), "costs_money")]


def names(found: Sequence[str], most: int = 3) -> str:
    """The first few names of a list, as one text, and how many more there are: `Mug, Pot, Cup (+12)`."""
    shown = ", ".join(found[:most])
    return f"{shown} (+{len(found) - most})" if len(found) > most else shown
