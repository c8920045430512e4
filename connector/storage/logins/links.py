"""One-time links: the first user, invitations, new passwords. Whoever holds one acts for the person it was made for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.logins.people import (
    NoSuchUser,
    User,
    UserExists,
    add_user,
    count_users,
    find_login,
    get_user,
    normal_email,
    set_password,
)
from connector.storage.logins.tables import EVERY_SHOP, LinkKind, Role, hash_token, links
from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError

LASTS: dict[LinkKind, timedelta] = {
    "first": timedelta(hours=24),
    "invite": timedelta(days=7),
    "reset": timedelta(hours=2),
}


class LinkUsedUp(WaybillError):
    """The link was used, has ended, or never was."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link allows. `email` is empty where the person types it."""

    kind: LinkKind
    user_id: str | None
    email: str = field(repr=False)
    role: Role
    shop_id: str
    ends_at: datetime


def make_first(connection: Connection, now: datetime, actor: Actor) -> str:
    """The token of a link that makes the first user, who owns the installation. Raises UserExists if there is one."""
    if count_users(connection):
        raise UserExists("There is a user already; name an e-mail address with --email.", detail="--email")
    connection.execute(delete(links).where(links.c.kind == "first"))
    return _make(connection, None, "first", None, "", "owner", EVERY_SHOP, actor, now)


def invite(
    connection: Connection, keyring: Keyring, email: str, role: Role, shop_id: str, actor: Actor, now: datetime
) -> str:
    """The token of an invitation for a new person. Raises UserExists or BadEmail."""
    email = normal_email(email)
    if find_login(connection, keyring, email):
        raise UserExists("Somebody has this e-mail address already.", detail="email")
    return _make(connection, keyring, "invite", None, email, role, shop_id, actor, now)


def make_reset(connection: Connection, user_id: str, actor: Actor, now: datetime) -> str:
    """The token of a link for a new password; older ones of the person end. Raises NoSuchUser."""
    connection.execute(delete(links).where(links.c.user_id == user_id))
    return _make(connection, None, "reset", user_id, "", "packer", EVERY_SHOP, actor, now)


def look(connection: Connection, keyring: Keyring, token: str, now: datetime) -> Link:
    """What a link allows, without using it up. Raises LinkUsedUp."""
    row = connection.execute(select(links).where(links.c.token_hash == hash_token(token))).one_or_none()
    if row is None or row.used_at is not None or row.ends_at <= now:
        raise LinkUsedUp("This link was used already, or its time is over.")
    if row.kind == "first" and count_users(connection):
        raise LinkUsedUp("This link was used already, or its time is over.")
    email = keyring.open(row.email).decode() if row.email else ""
    if row.kind == "reset":
        email = get_user(connection, keyring, row.user_id).email
    return Link(row.kind, row.user_id, email, row.role, row.shop_id, row.ends_at)


def use(
    connection: Connection, keyring: Keyring, token: str, *, email: str, name: str, password_hash: str, now: datetime
) -> User:
    """Use a link up: make its person, or give them the new password. Raises LinkUsedUp, UserExists or BadEmail."""
    link = look(connection, keyring, token, now)
    mine = (links.c.token_hash == hash_token(token)) & links.c.used_at.is_(None)
    if connection.execute(update(links).where(mine).values(used_at=now, email=None)).rowcount == 0:
        raise LinkUsedUp("This link was used already, or its time is over.")
    if link.kind == "reset":
        if link.user_id is None:
            raise NoSuchUser("There is no such person.")
        set_password(connection, link.user_id, password_hash, None, now)
        return get_user(connection, keyring, link.user_id)
    return add_user(
        connection,
        keyring,
        email=link.email or email,
        name=name,
        password_hash=password_hash,
        roles={link.shop_id: link.role},
        actor=None,
        now=now,
    )


def _make(
    connection: Connection,
    keyring: Keyring | None,
    kind: LinkKind,
    user_id: str | None,
    email: str,
    role: Role,
    shop_id: str,
    actor: Actor,
    now: datetime,
) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(links).values(
            token_hash=hash_token(token),
            kind=kind,
            user_id=user_id,
            email=keyring.seal(email.encode()) if keyring is not None and email else None,
            role=role,
            shop_id=shop_id,
            created_at=now,
            ends_at=now + LASTS[kind],
        )
    )
    audit.record(
        connection,
        now=now,
        actor=actor,
        action=f"user.link_{kind}",
        subject=user_id or "login_link",
        shop_id=shop_id or None,
        detail={"role": role},
    )
    return token
