"""A small house behind the HTTP front: a directory, a quoting desk and a receiver that tests steer."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import httpx2
from sqlalchemy import Connection

from carriers.carrier import Carrier
from carriers.money import Money
from connector.http.limits import Limits
from connector.http.ports import AppEntry, CarrierHook, Front, HealthReport, Quoted, ShopEntry
from connector.http.routes import build_app
from connector.metrics import Metrics
from connector.store import (
    Answer,
    AppDelivery,
    Cart,
    CartLine,
    Incoming,
    OrderNews,
    PrivacyRequest,
    RateCall,
    ReadAppHook,
    Refusal,
    Store,
    StoreCapabilities,
    StoreNews,
    UseBackup,
    VerifyAppHook,
)
from webhooks.inbox import Inbox
from webhooks.receiver import Authentic, Forged, Receiver, Reply

SECRET = "a secret of the tests"
RATES_TOKEN, HOOKS_TOKEN, CARRIER_TOKEN = "r" * 32, "h" * 32, "c" * 32
RATE_BODY = b'{"rate": {"currency": "EUR", "quantity": 1}}'
HOOK_BODY = b'{"id": 1}'


def sign(raw: bytes) -> str:
    return hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()


def check(raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
    given = headers.get("x-signature")
    if given is None:
        return Forged("signature_missing")
    if not hmac.compare_digest(given.encode(), sign(raw).encode()):
        return Forged("signature_wrong")
    return Authentic(headers.get("x-delivery", "1"), headers.get("x-topic", "orders/paid"))


class HouseStore:
    """Reads `{"rate": {"currency", "quantity"}}` and answers in a form of its own."""

    def __init__(self, hmac_mode: Literal["require", "prefer"] = "prefer") -> None:
        self.hmac_mode = hmac_mode
        self.capabilities = StoreCapabilities(hard_deadline_s=10, rate_cache_s=900, fulfil_ceiling_s=60)
        self.incoming: list[Incoming] = []

    def read_rate_call(self, incoming: Incoming) -> RateCall | Refusal:
        self.incoming.append(incoming)
        signature: Literal["valid", "wrong"] = "valid"
        if incoming.headers.get("x-signature", "") != sign(incoming.raw):
            signature = "wrong"
        if self.hmac_mode == "require" and signature == "wrong":
            return Refusal(401, "signature_wrong")
        try:
            rate = json.loads(incoming.raw)["rate"]
        except ValueError:
            return Refusal(400, "malformed", "body")
        if not 0 < rate["quantity"] < 1000:
            return Refusal(400, "out_of_range", "rate.quantity")
        line = CartLine(rate["quantity"], Money(100, rate["currency"]))
        return RateCall(Cart((line,), rate["currency"]), signature=signature)

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        match answer:
            case Answer():
                return Reply(200, b'{"rates": []}')
            case UseBackup():
                return Reply(503, json.dumps({"backup": answer.code}).encode())
            case Refusal():
                error = {"code": answer.code, "field": answer.field}
                return Reply(answer.status, json.dumps({"error": error}).encode())

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        return check(raw, headers)


@dataclass(frozen=True)
class Shop:
    id: str = "shp_1"
    domain: str = "one.example.com"
    platform: str = "house"
    rates_token: str = RATES_TOKEN
    hooks_token: str = HOOKS_TOKEN
    house_store: HouseStore = field(default_factory=HouseStore)

    @property
    def store(self) -> Store:
        return cast(Store, self.house_store)

    def claims_shop(self, headers: Mapping[str, str]) -> str | None:
        claimed = headers.get("x-shopify-shop-domain")
        return None if claimed is None else claimed.lower()


@dataclass(frozen=True)
class Hook:
    id: str = "acc_1"
    shop_id: str = "shp_1"

    @property
    def carrier(self) -> Carrier:
        return cast(Carrier, HouseStore())


def check_app(raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> AppDelivery | Forged:
    assert secrets == (SECRET,)
    verdict = check(raw, headers)
    return verdict if isinstance(verdict, Forged) else AppDelivery(headers["x-shopify-shop-domain"], verdict)


def read_app(topic: str, raw: bytes) -> list[StoreNews]:
    return [PrivacyRequest("erase", "shop")] if topic == "shop/redact" else [OrderNews("1", topic)]


@dataclass(frozen=True)
class App:
    id: str = "app_1"
    platform: str = "house"
    secrets: tuple[str, ...] = (SECRET,)

    @property
    def verify_app_hook(self) -> VerifyAppHook | None:
        return check_app if self.id == "app_1" else None

    @property
    def read_app_hook(self) -> ReadAppHook | None:
        return read_app


@dataclass
class HouseDirectory:
    shops: list[Shop]
    ready: bool = True

    def shop(self, shop_id: str) -> ShopEntry | None:
        return next((shop for shop in self.shops if shop.id == shop_id), None)

    def shop_by_domain(self, platform: str, domain: str) -> ShopEntry | None:
        return next((shop for shop in self.shops if (shop.platform, shop.domain) == (platform, domain)), None)

    def carrier_hook(self, token: str) -> CarrierHook | None:
        return Hook() if token == CARRIER_TOKEN else None

    def app_of(self, name: str, headers: Mapping[str, str]) -> AppEntry | None:
        return App(name) if name in {"app_1", "app_without_hooks"} else None

    def shop_of_app(self, app: AppEntry, domain: str) -> str | None:
        found = self.shop_by_domain(app.platform, domain.lower())
        return None if found is None else found.id


async def answer_at_once() -> Quoted:
    return Quoted(Reply(200, b'{"rates": [1]}', (("content-type", "application/json"),)), "answered")


@dataclass
class HouseQuoting:
    """Quotes by calling `behave`; notes what it was asked."""

    behave: Callable[[], Awaitable[Quoted]] = answer_at_once
    asked: list[tuple[str, RateCall]] = field(default_factory=list)

    repeats: dict[bytes, Quoted] = field(default_factory=dict)
    hung_up_after: list[float] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)

    def again(self, shop_id: str, incoming: Incoming) -> Quoted | None:
        return self.repeats.get(incoming.raw)

    async def answer(self, shop_id: str, call: RateCall, received_at: float, incoming: Incoming) -> Quoted:
        self.asked.append((shop_id, call))
        return await self.behave()

    def hung_up(self, shop_id: str, after_s: float) -> None:
        self.hung_up_after.append(after_s)

    def received(self, shop_id: str, outcome: str) -> None:
        self.outcomes.append((shop_id, outcome))


@dataclass
class HouseInbox:
    """Keeps deliveries in a list, each key once; `behave` is called before."""

    behave: Callable[[], object] = lambda: None
    kept: list[tuple[str, str, str, bytes, str | None]] = field(default_factory=list)

    def store(
        self, connection: Connection, endpoint: str, delivery_key: str, topic: str, raw: bytes, shop_id: str | None
    ) -> str | None:
        self.behave()
        if any(kept[:2] == (endpoint, delivery_key) for kept in self.kept):
            return None
        self.kept.append((endpoint, delivery_key, topic, raw, shop_id))
        return "inb_1"


@dataclass
class HouseHealth:
    """Reports what it is told to; `asked` counts."""

    told: HealthReport = field(default_factory=lambda: HealthReport("up", "current", 1.5, 0))
    hangs: bool = False
    asked: int = 0

    async def report(self) -> HealthReport:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        return self.told


@contextlib.contextmanager
def no_transaction() -> Iterator[Connection]:
    yield cast(Connection, None)


@dataclass
class House:
    """Everything behind the front, and a way to ask it."""

    shop: Shop = field(default_factory=Shop)
    limits: Limits = field(default_factory=Limits)
    quoting: HouseQuoting = field(default_factory=HouseQuoting)
    inbox: HouseInbox = field(default_factory=HouseInbox)
    health: HouseHealth = field(default_factory=HouseHealth)
    metrics: Metrics = field(default_factory=Metrics)
    queued: list[str] = field(default_factory=list)
    directory: HouseDirectory = field(init=False)

    def __post_init__(self) -> None:
        self.directory = HouseDirectory([self.shop, replace(self.shop, id="shp_2", domain="two.example.com")])

    def front(self) -> Front:
        receiver = Receiver(cast(Inbox, self.inbox), no_transaction, lambda _connection, key: self.queued.append(key))
        return Front(self.directory, self.quoting, receiver, self.health, self.metrics, self.limits)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A client of the application, in this process."""
        app = build_app(self.front())
        transport = httpx2.ASGITransport(app=app)
        async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://h") as c:
            yield c

    async def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request."""
        async with self.client() as client:
            return await client.request(method, path, **options)

    def count(self, name: str, **labels: str) -> float:
        """A counter's value; 0 where nothing was counted."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0
