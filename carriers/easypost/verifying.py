"""EasyPost's look at an address: `POST /v2/addresses` with `verify`, which never fails for an address not found.

Shapes from EasyPost's recorded traffic (address of 2025-03 and 2025-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from carriers.address import Address
from carriers.call import Caller
from carriers.easypost import asking, wire
from carriers.easypost.errors import raise_for
from carriers.easypost.settings import EasyPostSettings
from carriers.verification import Verified
from webhooks.outgoing import HTTPAnswer


class EasyPostVerifier:
    """See `carriers.verification.Verifier`."""

    def __init__(self, caller: Caller, base: str, headers: Mapping[str, str], settings: EasyPostSettings) -> None:
        self._caller = caller
        self._url = f"{base}/v2/addresses"
        self._headers = dict(headers)
        self._settings = settings

    async def verify(self, address: Address) -> Verified:
        """One address, kept at EasyPost as an object of its own that nothing refers to."""
        personal = asking.personal_words(address)

        def understand(answer: HTTPAnswer) -> Verified:
            raise_for(answer, personal)
            return read(wire.parse(answer.content), address, personal)

        return await self._caller.read(
            "POST",
            self._url,
            understand,
            deadline_s=self._settings.read_timeout_s,
            headers=self._headers,
            json=asking.verify_body(address),
        )


def read(body: Any, asked: Address, personal: tuple[str, ...]) -> Verified:
    """EasyPost's answer. Where `delivery` is missing it looked nothing up, and nothing speaks against the address.

    Beside `success` the errors count: an answer of 2025-11 has both. Suggestions are parts of addresses, and not kept.
    """
    found = wire.read(wire.WireAddress, body)
    delivery = None if found.verifications is None else found.verifications.delivery
    if delivery is None:
        return Verified(deliverable=True)
    errors = [wire.read(wire.WireAddressError, each) for each in delivery.errors if isinstance(each, dict)]
    said = tuple(asking.without(personal, each.message or each.code)[:120] for each in errors)
    known = replace(
        asked,
        country=found.country or asked.country,
        postal_code=found.zip,
        province=found.state,
        city=found.city,
        street1=found.street1,
        street2=found.street2,
        residential=found.residential,
    )
    good = delivery.success is True and not errors
    return Verified(good, known if good else None, said)
