"""Conditions on the planned parcels: how many, how large and how heavy."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from connector.rules.conditions.cart import between
from connector.rules.conditions.condition import CallCondition, OfCall, World
from connector.rules.state import CallState


class ParcelCount(CallCondition):
    """How many parcels the cart makes."""

    help: ClassVar[str] = "The number of parcels lies between two limits, both included."
    kind: Literal["parcel_count"] = "parcel_count"
    at_least: int | None = Field(default=None, ge=1, description="This many or more.")
    at_most: int | None = Field(default=None, ge=1, description="This many or fewer.")

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        between(self.at_least, None if self.at_most is None else self.at_most + 1)
        return self

    def of_call(self, world: World) -> OfCall:
        """A cart that could not be packed makes none, and no limit fits it."""
        del world
        low, high = self.at_least or 1, self.at_most
        return lambda state: (count := len(state.facts.parcels)) >= low and (high is None or count <= high)


class ParcelSize(CallCondition):
    """Whether a parcel is large or heavy."""

    help: ClassVar[str] = "A parcel (or each one) reaches these limits; a size that is not known reaches none."
    kind: Literal["parcel_size"] = "parcel_size"
    longest_mm: int | None = Field(default=None, gt=0, description="Longest side, from this many millimetres on.")
    girth_mm: int | None = Field(
        default=None, gt=0, description="Longest side and girth, in millimetres, from this on."
    )
    volume_cm3: int | None = Field(default=None, gt=0, description="Volume in cubic centimetres, from this on.")
    weight_g: int | None = Field(default=None, gt=0, description="Gross weight in grams, from this on.")
    which: Literal["any", "each"] = Field(default="any", description="One parcel suffices, or every one must.")

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.longest_mm is self.girth_mm is self.volume_cm3 is self.weight_g is None:
            raise ValueError("say at least one limit")
        return self

    def of_call(self, world: World) -> OfCall:
        """All limits that are said must be reached by the same parcel."""
        del world

        def reaches(grams: int, size: tuple[int, int, int] | None) -> bool:
            if self.weight_g is not None and grams < self.weight_g:
                return False
            if self.longest_mm is self.girth_mm is self.volume_cm3 is None:
                return True
            if size is None:
                return False
            longest = max(size)
            return (
                (self.longest_mm is None or longest >= self.longest_mm)
                and (self.girth_mm is None or 2 * sum(size) - longest >= self.girth_mm)
                and (self.volume_cm3 is None or size[0] * size[1] * size[2] >= self.volume_cm3 * 1000)
            )

        def holds(state: CallState) -> bool:
            found = [reaches(each.grams, each.size) for each in state.facts.parcels]
            return any(found) if self.which == "any" else bool(found) and all(found)

        return holds
