"""The audit: who did what to what, when. Rows are added, never changed and never swept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Column, Connection, Index, Integer, String, Table, insert, select, types

from connector.storage.schema import JSON, Moment, id_column, metadata

ActorKind = Literal["person", "command", "store", "rule", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person at the desk, a command line, the store's webhook, a merchant's rule, or Waybill itself.

    `name` is a login, a command or a rule, never a buyer.
    """

    kind: ActorKind
    name: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit. `subject` is the id of what was acted on; `action` a verb with its room (`shop.add`)."""

    id: int
    at: datetime
    actor: Actor
    action: str
    subject: str
    shop_id: str | None
    detail: Mapping[str, JSON]


_audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("action", String(80), nullable=False),
    Column("subject", String(200), nullable=False),
    id_column("shop_id", nullable=True),
    Column("detail", types.JSON, nullable=False),
    CheckConstraint(
        "actor_kind IN ({})".format(", ".join(f"'{kind}'" for kind in get_args(ActorKind))), name="actor_kind"
    ),
    Index("ix_audit_shop_id_id", "shop_id", "id"),
    Index("ix_audit_subject", "subject"),
    sqlite_autoincrement=True,
)


def record(
    connection: Connection,
    *,
    now: datetime,
    actor: Actor,
    action: str,
    subject: str,
    shop_id: str | None,
    detail: Mapping[str, JSON] | None = None,
) -> None:
    """Add a line in the transaction of the act itself. `detail` holds ids, codes and figures, no secret, no person."""
    connection.execute(
        insert(_audit).values(
            at=now,
            actor_kind=actor.kind,
            actor_name=actor.name[:200],
            action=action,
            subject=subject,
            shop_id=shop_id,
            detail=dict(detail or {}),
        )
    )


def entries(
    connection: Connection,
    shop_id: str | None,
    *,
    subject: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """The newest lines first: of one shop, or with None of the installation as a whole; `before_id` pages on."""
    query = select(_audit).where(_audit.c.shop_id == shop_id).order_by(_audit.c.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(_audit.c.subject == subject)
    if before_id is not None:
        query = query.where(_audit.c.id < before_id)
    return [
        AuditEntry(
            id=row.id,
            at=row.at,
            actor=Actor(row.actor_kind, row.actor_name),
            action=row.action,
            subject=row.subject,
            shop_id=row.shop_id,
            detail=row.detail,
        )
        for row in connection.execute(query)
    ]
