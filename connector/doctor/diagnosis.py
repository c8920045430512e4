"""One thing that was looked at, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connector.words.reason import Reason

State = Literal["ok", "look", "broken", "not_checked"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`what` names the thing; `value` is how it is, such as a version; `why` says what is wrong, or was in the way.

    broken: Waybill does not work as it should. look: it works, and somebody should see to it.
    """

    name: str
    what: Reason
    state: State
    value: str = ""
    why: Reason | None = None

    @property
    def cure(self) -> str:
        """What to do about it, in English; empty where nothing is to be done."""
        if self.why is None or self.state not in {"look", "broken"}:
            return ""
        return Reason(f"{self.why.code}_cure", self.why.params).say()
