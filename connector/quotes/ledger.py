"""The quote ledger: every answer with all that led to it, written behind in batches.

A row holds no personal data: the cart is reduced, the facts are addressed by hash, the answer is kept by its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import anyio
import structlog
from sqlalchemy import JSON, Column, Connection, Index, Integer, String, bindparam
from sqlalchemy.exc import SQLAlchemyError

from connector.packing.plan import Plan
from connector.quotes.answers import AccountAnswer
from connector.quotes.behind import Behind, Difference, LiveAnswer
from connector.quotes.behind import write as write_behind
from connector.quotes.decision import Decision
from connector.quotes.facts import Facts
from connector.quotes.kept import dump, plain_as
from connector.quotes.kept_plans import by_id, forget_plans, keep_plans
from connector.quotes.reduced import ReducedCart
from connector.storage.database import Database, insert_all_new
from connector.storage.ids import new_token
from connector.storage.schema import Encoded, Moment, TenantTable, id_column

log = structlog.get_logger(__name__)

quotes = TenantTable(
    "quotes",
    id_column(primary_key=True),
    Column("at", Moment, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("settings_version", Integer, nullable=False),
    Column("facts_hash", String(64), nullable=False),
    Column("match_key", String(64), nullable=False),
    Column("plan_id", String(32), nullable=False, default=""),
    Column("cart", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("decision", JSON, nullable=False),
    Column("echo", JSON, nullable=False),
    Column("signature", String(16), nullable=False),
    Column("answer_digest", String(64), nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    Column("hold_key", String(64)),
    Column("writer", String(40)),
    Column("channel", String(16)),  # Empty for a checkout's call; see quotes.told.
    # For lists, from the cart and the decision; empty in rows of the first release.
    Column("country", String(2)),
    Column("source", String(16)),
    Index(None, "shop_id", "at"),
    Index(None, "shop_id", "outcome", "at"),
    Index(None, "shop_id", "country", "at"),
    Index(None, "shop_id", "source", "at"),
    Index(None, "at"),
    Index(None, "shop_id", "match_key", "at"),
)
AT_CHECKOUT = quotes.c.channel.is_(None)
"""Answers to a checkout, not those that a page was given before it."""

quote_facts = TenantTable(
    "quote_facts", Column("hash", String(64), primary_key=True), Column("body", JSON, nullable=False)
)

_ENCODED = {name: bindparam(name, type_=Encoded) for name in ("cart", "answers", "decision")}
_MOST_WAITING = 20_000  # Rows kept in memory while the database is away; then the oldest are let go and counted.
FLUSH_S = 0.25
_BATCH = 500


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One answer and all that led to it. `digest` is the SHA-256 of the bytes that went to the platform.

    `hold_key` is equal for carts for which the prices shown here hold; empty where none has to be held. `plans` are the
    parcels that the offers are for; they are kept by their ids. `channel` is empty for an answer to a checkout.
    """

    shop_id: str
    id: str
    at: datetime
    cart: ReducedCart
    facts: Facts
    answers: tuple[AccountAnswer, ...]
    decision: Decision
    echo: Mapping[str, str]
    signature: str
    digest: str
    elapsed_ms: int
    plan_id: str = ""
    hold_key: str = ""
    channel: str = ""
    plans: tuple[Plan, ...] = ()


class LedgerWriter:
    """Writes rows behind the answers: a crash loses what came in the last quarter second, a clean stop nothing.

    `lost` counts what was let go because the database was away for too long; `on_lost` hears of it.
    """

    def __init__(self, database: Database, on_lost: Callable[[int], None] = lambda _count: None) -> None:
        self._database = database
        self._on_lost = on_lost
        self._waiting: deque[LedgerRow] = deque()
        self._behind = Behind()
        self.writer = new_token()[:20]
        self.lost = 0

    def put(self, row: LedgerRow) -> None:
        """Take a row in; never waits and never fails."""
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self._lose()
        self._waiting.append(row)

    def repeat(self, shop_id: str, quote_id: str, at: datetime) -> None:
        """An answer was given again: only its id and time are kept, equal ones of a quarter second together."""
        known = self._behind.repeats.get((shop_id, quote_id))
        if known is not None:
            known[1] += 1
        elif self._has_room():
            self._behind.repeats[shop_id, quote_id] = [at, 1]

    def live(self, answer: LiveAnswer) -> None:
        """A carrier's live answer, from which prices are learned."""
        if self._has_room():
            self._behind.live.append(answer)

    def difference(self, difference: Difference) -> None:
        """A later live answer that is not what was shown."""
        if self._has_room():
            self._behind.differences.append(difference)

    def request(self, shop_id: str, day: date, outcome: str) -> None:
        """A rate request arrived; counted by day, whatever became of it."""
        key = (shop_id, day, outcome)
        known = self._behind.requests.get(key)
        if known is not None or self._has_room():
            self._behind.requests[key] = (known or 0) + 1

    async def run(self) -> None:
        """Write until cancelled, then write the rest."""
        try:
            while True:
                await anyio.sleep(FLUSH_S)
                await self.flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write all that waits; while the database is away the rows stay."""
        while (self._waiting or self._behind) and await self._write_some():
            pass

    async def _write_some(self) -> bool:
        """Write the oldest rows; False if the database is away. Rows that were not written wait on, whatever came."""
        rows = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
        behind, self._behind = self._behind, Behind()
        written = False
        try:
            await self._database.run(_write_all, rows, behind, self.writer)
            written = True
        except SQLAlchemyError as error:
            log.warning("ledger_waits", rows=len(self._waiting) + len(rows), cause=type(error).__name__)
        finally:
            if not written:
                self._waiting.extendleft(reversed(rows))
                self._behind.add(behind)
        return written

    def _has_room(self) -> bool:
        if len(self._behind) < _MOST_WAITING:
            return True
        self._lose()
        return False

    def _lose(self) -> None:
        self.lost += 1
        self._on_lost(1)


def _write_all(connection: Connection, rows: Sequence[LedgerRow], behind: Behind, writer: str) -> None:
    _write(connection, rows, writer)
    write_behind(connection, behind, writer)


def _write(connection: Connection, rows: Sequence[LedgerRow], writer: str) -> None:
    """A row that is there already stays: its writer was told to stop before it heard that it had been written."""
    by_shop: dict[str, dict[str, LedgerRow]] = {}
    for row in rows:
        by_shop.setdefault(row.shop_id, {})[row.id] = row
    for shop_id, batch in by_shop.items():
        found = connection.execute(quotes.select(shop_id, quotes.c.id).where(quotes.c.id.in_(batch)))
        there = set(found.scalars())
        hashes = {id(row.facts): row.facts.hash() for row in {id(row.facts): row for row in batch.values()}.values()}
        bodies = {hashes[id(row.facts)]: row.facts for row in batch.values()}
        kept = [{"shop_id": shop_id, "hash": key, "body": each.to_plain()} for key, each in bodies.items()]
        insert_all_new(connection, quote_facts.for_rows, kept)
        used = by_id(each for row in batch.values() for each in row.plans)
        keep_plans(connection, shop_id, used, max(row.at for row in batch.values()))
        new = [_values(row, hashes[id(row.facts)], writer) for row in batch.values() if row.id not in there]
        if new:
            connection.execute(quotes.insert(shop_id, **_ENCODED), new)


def _values(row: LedgerRow, facts_hash: str, writer: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "outcome": row.decision.outcome,
        "settings_version": row.facts.settings_version,
        "facts_hash": facts_hash,
        "match_key": match_key(row.cart),
        "plan_id": row.plan_id,
        "cart": row.cart.to_json().decode(),
        "answers": dump(row.answers).decode(),
        "decision": row.decision.to_json().decode(),
        "echo": dict(row.echo),
        "signature": row.signature,
        "answer_digest": row.digest,
        "elapsed_ms": row.elapsed_ms,
        "hold_key": row.hold_key or None,
        "channel": row.channel or None,
        "writer": writer,
        "country": row.cart.destination.country[:2].upper() if row.cart.destination else "",
        "source": row.decision.farthest_source,
    }


def load(connection: Connection, shop_id: str, quote_id: str) -> LedgerRow | None:
    """One kept answer."""
    found = connection.execute(quotes.select(shop_id).where(quotes.c.id == quote_id)).one_or_none()
    return None if found is None else _row(connection, found)


def shop_of(connection: Connection, quote_id: str) -> str | None:
    """Whose quote this is: for the command line, which is told the quote's id alone."""
    found = connection.execute(quotes.across_shops(quotes.c.shop_id).where(quotes.c.id == quote_id)).first()
    return None if found is None else str(found[0])


def recent(connection: Connection, shop_id: str, limit: int = 50) -> list[LedgerRow]:
    """The newest answers first."""
    found = connection.execute(quotes.select(shop_id).order_by(quotes.c.at.desc(), quotes.c.id.desc()).limit(limit))
    return [_row(connection, each) for each in found.all()]


def matching(connection: Connection, shop_id: str, key: str, before: datetime, window: timedelta) -> list[LedgerRow]:
    """Checkouts' answers to the same goods for the same place in the time before an order, the newest first."""
    found = connection.execute(
        quotes.select(shop_id)
        .where(AT_CHECKOUT, quotes.c.match_key == key, quotes.c.at <= before, quotes.c.at >= before - window)
        .order_by(quotes.c.at.desc())
        .limit(20)
    )
    return [_row(connection, each) for each in found.all()]


def shown_since(
    connection: Connection, since: datetime, writer: str, most: int
) -> list[tuple[str, datetime, tuple[AccountAnswer, ...]]]:
    """What other processes showed since then: key, time and carriers' answers, the newest `most`, oldest first."""
    chosen = quotes.across_shops(quotes.c.hold_key, quotes.c.at, quotes.c.answers).where(
        quotes.c.at >= since, quotes.c.hold_key.is_not(None), quotes.c.writer != writer
    )
    found = connection.execute(chosen.order_by(quotes.c.at.desc()).limit(most)).all()
    return [(row.hold_key, row.at, _answers(row.answers)) for row in reversed(found)]


def forget_older(connection: Connection, before: datetime) -> int:
    """Retention: answers older than that go, and facts that no answer needs."""
    old = connection.execute(quotes.across_shops(quotes.c.shop_id, quotes.c.id).where(quotes.c.at < before)).all()
    for shop_id, quote_id in old:
        connection.execute(quotes.delete(shop_id).where(quotes.c.id == quote_id))
    for shop_id in {row.shop_id for row in old}:
        used = quotes.select(shop_id, quotes.c.facts_hash)
        connection.execute(quote_facts.delete(shop_id).where(quote_facts.c.hash.not_in(used)))
    forget_plans(connection, before)
    return len(old)


def match_key(cart: ReducedCart) -> str:
    """Equal for a rate call and for the group of an order that came of it: place and goods."""
    goods: dict[str, int] = {}
    for line in cart.lines:
        if line.requires_shipping:
            name = variant_key(line.variant_id, line.sku)
            goods[name] = goods.get(name, 0) + line.quantity
    return goods_key(cart.destination.country if cart.destination else "", _postal(cart), goods)


def goods_key(country: str, postal_code: str, goods: Mapping[str, int]) -> str:
    """The key of goods (variant to quantity) that go to a country and postal code."""
    body = [country.upper(), "".join(postal_code.split()).upper(), sorted(goods.items())]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def variant_key(variant_id: str, sku: str) -> str:
    """A variant by its number, whichever form the platform gives it in (258644 or gid://…/258644), else by SKU."""
    return variant_id.rsplit("/", 1)[-1] or f"sku:{sku}"


def _postal(cart: ReducedCart) -> str:
    return cart.destination.postal_code if cart.destination else ""


def _row(connection: Connection, found: Any) -> LedgerRow:
    facts = connection.execute(
        quote_facts.select(found.shop_id, quote_facts.c.body).where(quote_facts.c.hash == found.facts_hash)
    ).scalar_one()
    return row_of(found, Facts.from_plain(facts))


def row_of(found: Any, facts: Facts) -> LedgerRow:
    """An answer from its row and its facts."""
    return LedgerRow(
        shop_id=found.shop_id,
        id=found.id,
        at=found.at,
        cart=ReducedCart.from_plain(found.cart),
        facts=facts,
        answers=_answers(found.answers),
        decision=_as_now(Decision.from_plain(found.decision), found.plan_id),
        echo=found.echo,
        signature=found.signature,
        digest=found.answer_digest,
        elapsed_ms=found.elapsed_ms,
        plan_id=found.plan_id,
        hold_key=found.hold_key or "",
        channel=found.channel or "",
    )


def _as_now(decision: Decision, plan_id: str) -> Decision:
    """Early releases wrote the quote's plan with each of its offers."""
    if not any(offer.plan_id for offer in decision.offers):
        return decision
    offers = [offer.but(plan_id="") if offer.plan_id == plan_id else offer for offer in decision.offers]
    return decision.but(offers=tuple(offers))


def _answers(body: Any) -> tuple[AccountAnswer, ...]:
    found: tuple[AccountAnswer, ...] = plain_as(tuple[AccountAnswer, ...], body)
    return found
