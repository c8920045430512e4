"""How a shop's checkout is doing, from the quote ledger: the share answered by `backup`, and accounts that are out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func

from connector.quotes.answers import PASSING
from connector.quotes.ledger import AT_CHECKOUT, quotes
from connector.watch.signs import Look, Patience
from connector.words.reason import Reason

WINDOW = timedelta(minutes=15)
LEAST_BACKUPS = 3
"""Fewer than so many answers by `backup` in the window are chance, whatever their share: one of three, at night."""
MOST_SHARE_PERMILLE = 10

OUT_FOR = timedelta(minutes=10)
_LOOK_BACK = timedelta(minutes=5)
_MOST_READ = 60
_GONE = PASSING | {"credentials"}

_SHARE = Patience(closes=timedelta(minutes=5))
_OUT = Patience(opens=OUT_FOR, closes=timedelta(minutes=2))


@dataclass(frozen=True, slots=True)
class Share:
    """How many rate calls of the window were answered, and how many of them by the platform's backup rates."""

    answers: int
    backups: int

    @property
    def is_high(self) -> bool:
        """Over 1 %, and more than chance."""
        return self.backups >= LEAST_BACKUPS and self.backups * 1000 > self.answers * MOST_SHARE_PERMILLE


def share_of(connection: Connection, shop_id: str, now: datetime, window: timedelta = WINDOW) -> Share:
    """Counted by one query on the ledger's index (shop, time)."""
    backup = func.sum(case((quotes.c.outcome == "backup", 1), else_=0))
    row = connection.execute(
        quotes.select(shop_id, func.count().label("answers"), backup.label("backups")).where(
            AT_CHECKOUT, quotes.c.at > now - window, quotes.c.at <= now
        )
    ).one()
    return Share(int(row.answers), int(row.backups or 0))


def look_at_share(connection: Connection, shop_id: str, now: datetime) -> Look:
    """Whether too many buyers saw backup rates."""
    share = share_of(connection, shop_id, now)
    why = None
    if share.is_high:
        minutes = int(WINDOW / timedelta(minutes=1))
        why = Reason("backup_share_high", {"backups": share.backups, "answers": share.answers, "minutes": minutes})
    return Look(shop_id, "backup_share_high", shop_id, why, _SHARE)


def look_at_accounts(connection: Connection, shop_id: str, accounts: Mapping[str, str], now: datetime) -> list[Look]:
    """Whether every question to an account failed; `accounts` are its titles by id.

    An account that was not asked in the last minutes tells nothing: there is no look at it.
    """
    rows = connection.execute(
        quotes.select(shop_id, quotes.c.answers)
        .where(quotes.c.at > now - _LOOK_BACK, quotes.c.at <= now)
        .order_by(quotes.c.at.desc())
        .limit(_MOST_READ)
    ).scalars()
    worked: dict[str, list[bool]] = {}
    for answers in rows:
        for answer in answers:
            if answer.get("source", "live") == "live" and answer["account_id"] in accounts:
                worked.setdefault(answer["account_id"], []).append(_works(answer))
    looks = []
    for account_id, results in worked.items():
        why = None if any(results) else Reason("carrier_out", {"carrier": accounts[account_id]})
        looks.append(Look(shop_id, "carrier_out", account_id, why, _OUT))
    return looks


def _works(answer: Mapping[str, Any]) -> bool:
    """Whether the account answered: a reasoned no is an answer too."""
    if answer.get("rates"):
        return True
    if answer.get("state") in {"failed", "late"}:
        return False
    problems = answer.get("problems") or ()
    return not problems or any(problem["code"] not in _GONE for problem in problems)
