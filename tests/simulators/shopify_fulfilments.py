"""What the mutations of the Shopify simulator do to the shop; refusals read as the real shop's."""

from __future__ import annotations

import copy
from typing import Any

from tests.simulators.shopify_world import ACTIVE, Body, Refusal, World


def create(world: World, fulfillment: Body) -> Body:
    """`fulfillmentCreate`: of one order and one location, no unit more than remains."""
    parts = [(world.group(part["fulfillmentOrderId"]), part) for part in fulfillment["lineItemsByFulfillmentOrder"]]
    if not parts or any(found is None for found, _ in parts):
        raise Refusal("Fulfillment order does not exist.", "fulfillment")
    found = [(order, group, part) for (order, group), part in parts if order]  # type: ignore[misc]
    if len({order["id"] for order, _, _ in found}) > 1:
        raise Refusal("All fulfillment orders must belong to the same order.", "fulfillment")
    if len({group["assignedLocation"]["location"]["id"] for _, group, _ in found}) > 1:
        raise Refusal("All fulfillment orders must be assigned to the same location.", "fulfillment")
    taken = [(group, _lines(group, part.get("fulfillmentOrderLineItems"))) for _, group, part in found]
    order = found[0][0]
    for group, lines in taken:
        for line, quantity in lines:
            line["remainingQuantity"] -= quantity
        group["status"] = "IN_PROGRESS" if any(line["remainingQuantity"] for line in group["lineItems"]) else "CLOSED"
    made: Body = {
        "__typename": "Fulfillment",
        "id": world.gid("Fulfillment"),
        "name": f"{order['name']}-F{len(order['fulfillments']) + 1}",
        "status": "SUCCESS",
        "displayStatus": "FULFILLED",
        "createdAt": world.stamp(),
        "updatedAt": world.stamp(),
        "trackingInfo": tracking(fulfillment.get("trackingInfo") or {}),
        "events": [],
        "_order": order["id"],
        "_taken": [(group["id"], [(line["id"], quantity) for line, quantity in lines]) for group, lines in taken],
    }
    order["fulfillments"].append(made)
    _notify(world, made, fulfillment.get("notifyCustomer"))
    world.touch(order)
    done = all(group["status"] not in ACTIVE for group in order["fulfillmentOrders"])
    topic = "orders/fulfilled" if done else "orders/partially_fulfilled"
    world.tell(["orders/updated", topic], order, ("fulfillments/create", body_of(made)))
    return {"fulfillment": made}


def _lines(group: Body, asked: list[Body] | None) -> list[tuple[Body, int]]:
    if group["status"] not in ACTIVE:
        number = group["id"].rsplit("/", 1)[1]
        status = group["status"].lower()
        raise Refusal(f"Fulfillment order {number} has an unfulfillable status= {status}.", "fulfillment")
    by_id = {line["id"]: line for line in group["lineItems"]}
    if not asked:
        return [(line, line["remainingQuantity"]) for line in by_id.values() if line["remainingQuantity"]]
    for part in asked:
        line = by_id.get(part["id"])
        if line is None or not 0 < part["quantity"] <= line["remainingQuantity"]:
            raise Refusal("Invalid fulfillment order line item quantity requested.", "fulfillment")
    return [(by_id[part["id"]], part["quantity"]) for part in asked]


def tracking(info: Body) -> list[Body]:
    """A `FulfillmentTrackingInput` as `trackingInfo`."""
    numbers = info.get("numbers") or ([info["number"]] if info.get("number") else [])
    urls = info.get("urls") or ([info["url"]] if info.get("url") else [])
    padded = [*urls, *[None] * len(numbers)]
    return [
        {"company": info.get("company"), "number": number, "url": url}
        for number, url in zip(numbers, padded, strict=False)
    ]


def update_tracking(world: World, fulfilment_id: str, info: Body, *, notify: bool | None) -> Body:
    """`fulfillmentTrackingInfoUpdate`."""
    order, made = _live(world, fulfilment_id)
    made["trackingInfo"] = tracking(info)
    made["updatedAt"] = world.stamp()
    _notify(world, made, notify)
    world.touch(order)
    world.tell(["orders/updated"], order, ("fulfillments/update", body_of(made)))
    return {"fulfillment": made}


def cancel(world: World, fulfilment_id: str) -> Body:
    """`fulfillmentCancel`: a closed group gets a follower that is open; a group under way gets its units back."""
    order, made = _live(world, fulfilment_id)
    made["status"] = "CANCELLED"
    made["displayStatus"] = "CANCELED"
    for group_id, lines in made["_taken"]:
        found = world.group(group_id)
        assert found is not None
        group = found[1]
        if group["status"] == "CLOSED":
            follower = copy.deepcopy(group) | {"id": world.gid("FulfillmentOrder"), "status": "OPEN"}
            follower["lineItems"] = []
            for line_id, quantity in lines:
                line = next(one for one in group["lineItems"] if one["id"] == line_id)
                again = copy.deepcopy(line) | {"id": world.gid("FulfillmentOrderLineItem")}
                follower["lineItems"].append(again | {"remainingQuantity": quantity, "totalQuantity": quantity})
            order["fulfillmentOrders"].append(follower)
        else:
            for line_id, quantity in lines:
                next(one for one in group["lineItems"] if one["id"] == line_id)["remainingQuantity"] += quantity
            if all(line["remainingQuantity"] == line["totalQuantity"] for line in group["lineItems"]):
                group["status"] = "OPEN"
    world.touch(order)
    world.tell(["orders/updated"], order, ("fulfillments/update", body_of(made)))
    return {"fulfillment": made}


def add_event(world: World, event: Body) -> Body:
    """`fulfillmentEventCreate`: nothing keeps equal events apart."""
    order, made = _live(world, event["fulfillmentId"])
    happened = event.get("happenedAt") or world.stamp()
    node = {"__typename": "FulfillmentEvent", "id": world.gid("FulfillmentEvent"), "createdAt": world.stamp()}
    node |= {key: value for key, value in event.items() if key != "fulfillmentId"} | {"happenedAt": happened}
    made["events"].append(node)
    made["displayStatus"] = max(made["events"], key=lambda one: str(one["happenedAt"]))["status"]
    body = {"id": int(node["id"].rsplit("/", 1)[1]), "status": node["status"].lower(), "order_id": _number(order["id"])}
    world.tell([], order, ("fulfillment_events/create", body))
    return {"fulfillmentEvent": node}


def _live(world: World, fulfilment_id: str) -> tuple[Body, Body]:
    found = world.fulfilment(fulfilment_id)
    if found is None:
        raise Refusal("Fulfillment does not exist.", "fulfillmentId")
    if found[1]["status"] == "CANCELLED":
        raise Refusal("Fulfillment is cancelled.", "fulfillmentId")
    return found


def _notify(world: World, made: Body, asked: Any) -> None:
    if asked:
        world.notified.append(made["id"])


def body_of(made: Body) -> Body:
    """A fulfilment as webhooks tell it."""
    return {
        "id": _number(made["id"]),
        "order_id": _number(made["_order"]),
        "status": made["status"].lower(),
        "updated_at": made["updatedAt"],
        "tracking_company": next((one["company"] for one in made["trackingInfo"]), None),
        "tracking_numbers": [one["number"] for one in made["trackingInfo"]],
        "admin_graphql_api_id": made["id"],
    }


def _number(gid: str) -> int:
    return int(gid.rsplit("/", 1)[1])


# --- set-up -----------------------------------------------------------------------------------------------------------


def add_service(world: World, given: Body) -> Body:
    """`carrierServiceCreate`: by plan, and with a name of its own."""
    code = "CARRIER_SERVICE_CREATE_FAILED"
    if not world.plan_allows_services:
        raise Refusal("Carrier Calculated Shipping must be enabled for your store", code=code)
    if any(service["name"] == given["name"] for service in world.services):
        raise Refusal(f"{given['name']} is already configured", code=code)
    node = {"__typename": "DeliveryCarrierService", "id": world.gid("DeliveryCarrierService"), **given}
    node["formattedName"] = f"{given['name']} (Rates provided by app)"
    world.services.append(node)
    return {"carrierService": node}


def change_service(world: World, given: Body) -> Body:
    """`carrierServiceUpdate`."""
    node = next((service for service in world.services if service["id"] == given["id"]), None)
    if node is None:
        raise Refusal("The carrier service cannot be found.", "id", code="CARRIER_SERVICE_UPDATE_FAILED")
    node |= given
    return {"carrierService": node}


def remove_service(world: World, service_id: str) -> Body:
    """`carrierServiceDelete`."""
    if all(service["id"] != service_id for service in world.services):
        raise Refusal("The carrier service cannot be found.", "id", code="CARRIER_SERVICE_DELETE_FAILED")
    world.services = [service for service in world.services if service["id"] != service_id]
    return {"deletedId": service_id}


def subscribe(world: World, topic: str, given: Body) -> Body:
    """`webhookSubscriptionCreate`: an address once for a topic."""
    uri = given.get("uri") or given.get("callbackUrl")
    if any(node["topic"] == topic and node["uri"] == uri for node in world.subscriptions):
        raise Refusal("Address for this topic has already been taken", "webhookSubscription", "callbackUrl")
    node = {
        "__typename": "WebhookSubscription",
        "id": world.gid("WebhookSubscription"),
        "topic": topic,
        "uri": uri,
        "includeFields": given.get("includeFields") or [],
        "format": "JSON",
        "createdAt": world.stamp(),
    }
    world.subscriptions.append(node)
    return {"webhookSubscription": node}


def change_subscription(world: World, subscription_id: str, given: Body) -> Body:
    """`webhookSubscriptionUpdate`."""
    node = next((one for one in world.subscriptions if one["id"] == subscription_id), None)
    if node is None:
        raise Refusal("Webhook subscription does not exist", "id")
    node |= {key: value for key, value in given.items() if key in {"uri", "includeFields"}}
    return {"webhookSubscription": node}


def unsubscribe(world: World, subscription_id: str) -> Body:
    """`webhookSubscriptionDelete`."""
    if all(one["id"] != subscription_id for one in world.subscriptions):
        raise Refusal("Webhook subscription does not exist", "id")
    world.subscriptions = [one for one in world.subscriptions if one["id"] != subscription_id]
    return {"deletedWebhookSubscriptionId": subscription_id}
