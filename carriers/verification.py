"""Whether an address exists, as a carrier sees it, and how the carrier would write it.

By capability (`verify_address`): a connection that declares it has a `verifier`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from carriers.address import Address
from carriers.carrier import Carrier, bare


@dataclass(frozen=True, slots=True)
class Verified:
    """What a carrier says of an address.

    `corrected` is the address as the carrier knows it, with the person of the asked one; None where it says nothing.
    `messages` are the carrier's words on what it did not find, without anything of the address in them.
    """

    deliverable: bool
    corrected: Address | None = None
    messages: tuple[str, ...] = ()


@runtime_checkable
class Verifier(Protocol):
    """Looks addresses up, for one connection."""

    async def verify(self, address: Address) -> Verified:
        """A read that may cost money. Raises CarrierError where it cannot be said now."""
        ...


def verifier_of(carrier: Carrier) -> Verifier | None:
    """What looks addresses up for a connection; None where it does not."""
    found = getattr(bare(carrier), "verifier", None)
    return found if carrier.capabilities.verify_address and isinstance(found, Verifier) else None


def differing(typed: Address, known: Address) -> tuple[str, ...]:
    """The fields in which both are different places; another way to write the same one (ST for Street) is none.

    Of a street only its numbers are compared, and of US postal codes the first five digits.
    """
    found = []
    if typed.country != known.country:
        found.append("country")
    if _code(typed) != _code(known):
        found.append("postal_code")
    if typed.province and known.province and _plain(typed.province) != _plain(known.province):
        found.append("province")
    if _plain(typed.city) != _plain(known.city):
        found.append("city")
    if _numbers(typed) != _numbers(known):
        found.append("street1")
    return tuple(found)


def _code(address: Address) -> str:
    plain = _plain(address.postal_code)
    return plain[:5] if address.country == "US" else plain


def _numbers(address: Address) -> list[str]:
    return sorted(re.findall(r"\d+", f"{address.street1} {address.street2}"))


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if sign.isalnum())
