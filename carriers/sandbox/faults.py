"""Destinations that play a fault, as real carriers' test modes have magic addresses.

Put one of these words where the city stands; case does not matter.

SANDBOX-NOWHERE       no service goes there: a problem instead of prices
SANDBOX-DOWN          the carrier cannot be reached for prices
SANDBOX-SLOW          prices take `slow_s` seconds
SANDBOX-REFUSE        prices as usual, but the label is refused: the address is not good enough
SANDBOX-EMPTY-WALLET  prices as usual, but there is no money left for the label
SANDBOX-RATE-GONE     prices as usual, but the price cannot be bought any more
SANDBOX-LOST-ANSWER   the label is sold, and the answer gets lost: a look-up finds it
SANDBOX-LOST-REQUEST  the request gets lost: nothing is sold, and nobody can tell from the silence
"""

from __future__ import annotations

from typing import get_args

from carriers.sandbox.settings import Fault

_PREFIX = "sandbox-"


def fault_of(city: str, setting: Fault = "none") -> Fault:
    """The fault to play for a destination; the account's own setting wins."""
    if setting != "none":
        return setting
    word = city.strip().lower()
    for fault in get_args(Fault):
        if word == _PREFIX + fault:
            return fault  # type: ignore[no-any-return]  # One of the literals, by construction.
    return "none"
