"""Whether a bought label can be printed, told by the rows of its files when it is looked at: nothing else says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from connector.attention.board import matters
from connector.labels.tables import label_files
from connector.storage.database import in_parts
from connector.words.reason import Reason

FileState = Literal["kept", "coming", "missing", "gone"]
"""`coming`: it is being fetched for the first time. `missing`: it could not be kept so far. `gone`: after its time."""

BAD_FILE, LATE_FILE, LOST_FILE = "label_file_bad", "label_file_late", "label_file_lost"
"""Matters of a label whose file is not here, though it should be."""

_MATTERS = (BAD_FILE, LATE_FILE, LOST_FILE)
_FORMATS = ("application/pdf", "image/png")
_LABEL_FILE = (label_files.c.label_id, label_files.c.sha256, label_files.c.fetched_at)


@dataclass(frozen=True, slots=True)
class OnShelf:
    """How the file of a label stands; `why` is said where it is missing."""

    state: FileState
    why: Reason | None = None

    @property
    def is_missing(self) -> bool:
        """Whether a person is needed."""
        return self.state == "missing"


def files_of(connection: Connection, shop_id: str, label_ids: Iterable[str]) -> dict[str, OnShelf]:
    """How the files of these labels stand; they were bought through Waybill."""
    ids = list(dict.fromkeys(label_ids))
    rows: dict[str, list[Any]] = {each: [] for each in ids}
    why: dict[str, Reason] = {}
    for part in in_parts(ids):
        chosen = label_files.select(shop_id, *_LABEL_FILE).where(
            label_files.c.label_id.in_(part), label_files.c.kind == "label"
        )
        for row in connection.execute(chosen).all():
            rows[row.label_id].append(row)
    not_kept = [each for each, some in rows.items() if not any(row.sha256 for row in some)]
    for part in in_parts(not_kept):
        said = matters.select(shop_id, matters.c.subject, matters.c.reason).where(
            matters.c.subject.in_(part), matters.c.code.in_(_MATTERS), matters.c.resolved_at.is_(None)
        )
        for row in connection.execute(said.order_by(matters.c.opened_at, matters.c.id)).all():
            why.setdefault(row.subject, Reason.from_json(row.reason))
    return {each: _stands(rows[each], why.get(each)) for each in ids}


def _stands(rows: Sequence[Any], why: Reason | None) -> OnShelf:
    if any(row.sha256 for row in rows):
        return OnShelf("kept")
    if rows and all(row.fetched_at for row in rows):
        return OnShelf("gone")
    return OnShelf("coming") if rows and why is None else OnShelf("missing", why or Reason("label_not_kept"))


def shown(state: str, file: OnShelf | None) -> str:
    """How a parcel stands in one word: a bought one whose label cannot be printed says so."""
    return state if state != "bought" or file is None or file.state == "kept" else f"file_{file.state}"


def to_print(rows: Iterable[Any], settings: Mapping[str, Any]) -> Any | None:
    """The one of a label's kept files that is printed: carriers may give the same label in several formats.

    It is the format that the account's settings ask for, else PDF, PNG, and then a printer's own language.
    """
    asked = str(settings.get("label_format") or "")
    kept = [row for row in rows if row.kind == "label" and row.sha256]
    return min(kept, key=lambda row: (asked not in row.media_type.lower(), _rank(row), row.id), default=None)


def _rank(row: Any) -> int:
    return _FORMATS.index(row.media_type) if row.media_type in _FORMATS else len(_FORMATS)
