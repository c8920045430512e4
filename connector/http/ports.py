"""What the HTTP front needs from the rest of the house; wiring hands the real things over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from carriers.carrier import Carrier
from connector.http.limits import Limits
from connector.metrics import Metrics
from connector.store import ClaimsShop, Incoming, RateCall, ReadAppHook, Store, VerifyAppHook
from webhooks.receiver import Endpoint, Reply

if TYPE_CHECKING:
    from connector.http.desk.house import DeskHouse
    from connector.http.storefront.house import StorefrontHouse
    from connector.installing.app_desk import AppDesk

# The kinds of endpoint of the inbox: an endpoint's key is its kind, a colon, and an id.
STORE = "store"
CARRIER = "carrier"
APP = "app"


class ShopEntry(Protocol):
    """A connected shop, as it is held in memory. `domain` is the store's own name of it, lower case."""

    @property
    def id(self) -> str:
        """Our id of the shop."""
        ...

    @property
    def domain(self) -> str:
        """The store's own name of the shop, lower case."""
        ...

    @property
    def platform(self) -> str:
        """The name of its StoreKind."""
        ...

    @property
    def store(self) -> Store:
        """Its connection."""
        ...

    @property
    def rates_token(self) -> str:
        """The unguessable part of its rate URL."""
        ...

    @property
    def hooks_token(self) -> str:
        """The unguessable part of its hook URL."""
        ...

    @property
    def claims_shop(self) -> ClaimsShop:
        """Reads which shop a request's headers name."""
        ...


class CarrierHook(Protocol):
    """A carrier account's tracking hook. `id` is the account's."""

    @property
    def id(self) -> str:
        """Our id of the carrier account."""
        ...

    @property
    def shop_id(self) -> str:
        """Whose account it is."""
        ...

    @property
    def carrier(self) -> Carrier:
        """Its connection."""
        ...


class AppEntry(Protocol):
    """An app that several shops installed."""

    @property
    def id(self) -> str:
        """Our id of the app."""
        ...

    @property
    def platform(self) -> str:
        """The name of its StoreKind."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Its client secrets, newest first."""
        ...

    @property
    def verify_app_hook(self) -> VerifyAppHook | None:
        """Checks a delivery with the secrets; None where the platform has no app-wide hooks."""
        ...

    @property
    def read_app_hook(self) -> ReadAppHook | None:
        """Reads a verified delivery."""
        ...


class Directory(Protocol):
    """Who is who, in memory: asked on every request and from several threads, so it never waits.

    What is reached by a token is best kept under the token's hash, so that a look-up tells nothing by its time.
    """

    @property
    def ready(self) -> bool:
        """True once the shops' settings are in memory."""
        ...

    def shop(self, shop_id: str) -> ShopEntry | None:
        """The live shop with this id."""
        ...

    def shop_by_domain(self, platform: str, domain: str) -> ShopEntry | None:
        """The live shop that the platform calls by this name."""
        ...

    def carrier_hook(self, token: str) -> CarrierHook | None:
        """The carrier account whose hook URL ends in this token."""
        ...

    def app_of(self, name: str, headers: Mapping[str, str]) -> AppEntry | None:
        """The app with this id; for the name of a platform the app of the shop that the headers name."""
        ...

    def shop_of_app(self, app: AppEntry, domain: str) -> str | None:
        """The id of the shop that the app may speak for by this domain, here or gone."""
        ...


@dataclass(frozen=True, slots=True)
class Quoted:
    """An answered rate call: the platform's own bytes, what they say, and where it came from (for the metrics)."""

    reply: Reply
    outcome: Literal["answered", "empty", "backup"]
    source: str = "live"
    signature: Literal["valid", "absent", "wrong", "unsigned"] = "unsigned"


class Quoting(Protocol):
    """Answers rate calls, without a database in between."""

    def again(self, shop_id: str, incoming: Incoming) -> Quoted | None:
        """The answer that was given to the very same call before, while it holds. Neither waits nor fails."""
        ...

    async def answer(self, shop_id: str, call: RateCall, received_at: float, incoming: Incoming) -> Quoted:
        """The answer within the shop's hard deadline, counted from `received_at` (time.monotonic(), seconds)."""
        ...

    def hung_up(self, shop_id: str, after_s: float) -> None:
        """The platform hung up on a call before it was answered, so many seconds after it came."""
        ...

    def received(self, shop_id: str, outcome: str) -> None:
        """A call of this shop arrived and ended so: for our own count of them by day."""
        ...


class Receiving(Protocol):
    """Takes deliveries in; `webhooks.receiver.Receiver` does."""

    def receive(self, endpoint: Endpoint, method: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """Verify, store and queue, then answer. Called in a thread; raises what the database raises."""
        ...


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How the process's surroundings are. None and `unknown` where that could not be found out in time."""

    database: Literal["up", "down", "unknown"] = "unknown"
    migrations: Literal["current", "behind", "ahead", "unknown"] = "unknown"
    worker_heartbeat_age_s: float | None = None
    failed_work: int | None = None


class Health(Protocol):
    """Looks at the process's surroundings."""

    async def report(self) -> HealthReport:
        """A fresh look; may ask the database. Does not raise for a database that is down."""
        ...


Lifespan = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Front:
    """Everything that the HTTP front works with. `lifespan` surrounds the time in which requests are served.

    Without a `desk` the merchant's pages are not served, without a `shopify_app` the app's are not, and without a
    `storefront` no page is told prices.
    """

    directory: Directory
    quoting: Quoting
    receiving: Receiving
    health: Health
    metrics: Metrics
    limits: Limits
    lifespan: Lifespan | None = None
    rate_call_refused: Callable[[str], None] | None = None
    desk: DeskHouse | None = None
    shopify_app: AppDesk | None = None
    storefront: StorefrontHouse | None = None
