"""The storefront's doors: who may ask, from which pages, how often, and what a question must be."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from carriers.money import Money
from connector.http.routes import build_app
from connector.http.storefront.house import Shopfront, StorefrontHouse
from connector.quotes.estimate import Asked, Estimate, Fault, Option, Towards
from tests.http.house import House

pytestmark = pytest.mark.anyio

PAGE = "https://www.tea.example"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET = "hush hush hush"
DOMAIN = "tea.myshopify.com"
QUESTION: dict[str, Any] = {
    "lines": [{"variant_id": 7, "quantity": 2, "unit_price": "12.90"}],
    "destination": {"country": "at", "postal_code": "1010"},
    "locale": "sk-SK",
}
ANSWER = Estimate(
    outcome="offers",
    options=(Option("std", "Standard", "3 days", Money(490, "EUR"), Money(490, "EUR"), "4,90 €", None, None, ""),),
    message="",
    progress=Towards(Money(1240, "EUR"), 67, "12,40 € more"),
    language="sk",
    until=None,
)


@dataclass
class Shops:
    """Two shops, of which one has its storefront on; notes what is asked."""

    answer: Estimate | Fault | None = ANSWER
    asked: list[tuple[str, Asked]] = field(default_factory=list)
    budget: int = 3

    def by_key(self, key: str) -> Shopfront | None:
        origins = frozenset({PAGE, f"https://{DOMAIN}"})
        return Shopfront("shop_1", "EUR", origins, self.budget) if key == "key1" else None

    def by_domain(self, domain: str) -> Shopfront | None:
        return self.by_key("key1") if domain == DOMAIN else None

    def proxy_secrets(self, domain: str) -> tuple[str, ...]:
        return ("newer secret", SECRET) if domain in {DOMAIN, "off.myshopify.com"} else ()

    async def estimate(self, shop_id: str, asked: Asked, received_at: float) -> Estimate | Fault | None:
        self.asked.append((shop_id, asked))
        return self.answer


@dataclass
class Street:
    """Visitors before the doors of a house."""

    shops: Shops
    house: House
    client: httpx2.AsyncClient

    async def ask(self, body: Any = QUESTION, key: str = "key1", **headers: str) -> httpx2.Response:
        """One question; names of headers with _ for -."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"origin": PAGE, "content-type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in given.items() if value}
        return await self.client.post(f"/storefront/{key}/estimate", content=raw, headers=given)

    async def through_shopify(self, query: str, path: str = "estimate", method: str = "POST") -> httpx2.Response:
        """The same through the app proxy."""
        address = f"/shopify/proxy/{path}?{query}"
        return await self.client.request(method, address, content=json.dumps(QUESTION).encode())


@asynccontextmanager
async def street(
    shops: Shops | None = None, *, now: list[datetime] | None = None, **limits: int
) -> AsyncIterator[Street]:
    house, found = House(), shops or Shops()
    clock = now or [NOW]
    front = replace(house.front(), storefront=StorefrontHouse(found, lambda: clock[0], **limits))
    app = build_app(front)
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 4711))
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://h") as client:
        yield Street(found, house, client)


def error_of(answer: httpx2.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("field", "")


async def test_a_page_is_answered_with_what_a_buyer_may_read() -> None:
    async with street() as at:
        answer = await at.ask()
        assert answer.status_code == 200
        body = answer.json()
        assert body["options"] == [
            {
                "code": "std", "name": "Standard", "description": "3 days", "text": "4,90 €", "when": "",
                "price": {"amount": "4.90", "currency": "EUR"}, "shown": {"amount": "4.90", "currency": "EUR"},
                "earliest": None, "latest": None,
            }
        ]  # fmt: skip
        assert body["progress"] == {"missing": {"amount": "12.40", "currency": "EUR"}, "percent": 67,
                                    "text": "12,40 € more"}  # fmt: skip
        assert (body["outcome"], body["language"], body["direction"]) == ("offers", "sk", "ltr")
        assert answer.headers["cache-control"] == "no-store"
        (_, asked) = at.shops.asked[0]
        assert (asked.lines[0].variant_id, asked.lines[0].unit_price) == ("7", Money(1290, "EUR"))
        assert asked.destination is not None
        assert (asked.destination.country, asked.destination.postal_code) == ("AT", "1010")
        assert at.house.count("waybill_storefront_requests_total", shop="shop_1", outcome="offers") == 1


# --- origins


async def test_only_the_shops_own_pages_may_ask_and_no_cookie_is_ever_spoken_of() -> None:
    async with street() as at:
        allowed = await at.ask()
        assert allowed.headers["access-control-allow-origin"] == PAGE
        assert "access-control-allow-credentials" not in allowed.headers
        assert "set-cookie" not in allowed.headers
        for origin in (
            "https://evil.example",
            "null",
            "https://www.tea.example.evil.example",
            "http://www.tea.example",
        ):
            refused = await at.ask(origin=origin)
            assert error_of(refused) == (403, "origin_not_allowed", "")
            assert "access-control-allow-origin" not in refused.headers
        assert len(at.shops.asked) == 1


async def test_a_browser_may_ask_beforehand() -> None:
    async with street() as at:
        address = "/storefront/key1/estimate"
        told = await at.client.options(address, headers={"origin": PAGE, "access-control-request-method": "POST"})
        assert (told.status_code, told.content) == (204, b"")
        assert told.headers["access-control-allow-origin"] == PAGE
        assert told.headers["access-control-allow-methods"] == "POST"
        assert told.headers["access-control-allow-headers"] == "content-type"
        assert (await at.client.options(address, headers={"origin": "https://evil.example"})).status_code == 403


async def test_an_unknown_shop_and_one_that_is_switched_off_look_alike() -> None:
    async with street() as at:
        answers = [await at.ask(key=key) for key in ("key2", "unknown", "k" * 400)]
        assert {(each.status_code, each.content) for each in answers} == {(404, answers[0].content)}
        assert [sorted(each.headers) for each in answers] == [sorted(answers[0].headers)] * 3
        at.shops.answer = None  # It was switched off a moment ago.
        gone = await at.ask()
        assert (gone.status_code, gone.content) == (404, answers[0].content)


# --- bad input


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"{", "malformed", "body"),
        (b"\xff", "malformed", "body"),
        (b'{"lines": NaN}', "malformed", "body"),
        (b"[" * 50_000, "malformed", "body"),
        ([], "wrong_type", "body"),
        ({}, "missing", "lines"),
        ({"lines": []}, "missing", "lines"),
        ({"lines": {}}, "wrong_type", "lines"),
        ({"lines": [1]}, "wrong_type", "lines[0]"),
        ({"lines": [{"quantity": 1}]}, "missing", "lines[0].variant_id"),
        ({"lines": [{"variant_id": True}]}, "wrong_type", "lines[0].variant_id"),
        ({"lines": [{"variant_id": "x" * 200}]}, "out_of_range", "lines[0].variant_id"),
        ({"lines": [{"variant_id": 1}, {"sku": "A", "quantity": 0}]}, "out_of_range", "lines[1].quantity"),
        ({"lines": [{"variant_id": 1, "quantity": 10**9}]}, "out_of_range", "lines[0].quantity"),
        ({"lines": [{"variant_id": 1, "quantity": 1.5}]}, "wrong_type", "lines[0].quantity"),
        ({"lines": [{"variant_id": 1, "quantity": "2"}]}, "wrong_type", "lines[0].quantity"),
        ({"lines": [{"variant_id": 1, "unit_price": "-1"}]}, "wrong_type", "lines[0].unit_price"),
        ({"lines": [{"variant_id": 1, "unit_price": -1}]}, "out_of_range", "lines[0].unit_price"),
        ({"lines": [{"variant_id": 1, "unit_price": "1e9"}]}, "wrong_type", "lines[0].unit_price"),
        ({"lines": [{"variant_id": 1, "grams": -5}]}, "out_of_range", "lines[0].grams"),
        ({"lines": [{"variant_id": 1, "requires_shipping": "no"}]}, "wrong_type", "lines[0].requires_shipping"),
        ({"lines": [{"variant_id": 1}] * 201}, "too_many", "lines"),
        ({"product": {"quantity": 1}}, "missing", "product.variant_id"),
        (QUESTION | {"destination": "AT"}, "wrong_type", "destination"),
        (QUESTION | {"destination": {"country": "Austria"}}, "not_a_country", "destination.country"),
        (QUESTION | {"destination": {"postal_code": "1010"}}, "missing", "destination.country"),
        (
            QUESTION | {"destination": {"country": "AT", "postal_code": "<script>"}},
            "out_of_range",
            "destination.postal_code",
        ),
        (QUESTION | {"destination": {"country": "AT", "city": ["x"]}}, "wrong_type", "destination.city"),
        (QUESTION | {"currency": "euro"}, "unknown_currency", "currency"),
        (QUESTION | {"currency": 5}, "unknown_currency", "currency"),
        (QUESTION | {"locale": 5}, "wrong_type", "locale"),
        (QUESTION | {"discount": "ten"}, "wrong_type", "discount"),
    ],
)
async def test_what_cannot_be_asked_is_answered_with_the_field_to_blame(body: Any, code: str, field: str) -> None:
    async with street() as at:
        answer = await at.ask(body)
        assert error_of(answer) == (422, code, field)
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert at.shops.asked == []


async def test_what_the_shop_cannot_price_names_its_field_too() -> None:
    async with street(Shops(answer=Fault("missing", "lines[0].unit_price"))) as at:
        assert error_of(await at.ask()) == (422, "missing", "lines[0].unit_price")


async def test_a_body_that_is_too_long_is_refused() -> None:
    async with street() as at:
        assert (await at.ask(b" " * 70_000)).status_code == 413


# --- pressed


async def test_a_visitor_who_presses_is_told_when_to_come_again_and_others_go_on() -> None:
    async with street(per_minute=8) as at:
        first = [await at.ask(x_forwarded_for="203.0.113.7") for _ in range(3)]
        assert [each.status_code for each in first] == [200, 200, 429]
        assert error_of(first[2]) == (429, "too_often", "")
        assert int(first[2].headers["retry-after"]) >= 1
        assert first[2].headers["access-control-expose-headers"] == "retry-after"
        assert (await at.ask(x_forwarded_for="203.0.113.8")).status_code == 200


async def test_a_shop_that_is_pressed_by_many_visitors_is_protected_as_a_whole() -> None:
    async with street(shop_per_minute=12) as at:
        answers = [await at.ask(x_forwarded_for=f"203.0.113.{number}") for number in range(5)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]


def question_to(postal: str) -> dict[str, Any]:
    return QUESTION | {"destination": {"country": "AT", "postal_code": postal}}


async def test_prices_cannot_be_harvested_place_by_place() -> None:
    clock = [NOW]
    async with street(now=clock, per_minute=6000) as at:
        answers = [await at.ask(question_to(str(1010 + number))) for number in range(5)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
        assert error_of(answers[3]) == (429, "too_many_places", "")
        assert int(answers[3].headers["retry-after"]) == 15 * 3600
        assert (await at.ask(question_to("10 10"))).status_code == 200, "a place that was asked for before"
        assert (await at.ask(QUESTION | {"destination": {"country": "DE"}})).status_code == 200, "no prices are told"
        assert (await at.ask(question_to("9999"), x_forwarded_for="2001:db8::1")).status_code == 200
        clock[0] = NOW + timedelta(days=1)
        assert (await at.ask(question_to("1013"))).status_code == 200


# --- through Shopify


def signed(secret: str = SECRET, **changes: Any) -> str:
    query: dict[str, Any] = {
        "shop": DOMAIN,
        "path_prefix": "/apps/shipping",
        "timestamp": str(int(NOW.timestamp())),
        "logged_in_customer_id": "",
        "extra": ["2", "1"],
    }
    query |= changes
    text = "".join(sorted(f"{k}={','.join(v) if isinstance(v, list) else v}" for k, v in query.items()))
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return urlencode(query | {"signature": signature}, doseq=True)


async def test_a_page_of_the_stores_own_domain_asks_through_shopify() -> None:
    async with street() as at:
        answer = await at.through_shopify(signed())
        assert (answer.status_code, answer.json()["outcome"]) == (200, "offers")
        assert at.shops.asked[0][0] == "shop_1"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "signature_missing"),
        (f"shop={DOMAIN}&timestamp={int(NOW.timestamp())}", "signature_missing"),
        (signed("another secret"), "signature_wrong"),
        (signed() + "&shop=other.myshopify.com", "signature_wrong"),
        (signed() + "&more=1", "signature_wrong"),
        (signed(timestamp=str(int(NOW.timestamp()) - 91)), "expired"),
        (signed(timestamp=str(int(NOW.timestamp()) + 91)), "expired"),
        (signed(timestamp="now"), "expired"),
        (signed(shop="unknown.myshopify.com"), "signature_wrong"),
    ],
)
async def test_what_shopify_did_not_sign_just_now_is_refused_with_the_reason(query: str, code: str) -> None:
    async with street() as at:
        answer = await at.through_shopify(query)
        assert error_of(answer) == (401, code, "")
        assert at.shops.asked == []


async def test_a_signed_call_of_a_shop_without_storefront_and_to_another_address_finds_nothing() -> None:
    async with street() as at:
        assert (await at.through_shopify(signed(shop="off.myshopify.com"))).status_code == 404
        assert (await at.through_shopify(signed(), path="returns")).status_code == 404
        shown = await at.through_shopify(signed(), method="GET")
        assert (shown.status_code, shown.headers["allow"]) == (405, "POST")


# --- the script


async def test_the_script_is_kept_for_good_under_its_hash_and_shortly_without() -> None:
    from connector.http.storefront.script import script, script_url

    async with street() as at:
        named = await at.client.get(script_url())
        assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert named.headers["content-type"] == "text/javascript; charset=utf-8"
        assert (named.headers["content-encoding"], named.content) == ("gzip", script().body)
        plain = await at.client.get("/storefront/waybill-widget.js", headers={"accept-encoding": "identity"})
        assert plain.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=86400"
        again = await at.client.get(
            "/storefront/waybill-widget.js?v=older", headers={"if-none-match": plain.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
