"""What a check-up finds: causes with their cures, and the checks that could not be made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from connector.words.reason import Reason

Level = Literal["stops_rates", "costs_money", "look"]
LEVELS: tuple[Level, ...] = ("stops_rates", "costs_money", "look")


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause. The reason's text says what is wrong, `cure` what to do; `link` is the page to open, if there is one.

    `subject` tells findings of one cause apart and stays the same from day to day: a profile's name, an account's id.
    `check` is the check that found it.
    """

    reason: Reason
    level: Level
    subject: str = ""
    link: str = ""
    check: str = ""

    @property
    def cure(self) -> str:
        """What to do about it, in English."""
        return self.cure_in("en")

    def cure_in(self, language: str) -> str:
        """What to do about it, in that language; the page to open stands in it."""
        return Reason(f"{self.reason.code}_cure", {**self.reason.params, "link": self.link}).say(language)

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "reason": self.reason.to_json(),
            "level": self.level,
            "subject": self.subject,
            "link": self.link,
            "check": self.check,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Finding:
        """From what `to_json` gave."""
        level = cast("Level", body["level"])
        return cls(Reason.from_json(body["reason"]), level, body["subject"], body["link"], body["check"])


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `what` names it for people; `run` gives what it found, or raises what kept it from being made."""

    name: str
    what: Reason
    run: Callable[[], Awaitable[list[Finding]]]


@dataclass(frozen=True, slots=True)
class NotMade:
    """A check that could not be made, and why."""

    name: str
    what: Reason
    why: Reason

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"name": self.name, "what": self.what.to_json(), "why": self.why.to_json()}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> NotMade:
        """From what `to_json` gave."""
        return cls(body["name"], Reason.from_json(body["what"]), Reason.from_json(body["why"]))


@dataclass(frozen=True, slots=True)
class Checkup:
    """The result of one check-up. `passed`: checks that found nothing; findings are sorted, the gravest first."""

    shop_id: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    passed: tuple[str, ...] = ()
    not_made: tuple[NotMade, ...] = ()

    @property
    def stops_rates(self) -> bool:
        """Whether something keeps buyers from seeing our prices."""
        return any(finding.level == "stops_rates" for finding in self.findings)

    @property
    def is_clean(self) -> bool:
        """Whether every check was made and found nothing."""
        return not self.findings and not self.not_made
