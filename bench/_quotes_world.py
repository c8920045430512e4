"""What the quotes bench works with: a house with a Shopify shop, tables and live carriers, and its processes."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench._quotes_carriers import SERVICES, price
from carriers.address import Address
from carriers.measure import Weight
from carriers.parcel import Parcel, RateRequest
from carriers.rate_table import pack
from connector import shop_settings
from connector.quotes.answers import AccountAnswer, KeptRate
from connector.quotes.behind import LiveAnswer
from connector.quotes.learning.lane import asked_of
from connector.settings import Settings
from connector.shop_settings import ShopSettings
from connector.storage import settings_versions
from connector.storage.accounts import add_account
from connector.storage.audit import Actor
from connector.storage.ids import new_id
from connector.storage.locations import put_locations
from connector.storage.shops import add_shop
from connector.store import StoreLocation
from connector.wiring import House, open_house, prepare_database

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret of the bench"
ORIGIN = Address("US", "10001", "NY", "New York", "350 5th Ave")
_ACTOR = Actor("command", "bench")


@dataclass(frozen=True)
class Shop:
    """A shop that the bench asks for prices. `accounts` are the ids of its live carriers."""

    id: str
    path: str
    accounts: tuple[str, ...]


def table(name: str) -> bytes:
    """A rate table of four services with zones and weight bands."""
    head = (ROOT / "docs" / "rate-table-example.csv").read_text().splitlines()[0]
    columns = head.split(",")
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()

    def row(**cells: Any) -> None:
        writer.writerow({key: cells.get(key, "") for key in columns})

    row(row="table", name=name, currency="USD", weight_unit="kg", priced_by="parcel")
    services = [f"{name} {kind}" for kind in ("Economy", "Standard", "Express", "Night")]
    for index, service in enumerate(services):
        row(row="service", service=service, days=5 - index)
    row(row="zone", zone="East", country="US", province="NY;NJ;CT;MA;PA")
    row(row="zone", zone="West", country="US", province="CA;OR;WA")
    row(row="zone", zone="Country", country="US")
    for index, service in enumerate(services):
        for step, zone in enumerate(("East", "West", "Country")):
            for most in (1, 2, 5, 10, 30):
                cost = 4 + 3 * index + step + most / 2
                row(
                    row="price",
                    service=service,
                    zone=zone,
                    weight_over=_below(most),
                    weight_to=most,
                    price=f"{cost:.2f}",
                )
    return out.getvalue().encode()


def _below(most: int) -> str:
    return {1: "", 2: "1", 5: "2", 10: "5", 30: "10"}[most]


def build(folder: Path, shops: Sequence[dict[str, Any]]) -> list[Shop]:
    """Make a house with these shops: `tables` (a number), `carriers` (their ports), `settings` (as they are typed)."""
    house = open_house(_settings(folder))
    prepare_database(house.database)
    made = [house.database.run_here(_shop, house, number, **each) for number, each in enumerate(shops)]
    house.close()
    return made


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, allow_private_addresses=True)


def _shop(
    connection: Any, house: House, number: int, tables: int = 0, carriers: Sequence[int] = (),
    settings: dict[str, str] | None = None,
) -> Shop:  # fmt: skip
    now, domain = house.clock.now(), f"bench-{number}.myshopify.com"
    shop = add_shop(
        connection, house.keyring, platform="shopify", domain=domain, name="Bench", currency="USD", timezone="UTC",
        credentials={"domain": domain, "client_secret": SECRET, "access_token": "token"}, actor=_ACTOR, now=now,
    )  # fmt: skip
    put_locations(connection, shop.id, [StoreLocation("gid://shopify/Location/1", "Warehouse", ORIGIN)], now)
    body = shop_settings.dump(shop_settings.change(ShopSettings(), settings or {}, "USD"))
    settings_versions.publish(connection, shop.id, body, _ACTOR, now)
    for index in range(tables):
        fields = {"file": pack(table(f"Table {index + 1}"))}
        add_account(connection, house.keyring, shop.id, "rate_table", fields, True, _ACTOR, now)
    live = []
    for index, port in enumerate(carriers):
        fields = {"api_key": f"EZTK{number:02}{index:02}", "api_base": f"http://127.0.0.1:{port}"}
        account = add_account(connection, house.keyring, shop.id, "easypost", fields, True, _ACTOR, now)
        live.append(account.id)
    return Shop(shop.id, f"/rates/{shop.id}/{shop.rates_token}", tuple(live))


# --- carts ------------------------------------------------------------------------------------------------------------


def fresh_cart(number: int) -> bytes:
    """A cart of eight items that was never asked for before."""
    return _cart(
        f"{10000 + number % 900:05}", [(100 + number * 8 + item, 100 + (number + item) % 400) for item in range(8)]
    )


_PICK = random.Random(11)
_WEIGHTS = [_PICK.randrange(120, 4200, 10) for _ in range(40)]
_PLACES = [_PICK.randrange(100, 999) for _ in range(80)]


def drawn(draw: random.Random) -> tuple[str, int]:
    """Where an order goes and what it weighs: few places and goods make most of a shop's orders (Zipf)."""
    place = min(int(draw.paretovariate(0.7)) - 1, len(_PLACES) - 1)
    goods = min(int(draw.paretovariate(0.7)) - 1, len(_WEIGHTS) - 1)
    return f"{_PLACES[place]:03}{draw.randrange(100):02}", _WEIGHTS[goods] * draw.choice((1, 1, 1, 2, 3))


def live_cart(draw: random.Random) -> bytes:
    """One order of a shop with live carriers."""
    postal, grams = drawn(draw)
    return _cart(postal, [(draw.randrange(10**9), grams)])


def _cart(postal: str, items: Sequence[tuple[int, int]]) -> bytes:
    return json.dumps(
        {
            "rate": {
                "origin": {"country": "US", "postal_code": "10001", "province": "NY", "city": "New York"},
                "destination": {
                    "country": "US", "postal_code": postal, "province": "NY", "city": "Albany", "name": "A Buyer",
                    "address1": "1 Main Street", "phone": None, "email": None, "company_name": None,
                },
                "items": [
                    {
                        "name": f"Item {variant}", "sku": f"SKU-{variant}", "quantity": 1, "grams": grams,
                        "price": 1999, "vendor": "Bench", "requires_shipping": True, "taxable": True,
                        "fulfillment_service": "manual", "properties": None, "product_id": variant,
                        "variant_id": variant,
                    }
                    for variant, grams in items
                ],
                "currency": "USD",
                "locale": "en-US",
                "order_totals": {"subtotal_price": 1999 * len(items), "total_price": 1999 * len(items),
                                 "discount_amount": 0},
                "customer": None,
            }
        }
    ).encode()  # fmt: skip


def signed(body: bytes) -> list[tuple[str, str]]:
    """The headers that prove a body."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return [("x-shopify-hmac-sha256", base64.b64encode(digest).decode())]


def rehearse(folder: Path, shop: Shop, orders: int) -> None:
    """What a rehearsal over past orders leaves behind: the carriers' live answers to them."""
    house, draw = open_house(_settings(folder)), random.Random(3)
    now = house.clock.now() - timedelta(hours=2)
    for _ in range(orders):
        postal, grams = drawn(draw)
        request = RateRequest(ORIGIN, Address("US", postal), (Parcel(Weight(grams)),), "USD")
        asked = asked_of(request)
        assert asked is not None
        pounds = max(1, -(-grams * 10000 // 4535924))
        for index, account in enumerate(shop.accounts):
            name = f"00{index:02}"
            rates = tuple(
                KeptRate(
                    account=f"ca_{name}", carrier=f"Carrier{name}", service=service,
                    minor=price(service, postal[:3], pounds), currency="USD", transit_days=3,
                )
                for service, _, _ in SERVICES
            )  # fmt: skip
            answer = AccountAnswer(account_id=account, carrier="easypost", state="answered", rates=rates)
            now += timedelta(milliseconds=50)
            house.ledger.live(LiveAnswer(shop.id, new_id("liv", now), account, now, asked, answer))
    import asyncio

    asyncio.run(house.ledger.flush())
    house.close()


# --- processes --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(*arguments: str, ready: str, folder: Path | None = None) -> Iterator[int]:
    """A child process; its id, once it answers at `ready`."""
    env = dict(os.environ)
    if folder is not None:
        env |= {"WAYBILL_DATA_DIR": str(folder), "WAYBILL_ALLOW_PRIVATE_ADDRESSES": "yes", "WAYBILL_LOG_LEVEL": "error"}
    errors = tempfile.TemporaryFile()  # noqa: SIM115  Closed when the process has ended.
    child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        until = time.monotonic() + 60
        while not _answers(ready):
            if child.poll() is not None or time.monotonic() > until:
                errors.seek(0)
                sys.exit(f"A process of the bench did not start: {errors.read()[-2000:].decode()}")
            time.sleep(0.05)
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
        errors.close()


def house_process(folder: Path, port: int) -> Any:
    """A web process of Waybill."""
    code = (
        "from connector.settings import read_settings; from connector.serving import serve; import sys; "
        f"sys.exit(serve(read_settings(), '127.0.0.1', {port}))"
    )
    return process("-c", code, ready=f"http://127.0.0.1:{port}/readyz", folder=folder)


def carrier_process(port: int, least_s: float, most_s: float, failing: float = 0, hanging: float = 0) -> Any:
    """A live carrier."""
    numbers = (str(each) for each in (least_s, most_s, failing, hanging))
    return process("-m", "bench._quotes_carriers", str(port), *numbers, ready=f"http://127.0.0.1:{port}/calls")


def read(url: str, *, post: bool = False) -> bytes:
    """What an address answers."""
    with urllib.request.urlopen(urllib.request.Request(url, method="POST" if post else "GET"), timeout=5) as answer:
        return bytes(answer.read())


def _answers(url: str) -> bool:
    try:
        read(url)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True
