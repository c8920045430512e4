"""What must not be in a log line, a metric or an error: personal fields, tokens, keys; pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from traceback import FrameSummary, extract_tb
from typing import Any

from webhooks.errors import WaybillError

HIDDEN = "***"

PERSONAL = frozenset(
    {
        "name", "full_name", "first_name", "last_name", "recipient", "sender", "person", "customer", "customer_id",
        "company", "company_name", "email", "mail", "phone", "fax", "address", "street", "street1", "street2",
        "address1", "address2", "address3", "origin", "destination", "to_address", "from_address", "latitude",
        "longitude", "coordinates", "ip", "client", "body", "raw", "payload", "content", "headers", "note",
    }
)  # fmt: skip
"""Names of fields that may hold personal data; they are left out wherever they stand."""

SECRET = re.compile(r"(?:^|_)(?:token|secret|secrets|password|passwd|authorization|cookie|api_key|key_file|keys|hmac)$")

_RULES = (
    (re.compile(r"(/(?:rates|hooks)/[^/\s\"'?]+/)[^\s/\"'?#&,;)\]}>]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(\w+://)[^/\s@]*:[^/\s@]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)\b(Bearer|Basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(shp[a-z]{2}_|EZ[AT]K|EZWHS)\w+"), rf"\1{HIDDEN}"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), HIDDEN),
)


def redact_text(text: str) -> str:
    """The text without callback tokens, credentials and e-mail addresses."""
    for pattern, substitute in _RULES:
        text = pattern.sub(substitute, text)
    return text


def redact_value(value: object) -> object:
    """The value with personal fields left out, secrets hidden, and objects of unknown content named by their type."""
    if value is None or isinstance(value, bool | int | float | timedelta | date | Decimal):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | PurePath):
        return redact_text(str(value))
    if isinstance(value, Mapping):
        return redact_fields(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(item) for item in value]
    if isinstance(value, BaseException):
        return describe_error(value)
    return f"<{type(value).__name__}>"


def redact_fields(fields: Mapping[Any, object]) -> dict[str, object]:
    """The mapping without personal fields; values under a secret's name are hidden."""
    kept: dict[str, object] = {}
    for key, value in fields.items():
        name = str(key).lower()
        if name not in PERSONAL:
            kept[str(key)] = HIDDEN if SECRET.search(name) else redact_value(value)
    return kept


def describe_error(exc: BaseException) -> str:
    """The error's type, and its message only where that is ours or the operating system's.

    Other messages may quote what was worked on (pydantic its input, databases their parameters).
    """
    if isinstance(exc, WaybillError):
        return redact_text(f"{type(exc).__name__}: {exc}")
    if isinstance(exc, OSError) and exc.strerror:
        return f"{type(exc).__name__}: {exc.strerror}"
    cause = getattr(exc, "orig", None) or exc  # SQLAlchemy wraps the database's own error.
    state = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return type(exc).__name__ + (f": {state}" if isinstance(state, str) else "")


def describe_trace(exc: BaseException) -> list[str]:
    """Where an error and its causes came from, innermost cause first: file, line, function; no values."""
    lines: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = exc
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = [_place(frame) for frame in extract_tb(cause.__traceback__)]
        lines = [describe_error(cause), *frames, *lines]
        if isinstance(cause, BaseExceptionGroup):
            lines += [line for part in cause.exceptions for line in describe_trace(part)]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return lines


def _place(frame: FrameSummary) -> str:
    parts = PurePath(frame.filename).parts
    return f"  {'/'.join(parts[-3:])}:{frame.lineno} {frame.name}"
