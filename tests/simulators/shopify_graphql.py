"""The GraphQL endpoint of the Shopify simulator: the real 2026-10 schema in front of the plain dicts of the shop.

Every operation is validated against the whole schema, priced in query points, refused beyond 1,000 of them or beyond
what the bucket holds, and checked for the access scopes that the schema's own list names.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    build_schema,
    execute_sync,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    validate,
)

from connector.stores.shopify.queries import SCOPES
from tests.simulators import shopify_discounts as discounts
from tests.simulators import shopify_fulfilments as effects
from tests.simulators import shopify_holds as holds
from tests.simulators.shopify_setup import narrowed
from tests.simulators.shopify_world import Body, Refusal, World

MOST_POINTS = 1000
MUTATION_POINTS = 10

# The list's `scopes` of this type lost the alternative that its own text names ("orders" or "shipping").
_MISREAD = frozenset({"DeliveryCarrierService"})


def default_reference() -> Path:
    """Where the reference data is: `WAYBILL_REFERENCE_DIR`, else beside the work tree."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "reference"
    return Path(os.environ.get("WAYBILL_REFERENCE_DIR", beside))


@cache
def load_schema(reference: Path) -> GraphQLSchema:
    """Shopify's Admin API 2026-10; a second of work, once in a process."""
    return build_schema((reference / "shopify" / "admin-2026-10.graphql").read_text(encoding="utf-8"))


@cache
def load_scopes(reference: Path) -> dict[str, frozenset[str]]:
    """Scopes by `Type` or `Type.field`; any one of them is enough."""
    listed = json.loads((reference / "shopify" / "admin-2026-10.scopes.json").read_text(encoding="utf-8"))
    return {
        name: frozenset(entry["scopes"])
        for name, entry in listed.items()
        if entry.get("scopes") and name not in _MISREAD
    }


def covers(granted: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether one of the wanted scopes is granted; write implies read."""
    held = granted | {re.sub(r"^write_", "read_", scope) for scope in granted}
    return bool(held & wanted)


@cache
def check(schema: GraphQLSchema, text: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """An operation as parsed, and what the whole schema says against it; checked once for each text."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(schema, document))


@dataclass
class Bucket:
    """The leaky bucket of query points."""

    maximum: float = 20_000
    restore_rate: float = 1_000
    available: float = 20_000
    at: float = field(default_factory=time.monotonic)

    def fill(self, maximum: float, restore_rate: float) -> None:
        self.maximum, self.restore_rate, self.available, self.at = maximum, restore_rate, maximum, time.monotonic()

    def take(self, points: int) -> bool:
        now = time.monotonic()
        self.available = min(self.maximum, self.available + (now - self.at) * self.restore_rate)
        self.at = now
        if points > self.available:
            return False
        self.available -= points
        return True

    def refund(self, points: int) -> None:
        self.available = min(self.maximum, self.available + points)

    def cost(self, points: int, actual: int | None = None) -> Body:
        status = {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": int(self.available),
            "restoreRate": self.restore_rate,
        }
        return {
            "requestedQueryCost": points,
            "actualQueryCost": actual,
            "throttleStatus": status,
        }


class Endpoint:
    """Validates and runs operations on one world."""

    def __init__(self, world: World, reference: Path) -> None:
        self.world = world
        self.schema = load_schema(reference)
        self.scopes = load_scopes(reference)
        self.bucket = Bucket()

    def run(self, body: Body, *, throttled: bool = False) -> Body:
        """The answer to a posted body. `throttled` plays an empty bucket."""
        document, errors = check(self.schema, str(body.get("query") or ""))
        if document is None or errors:
            told = [{"message": error.message, "extensions": {"code": "undefinedField"}} for error in errors]
            return {"errors": told}
        variables = body.get("variables") or {}
        points = cost(self.schema, document, variables)
        if points > MOST_POINTS:
            message = f"Query cost is {points}, which exceeds the single query max cost limit ({MOST_POINTS})."
            return {"errors": [{"message": message, "extensions": {"code": "MAX_COST_EXCEEDED", "cost": points}}]}
        if throttled or not self.bucket.take(points):
            says = self.bucket.cost(points)
            if throttled:
                says["throttleStatus"]["currentlyAvailable"] = points - self.bucket.restore_rate * 0.05
            return {
                "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
                "extensions": {"cost": says},
            }
        self.world.calls[operation_name(document)] += 1
        result = execute_sync(
            self.schema,
            document,
            context_value=self,
            variable_values=variables,
            field_resolver=_resolve,
            type_resolver=lambda value, *_: value["__typename"],
        )
        actual = min(points, cost(self.schema, document, variables, result.data or {}))
        self.bucket.refund(points - actual)
        return _answer(result) | {"extensions": {"cost": self.bucket.cost(points, actual)}}

    def allow(self, info: GraphQLResolveInfo) -> None:
        """Raise ACCESS_DENIED unless the app has a scope for the field and for what it gives."""
        granted = self.world.scopes
        if granted is None:
            return
        for name in (f"{info.parent_type.name}.{info.field_name}", get_named_type(info.return_type).name):
            wanted = self.scopes.get(name)
            if wanted and not covers(granted, wanted):
                message = f"Access denied for {info.field_name} field. Required access: {' or '.join(sorted(wanted))}."
                raise GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


def _answer(result: ExecutionResult) -> Body:
    answer: Body = {"data": result.data}
    if result.errors:
        answer["errors"] = [
            {
                "message": error.message,
                "path": error.path,
                "extensions": error.extensions or {"code": "INTERNAL_SERVER_ERROR"},
            }
            for error in result.errors
        ]
    return answer


def operation_name(document: DocumentNode) -> str:
    """The name of the first operation."""
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            return node.name.value if node.name else "anonymous"
    return "anonymous"


# --- what fields say --------------------------------------------------------------------------------------------------


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    endpoint: Endpoint = info.context
    endpoint.allow(info)
    parent, name = info.parent_type.name, info.field_name
    if parent == "Mutation":
        return _mutate(endpoint.world, name, arguments)
    if parent == "QueryRoot":
        value = _query(endpoint.world, name, arguments)
    elif (parent, name) == ("FulfillmentOrder", "supportedActions"):
        return [{"action": action} for action in _actions(source)]
    elif (parent, name) == ("FulfillmentOrder", "orderId"):
        found = endpoint.world.group(source["id"])
        return found and found[0]["id"]
    elif (parent, name) == ("Fulfillment", "order"):
        return endpoint.world.order(source["_order"])
    else:
        value = narrowed(name, source.get(name), arguments)
    if isinstance(value, list):
        if name == "metafields" and "keys" in arguments:
            value = [node for node in value if f"{node['namespace']}.{node['key']}" in arguments["keys"]]
        if (parent, name) == ("Fulfillment", "events"):
            value = sorted(value, key=lambda node: str(node["happenedAt"]), reverse=bool(arguments.get("reverse")))
        if get_named_type(info.return_type).name.endswith("Connection"):
            return _page(value, arguments)
        return value[: arguments["first"]] if arguments.get("first") else value
    return value


def _actions(group: Body) -> list[str]:
    if "_actions" in group:
        return list(group["_actions"])
    return {
        "OPEN": ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", "SPLIT"],
        "IN_PROGRESS": ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD"],
        "ON_HOLD": ["RELEASE_HOLD", "HOLD", "MOVE"],
        "SCHEDULED": ["MARK_AS_OPEN", "MOVE"],
    }.get(group["status"], [])


def _page(nodes: list[Body], arguments: Body) -> Body:
    after = arguments.get("after")
    start = int(after.removeprefix("cursor-")) if after else 0
    end = start + (arguments.get("first") or 50)
    shown = nodes[start:end]
    return {
        "nodes": shown,
        "edges": [{"node": node, "cursor": f"cursor-{start + i + 1}"} for i, node in enumerate(shown)],
        "pageInfo": {
            "hasNextPage": end < len(nodes),
            "hasPreviousPage": start > 0,
            "startCursor": f"cursor-{start + 1}" if shown else None,
            "endCursor": f"cursor-{start + len(shown)}" if shown else None,
        },
    }


def _query(world: World, name: str, arguments: Body) -> Any:
    if name not in _QUERIES:
        raise GraphQLError(f"The simulator does not play {name}.")
    return _QUERIES[name](world, arguments)


def _shop(world: World, _: Body) -> Body:
    return {
        "id": "gid://shopify/Shop/548380009",
        "name": "Waybill Test",
        "myshopifyDomain": world.domain,
        "currencyCode": world.currency,
        "ianaTimezone": "America/New_York",
        "weightUnit": "KILOGRAMS",
        "plan": world.setup.plan_node(),
    }


def _group(world: World, arguments: Body) -> Body | None:
    found = world.group(arguments["id"])
    return found and found[1]


def _fulfilment(world: World, arguments: Body) -> Body | None:
    found = world.fulfilment(arguments["id"])
    return found and found[1]


def _locations(world: World, arguments: Body) -> list[Body]:
    return [node for node in world.locations if arguments.get("includeInactive") or node["isActive"]]


def _subscriptions(world: World, arguments: Body) -> list[Body]:
    topics = arguments.get("topics")
    return [node for node in world.subscriptions if not topics or node["topic"] in topics]


def _orders(world: World, arguments: Body) -> list[Body]:
    asked = arguments.get("query") or ""
    match = re.fullmatch(r"(updated|created)_at:>='([^']+)'", asked)
    if asked and not match:
        raise GraphQLError(f"The simulator does not read the search {asked!r}.")
    by = f"{match[1]}At" if match else "updatedAt"
    since = datetime.fromisoformat(match[2]) if match else None
    found = [order for order in world.orders if since is None or datetime.fromisoformat(order[by]) >= since]
    return sorted(found, key=lambda order: str(order[by]))


def _variants(world: World, arguments: Body) -> list[Body]:
    asked = arguments.get("query") or ""
    if asked == "product_status:ACTIVE":
        return list(world.setup.variant_nodes())
    match = re.fullmatch(r"product_ids:([0-9,]+)", asked)
    if asked and not match:
        raise GraphQLError(f"The simulator does not read the search {asked!r}.")
    products = {f"gid://shopify/Product/{number}" for number in match[1].split(",")} if match else None
    found = [one for one in world.variants.values() if products is None or one["product"]["id"] in products]
    return sorted(found, key=lambda one: int(one["id"].rsplit("/", 1)[1]))


def _installation(world: World, _: Body) -> Body:
    """The app in this shop with its permissions; one without a limit has what Waybill asks for."""
    held = world.scopes if world.scopes is not None else SCOPES
    scopes = [{"handle": scope, "description": scope} for scope in sorted(held)]
    return {"id": "gid://shopify/AppInstallation/1", "accessScopes": scopes}


_QUERIES: dict[str, Callable[[World, Body], Any]] = {
    "shop": _shop,
    "order": lambda world, given: world.order(given["id"]),
    "orders": _orders,
    "fulfillmentOrder": _group,
    "fulfillment": _fulfilment,
    "locations": _locations,
    "carrierServices": lambda world, _: world.services,
    "availableCarrierServices": lambda world, _: [
        {"carrierService": service, "locations": world.locations} for service in world.services
    ],
    "webhookSubscriptions": _subscriptions,
    "deliveryProfiles": lambda world, _: world.setup.profile_nodes(world),
    "deliveryProfile": lambda world, given: next(
        (one for one in world.setup.profile_nodes(world) if one["id"] == given["id"]), None
    ),
    "currentAppInstallation": _installation,
    "productVariants": _variants,
    "nodes": lambda world, given: [world.variants.get(one) for one in given["ids"]],
    "discountNodes": lambda world, _: world.discounts,
}

_MUTATIONS: dict[str, Callable[[World, Body], Body]] = {
    "fulfillmentCreate": lambda world, given: effects.create(world, given["fulfillment"]),
    "fulfillmentTrackingInfoUpdate": lambda world, given: effects.update_tracking(
        world, given["fulfillmentId"], given["trackingInfoInput"], notify=given.get("notifyCustomer")
    ),
    "fulfillmentCancel": lambda world, given: effects.cancel(world, given["id"]),
    "fulfillmentEventCreate": lambda world, given: effects.add_event(world, given["fulfillmentEvent"]),
    "carrierServiceCreate": lambda world, given: effects.add_service(world, given["input"]),
    "carrierServiceUpdate": lambda world, given: effects.change_service(world, given["input"]),
    "carrierServiceDelete": lambda world, given: effects.remove_service(world, given["id"]),
    "webhookSubscriptionCreate": lambda world, given: effects.subscribe(
        world, given["topic"], given["webhookSubscription"]
    ),
    "webhookSubscriptionUpdate": lambda world, given: effects.change_subscription(
        world, given["id"], given["webhookSubscription"]
    ),
    "webhookSubscriptionDelete": lambda world, given: effects.unsubscribe(world, given["id"]),
    "discountAutomaticFreeShippingCreate": lambda world, given: discounts.add_discount(
        world, given["freeShippingAutomaticDiscount"]
    ),
    "discountAutomaticFreeShippingUpdate": lambda world, given: discounts.change_discount(
        world, given["id"], given["freeShippingAutomaticDiscount"]
    ),
    "fulfillmentOrderHold": lambda world, given: holds.add_hold(world, given["id"], given["fulfillmentHold"]),
    "fulfillmentOrderReleaseHold": lambda world, given: holds.release_hold(world, given["id"], given.get("holdIds")),
    "discountAutomaticDelete": lambda world, given: discounts.remove_discount(world, given["id"]),
}


def _mutate(world: World, name: str, given: Body) -> Body:
    if name not in _MUTATIONS:
        raise GraphQLError(f"The simulator does not play {name}.")
    try:
        done = _MUTATIONS[name](world, given)
    except Refusal as refusal:
        return {"userErrors": [{"field": refusal.field, "message": refusal.message, "code": refusal.code}]}
    return done | {"userErrors": []}


# --- query points -----------------------------------------------------------------------------------------------------


def cost(schema: GraphQLSchema, document: DocumentNode, variables: Body, data: Body | None = None) -> int:
    """The requested cost: a point for an object, ten for a mutation, and a connection's size times its nodes.

    With the answer's data the actual cost: of the objects that came. A bucket has to hold the requested cost and pays
    the actual one. Source: shopify.dev, "GraphQL Admin API rate limits", 2026-10.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            is_mutation = node.operation == OperationType.MUTATION
            root = schema.mutation_type if is_mutation else schema.query_type
            assert root is not None
            base = MUTATION_POINTS if is_mutation else 0
            return base + _Points(schema, fragments, variables).of(root, node.selection_set, data)
    return 0


@dataclass(frozen=True)
class _Points:
    """Counts points, of what is asked for or (where data are given) of what came."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: Body

    def of(self, parent: Any, selections: SelectionSetNode | None, data: Body | None) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                on = self.schema.type_map[fragment.type_condition.name.value]
                total += self.of(on, fragment.selection_set, data)
            elif isinstance(node, InlineFragmentNode):
                condition = getattr(node, "type_condition", None)
                on = parent if condition is None else self.schema.type_map[condition.name.value]
                total += self.of(on, node.selection_set, data)
            elif isinstance(node, FieldNode) and node.name.value not in {"__typename", "pageInfo", "userErrors"}:
                gives = parent.fields[node.name.value].type
                named = get_named_type(gives)
                if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
                    total += self._asked(parent, node, gives) if data is None else self._came(node, gives, data)
        return total

    def _asked(self, parent: Any, node: FieldNode, gives: Any) -> int:
        named = get_named_type(gives)
        inner = self.of(named, node.selection_set, None)
        listed = is_list_type(get_nullable_type(gives))
        if named.name.endswith("Connection"):
            return _size(node, self.variables, default=1) * inner
        if listed and node.name.value == "nodes" and parent.name == "QueryRoot":
            return len(self.variables.get("ids") or [0]) * (1 + inner)
        return _size(node, self.variables, default=1) * (1 + inner)

    def _came(self, node: FieldNode, gives: Any, data: Body) -> int:
        named = get_named_type(gives)
        value = data.get((node.alias or node.name).value)
        each = 0 if named.name.endswith("Connection") else 1
        objects = value if isinstance(value, list) else [value]
        return sum(each + self.of(named, node.selection_set, found) for found in objects if found is not None)


def _size(node: FieldNode, variables: Body, *, default: int) -> int:
    for argument in node.arguments:
        if argument.name.value in {"first", "last"}:
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or default)
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
    return default
