"""How an alert reads: subject and plain text from the words of its matters. Pure; no personal data goes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.attention.alerts import Item, is_at_once
from connector.attention.board import HOUSE
from connector.words.reason import Reason

_MOST_SHOWN = 20
_LONGEST_SUBJECT = 120


@dataclass(frozen=True, slots=True)
class Place:
    """Where a matter is: the shop's name, what it is called on the command line, and its time zone."""

    name: str
    domain: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready to be sent."""

    subject: str
    text: str


def write(items: Sequence[Item], places: Mapping[str, Place], public_url: str) -> Letter:
    """The message about these matters."""
    first = items[0]
    if len({(item.kind, item.shop_id, item.reason.code) for item in items}) == 1:
        return _one_cause(items, places.get(first.shop_id), public_url)
    begun = sum(item.kind == "open" for item in items)
    over = len(items) - begun
    head = Reason("alert_many", {"count": begun}) if begun else Reason("alert_many_over", {"count": over})
    parts = [head.say() + ".", ""]
    for group in _by_cause(items):
        parts += _section(group, places.get(group[0].shop_id))
    return Letter(_subject(head.say(), None), "\n".join([*parts, *_foot(items, places, public_url)]))


def test_letter(public_url: str) -> Letter:
    """What `waybill alert test` sends."""
    text = Reason("alert_test_text", {"url": public_url}).say()
    return Letter(_subject(Reason("alert_test").say(), None), f"{text}\n")


def _one_cause(items: Sequence[Item], place: Place | None, public_url: str) -> Letter:
    item = items[0]
    said = item.reason.say()
    parts = []
    if item.kind == "over":
        title = Reason("alert_over", {"what": _first_sentence(said)}).say()
        parts = [_what_is_over(item)]
        if item.reason.code != "was_down":  # It names its own times; this matter's are those of catching up.
            parts += ["", Reason("alert_lasted", {"time": _lasted(item)}).say()]
    else:
        title = _first_sentence(said)
        parts = [said, "", Reason("alert_do", {"cure": _cure(item.reason)}).say()]
    if len(items) > 1:
        parts += ["", Reason("alert_times", {"count": len(items)}).say()]
    if item.reason.code != "was_down":
        parts += ["", *_where(item, place)]
    places = {} if place is None else {item.shop_id: place}
    return Letter(_subject(title, place), "\n".join([*parts, "", *_foot(items, places, public_url)]))


def _section(group: Sequence[Item], place: Place | None) -> list[str]:
    item = group[0]
    title = item.reason.say() if item.kind == "open" else _what_is_over(item)
    lines = [f"* {title}"]
    if item.kind == "open":
        lines.append(f"  {Reason('alert_do', {'cure': _cure(item.reason)}).say()}")
    if len(group) > 1:
        lines.append(f"  {Reason('alert_times', {'count': len(group)}).say()}")
    if place is not None:
        lines.append(f"  {Reason('alert_shop', {'shop': place.name}).say()}")
    return [*lines, ""]


def _by_cause(items: Sequence[Item]) -> list[list[Item]]:
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in sorted(items, key=lambda each: each.kind != "open"):
        groups.setdefault((item.kind, item.shop_id, item.reason.code), []).append(item)
    return list(groups.values())[:_MOST_SHOWN]


def _where(item: Item, place: Place | None) -> list[str]:
    lines = []
    if place is not None:
        lines.append(Reason("alert_shop", {"shop": f"{place.name} ({place.domain})"}).say())
    at = _at(item.opened_at, place)
    if item.resolved_at is None:
        lines.append(Reason("alert_since", {"at": at}).say())
    else:
        lines.append(Reason("alert_from_to", {"start": at, "end": _at(item.resolved_at, place)}).say())
    return lines


def _foot(items: Sequence[Item], places: Mapping[str, Place], public_url: str) -> list[str]:
    shops = {item.shop_id for item in items} - {HOUSE}
    only = places.get(next(iter(shops))) if len(shops) == 1 else None
    lines = [Reason("alert_desk", {"url": f"{public_url}/desk"}).say()]
    if only is not None:
        lines.append(Reason("alert_command", {"shop": only.domain}).say())
    begun = [item for item in items if item.kind == "open"]
    if any(is_at_once(item.reason.code) for item in begun):
        lines.append(Reason("alert_once").say())
    elif begun:
        lines.append(Reason("alert_once_only").say())
    return [*lines, ""]


def _what_is_over(item: Item) -> str:
    """What is said when it is over; most causes are simply named again."""
    if item.reason.code == "was_down":
        return Reason("was_down_over", item.reason.params).say()
    return Reason("alert_is_over", {"what": item.reason.say()}).say()


def _cure(reason: Reason) -> str:
    return Reason(f"{reason.code}_cure", reason.params).say()


def _subject(title: str, place: Place | None) -> str:
    """One line, without a line break that could end a header."""
    whole = f"[Waybill] {place.name}: {title}" if place is not None else f"[Waybill] {title}"
    line = " ".join(whole.split())
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 3] + "..."


def _first_sentence(text: str) -> str:
    head, dot, _ = text.partition(". ")
    return (head if dot else text).rstrip(".")


def _lasted(item: Item) -> str:
    assert item.resolved_at is not None  # noqa: S101 - what is over has an end.
    minutes = max(1, round((item.resolved_at - item.opened_at) / timedelta(minutes=1)))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def _at(moment: datetime, place: Place | None) -> str:
    name = "UTC" if place is None else place.timezone
    try:
        zone: ZoneInfo | type(UTC) = ZoneInfo(name)  # type: ignore[valid-type]
    except (ZoneInfoNotFoundError, ValueError):
        zone, name = UTC, "UTC"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({name})"
