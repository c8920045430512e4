"""Conditions on the moment, in the shop's time zone; each knows when its answer changes."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from connector.rules.conditions.condition import CallCondition, OfCall, World
from connector.rules.moments import WEEKDAYS, Weekday, first_after, next_of_day, start_of
from connector.rules.state import CallState


class WeekdayIn(CallCondition):
    """It is one of these days of the week."""

    help: ClassVar[str] = "Today is one of these days of the week."
    kind: Literal["weekday_in"] = "weekday_in"
    days: tuple[Weekday, ...] = Field(min_length=1, description="Days, such as mon and sat.")

    def of_call(self, world: World) -> OfCall:
        """By the shop's date."""
        del world
        days = frozenset(self.days)
        return lambda state: WEEKDAYS[state.now.weekday()] in days

    def until(self, now: datetime) -> datetime | None:
        """Midnight."""
        return next_of_day(now, time())


class TimeBetween(CallCondition):
    """It is between two times of the day."""

    help: ClassVar[str] = "The time of day lies between two times; a window may pass midnight."
    kind: Literal["time_between"] = "time_between"
    start: time = Field(description="From this time on, such as 08:00.")
    end: time = Field(description="Before this time.")

    @model_validator(mode="after")
    def _it_is_a_window(self) -> Self:
        if self.start == self.end:
            raise ValueError("the window is empty")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("times are in the shop's zone and name none themselves")
        return self

    def of_call(self, world: World) -> OfCall:
        """The start is in it, the end is not."""
        del world
        start, end = self.start, self.end

        def holds(state: CallState) -> bool:
            at = state.now.time()
            return start <= at < end if start < end else at >= start or at < end

        return holds

    def until(self, now: datetime) -> datetime | None:
        """The next of both times."""
        return min(next_of_day(now, self.start), next_of_day(now, self.end))


class DateBetween(CallCondition):
    """It is between two days."""

    help: ClassVar[str] = "Today lies between two days, both included."
    kind: Literal["date_between"] = "date_between"
    start: date | None = Field(default=None, description="From this day on; empty: since ever.")
    end: date | None = Field(default=None, description="To this day; empty: for good.")

    @model_validator(mode="after")
    def _it_is_a_span(self) -> Self:
        if self.start is None and self.end is None:
            raise ValueError("say a first or a last day")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("the last day is before the first")
        return self

    def of_call(self, world: World) -> OfCall:
        """By the shop's date."""
        del world
        start, end = self.start or date.min, self.end or date.max
        return lambda state: start <= state.now.date() <= end

    def until(self, now: datetime) -> datetime | None:
        """The next of both ends."""
        ends = [] if self.start is None else [start_of(self.start, now)]
        if self.end is not None and self.end < date.max:
            ends.append(start_of(date.fromordinal(self.end.toordinal() + 1), now))
        return first_after(now, ends)
