"""Pick-up points, as far as a service's name tells: stores pass no point on to us, carriers name the service for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TO_A_POINT = re.compile(
    r"access ?point|click ?(and|&|n)? ?collect|drop ?point|hold ?(at|for)|locker|packstation|paczkomat|parcel ?shop"
    r"|paket ?shop|pakke ?shop|pick[ -]?up|point ?relais|relais ?colis|relay|service ?point"
)


def is_to_a_point(service: str) -> bool:
    """Whether a service of this name, as its carrier spells it, ends at a pick-up point."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", service)
    return _TO_A_POINT.search(re.sub(r"[_\s]+", " ", apart).casefold()) is not None


def point_of(bought_as: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The network and service that a parcel's offer ends in a point of; None where it goes to the door."""
    if bought_as is None or not is_to_a_point(bought_as.get("service", "")):
        return None
    return {"carrier": bought_as["carrier"], "service": bought_as["service"]}
