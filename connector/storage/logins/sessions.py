"""Sessions of the desk: found by a token's hash, ended by leaving, by idleness and by age."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from connector.storage.logins.people import User, get_user
from connector.storage.logins.tables import forms, hash_token, links, sessions
from connector.storage.retention import Sweep
from connector.storage.secrets import Keyring

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
KEEP_FORMS = timedelta(days=8)
"""Longer than any session, so that no form is taken twice."""

_NOTE_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that holds now."""

    user: User
    created_at: datetime


def start(connection: Connection, user_id: str, now: datetime, old_token: str = "") -> str:
    """A new session's token; the session of an old token ends, so that a planted one is worth nothing."""
    if old_token:
        end(connection, old_token)
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions).values(
            token_hash=hash_token(token), user_id=user_id, created_at=now, seen_at=now, ends_at=now + LONGEST
        )
    )
    return token


def find(connection: Connection, keyring: Keyring, token: str, now: datetime) -> SignedIn | None:
    """Whose session this is, if it has not ended; it is noted that it was used."""
    digest = hash_token(token)
    row = connection.execute(select(sessions).where(sessions.c.token_hash == digest)).one_or_none()
    if row is None:
        return None
    if now >= row.ends_at or now - row.seen_at >= IDLE:
        connection.execute(delete(sessions).where(sessions.c.token_hash == digest))
        return None
    if now - row.seen_at >= _NOTE_EVERY:
        connection.execute(update(sessions).where(sessions.c.token_hash == digest).values(seen_at=now))
    return SignedIn(get_user(connection, keyring, row.user_id), row.created_at)


def end(connection: Connection, token: str) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == hash_token(token)))


def end_all(connection: Connection, user_id: str) -> None:
    """End every session of a person."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))


def forget_ended(connection: Connection, now: datetime) -> int:
    """Remove sessions, links and sent forms whose time is over; how many."""
    ended = (sessions.c.ends_at <= now) | (sessions.c.seen_at <= now - IDLE)
    gone = connection.execute(delete(sessions).where(ended)).rowcount
    gone += connection.execute(delete(links).where(links.c.ends_at <= now)).rowcount
    return gone + connection.execute(delete(forms).where(forms.c.at <= now - KEEP_FORMS)).rowcount


SWEEP = Sweep("logins", forget_ended)
