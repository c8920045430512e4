"""In which steps of weight a service's prices rise: found where prices within a step always agreed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

# In hundred-thousandths of a gram, the widest first: 1 kg, a pound, 500 g, 250 g, 100 g, an ounce (1959 agreement).
_UNITS = (100_000_000, 45_359_237, 50_000_000, 25_000_000, 10_000_000, 2_834_953)
_ENOUGH = 8


@dataclass(slots=True)
class Steps:
    """How often two weights in one step had the same price, by unit; one disagreement, and a unit is out."""

    agreed: dict[int, int] = field(default_factory=dict)
    out: set[int] = field(default_factory=set)

    def note(self, grams: int, minor: int, other_grams: int, other_minor: int) -> None:
        """Two prices of one price list came to be known."""
        if grams == other_grams:
            return
        for unit in _UNITS:
            if unit not in self.out and step_of(grams, unit) == step_of(other_grams, unit):
                if minor != other_minor:
                    self.out.add(unit)
                else:
                    self.agreed[unit] = self.agreed.get(unit, 0) + 1

    @property
    def unit(self) -> int | None:
        """The widest unit that held often enough; None while none did."""
        return next((each for each in _UNITS if each not in self.out and self.agreed.get(each, 0) >= _ENOUGH), None)

    def forget(self) -> None:
        """The carrier has changed its prices: old and new ones would disagree."""
        self.agreed.clear()
        self.out.clear()


def step_of(grams: int, unit: int) -> int:
    """The step that a weight is in: a step's greatest weight still belongs to it."""
    return -(-grams * 100_000 // unit)
