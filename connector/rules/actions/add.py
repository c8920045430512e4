"""Actions that add what no carrier sells, and that ask for more than a label."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from carriers.money import Money
from connector.rules.actions.action import Action, Done, Run
from connector.rules.basis import worth
from connector.rules.classes import ClassName
from connector.rules.facts import Priced, Step
from connector.rules.state import CallState, Working
from connector.rules.term import Currency, Term, Text, minor_of
from connector.words.reason import Reason


class TableRow(Term):
    """A price up to a limit."""

    help: ClassVar[str] = "What it costs up to a limit."
    up_to: Decimal | None = Field(
        default=None, gt=0, description="Grams, value or pieces up to which it counts; empty: any."
    )
    amount: Decimal = Field(ge=0, description="In major units of the currency.")


class AddRate(Action):
    """An option of the merchant's own: pick-up, local delivery, or a small table."""

    help: ClassVar[str] = "Add an option of your own: pick-up, local delivery, or a price from a small table."
    kind: Literal["add_rate"] = "add_rate"
    code: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,48}$", description="The offer's code, which never changes.")
    name: Text = Field(description="What the buyer reads.")
    description: str = Field(default="", max_length=200, description="A line below it.")
    amount: Decimal | None = Field(default=None, ge=0, description="The price in major units; empty with a table.")
    currency: Currency = Field(description="ISO 4217; exchanged by your rate where the checkout has another.")
    table: tuple[TableRow, ...] = Field(default=(), description="Prices by weight, value or pieces, the lowest first.")
    table_by: Literal["grams", "value", "pieces"] = Field(default="grams", description="What the table goes by.")
    service_class: ClassName = Field(default="other", description="Such as pickup, local_delivery or standard.")
    transit_days: int | None = Field(default=None, ge=0, le=60, description="Working days under way, if known.")

    @model_validator(mode="after")
    def _a_price_is_there(self) -> Self:
        if (self.amount is None) == (not self.table):
            raise ValueError("say an amount or a table, not both")
        for amount in (self.amount, *(row.amount for row in self.table)):
            if amount is not None:
                minor_of(amount, self.currency)
        limits = [row.up_to for row in self.table]
        known = [each for each in limits if each is not None]
        if known != sorted(set(known)) or None in limits[:-1]:
            raise ValueError("the table's limits rise, and only the last row may have none")
        return self

    def price_of(self, state: CallState) -> int | None:
        """In minor units of its own currency; None where the table ends before, or what it goes by is not known."""
        if self.amount is not None:
            return minor_of(self.amount, self.currency)
        measured = self._measured(state)
        if measured is None:
            return None
        row = next((each for each in self.table if each.up_to is None or measured <= each.up_to), None)
        return None if row is None else minor_of(row.amount, self.currency)

    def _measured(self, state: CallState) -> Decimal | None:
        shipped = state.index.of(state.index.ships)
        if self.table_by == "pieces":
            return Decimal(sum(line.quantity for line in shipped))
        if self.table_by == "grams":
            known = [(line.grams, line.quantity) for line in shipped if line.grams is not None]
            return Decimal(sum(grams * units for grams, units in known)) if len(known) == len(shipped) else None
        value = worth(state.facts)
        return None if value is None or state.facts.currency != self.currency else Money(value, self.currency).amount

    def ready(self, rule: str) -> Run:
        """Without an exchange rate it is not shown; an offer of the same code stays as it is."""
        why = Reason("step_added", {"rule": rule})

        def run(state: CallState, _services: Sequence[Working]) -> Done | None:
            asked = self.price_of(state)
            own = None if asked is None else state.own(asked, self.currency)
            if own is None or any(each.given.code == self.code for each in state.services):
                return None
            price = Money(own, state.facts.currency)
            added = Priced(
                self.code,
                price,
                (Step.to(why, price),),
                source="table",
                service_class=self.service_class,
                transit_days=self.transit_days,
                name=self.name,
                description=self.description,
                by_hand=True,
            )
            return Done(added=[added])

        return run


class RequireSignature(Action):
    """Somebody signs for the parcel."""

    help: ClassVar[str] = "Ask for a signature where the parcel is delivered."
    by_services: ClassVar[bool] = True
    kind: Literal["require_signature"] = "require_signature"
    who: Literal["anyone", "adult"] = Field(default="anyone", description="Anyone there, or an adult.")

    def ready(self, rule: str) -> Run:
        """Kept with the offer, and asked for with the label."""
        del rule
        return _mark("signature", self.who)


class RequireInsurance(Action):
    """The goods are insured on their way."""

    help: ClassVar[str] = "Insure the goods for a share of their value."
    by_services: ClassVar[bool] = True
    kind: Literal["require_insurance"] = "require_insurance"
    percent: Decimal = Field(default=Decimal(100), gt=0, le=200, description="Share of the goods' value, in percent.")

    def ready(self, rule: str) -> Run:
        """Kept with the offer, and asked for with the label."""
        del rule
        return _mark("insurance", f"{self.percent:f}")


class HoldOrder(Action):
    """A person looks at the order before a label is bought."""

    help: ClassVar[str] = "Hold the order for review before a label is bought."
    by_services: ClassVar[bool] = True
    kind: Literal["hold_order"] = "hold_order"
    reason: Text = Field(description="What the person who looks at it reads.")

    def ready(self, rule: str) -> Run:
        """Kept with the offer; the order waits until somebody lets go of it."""
        del rule
        return _mark("hold", self.reason)


def _mark(kind: str, how: str) -> Run:
    def run(_state: CallState, services: Sequence[Working]) -> Done | None:
        for each in services:
            each.marks = {**(each.marks or dict(each.given.marks)), kind: how}
        return None

    return run
