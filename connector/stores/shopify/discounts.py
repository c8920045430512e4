"""Free shipping as the shop's own automatic discount, which sees coupons, prices and logins at once.

Shopify takes it off every shipping option up to a price, for every buyer. The app needs `write_discounts` for it, which
is asked for only here: it is an optional scope.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from connector.store import FreeShippingDiscount, StoreRefused
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.mapping import gid, text_of, understood
from connector.stores.shopify.timeline import moment
from webhooks.ports import Fence

SCOPE: Final = "write_discounts"

FREE_SHIPPING_DISCOUNTS: Final = """
query FreeShippingDiscounts($after: String) {
  discountNodes(first: 50, after: $after, query: "method:automatic") {
    nodes {
      id
      discount { __typename ... on DiscountAutomaticFreeShipping { title status } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ADD_FREE_SHIPPING: Final = """
mutation AddFreeShipping($discount: DiscountAutomaticFreeShippingInput!) {
  discountAutomaticFreeShippingCreate(freeShippingAutomaticDiscount: $discount) {
    automaticDiscountNode { id }
    userErrors { field message code }
  }
}
"""

CHANGE_FREE_SHIPPING: Final = """
mutation ChangeFreeShipping($id: ID!, $discount: DiscountAutomaticFreeShippingInput!) {
  discountAutomaticFreeShippingUpdate(id: $id, freeShippingAutomaticDiscount: $discount) {
    automaticDiscountNode { id }
    userErrors { field message code }
  }
}
"""

REMOVE_DISCOUNT: Final = """
mutation RemoveDiscount($id: ID!) {
  discountAutomaticDelete(id: $id) {
    deletedAutomaticDiscountId
    userErrors { field message code }
  }
}
"""


class ShopifyDiscounts:
    """One shop's automatic free-shipping discounts; see `connector.store.StoreDiscounts`."""

    def __init__(self, api: ShopAPI, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now

    async def find(self, title: str) -> str | None:
        """By its title, which is unique among a shop's automatic discounts."""
        return next((known for known, named in await self._all() if named == title), None)

    async def put(self, discount: FreeShippingDiscount, known_id: str, fence: Fence) -> str:
        """Make or change it; one that somebody deleted is made anew."""
        known = gid("DiscountAutomaticNode", known_id)
        if known and any(each == known for each, _ in await self._all()):
            variables = {"id": known, "discount": discount_input(discount)}
            data = await self._api.write(CHANGE_FREE_SHIPPING, variables, fence)
            with understood("discount"):
                return str(data["discountAutomaticFreeShippingUpdate"]["automaticDiscountNode"]["id"])
        data = await self._api.write(ADD_FREE_SHIPPING, {"discount": discount_input(discount, self._now())}, fence)
        with understood("discount"):
            return str(data["discountAutomaticFreeShippingCreate"]["automaticDiscountNode"]["id"])

    async def drop(self, known_id: str, fence: Fence) -> bool:
        """Delete it; what is gone already is no error."""
        known = gid("DiscountAutomaticNode", known_id)
        if not known:
            raise StoreRefused("Shopify knows no such discount.", detail=known_id)
        if all(each != known for each, _ in await self._all()):
            return False
        await self._api.write(REMOVE_DISCOUNT, {"id": known}, fence)
        return True

    async def _all(self) -> list[tuple[str, str]]:
        """Id and title of each automatic free-shipping discount. Ids are compared as those of automatic discounts."""
        found = []
        with understood("discounts"):
            async for node in self._api.pages(FREE_SHIPPING_DISCOUNTS, {}, lambda data: data["discountNodes"]):
                if node["discount"]["__typename"] == "DiscountAutomaticFreeShipping":
                    number = str(node["id"]).rsplit("/", 1)[-1]
                    found.append((gid("DiscountAutomaticNode", number), text_of(node["discount"]["title"])))
        return found


def discount_input(discount: FreeShippingDiscount, starts_at: datetime | None = None) -> dict[str, Any]:
    """A `DiscountAutomaticFreeShippingInput`: it has no end, and stands beside coupons; a new one needs its start."""
    destination: dict[str, Any] = {"all": True}
    if discount.countries:
        destination = {"countries": {"add": list(discount.countries), "includeRestOfWorld": False}}
    body: dict[str, Any] = {
        "title": discount.title,
        "minimumRequirement": {"subtotal": {"greaterThanOrEqualToSubtotal": f"{discount.amount.amount:f}"}},
        "destination": destination,
        "maximumShippingPrice": None if discount.up_to is None else f"{discount.up_to.amount:f}",
        "combinesWith": {"orderDiscounts": True, "productDiscounts": True, "shippingDiscounts": False},
    }
    return body if starts_at is None else {**body, "startsAt": moment(starts_at)}
