"""Holds that an app sets on fulfillment orders of the Shopify simulator; a group remembers all that it ever had."""

from __future__ import annotations

from tests.simulators.shopify_world import Body, Refusal, World


def add_hold(world: World, group_id: str, given: Body) -> Body:
    """`fulfillmentOrderHold`: of open groups and held ones, one for each handle."""
    group = _group(world, group_id)
    if group["status"] not in {"OPEN", "ON_HOLD", "SCHEDULED"}:
        raise Refusal("The fulfillment order is not in a state that can be held.", "id", code="INVALID")
    if any(each["handle"] == given.get("handle", "") for each in _mine(group)):
        said = "The handle provided for the fulfillment hold is already in use by this app for another hold."
        raise Refusal(said, "fulfillmentHold", "handle", code="DUPLICATE_FULFILLMENT_HOLD_HANDLE")
    hold = {"id": world.gid("FulfillmentHold"), "displayReason": given["reason"], "heldByRequestingApp": True}
    hold |= {"reason": given["reason"], "reasonNotes": given.get("reasonNotes"), "handle": given.get("handle", "")}
    group["fulfillmentHolds"] = [*group["fulfillmentHolds"], hold]
    group["_held"] = [*group.get("_held", []), hold["id"]]
    group["status"] = "ON_HOLD"
    return {"fulfillmentHold": hold, "fulfillmentOrder": group}


def release_hold(world: World, group_id: str, hold_ids: list[str] | None) -> Body:
    """`fulfillmentOrderReleaseHold`: those that are named, or all; the group is open once none is left."""
    group = _group(world, group_id)
    if group["status"] != "ON_HOLD":
        raise Refusal("The fulfillment order is not on hold.", "id", code="INVALID")
    holds = group["fulfillmentHolds"]
    group["fulfillmentHolds"] = [each for each in holds if hold_ids is not None and each["id"] not in hold_ids]
    if not group["fulfillmentHolds"]:
        group["status"] = "OPEN"
    return {"fulfillmentOrder": group}


def _mine(group: Body) -> list[Body]:
    return [each for each in group["fulfillmentHolds"] if each["heldByRequestingApp"]]


def _group(world: World, group_id: str) -> Body:
    found = world.group(group_id)
    if found is None:
        raise Refusal("Fulfillment order does not exist.", "id", code="FULFILLMENT_ORDER_NOT_FOUND")
    return found[1]
