"""A shop's draft of its rules: one at a time, kept until it is published or thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Connection, Integer, String

from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.schema import Moment, TenantTable

_ONLY = "draft"

rule_drafts = TenantTable(
    "rule_drafts",
    Column("name", String(40), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("based_on", Integer, nullable=False),  # The settings version whose rules it began with.
    Column("at", Moment, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(200), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """Rules that are not live: what they say, the settings version that they began with, and who wrote them when."""

    body: Mapping[str, Any]
    based_on: int
    at: datetime
    actor: Actor


def load(connection: Connection, shop_id: str) -> Draft | None:
    """The shop's draft; None without one."""
    row = connection.execute(rule_drafts.select(shop_id).where(rule_drafts.c.name == _ONLY)).first()
    return None if row is None else Draft(row.body, row.based_on, row.at, Actor(row.actor_kind, row.actor_name))


def save(connection: Connection, shop_id: str, draft: Draft) -> None:
    """Keep a draft in place of the one before."""
    connection.execute(rule_drafts.delete(shop_id).where(rule_drafts.c.name == _ONLY))
    connection.execute(
        rule_drafts.insert(
            shop_id,
            name=_ONLY,
            body=dict(draft.body),
            based_on=draft.based_on,
            at=draft.at,
            actor_kind=draft.actor.kind,
            actor_name=draft.actor.name[:200],
        )
    )
    _note(connection, shop_id, "rules.draft", draft.actor, draft.at)


def drop(connection: Connection, shop_id: str, actor: Actor, now: datetime) -> bool:
    """Throw the draft away; False where there was none."""
    gone = connection.execute(rule_drafts.delete(shop_id).where(rule_drafts.c.name == _ONLY)).rowcount
    if gone:
        _note(connection, shop_id, "rules.drop", actor, now)
    return bool(gone)


def _note(connection: Connection, shop_id: str, action: str, actor: Actor, now: datetime) -> None:
    audit.record(connection, now=now, actor=actor, action=action, subject="rules/draft", shop_id=shop_id)
