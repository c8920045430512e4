"""The people who use the desk, and what each may do in which shop."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.storage.ids import new_id
from connector.storage.logins.tables import EVERY_SHOP, Role, links, memberships, sessions, users
from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError

EMAIL_LENGTH = 254
NAME_LENGTH = 100


class NoSuchUser(WaybillError):
    """Nobody has this id or e-mail address."""


class UserExists(WaybillError):
    """Somebody has this e-mail address already."""


class LastOwner(WaybillError):
    """Without this person nobody could manage the installation."""


class BadEmail(WaybillError):
    """This is no e-mail address."""


@dataclass(frozen=True, slots=True)
class User:
    """A person at the desk. `roles` is by shop id; the key '' is every shop."""

    id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    created_at: datetime
    roles: Mapping[str, Role]

    @property
    def owns_installation(self) -> bool:
        """Whether this person is owner of every shop."""
        return self.roles.get(EVERY_SHOP) == "owner"

    def role_in(self, shop_id: str) -> Role | None:
        """The greater of the role in this shop and the role in every shop; None: the shop is none of theirs."""
        held = {self.roles.get(EVERY_SHOP), self.roles.get(shop_id)}
        return "owner" if "owner" in held else ("packer" if "packer" in held else None)


def normal_email(text: str) -> str:
    """An address as it is compared: without spaces around, lower case. Raises BadEmail."""
    email = unicodedata.normalize("NFC", text.strip()).lower()
    name, at, domain = email.rpartition("@")
    plain = email.isprintable() and not any(each.isspace() for each in email)
    if not (at and name and "." in domain.strip(".") and plain) or "@" in name or len(email) > EMAIL_LENGTH:
        raise BadEmail("This is not an e-mail address, such as anna@example.com.", detail="email")
    return email


def add_user(
    connection: Connection,
    keyring: Keyring,
    *,
    email: str,
    name: str,
    password_hash: str,
    roles: Mapping[str, Role],
    actor: Actor | None,
    now: datetime,
) -> User:
    """A new person; without an actor the person acts (a welcome link). Raises UserExists or BadEmail."""
    email, name, user_id = normal_email(email), name.strip()[:NAME_LENGTH], new_id("usr", now)
    new = insert(users).values(
        id=user_id,
        email=keyring.seal(email.encode()),
        email_key=_key(keyring, email),
        key_stamp=_stamp(keyring),
        name=keyring.seal(name.encode()),
        password_hash=password_hash,
        created_at=now,
    )
    _rekey(connection, keyring)
    if not insert_new(connection, new):
        raise UserExists("Somebody has this e-mail address already.", detail="email")
    for shop_id, role in roles.items():
        connection.execute(insert(memberships).values(user_id=user_id, shop_id=shop_id, role=role))
        _note(connection, now, actor or Actor("person", user_id), "user.add", user_id, shop_id, role)
    return User(user_id, email, name, now, dict(roles))


def count_users(connection: Connection) -> int:
    """How many people there are."""
    return connection.execute(select(func.count()).select_from(users)).scalar_one()


def get_user(connection: Connection, keyring: Keyring, user_id: str) -> User:
    """One person. Raises NoSuchUser."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise NoSuchUser("There is no such person.", detail=user_id)
    return _users(connection, keyring, [row])[0]


def find_login(connection: Connection, keyring: Keyring, email: str) -> tuple[str, str] | None:
    """The id and the password's hash of who has this address; the same work whether somebody has it or not."""
    _rekey(connection, keyring)
    try:
        key = _key(keyring, normal_email(email))
    except BadEmail:
        key = "none"
    row = connection.execute(select(users.c.id, users.c.password_hash).where(users.c.email_key == key)).one_or_none()
    return None if row is None else (row.id, row.password_hash)


def find_user(connection: Connection, keyring: Keyring, reference: str) -> User:
    """A person by id or e-mail address. Raises NoSuchUser."""
    found = find_login(connection, keyring, reference) if "@" in reference else (reference, "")
    if found is None:
        raise NoSuchUser("There is no such person.", detail=reference)
    return get_user(connection, keyring, found[0])


def list_users(connection: Connection, keyring: Keyring, shop_id: str | None = None) -> list[User]:
    """Everybody, oldest first; with a shop only who may work in it."""
    query = select(users).order_by(users.c.id)
    if shop_id is not None:
        inside = select(memberships.c.user_id).where(memberships.c.shop_id.in_((shop_id, EVERY_SHOP)))
        query = query.where(users.c.id.in_(inside))
    return _users(connection, keyring, connection.execute(query).all())


def names_of(connection: Connection, keyring: Keyring, user_ids: Iterable[str]) -> dict[str, str]:
    """Names by user id, for lists that show who did something; who was removed has none."""
    wanted = set(user_ids)
    found = connection.execute(select(users.c.id, users.c.name, users.c.email).where(users.c.id.in_(wanted)))
    return {row.id: _open(keyring, row.name) or _open(keyring, row.email) for row in found}


def set_role(
    connection: Connection, user_id: str, shop_id: str, role: Role | None, actor: Actor, now: datetime
) -> None:
    """Give a role in a shop ('': in every shop), or with None take it away. Raises NoSuchUser or LastOwner."""
    if connection.execute(select(users.c.id).where(users.c.id == user_id)).one_or_none() is None:
        raise NoSuchUser("There is no such person.", detail=user_id)
    here = (memberships.c.user_id == user_id) & (memberships.c.shop_id == shop_id)
    held = connection.execute(select(memberships.c.role).where(here)).scalar()
    if held == role:
        return
    if shop_id == EVERY_SHOP and held == "owner":
        _keep_an_owner(connection, user_id)
    if role is None:
        connection.execute(delete(memberships).where(here))
    elif held is None:
        connection.execute(insert(memberships).values(user_id=user_id, shop_id=shop_id, role=role))
    else:
        connection.execute(update(memberships).where(here).values(role=role))
    _note(connection, now, actor, "user.role", user_id, shop_id, role or "none")


def remove_user(connection: Connection, user_id: str, actor: Actor, now: datetime) -> None:
    """Forget a person: their sessions and open links end with them. Raises NoSuchUser or LastOwner."""
    held = connection.execute(select(memberships.c.shop_id).where(memberships.c.user_id == user_id)).scalars().all()
    _keep_an_owner(connection, user_id)
    for table in (sessions, links, memberships):
        connection.execute(delete(table).where(table.c.user_id == user_id))
    if connection.execute(delete(users).where(users.c.id == user_id)).rowcount == 0:
        raise NoSuchUser("There is no such person.", detail=user_id)
    for shop_id in held or [EVERY_SHOP]:
        _note(connection, now, actor, "user.remove", user_id, shop_id, "none")


def set_password(connection: Connection, user_id: str, password_hash: str, actor: Actor | None, now: datetime) -> None:
    """A new password; every session of the person ends. Raises NoSuchUser."""
    change = update(users).where(users.c.id == user_id).values(password_hash=password_hash)
    if connection.execute(change).rowcount == 0:
        raise NoSuchUser("There is no such person.", detail=user_id)
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    _note(connection, now, actor or Actor("person", user_id), "user.password", user_id, EVERY_SHOP, "")


def refresh_hash(connection: Connection, user_id: str, old_hash: str, new_hash: str) -> None:
    """The same password under today's parameters, unless it was changed meanwhile."""
    same = (users.c.id == user_id) & (users.c.password_hash == old_hash)
    connection.execute(update(users).where(same).values(password_hash=new_hash))


def _keep_an_owner(connection: Connection, leaving: str) -> None:
    owners = select(memberships.c.user_id).where(memberships.c.shop_id == EVERY_SHOP, memberships.c.role == "owner")
    held = set(connection.execute(owners.with_for_update()).scalars())
    if held == {leaving}:
        raise LastOwner("This is the only owner of the installation; make somebody else an owner first.")


def _note(
    connection: Connection, now: datetime, actor: Actor, action: str, user_id: str, shop_id: str, role: str
) -> None:
    detail = {"role": role} if role else {}
    audit.record(
        connection, now=now, actor=actor, action=action, subject=user_id, shop_id=shop_id or None, detail=detail
    )


def _key(keyring: Keyring, email: str) -> str:
    return keyring.keyed_hash(b"user e-mail:" + email.encode())


def _stamp(keyring: Keyring) -> str:
    """Tells under which key an address was hashed."""
    return keyring.keyed_hash(b"user e-mail stamp")


def _rekey(connection: Connection, keyring: Keyring) -> None:
    """Hash every address again that was hashed under an older key: look-ups find none after `keys rotate` otherwise."""
    stamp = _stamp(keyring)
    old = connection.execute(select(users.c.id, users.c.email).where(users.c.key_stamp != stamp)).all()
    for row in old:
        values = {"email_key": _key(keyring, _open(keyring, row.email)), "key_stamp": stamp}
        connection.execute(update(users).where(users.c.id == row.id).values(**values))


def _open(keyring: Keyring, token: str) -> str:
    return keyring.open(token).decode()


def _users(connection: Connection, keyring: Keyring, rows: Iterable[Row[Any]]) -> list[User]:
    rows = list(rows)
    roles: dict[str, dict[str, Role]] = {row.id: {} for row in rows}
    for held in connection.execute(select(memberships).where(memberships.c.user_id.in_(roles))):
        roles[held.user_id][held.shop_id] = held.role
    return [
        User(row.id, _open(keyring, row.email), _open(keyring, row.name), row.created_at, roles[row.id]) for row in rows
    ]
