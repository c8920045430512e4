"""What can be wrong with a rate table, and what a purchase from one is answered with.

A table sells nothing and has no error codes of its own: a destination or a parcel that it has no price for is a
`Problem`, a bad file is a list of `Fault`.
"""

from __future__ import annotations

from dataclasses import dataclass

from carriers.label import Rejected
from webhooks.errors import WaybillError

BY_HAND = Rejected("by_hand", "A rate table sells no labels: this one is bought by hand.")
FENCED = Rejected("fenced", "This process may no longer act; another one goes on.")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in a file, or worth a look: the line (from 1), the column, and a sentence for people."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.message}" if self.field else f"line {self.line}: {self.message}"


class BadTable(WaybillError, ValueError):
    """A file that is no rate table; `faults` has every fault that was found, in the order of the lines."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"The rate table cannot be used: {faults[0]}{more}", detail=f"line {faults[0].line}")
        self.faults = faults
