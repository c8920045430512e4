"""A whole Waybill on loopback: both simulators, a database, web and workers, set up through the real command line."""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from connector.clock import open_clock
from connector.orders import view
from connector.orders.view import NoSuchOrder, OrderView
from connector.storage.database import Database, open_database
from tests.e2e.processes import ROOT, Child, Talker, Waited, own_environment, until
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.server import serve_in_child
from tests.simulators.shopify_control import ShopifyControl

T = TypeVar("T")

DOMAIN = "waybill-test.myshopify.com"
CLIENT_SECRET = "client-secret"
CARRIER_SECRET = "tracking secret"
PATIENCE_S = 90.0

# One tee of 500 g for a place near Los Angeles: 17.6 oz, so two pounds. The order's line names the same variant, which
# is how an order finds its quote.
VARIANT, SKU, GRAMS = 42, "TEE-1", 500
DESTINATION = {"country": "US", "postal_code": "90277", "province": "CA", "city": "Redondo Beach"}
RATE_CALL: dict[str, Any] = {
    "rate": {
        "origin": {"country": "US", "postal_code": "94104", "province": "CA", "city": "San Francisco"},
        "destination": DESTINATION,
        "items": [
            {"name": "Tee", "sku": SKU, "quantity": 1, "grams": GRAMS, "price": 1999, "variant_id": VARIANT},
        ],
        "currency": "USD",
        "locale": "en",
    }
}
LINE = {
    "variant": VARIANT,
    "sku": SKU,
    "quantity": 1,
    "price": "19.99",
    "weight": {"unit": "GRAMS", "value": GRAMS},
}


class CommandFailed(AssertionError):
    """A `waybill` command ended with an error."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


@dataclass
class World:
    """See `world`. Times are real seconds unless a name says business; `speed` is how many times faster that is."""

    folder: Path
    database: Database
    env: dict[str, str]
    port: int
    speed: float
    easypost: EasyPostControl
    shopify: ShopifyControl
    api_host: str
    stack: ExitStack
    shop_id: str = ""
    account_id: str = ""
    rate_url: str = ""
    hook_url: str = ""
    carrier_hook_url: str = ""
    shipping: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)

    # --- processes --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the web process listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *command: str, name: str = "") -> Child:
        """Start `waybill COMMAND`."""
        return self._keep(
            Child(name or command[0], ["connector.cli", *command], self._log(name or command[0]), self.env)
        )

    def start_mortal(self, name: str = "worker", *, prefix: Sequence[str] = (), **settings: str) -> Talker:
        """Start `tests.e2e.mortal_worker`; `settings` are further environment variables."""
        child = Talker(name, ["tests.e2e.mortal_worker"], self._log(name), self.env | settings, prefix=prefix)
        self._keep(child)
        return child

    def wait_ready(self, timeout_s: float = PATIENCE_S) -> None:
        """Until the web process answers."""
        self.until(lambda: self._status("/readyz") == 200, "the web process to be ready", timeout_s)

    def cli(self, *arguments: str) -> dict[str, Any]:
        """What `waybill ARGUMENTS --json` says. Raises CommandFailed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "connector.cli", *arguments, "--json"],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            raise CommandFailed(f"waybill {' '.join(arguments[:3])}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def until(self, look: Callable[[], T | None], what: str, timeout_s: float = PATIENCE_S) -> T:
        """As `processes.until`; what it raises shows the ends of the logs."""
        try:
            return until(look, what, timeout_s)
        except Waited as waited:
            raise Waited("\n".join([str(waited), *(child.tail() for child in self.children)])) from None

    def _keep(self, child: Child) -> Child:
        self.children.append(child)
        self.stack.callback(child.end)
        return child

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _status(self, path: str) -> int | None:
        try:
            return self.get(path).status
        except httpx2.HTTPError:
            return None

    # --- set-up -----------------------------------------------------------------------------------------------------

    def set_up(self, *settings: str) -> None:
        """Connect the store and the carrier, and change settings (KEY=VALUE)."""
        self.add_shop()
        self.add_carrier()
        if settings:
            self.settings(*settings)

    def add_shop(self) -> None:
        """`waybill shop add shopify`."""
        base = self.shopify.base_url.replace("127.0.0.1", self.api_host)
        said = self.cli(
            *("shop", "add", "shopify", "--domain", DOMAIN, "--client-id", "client-id"),
            *("--client-secret", CLIENT_SECRET, "--api-base", base, "--on"),
        )
        self.shop_id, self.rate_url, self.hook_url = said["shop_id"], said["rate_url"], said["hook_url"]
        failed = [step for step in said["install"] if step["state"] == "failed"]
        assert failed == []

    def add_carrier(self, key: str = "EZTK-test") -> dict[str, Any]:
        """`waybill carrier add SHOP easypost`; the secrets travel in the environment, as a careful merchant's do."""
        base = self.easypost.base_url.replace("127.0.0.1", self.api_host)
        said = self.cli(
            *("carrier", "add", self.shop_id, "easypost", "--api-key", key),
            *("--webhook-secret", CARRIER_SECRET, "--api-base", base),
        )
        self.account_id, self.carrier_hook_url = said["account_id"], said["hook_url"]
        return said

    def settings(self, *changes: str) -> dict[str, str]:
        """`waybill settings SHOP KEY=VALUE …`: what holds now."""
        said = self.cli("settings", self.shop_id, *changes)
        return {each["key"]: each["value"] for each in said["settings"]}

    def wait_known(self) -> None:
        """Until the web process sells shipping: then its offer is what orders are placed with."""
        self.wait_ready()
        self.until(self._take_offer, "a quote with offers")

    def _take_offer(self) -> bool:
        answer = self.shopify.checkout(RATE_CALL)
        rates = json.loads(answer["body"])["rates"] if answer["status"] == 200 else []
        if rates:
            chosen = rates[0]
            price = f"{int(chosen['total_price']) / 100:.2f}"
            self.shipping = {"code": chosen["service_code"], "title": chosen["service_name"], "price": price}
        return bool(rates)

    # --- HTTP -------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> Reply:
        """GET from the web process."""
        return self._request("GET", self.url + path)

    def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST") -> Reply:
        """POST (or another method) to a callback URL."""
        return self._request(method, url, body, headers)

    def signed(self, body: bytes, secret: str = CLIENT_SECRET, shop: str = DOMAIN, **more: str) -> dict[str, str]:
        """Headers of a message of the store's."""
        digest = b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {
            "content-type": "application/json",
            "x-shopify-shop-domain": shop,
            "x-shopify-hmac-sha256": digest,
        } | named

    def _request(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        with httpx2.Client(trust_env=False, verify=False, timeout=20) as client:
            answer = client.request(method, url, content=body, headers=dict(headers or {}))
            return Reply(answer.status_code, answer.content, dict(answer.headers))

    # --- orders -----------------------------------------------------------------------------------------------------

    def place(self, *, paid: bool = True, **spec: Any) -> str:
        """A buyer orders what was quoted, by the offer that was shown; the order's gid."""
        return self.shopify.place_order(**{"lines": [LINE], "shipping": self.shipping, "paid": paid} | spec)

    def order(self, order_id: str) -> OrderView | None:
        """The order as Waybill has it; None while it does not know it."""
        with self.database.engine.connect() as connection:
            try:
                return view.show(connection, self.shop_id, order_id)
            except NoSuchOrder:
                return None

    def purchases(self, order_id: str) -> list[dict[str, Any]]:
        """What the carrier sold for the order's parcels, whichever parcels those were."""
        known = self.order(order_id)
        parcels = {parcel.id for parcel in known.parcels} if known else set()
        return [each for each in self.easypost.state()["purchases"] if each["reference"] in parcels]

    def fulfilments(self, order_id: str) -> list[dict[str, Any]]:
        """The order's fulfilments in the store."""
        made: list[dict[str, Any]] = self.shopify.order(order_id)["fulfillments"]
        return made

    def now(self) -> datetime:
        """Business time."""
        return open_clock(self.env["WAYBILL_TEST_CLOCK"], self.folder).now()

    def wait_shipped(self, *order_ids: str, timeout_s: float = PATIENCE_S) -> None:
        """Until every parcel of these orders has its label and the store its fulfilment."""
        for order_id in order_ids:
            self.until(lambda: shipped(self.order(order_id)), f"{order_id} to be shipped", timeout_s)  # noqa: B023


def shipped(order: OrderView | None) -> bool:
    """Whether all parcels are bought and told to the store."""
    return bool(order and order.parcels) and all(
        parcel.state == "bought" and parcel.tracking is not None and parcel.tracking.fulfil_state == "done"
        for parcel in (order.parcels if order else ())
    )


def free_port() -> int:
    """A port of loopback that nobody has at the moment, below those from which connections are made.

    Whoever keeps trying to connect to such a port before anybody listens ends up connected to itself, and the server
    then finds its port taken.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            port = secrets.randbelow(12_000) + 18_000
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def world(
    folder: Path,
    database_url: str,
    *,
    speed: float = 1,
    lease_s: float = 15,
    accounts: str = "one",
    host: str | None = None,
) -> Iterator[World]:
    """Simulators and an empty house; no process of Waybill runs yet. Leaving ends everything that was started.

    `speed` is that of business time, from now on. `host` is one more address of this machine at which the simulators
    answer, and which Waybill is told.
    """
    clock = f"0:{speed}@{datetime.now(UTC).isoformat()}"
    port = free_port()
    env = own_environment(
        {
            "WAYBILL_DATA_DIR": str(folder / "data"),
            "WAYBILL_DATABASE_URL": database_url,
            "WAYBILL_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "WAYBILL_PORT": str(port),
            "WAYBILL_ALLOW_PRIVATE_ADDRESSES": "true",
            "WAYBILL_TEST_CLOCK": clock,
            "WAYBILL_LEASE_S": str(lease_s),
            "WAYBILL_GRACE_S": "3",
        }
    )
    with ExitStack() as stack:
        common = ["--clock", clock, *(["--host", host] if host else [])]
        simulators = [
            serve_in_child("tests.e2e.simulated", "shopify", *common),
            serve_in_child("tests.e2e.simulated", "easypost", *common, "--accounts", accounts),
        ]
        with ThreadPoolExecutor(2) as threads:
            shopify, easypost = threads.map(stack.enter_context, simulators)
        database = open_database(database_url, pool_size=2)
        stack.callback(database.close)
        yield World(
            folder=folder,
            database=database,
            env=env,
            port=port,
            speed=speed,
            easypost=EasyPostControl(easypost),
            shopify=ShopifyControl(shopify),
            api_host=host or "127.0.0.1",
            stack=stack,
        )
