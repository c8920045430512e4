"""The tables of logins. E-mail addresses lie sealed; of tokens only a hash is kept."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table

from connector.storage.schema import Moment, Sealed, id_column, metadata

Role = Literal["owner", "packer"]
LinkKind = Literal["first", "invite", "reset"]

EVERY_SHOP = ""
"""Stands in `memberships.shop_id` and `login_links.shop_id` for the whole installation."""


def _one_of(name: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint("{} IN ({})".format(name, ", ".join(f"'{value}'" for value in values)), name=name)


users = Table(
    "users",
    metadata,
    id_column(primary_key=True),
    Column("email", Sealed, nullable=False),
    Column("email_key", String(32), nullable=False, unique=True),
    Column("key_stamp", String(32), nullable=False),
    Column("name", Sealed, nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    id_column("shop_id", primary_key=True),
    Column("role", String(8), nullable=False),
    _one_of("role", get_args(Role)),
    Index("ix_memberships_shop_id", "shop_id"),
)

sessions = Table(
    "desk_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index("ix_desk_sessions_user_id", "user_id"),
    Index("ix_desk_sessions_ends_at", "ends_at"),
)

links = Table(
    "login_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=True),
    Column("email", Sealed, nullable=True),
    Column("role", String(8), nullable=False),
    id_column("shop_id", nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=True),
    _one_of("kind", get_args(LinkKind)),
    _one_of("role", get_args(Role)),
    Index("ix_login_links_ends_at", "ends_at"),
)

forms = Table(
    "desk_forms",
    metadata,
    Column("form_hash", String(64), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("result", String(1000), nullable=True),
    Column("at", Moment, nullable=False),
    Index("ix_desk_forms_at", "at"),
)


def hash_token(token: str) -> str:
    """What is kept of a token: it has 160 random bits or more, so a plain hash tells nothing of it."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
