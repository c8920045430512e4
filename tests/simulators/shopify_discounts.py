"""The automatic free-shipping discounts of the Shopify simulator."""

from __future__ import annotations

from tests.simulators.shopify_world import Body, Refusal, World


def add_discount(world: World, given: Body) -> Body:
    """`discountAutomaticFreeShippingCreate`: with a start, and a title of its own."""
    if not given.get("startsAt"):
        raise Refusal("Starts at can't be blank", "freeShippingAutomaticDiscount", "startsAt", code="BLANK")
    if any(node["discount"]["title"] == given["title"] for node in world.discounts):
        raise Refusal("Title must be unique for automatic discount", "title", code="TAKEN")
    number = world.gid("DiscountAutomaticNode").rsplit("/", 1)[1]
    world.discounts.append({"__typename": "DiscountNode", "id": f"gid://shopify/DiscountNode/{number}"})
    return _keep(world.discounts[-1], given, number)


def change_discount(world: World, discount_id: str, given: Body) -> Body:
    """`discountAutomaticFreeShippingUpdate`."""
    number = discount_id.rsplit("/", 1)[1]
    node = next((one for one in world.discounts if one["id"].endswith(f"/{number}")), None)
    if node is None:
        raise Refusal("Discount does not exist", "id", code="INVALID")
    return _keep(node, given, number)


def remove_discount(world: World, discount_id: str) -> Body:
    """`discountAutomaticDelete`."""
    number = discount_id.rsplit("/", 1)[1]
    if not any(one["id"].endswith(f"/{number}") for one in world.discounts):
        raise Refusal("Discount does not exist", "id", code="INVALID")
    world.discounts = [one for one in world.discounts if not one["id"].endswith(f"/{number}")]
    return {"deletedAutomaticDiscountId": discount_id}


def _keep(node: Body, given: Body, number: str) -> Body:
    before = node.get("discount", {})
    node["discount"] = {**before, **given, "__typename": "DiscountAutomaticFreeShipping", "status": "ACTIVE"}
    found = {"__typename": "DiscountAutomaticNode", "id": f"gid://shopify/DiscountAutomaticNode/{number}"}
    return {"automaticDiscountNode": found}
