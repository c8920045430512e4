"""The sandbox carrier's list of addresses: a rule that can be checked by hand.

A street called Nowhere is not found. A house number 0 is none: number 1 is proposed. Everything else exists as typed.
"""

from __future__ import annotations

import re
from dataclasses import replace

import anyio.lowlevel

from carriers.address import Address
from carriers.sandbox.client import PretendCarrier
from carriers.sandbox.errors import SaidNo, error_of
from carriers.verification import Verified

_NOUGHT = re.compile(r"(?<!\d)0(?!\d)")


class SandboxVerifier:
    """See `carriers.verification.Verifier`."""

    def __init__(self, client: PretendCarrier) -> None:
        self._client = client

    async def verify(self, address: Address) -> Verified:
        """By the rule. Raises Unavailable for SANDBOX-DOWN."""
        await anyio.lowlevel.checkpoint()
        if self._client.fault(address.city) == "down":
            raise error_of(SaidNo("CARRIER.DOWN", "The sandbox carrier plays dead."))
        if address.street1.strip().casefold().startswith("nowhere"):
            return Verified(deliverable=False, messages=("There is no such street.",))
        return Verified(deliverable=True, corrected=replace(address, street1=_NOUGHT.sub("1", address.street1)))
