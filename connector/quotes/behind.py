"""What is written behind the answers besides the answers: repeats, live answers, differences, requests by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Column, Connection, Date, Index, Integer, String, func
from sqlalchemy.dialects import postgresql, sqlite

from connector.quotes.answers import AccountAnswer
from connector.quotes.learning.lane import Asked
from connector.storage.database import insert_all_new
from connector.storage.schema import Moment, TenantTable, id_column

repeats = TenantTable(
    "quote_repeats",
    id_column("quote_id", primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("times", Integer, nullable=False),
)
differences = TenantTable(
    "quote_differences",
    id_column("quote_id", primary_key=True),
    id_column("account_id", primary_key=True),
    Column("service", String(200), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("stand_in", String(16), nullable=False),
    Column("shown_minor", Integer, nullable=False),
    Column("live_minor", Integer),
    Column("currency", String(3), nullable=False),
    Index(None, "shop_id", "at"),
)
live_answers = TenantTable(
    "live_answers",
    id_column(primary_key=True),
    id_column("account_id", nullable=False),
    Column("at", Moment, nullable=False),
    Column("writer", String(40), nullable=False),
    Column("lanes", JSON, nullable=False),
    Column("grams", JSON, nullable=False),
    Column("answer", JSON, nullable=False),
    Index(None, "shop_id", "at"),
    Index(None, "at"),
)
request_days = TenantTable(
    "rate_request_days",
    Column("day", Date, primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("received", Integer, nullable=False),
)

KEEP_LIVE = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Difference:
    """A later live answer that differs from what was shown; `live_minor` None: the carrier has no such price now."""

    shop_id: str
    quote_id: str
    account_id: str
    service: str
    at: datetime
    stand_in: str
    shown_minor: int
    live_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """A carrier's live answer and what it was about: what prices are learned from."""

    shop_id: str
    id: str
    account_id: str
    at: datetime
    asked: Asked
    answer: AccountAnswer


@dataclass(slots=True)
class Behind:
    """What waits to be written, bounded by its writer."""

    repeats: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    live: list[LiveAnswer] = field(default_factory=list)
    requests: dict[tuple[str, date, str], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.repeats or self.differences or self.live or self.requests)

    def __len__(self) -> int:
        return len(self.repeats) + len(self.differences) + len(self.live) + len(self.requests)

    def add(self, earlier: Behind) -> None:
        """Put back what could not be written."""
        for key, (at, times) in earlier.repeats.items():
            known = self.repeats.setdefault(key, [at, 0])
            known[0], known[1] = min(at, known[0]), known[1] + times
        self.differences[:0] = earlier.differences
        self.live[:0] = earlier.live
        for name, count in earlier.requests.items():
            self.requests[name] = self.requests.get(name, 0) + count


def write(connection: Connection, batch: Behind, writer: str) -> None:
    """Write a batch; what is there already stays."""
    insert_all_new(
        connection,
        repeats.for_rows,
        [{"shop_id": s, "quote_id": q, "at": at, "times": times} for (s, q), (at, times) in batch.repeats.items()],
    )
    insert_all_new(
        connection,
        differences.for_rows,
        [{name: getattr(each, name) for name in ("shop_id", *_OF_DIFFERENCE)} for each in batch.differences],
    )
    insert_all_new(connection, live_answers.for_rows, [_live_values(each, writer) for each in batch.live])
    _count(
        connection,
        [
            {"shop_id": shop_id, "day": day, "outcome": outcome, "received": count}
            for (shop_id, day, outcome), count in batch.requests.items()
        ],
    )


_OF_DIFFERENCE = (
    "quote_id", "account_id", "service", "at", "stand_in", "shown_minor", "live_minor", "currency",
)  # fmt: skip


def _live_values(live: LiveAnswer, writer: str) -> dict[str, Any]:
    return {
        "shop_id": live.shop_id,
        "id": live.id,
        "account_id": live.account_id,
        "at": live.at,
        "writer": writer,
        "lanes": list(live.asked.lanes),
        "grams": list(live.asked.grams),
        "answer": live.answer.to_plain(),
    }


def _count(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to the day's numbers."""
    if not rows:
        return
    flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    added = flavour.insert(request_days.for_rows.table)
    more = added.on_conflict_do_update(
        index_elements=["shop_id", "day", "outcome"],
        set_={"received": request_days.c.received + added.excluded.received},
    )
    connection.execute(more, rows)


def live_since(connection: Connection, since: datetime, writer: str, most: int) -> list[LiveAnswer]:
    """Live answers that other processes wrote since then, the newest `most`, oldest first."""
    chosen = live_answers.across_shops().where(live_answers.c.at >= since, live_answers.c.writer != writer)
    found = connection.execute(chosen.order_by(live_answers.c.at.desc()).limit(most)).all()
    return [_live(row) for row in reversed(found)]


def live_of(connection: Connection, shop_id: str, most: int = 20_000) -> list[LiveAnswer]:
    """A shop's live answers, the newest `most`, oldest first."""
    found = connection.execute(live_answers.select(shop_id).order_by(live_answers.c.at.desc()).limit(most)).all()
    return [_live(row) for row in reversed(found)]


def requests_by_day(connection: Connection, shop_id: str, since: date) -> dict[date, dict[str, int]]:
    """How many rate requests of a shop arrived on each day (UTC), by outcome, as we counted them."""
    found = connection.execute(
        request_days.select(shop_id).where(request_days.c.day >= since).order_by(request_days.c.day)
    )
    days: dict[date, dict[str, int]] = {}
    for row in found:
        days.setdefault(row.day, {})[row.outcome] = row.received
    return days


def repeats_of(connection: Connection, shop_id: str, quote_ids: Sequence[str]) -> Mapping[str, int]:
    """How often each of these answers was given again."""
    chosen = repeats.select(shop_id, repeats.c.quote_id, func.sum(repeats.c.times).label("times"))
    found = connection.execute(chosen.where(repeats.c.quote_id.in_(quote_ids)).group_by(repeats.c.quote_id))
    return {row.quote_id: int(row.times) for row in found}


def differences_of(connection: Connection, shop_id: str, quote_id: str) -> list[Difference]:
    """What later live answers said of the prices of a quote."""
    found = connection.execute(differences.select(shop_id).where(differences.c.quote_id == quote_id)).all()
    return [Difference(shop_id, **{name: getattr(row, name) for name in _OF_DIFFERENCE}) for row in found]


def forget(connection: Connection, before: datetime, live_before: datetime) -> int:
    """Retention: what belongs to answers older than `before`, and live answers older than `live_before`."""
    gone = 0
    for table, column, moment in (
        (repeats, repeats.c.at, before),
        (differences, differences.c.at, before),
        (live_answers, live_answers.c.at, live_before),
        (request_days, request_days.c.day, before.date()),
    ):
        shops = connection.execute(table.across_shops(table.c.shop_id).where(column < moment).distinct()).scalars()
        for shop_id in shops.all():
            gone += connection.execute(table.delete(shop_id).where(column < moment)).rowcount
    return gone


def _live(row: Any) -> LiveAnswer:
    return LiveAnswer(
        shop_id=row.shop_id,
        id=row.id,
        account_id=row.account_id,
        at=row.at,
        asked=Asked(tuple(row.lanes), tuple(row.grams)),
        answer=AccountAnswer.from_plain(row.answer),
    )
