"""The fields of a form, read within limits; what cannot be read is answered with a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive, Scope

from connector.http.desk.house import DeskHouse
from connector.http.desk.replies import message_page
from connector.http.limits import NoBody, read_body
from webhooks.receiver import Reply

FORM_BYTES = 512 * 1024
_FORM_TYPE = "application/x-www-form-urlencoded"
_FILE_TYPE = "multipart/form-data"
_MOST_FIELDS = 1000
_MOST_HEADER = 4096


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form held. Each file stands among the fields too, with the digest of its content as its value."""

    fields: list[tuple[str, str]]
    files: Mapping[str, bytes]


async def read_form(
    headers: Mapping[str, str], receive: Receive, house: DeskHouse, *, uploads: bool = False
) -> Sent | NoBody:
    """The fields of a form, in order; with `uploads` a form with files is taken too."""
    raw = await read_body(receive, headers, FORM_BYTES, house.limits.body_s)
    if isinstance(raw, NoBody):
        return NoBody(raw.outcome, None if raw.reply is None else _no_body_page(raw))
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if uploads and kind == _FILE_TYPE:
            return _read_parts(headers["content-type"], raw)
        if kind != _FORM_TYPE:
            return NoBody("refused", message_page("malformed", 400))
        found = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except (ValueError, FormParserError):
        return NoBody("refused", message_page("malformed", 400))
    return Sent([(name, plain(value)) for name, value in found], {})


def _read_parts(content_type: str, raw: bytes) -> Sent:
    """A form with files. Raises ValueError or FormParserError for what is none."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    parts = _Parts()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": parts.begin,
            "on_header_field": parts.header_name,
            "on_header_value": parts.header_value,
            "on_header_end": parts.header_end,
            "on_part_data": parts.more,
            "on_part_end": parts.end,
            "on_end": parts.last,
        },
    )
    parser.write(raw)
    parser.finalize()
    if not parts.whole:
        raise ValueError("The form ends in its middle.")
    return Sent(parts.fields, parts.files)


class _Parts:
    """Collects the parts of a form as the parser finds them."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.whole = False
        self._name, self._value = bytearray(), bytearray()
        self._about = b""
        self._content = bytearray()

    def begin(self) -> None:
        if len(self.fields) >= _MOST_FIELDS:
            raise ValueError("The form has too many fields.")
        self._about, self._content = b"", bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        if len(self._value) > _MOST_HEADER:
            raise ValueError("A part's head is too long.")

    def header_end(self) -> None:
        if bytes(self._name).lower() == b"content-disposition":
            self._about = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()

    def more(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def end(self) -> None:
        options = parse_options_header(self._about)[1]
        name, content = options.get(b"name", b"").decode(), bytes(self._content)
        if b"filename" in options:
            self.files[name] = content
            self.fields.append((name, sha256(content).hexdigest() if content else ""))
        else:
            self.fields.append((name, plain(content.decode())))

    def last(self) -> None:
        self.whole = True


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
