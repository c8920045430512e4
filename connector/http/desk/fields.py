"""The fields of a form, read within limits; what cannot be read is answered with a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from connector.http.desk.house import DeskHouse
from connector.http.desk.replies import message_page
from connector.http.limits import NoBody, read_body
from webhooks.receiver import Reply

FORM_BYTES = 512 * 1024
_FORM_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000


async def read_form(headers: Mapping[str, str], receive: Receive, house: DeskHouse) -> list[tuple[str, str]] | NoBody:
    """The fields of a form, in order."""
    raw = await read_body(receive, headers, FORM_BYTES, house.limits.body_s)
    if isinstance(raw, NoBody):
        return NoBody(raw.outcome, None if raw.reply is None else _no_body_page(raw))
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        return NoBody("refused", message_page("malformed", 400))
    try:
        found = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return NoBody("refused", message_page("malformed", 400))
    return [(name, plain(value)) for name, value in found]


def read_query(scope: Scope) -> dict[str, str]:
    """What stands behind the question mark of an address; of a name that is there twice, the last."""
    text = scope.get("query_string", b"").decode("latin-1")
    return {name: plain(value) for name, value in parse_qsl(text, keep_blank_values=True)[:_MOST_FIELDS]}


def plain(text: str) -> str:
    """Text without the one character that a database cannot keep."""
    return text.replace("\x00", "")


def lists_of(form: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Every value of each field, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in form:
        found[name] = (*found.get(name, ()), value)
    return found


def _no_body_page(refused: NoBody) -> Reply:
    status = refused.reply.status if refused.reply is not None else 400
    code = refused.outcome if refused.outcome in {"too_large", "too_slow"} else "malformed"
    return message_page(code, status, ("connection", "close"))
