"""Forms that were sent: each takes effect once, however often it is clicked, and leads to the same page again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from connector.storage.database import insert_new
from connector.storage.logins.tables import forms, hash_token


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that was sent before, with the `same` fields or others; `result` is where it led, None while it works."""

    same: bool
    result: str | None


def claim(connection: Connection, form: str, body: str, now: datetime) -> SentForm | None:
    """Take a form for oneself: None if it is the first time, else what became of it then."""
    digest = hash_token(form)
    new = insert(forms).values(form_hash=digest, body_hash=hash_token(body), at=now)
    if insert_new(connection, new):
        return None
    row = connection.execute(select(forms).where(forms.c.form_hash == digest)).one()
    return SentForm(row.body_hash == hash_token(body), row.result)


def settle(connection: Connection, form: str, result: str) -> None:
    """Note where the form led."""
    connection.execute(update(forms).where(forms.c.form_hash == hash_token(form)).values(result=result[:1000]))


def release(connection: Connection, form: str) -> None:
    """It changed nothing: it may be sent again."""
    connection.execute(delete(forms).where(forms.c.form_hash == hash_token(form)))


def look(connection: Connection, form: str, body: str) -> SentForm | None:
    """What became of a form that was sent; None if it changed nothing."""
    row = connection.execute(select(forms).where(forms.c.form_hash == hash_token(form))).one_or_none()
    return None if row is None else SentForm(row.body_hash == hash_token(body), row.result)
