"""Goods that may not go to certain places: a table with dates, read before anything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from connector.rules.actions.action import Action, Done, Phase, Run
from connector.rules.items import ItemFilter
from connector.rules.moments import first_after, start_of
from connector.rules.places import Area, in_areas
from connector.rules.state import CallState, Working
from connector.rules.term import Term, Text
from connector.words.reason import Reason


class Restriction(Term):
    """One row: these items do not go there, from one day to another, and why."""

    help: ClassVar[str] = "These items do not go there between two days."
    items: ItemFilter = Field(description="Which items.")
    areas: tuple[Area, ...] = Field(min_length=1, description="Countries or parts of them.")
    start: date | None = Field(default=None, description="From this day on; empty: since ever.")
    end: date | None = Field(default=None, description="To this day, included; empty: for good.")
    text: Text = Field(description="Why, for the explanation; name the law or the carrier's rule.")

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("the last day is before the first")
        return self


class RefuseGoods(Action):
    """Do not ship certain goods to certain places."""

    help: ClassVar[str] = "Offer nothing where a cart holds goods that may not go there."
    kind: Literal["refuse_goods"] = "refuse_goods"
    phase: ClassVar[Phase] = "refuse"
    table: tuple[Restriction, ...] = Field(min_length=1, description="What may not go where, and since when.")

    def ready(self, rule: str) -> Run:
        """An unknown destination refuses nothing: the checkout knows it."""
        rows = [
            (in_areas(row.areas), row.start or date.min, row.end or date.max, row.items.compiled(), row.text)
            for row in self.table
        ]

        def run(state: CallState, _services: Sequence[Working]) -> Done | None:
            today = state.now.date()
            for here, start, end, meant, text in rows:
                if start <= today <= end and here(state.facts.destination):
                    found = state.lines(meant) & state.index.ships
                    if found:
                        line = state.index.of(found)[0]
                        item = line.sku or line.name or line.variant
                        return Done(refused=Reason("goods_restricted", {"item": item, "why": text, "rule": rule}))
            return None

        return run

    def until(self, now: datetime) -> datetime | None:
        """The next day on which a row begins or ends."""
        days = [row.start for row in self.table if row.start is not None]
        days += [date.fromordinal(row.end.toordinal() + 1) for row in self.table if row.end not in {None, date.max}]
        return first_after(now, (start_of(day, now) for day in days))
