"""Our own hold on a fulfillment order, known by its handle; what others hold is theirs to let go.

An app may hold with `write_merchant_managed_fulfillment_orders`, which it needs for fulfilments anyway.
"""

from __future__ import annotations

from typing import Any, Final

from connector.store import HoldReason, StoreRefused
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.mapping import gid, is_our_hold, understood
from webhooks.ports import Fence

GROUP_HOLDS: Final = """
query GroupHolds($id: ID!) {
  fulfillmentOrder(id: $id) { id status fulfillmentHolds { id handle heldByRequestingApp } }
}
"""

HOLD_GROUP: Final = """
mutation HoldGroup($id: ID!, $hold: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
    fulfillmentHold { id }
    userErrors { field message code }
  }
}
"""

RELEASE_GROUP: Final = """
mutation ReleaseGroup($id: ID!, $holds: [ID!]!) {
  fulfillmentOrderReleaseHold(id: $id, holdIds: $holds) {
    fulfillmentOrder { id status }
    userErrors { field message code }
  }
}
"""

_REASONS: Final[dict[HoldReason, str]] = {
    "address": "INCORRECT_ADDRESS",
    "stock": "INVENTORY_OUT_OF_STOCK",
    "other": "OTHER",
}


class ShopifyHolds:
    """See `connector.store.StoreHolds`."""

    def __init__(self, api: ShopAPI) -> None:
        self._api = api

    async def find(self, group_id: str) -> bool:
        """Whether a hold with our handle is there."""
        return bool(await self._ours(group_id))

    async def hold(self, group_id: str, reason: HoldReason, note: str, fence: Fence) -> None:
        """Hold all its lines. Shopify refuses a second hold of the same handle."""
        variables = {"id": _known(group_id), "hold": hold_input(reason, note)}
        await self._api.write(HOLD_GROUP, variables, fence)

    async def release(self, group_id: str, fence: Fence) -> bool:
        """Let go of our hold alone: without the ids of holds Shopify would let go of all."""
        ours = await self._ours(group_id)
        if ours:
            await self._api.write(RELEASE_GROUP, {"id": _known(group_id), "holds": ours}, fence)
        return bool(ours)

    async def _ours(self, group_id: str) -> list[str]:
        node = (await self._api.read(GROUP_HOLDS, {"id": _known(group_id)}))["fulfillmentOrder"]
        with understood("holds"):
            return [] if node is None else [str(each["id"]) for each in node["fulfillmentHolds"] if is_our_hold(each)]


def hold_input(reason: HoldReason, note: str) -> dict[str, Any]:
    """A `FulfillmentOrderHoldInput`; the merchant reads the note beside the reason."""
    return {"reason": _REASONS[reason], "reasonNotes": note, "handle": "waybill", "notifyMerchant": False}


def _known(group_id: str) -> str:
    known = gid("FulfillmentOrder", group_id)
    if not known:
        raise StoreRefused("Shopify knows no such group.", detail=group_id)
    return known
