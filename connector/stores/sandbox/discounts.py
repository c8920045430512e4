"""Free-shipping discounts of the sandbox platform: kept in its books, by title."""

from __future__ import annotations

import json

from connector.store import FreeShippingDiscount, StoreRefused
from connector.stores.sandbox.client import PretendPlatform
from connector.stores.sandbox.errors import SaidNo, error_of
from webhooks.ports import Fence

_KIND = "discount"


class SandboxDiscounts:
    """See `connector.store.StoreDiscounts`; an id is `dis_` and the title."""

    def __init__(self, platform: PretendPlatform) -> None:
        self._platform = platform

    async def find(self, title: str) -> str | None:
        """The id under which it is kept."""
        return f"dis_{title}" if f"dis_{title}" in await self._known() else None

    async def put(self, discount: FreeShippingDiscount, known_id: str, fence: Fence) -> str:
        """Keep it; under another title the former one goes."""
        _may(fence)
        discount_id = f"dis_{discount.title}"
        if known_id and known_id != discount_id:
            await self._put(known_id, None)
        body = {
            "amount": str(discount.amount),
            "countries": list(discount.countries),
            "up_to": None if discount.up_to is None else str(discount.up_to),
        }
        await self._put(discount_id, json.dumps(body).encode())
        return discount_id

    async def drop(self, known_id: str, fence: Fence) -> bool:
        """Take it out of the books."""
        _may(fence)
        if known_id not in await self._known():
            return False
        await self._put(known_id, None)
        return True

    async def _known(self) -> dict[str, bytes]:
        try:
            return await self._platform.facts(_KIND)
        except SaidNo as said:
            raise error_of(said) from None

    async def _put(self, discount_id: str, document: bytes | None) -> None:
        try:
            await self._platform.put_fact(_KIND, discount_id, document)
        except SaidNo as said:
            raise error_of(said) from None


def _may(fence: Fence) -> None:
    if not fence():
        raise StoreRefused("This work belongs to another process by now.", detail="fence")
