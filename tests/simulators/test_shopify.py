"""The Shopify simulator refuses what Shopify refuses, delivers what it delivers, and breaks on request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulators.server import serve, serve_in_child
from tests.simulators.shopify import build
from tests.simulators.shopify_control import ShopifyControl
from tests.simulators.shopify_hooks import sign

Received = list[tuple[dict[str, str], bytes]]


@pytest.fixture
def control(reference: Path) -> Iterator[ShopifyControl]:
    with serve(build(reference)) as url:
        yield ShopifyControl(url)


@pytest.fixture
def token(control: ShopifyControl) -> str:
    form = {"client_id": "client-id", "client_secret": "client-secret", "grant_type": "client_credentials"}
    return str(post(control, "/admin/oauth/access_token", form).json()["access_token"])


@pytest.fixture
def listener() -> Iterator[tuple[str, Received]]:
    """Somebody who takes deliveries and rate calls."""
    received: Received = []

    async def take(request: Request) -> Response:
        raw = await request.body()
        received.append((dict(request.headers), raw))
        wanted = json.loads(raw).get("answer", [200, ""])
        return Response(wanted[1], wanted[0])

    with serve(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        yield url, received


def post(control: ShopifyControl, path: str, body: Any, token: str = "") -> httpx2.Response:
    with httpx2.Client(trust_env=False, verify=False) as client:
        return client.post(control.base_url + path, json=body, headers={"x-shopify-access-token": token})


def run(control: ShopifyControl, token: str, query: str, **variables: Any) -> dict[str, Any]:
    body = {"query": query, "variables": variables}
    answer: dict[str, Any] = post(control, "/admin/api/2026-10/graphql.json", body, token).json()
    return answer


def test_an_operation_that_the_schema_does_not_know_is_refused(control: ShopifyControl, token: str) -> None:
    answer = run(control, token, "{ shop { name secretPlans } }")
    assert "secretPlans" in answer["errors"][0]["message"]
    assert "data" not in answer


def test_an_operation_that_costs_too_much_is_refused(control: ShopifyControl, token: str) -> None:
    query = "{ orders(first: 100) { nodes { shippingLines(first: 50) { nodes { code } } } } }"
    assert run(control, token, query)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_an_empty_bucket_throttles_and_says_how_long(control: ShopifyControl, token: str) -> None:
    control.bucket(1, 10)
    answer = run(control, token, "{ orders(first: 100) { nodes { id } } }")
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = answer["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["throttleStatus"]["restoreRate"]) == (100, 10)


def test_nobody_gets_in_without_a_token(control: ShopifyControl, token: str) -> None:
    path = "/admin/api/2026-10/graphql.json"
    assert post(control, path, {"query": "{ shop { name } }"}, "shpat_wrong").status_code == 401
    control.drop_tokens()
    assert post(control, path, {"query": "{ shop { name } }"}, token).status_code == 401


def test_a_token_is_not_given_for_a_wrong_secret(control: ShopifyControl) -> None:
    form = {"client_id": "client-id", "client_secret": "wrong", "grant_type": "client_credentials"}
    assert post(control, "/admin/oauth/access_token", form).status_code == 400


def test_a_version_that_has_ended_is_answered_by_an_older_supported_one(control: ShopifyControl, token: str) -> None:
    answer = post(control, "/admin/api/2024-01/graphql.json", {"query": "{ shop { name } }"}, token)
    assert answer.headers["x-shopify-api-version"] == "2026-01"


def test_a_scope_that_was_not_granted_denies_the_field(control: ShopifyControl, token: str) -> None:
    control.settings(scopes=["read_products"])
    answer = run(control, token, "{ orders(first: 1) { nodes { id } } locations(first: 1) { nodes { id } } }")
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"ACCESS_DENIED"}


SUBSCRIBE = """
mutation S($topic: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $w) {
    webhookSubscription { id }
    userErrors { message }
  }
}
"""


def test_deliveries_are_signed_slim_repeated_and_shuffled(
    control: ShopifyControl, token: str, listener: tuple[str, Received]
) -> None:
    url, received = listener
    run(control, token, SUBSCRIBE, topic="ORDERS_PAID", w={"uri": url, "includeFields": ["id", "updated_at"]})
    for _ in range(3):
        control.pay(control.place_order())
    assert control.deliver(copies=4, seed=7) == [200] * 12
    ids = [headers["x-shopify-webhook-id"] for headers, _ in received]
    assert {ids.count(one) for one in ids} == {4}
    assert ids != sorted(ids, key=ids.index) or len(set(ids[:4])) > 1
    for headers, raw in received:
        assert headers["x-shopify-hmac-sha256"] == sign(raw, "client-secret")
        assert headers["x-shopify-topic"] == "orders/paid"
        assert json.loads(raw).keys() == {"id", "updated_at"}
    assert control.deliver() == []


def test_deliveries_can_be_suppressed(control: ShopifyControl, token: str, listener: tuple[str, Received]) -> None:
    url, received = listener
    run(control, token, SUBSCRIBE, topic="ORDERS_PAID", w={"uri": url})
    control.pay(control.place_order())
    assert control.suppress() == 1
    assert control.deliver() == []
    assert received == []


def test_a_second_subscription_to_one_address_is_refused(control: ShopifyControl, token: str) -> None:
    variables: dict[str, Any] = {"topic": "ORDERS_PAID", "w": {"uri": "https://waybill.example/hooks"}}
    assert run(control, token, SUBSCRIBE, **variables)["data"]["webhookSubscriptionCreate"]["userErrors"] == []
    again = run(control, token, SUBSCRIBE, **variables)["data"]["webhookSubscriptionCreate"]
    assert "already been taken" in again["userErrors"][0]["message"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ([200, '{"rates": [{"service_name": "Ground"}]}'], "rates"),
        ([200, '{"rates": []}'], "nothing"),
        ([200, "<html>"], "backup"),
        ([503, '{"rates": []}'], "backup"),
        ([404, ""], "backup"),
    ],
    ids=["rates", "empty", "html", "unavailable", "not-found"],
)
def test_a_checkout_shows_what_shopify_would(
    control: ShopifyControl, listener: tuple[str, Received], answer: list[Any], shown: str
) -> None:
    url, received = listener
    body = json.dumps({"rate": {}, "answer": answer}).encode()
    assert control.checkout(body, url=url)["shown"] == shown
    headers, raw = received[0]
    assert raw == body
    assert headers["x-shopify-hmac-sha256"] == sign(raw, "client-secret")


FULFIL = """
mutation F($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id } userErrors { message } } }
"""


def test_units_of_two_orders_do_not_leave_together(control: ShopifyControl, token: str) -> None:
    groups = [control.order(control.place_order())["fulfillmentOrders"][0]["id"] for _ in range(2)]
    both = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": group} for group in groups]}
    done = run(control, token, FULFIL, f=both)["data"]["fulfillmentCreate"]
    assert "same order" in done["userErrors"][0]["message"]
    assert control.state()["fulfillments"] == []


def test_a_request_is_finished_though_its_client_has_gone(control: ShopifyControl, token: str) -> None:
    """As when a worker dies in the middle of the call: the effect comes afterwards."""
    group = control.order(control.place_order())["fulfillmentOrders"][0]["id"]
    control.fault("F", "slow", seconds=0.5)
    body = {"query": FULFIL, "variables": {"f": {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": group}]}}}
    with httpx2.Client(trust_env=False, verify=False, timeout=0.2) as client, pytest.raises(httpx2.ReadTimeout):
        client.post(
            f"{control.base_url}/admin/api/2026-10/graphql.json",
            json=body,
            headers={"x-shopify-access-token": token},
        )
    assert control.state()["fulfillments"] == []
    for _ in range(100):
        if control.state()["fulfillments"]:
            break
        time.sleep(0.05)
    assert len(control.state()["fulfillments"]) == 1


@pytest.mark.slow
def test_it_runs_as_a_process_of_its_own(reference: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serve_in_child(
        "tests.simulators.shopify",
        "--reference",
        str(reference),
        "--domain",
        "own.myshopify.com",
        "--state",
        str(state),
    ) as url:
        ShopifyControl(url).place_order(paid=True)
        assert ShopifyControl(url).state()["orders"] == 1
    assert json.loads(state.read_text())["orders"] == 1
