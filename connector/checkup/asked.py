"""What a platform's own checks are given, and the form that they have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from connector.checkup.finding import Check, Finding
from connector.shop_settings import ShopSettings
from connector.store import Callbacks, Store, TokenVault
from connector.words.reason import Reason
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock

CallsByDay = Callable[[], Awaitable[Mapping[date, int]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One shop, as its platform's checks need it.

    `rates_on`: whether somebody switched its prices on or off here; None if it is not known.
    `calls_by_day`: how many price questions of its checkout came here on each of the last days (UTC).
    """

    shop: str
    store: Store
    callbacks: Callbacks
    settings: ShopSettings
    rates_on: bool | None
    vault: TokenVault
    outgoing: Outgoing
    clock: Clock
    calls_by_day: CallsByDay


def judge_switch(*, is_on: bool, wanted: bool | None, link: str = "") -> list[Finding]:
    """Off because somebody wanted it so, or off although it was switched on here."""
    if is_on:
        return []
    reason = Reason("check_service_stopped") if wanted else Reason("check_service_off")
    return [Finding(reason, "stops_rates", link=link)]


class StoreChecks(Protocol):
    """The checks of one platform. Wiring has one for each; they only read."""

    def __call__(self, asked: Asked) -> Sequence[Check]:
        """The checks of this shop. Each raises StoreError where it cannot be made."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """How a platform is checked. `calls_from_outside`: it reaches us over the internet, not on this machine."""

    checks: StoreChecks
    calls_from_outside: bool = True
