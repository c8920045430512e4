"""Business time: the real clock, and one that is moved for trying things out."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector.settings import SettingsError, keep_first
from webhooks.errors import WaybillError
from webhooks.ports import Clock

ANCHOR_FILE = "test-clock"
_FORM = "WAYBILL_TEST_CLOCK is OFFSET:SPEED or OFFSET:SPEED@INSTANT, such as 3600:1 or 0:60@2026-11-21T12:00:00Z."
_CENTURY_S = 100 * 365 * 86400


class NaiveTime(WaybillError):
    """A date-time without a zone was given where an instant is meant."""


def aware(moment: datetime) -> datetime:
    """The same instant in UTC. Raises NaiveTime for a date-time without a zone."""
    if moment.tzinfo is None:
        raise NaiveTime("A moment needs a time zone.")
    return moment.astimezone(UTC)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present in UTC."""
        return datetime.now(UTC)


class MovedClock:
    """Real time moved by `offset_s` seconds that runs `speed` times as fast since the instant `anchor`.

    Every process with the same three values agrees on the time, whenever it started.
    """

    def __init__(self, offset_s: float, speed: float, anchor: datetime, real: Clock | None = None) -> None:
        self._offset = timedelta(seconds=offset_s)
        self._speed = speed
        self._anchor = aware(anchor)
        self._real = real or SystemClock()

    def now(self) -> datetime:
        """The moved present in UTC."""
        return self._anchor + (self._real.now() - self._anchor) * self._speed + self._offset


def open_clock(test_clock: str | None, data_dir: Path, real: Clock | None = None) -> Clock:
    """The process's Clock. `test_clock` is WAYBILL_TEST_CLOCK, None for real time.

    A speed needs an instant at which both clocks showed the same. If the value names none, the instant of the first
    use is kept in the data folder, so that all its processes agree and a restart does not turn time back.
    Raises SettingsError.
    """
    real = real or SystemClock()
    if test_clock is None:
        return real
    numbers, _, instant = test_clock.partition("@")
    offset_s, speed = _read_numbers(numbers)
    anchor = real.now()
    if instant:
        anchor = _read_instant(instant)
    elif speed != 1:
        anchor = _read_instant(keep_first(data_dir / ANCHOR_FILE, anchor.isoformat()))
    clock = MovedClock(offset_s, speed, anchor, real)
    try:
        far = not 1970 < clock.now().year < 9000
    except OverflowError:
        far = True
    if far:
        raise SettingsError("WAYBILL_TEST_CLOCK leads to a time that no calendar has.")
    return clock


def _read_numbers(text: str) -> tuple[float, float]:
    try:
        offset_s, speed = (float(part) for part in text.split(":"))
    except ValueError:
        raise SettingsError(_FORM) from None
    if not (math.isfinite(offset_s) and abs(offset_s) <= _CENTURY_S and 0 < speed <= 100_000):
        raise SettingsError(_FORM)
    return offset_s, speed


def _read_instant(text: str) -> datetime:
    try:
        return aware(datetime.fromisoformat(text))
    except (ValueError, NaiveTime):
        raise SettingsError(_FORM) from None
