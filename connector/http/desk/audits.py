"""Who did what, when, in a shop: a list that can be narrowed, linked to and downloaded."""

from __future__ import annotations

from collections.abc import Mapping

import anyio.to_thread

from connector.http.desk.house import DeskHouse
from connector.http.desk.names import names_of_actors
from connector.http.desk.page import Answer, Ask, Download, Page, View
from connector.storage import audit
from connector.storage.schema import JSON
from connector.words.desk_texts import say, texts
from connector.words.spreadsheet import csv_bytes

_AT_ONCE, _IN_CSV = 50, 50_000


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The newest entries first."""
    in_csv = ask.query.get("format") == "csv"
    before, subject = ask.query.get("before", ""), ask.query.get("subject", "").strip()
    before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    limit = _IN_CSV if in_csv else _AT_ONCE + 1
    found = await house.database.run(
        audit.entries, ask.shop.id, subject=subject or None, before_id=before_id, limit=limit
    )
    names = await house.database.run(names_of_actors, house.keyring, [each.actor for each in found])
    if in_csv:
        rows = [(each.at, names[each.actor], each.action, each.subject, _detail(each)) for each in found]
        head = ("at", "by", "action", "subject", "detail")
        return Download(await anyio.to_thread.run_sync(csv_bytes, head, rows), "text/csv", "history.csv")
    shown = [(each, names[each.actor], _deed(each.action), _detail(each)) for each in found[:_AT_ONCE]]
    older = shown[-1][0].id if len(found) > _AT_ONCE else None
    return View("audit.html", {"rows": shown, "older": older, "subject": subject, "paged": before_id is not None})


def _deed(action: str) -> str:
    """An action in words; one that has none yet shows its code."""
    return say(f"deed.{action}") if f"deed.{action}" in texts() else action


def _detail(entry: audit.AuditEntry) -> str:
    return ", ".join(f"{name}: {_flat(value)}" for name, value in entry.detail.items() if value not in (None, ""))


def _flat(value: JSON) -> str:
    """A value of the audit as people read it."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_flat(each)}" for name, each in value.items())
    return "; ".join(map(_flat, value)) if isinstance(value, list) else str(value)


PAGES = (Page("/history", "audit", "owner", show),)
