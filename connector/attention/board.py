"""Put a matter before a person, once for each cause and subject, and take it away when it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Column, Connection, Index, String

from connector.storage.database import insert_new
from connector.storage.ids import new_id
from connector.storage.schema import Moment, TenantTable, id_column
from connector.words.reason import Reason

matters = TenantTable(
    "attention",
    id_column(primary_key=True),
    Column("subject", String(80), nullable=False),
    Column("code", String(60), nullable=False),
    Column("reason", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("resolved_at", Moment),
)
Index(
    "uq_attention_open",
    matters.c.shop_id,
    matters.c.code,
    matters.c.subject,
    unique=True,
    sqlite_where=matters.c.resolved_at.is_(None),
    postgresql_where=matters.c.resolved_at.is_(None),
)


HOUSE = ""
"""In place of a shop's id: matters of the installation itself, such as that no worker runs."""


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that a person must look at. The reason's text says what happened; `cure` says what to do."""

    shop_id: str
    id: str
    subject: str
    reason: Reason
    opened_at: datetime
    resolved_at: datetime | None = None

    @property
    def cure(self) -> str:
        """What to do about it, in English."""
        return Reason(f"{self.reason.code}_cure", self.reason.params).say()


def need_person(connection: Connection, shop_id: str, subject: str, reason: Reason, now: datetime) -> bool:
    """Open a matter; False if the same one is open already. `subject` is an id of ours."""
    return insert_new(
        connection,
        matters.insert(
            shop_id, id=new_id("att", now), subject=subject, code=reason.code, reason=reason.to_json(), opened_at=now
        ),
    )


def settled(
    connection: Connection, shop_id: str, subject: str, now: datetime, *codes: str, but: Sequence[str] = ()
) -> int:
    """Close the open matters of a subject: only these codes, if any are named, and none that `but` names."""
    change = matters.update(shop_id).where(matters.c.subject == subject, matters.c.resolved_at.is_(None))
    if codes:
        change = change.where(matters.c.code.in_(codes))
    if but:
        change = change.where(matters.c.code.not_in(but))
    return connection.execute(change.values(resolved_at=now)).rowcount


def open_matters(connection: Connection, shop_id: str) -> list[Matter]:
    """What waits for a person, the oldest first; of the installation itself with HOUSE."""
    found = connection.execute(
        matters.select(shop_id).where(matters.c.resolved_at.is_(None)).order_by(matters.c.opened_at, matters.c.id)
    )
    return [
        Matter(row.shop_id, row.id, row.subject, Reason.from_json(row.reason), row.opened_at, row.resolved_at)
        for row in found.all()
    ]
