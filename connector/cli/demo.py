"""`waybill demo`: the whole journey with the sandbox store and carrier, on a fresh SQLite file, without any network.

It runs the real service (`waybill up`) and plays the others: the checkout that asks, the buyer who pays, the carrier
that scans. Everything goes over HTTP, signed, as it does with a real store.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import click

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from carriers.sandbox import SandboxCarrier
from carriers.sandbox.webhook import SignedDelivery
from connector.cli.accounts import connect_carrier
from connector.cli.output import Speaker, command
from connector.cli.settings import change_settings
from connector.cli.shops import connect_shop, sandbox_credentials
from connector.directory import AccountEntry, ShopEntry
from connector.installing.callbacks import callbacks_of
from connector.metered import MeteredCarrier
from connector.orders import view
from connector.orders.view import NoSuchOrder, OrderView
from connector.settings import read_settings
from connector.store import Cart, CartLine, CartTotals, Offer
from connector.stores.sandbox import SandboxStore
from connector.stores.sandbox.webhook import SignedCall
from connector.wiring import CARRIERS, House, open_house
from webhooks.errors import OutgoingError, WaybillError
from webhooks.outgoing import HTTPAnswer, OutgoingClient

T = TypeVar("T")

_PATIENCE_S = 60.0
_BUYER = Address(
    "AT", "1010", "9", "Wien", "Stephansplatz 3", name="Sample Buyer", phone="+43 1 234567", email="buyer@example.com"
)
_SETTINGS = {"default_carton": "300x200x150:180", "threshold": "60.00", "markup_percent": "10"}


def add_to(group: click.Group) -> None:
    """Register the command."""

    @command(group, "demo")
    @click.option("--once", is_flag=True, help="Stop when the story is told; otherwise the server goes on.")
    @click.option("--port", type=int, default=0, help="Port of the server; default: a free one.")
    def demo(speaker: Speaker, once: bool, port: int) -> None:
        """Play quote, order, label, tracking and delivery with the sandbox store and carrier."""
        folder = Path(tempfile.mkdtemp(prefix="waybill-demo-"))
        port = port or _free_port()
        own = {key: value for key, value in os.environ.items() if not key.startswith("WAYBILL_")}
        own |= {
            "WAYBILL_DATA_DIR": str(folder),
            "WAYBILL_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "WAYBILL_PORT": str(port),
            "WAYBILL_LOG_LEVEL": "warning",
        }
        os.environ.clear()
        os.environ.update(own)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # It ends the demo as Ctrl-C does.
        out = subprocess.DEVNULL  # What it says of itself is told by the story.
        with subprocess.Popen([sys.executable, "-m", "connector.cli", "up"], env=own, stdout=out) as server:
            try:
                story = asyncio.run(_Demo(speaker, folder, port).play())
                speaker.answer(story, [])
                sys.stdout.flush()
                if not once:
                    _say_where(speaker, folder, port, story)
                    server.wait()
            except KeyboardInterrupt:
                speaker.progress("Stopping.")
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(timeout=40)


class _Demo:
    """The story, one method a step."""

    def __init__(self, speaker: Speaker, folder: Path, port: int) -> None:
        self._speaker = speaker
        self._folder = folder
        self._port = port
        self._steps: list[dict[str, Any]] = []
        self._http = OutgoingClient(allow_private=True)

    async def play(self) -> dict[str, Any]:
        """Tell it; returns what happened, for `--json`."""
        await _until(self._server_is_up, "the server to start")
        self._tell("start", "The service runs, with a fresh SQLite database.", url=f"http://127.0.0.1:{self._port}")
        house = open_house(read_settings())
        try:
            return await self._play(house)
        finally:
            await self._http.aclose()
            await house.aclose()

    async def _play(self, house: House) -> dict[str, Any]:
        shop = await self._set_up(house)
        store = cast("SandboxStore", shop.store)
        cart = _cart()
        offer = await self._quote(house, shop, store, cart)
        order_id = await self._order(store, cart, offer)

        async def now() -> OrderView | None:
            try:
                return await house.database.run(view.show, shop.id, order_id)
            except NoSuchOrder:
                return None

        order = await _until(lambda: _labelled(now), "the label")
        account = house.directory.account(shop.id, _label(order).account_id)
        assert account is not None  # noqa: S101 - the label was bought from it.
        await self._label(house, account, order)
        fulfilment = await _until(lambda: _fulfilled(now), "the store to hear of it")
        self._tell("fulfilment", f"The store has {fulfilment} with the tracking number.", fulfilment=fulfilment)
        await self._travel(account, order)
        order = await _until(lambda: _delivered(now), "the delivery")
        await self._end(store, order)
        return {
            "shop_id": shop.id,
            "order": order.name,
            "order_id": order.id,
            "url": f"http://127.0.0.1:{self._port}",
            "data_dir": str(self._folder),
            "steps": self._steps,
        }

    async def _set_up(self, house: House) -> ShopEntry:
        await house.directory.refresh()
        data = await connect_shop(house, "sandbox", sandbox_credentials(), on=True)
        shop_id = str(data["shop_id"])
        await connect_carrier(house, _shop(house, shop_id), CARRIERS["sandbox"], {})
        await change_settings(house, shop_id, _SETTINGS)
        await house.directory.refresh()
        text = "A sandbox shop is connected and on, with a sandbox carrier; free shipping from 60.00 EUR, markup 10 %."
        self._tell("set_up", text, shop_id=shop_id, rate_url=data["rate_url"], settings=_SETTINGS)
        return _shop(house, shop_id)

    async def _quote(self, house: House, shop: ShopEntry, store: SandboxStore, cart: Cart) -> Offer:
        call = store.shopkeeper.rate_call(cart)
        url = callbacks_of(house.settings.public_url, shop).rates
        await _until(lambda: self._knows(url, call), "the server to know the shop")
        started = time.monotonic()
        answer = await self._post(url, call)
        took = (time.monotonic() - started) * 1000
        offers = store.shopkeeper.offers(answer.content)
        self._tell(
            "quote",
            f"The checkout asked for prices to Vienna and got {len(offers)} options in {took:.0f} ms:",
            milliseconds=round(took),
            offers=[{"code": each.code, "name": each.name, "price": each.price} for each in offers],
        )
        for each in offers:
            self._speaker.progress(f"       {each.price}  {each.name}")
        return offers[0]

    async def _order(self, store: SandboxStore, cart: Cart, offer: Offer) -> str:
        keeper = store.shopkeeper
        placed = await keeper.place_order([(cart, offer)], to=_BUYER, email=_BUYER.email, phone=_BUYER.phone)
        paid = await keeper.mark_paid(placed.order_id)
        text = f"The buyer chose {offer.name} for {offer.price} and paid order {placed.order_id}."
        self._tell("order", text, order=placed.order_id, chosen=offer.code)
        callbacks = await keeper.callbacks()
        assert callbacks is not None  # noqa: S101 - install has registered them.
        for _ in range(3):
            await self._post(callbacks.hooks, paid)
        self._tell("webhook", "The store told of the payment three times; it counts once.", copies=3)
        return placed.order_id

    async def _label(self, house: House, account: AccountEntry, order: OrderView) -> None:
        parcel = order.parcels[0]
        label = _label(order)
        paths = []
        for row in parcel.files:
            path = self._folder / f"{label.tracking_code}.{row.media_type.rpartition('/')[2]}"
            path.write_bytes(house.shelf.get(row.sha256))
            paths.append(str(path))
        price = Money(label.booked_minor, label.booked_currency)
        sold = await _sandbox(account).purchases(parcel.id)
        self._tell(
            "label",
            f"{sold} label was bought, for {price}: {label.tracking_code}. It lies in {paths[0]}",
            price=price,
            tracking_code=label.tracking_code,
            sold=sold,
            files=paths,
        )

    async def _travel(self, account: AccountEntry, order: OrderView) -> None:
        news = await _sandbox(account).play(_label(order).handle)
        url = f"http://127.0.0.1:{self._port}/hooks/carrier/{account.record.hook_token}"
        for delivery in reversed(news):  # Out of order on purpose, the last scan first.
            await self._post(url, delivery)
        self._tell("tracking", f"The carrier posted {len(news)} scans, the last one first.", scans=len(news))

    async def _end(self, store: SandboxStore, order: OrderView) -> None:
        async def told() -> list[str] | None:
            found = await store.shopkeeper.fulfilments(order.external_id)
            steps = [step.status for step in found[0].timeline] if found else []
            return steps if steps[-1:] == ["delivered"] else None

        timeline = await _until(told, "the store's timeline to end with the delivery")
        self._tell("delivered", f"The parcel is delivered; the store shows: {', '.join(timeline)}.", timeline=timeline)
        entries = [{"kind": each.kind, "money": each.money} for each in order.amounts]
        self._tell("amounts", "What was quoted, charged and bought, to the cent:", entries=entries)
        for each in order.amounts:
            self._speaker.progress(f"       {each.money}  {each.kind}")

    async def _server_is_up(self) -> bool:
        try:
            answer = await self._http.request("GET", f"http://127.0.0.1:{self._port}/readyz", deadline_s=2)
        except OutgoingError:
            return False
        return answer.status == 200

    async def _knows(self, url: str, call: SignedCall) -> bool:
        try:
            return b"sandbox" in (await self._post(url, call)).content
        except WaybillError:
            return False

    async def _post(self, url: str, call: SignedCall | SignedDelivery) -> HTTPAnswer:
        answer = await self._http.request("POST", url, deadline_s=10, content=call.body, headers=call.headers)
        if answer.status != 200:
            raise WaybillError("The server did not take a call.", detail=f"status {answer.status}")
        return answer

    def _tell(self, step: str, text: str, **figures: Any) -> None:
        self._steps.append({"step": step, "text": text, **figures})
        self._speaker.progress(f"{len(self._steps):>3}. {text}")


def _sandbox(account: AccountEntry) -> SandboxCarrier:
    """The pretend carrier behind the counting one."""
    connection = account.connection
    return cast("SandboxCarrier", connection.connection if isinstance(connection, MeteredCarrier) else connection)


def _label(order: OrderView) -> Any:
    """The label's row; the story goes on only once there is one."""
    return order.parcels[0].label


Look = Callable[[], Awaitable[OrderView | None]]


async def _labelled(look: Look) -> OrderView | None:
    order = await look()
    if order is None or not order.parcels:
        return None
    parcel = order.parcels[0]
    if parcel.state in {"held", "refused"}:
        raise WaybillError("The label was not bought.", detail=parcel.why.say() if parcel.why else parcel.state)
    return order if parcel.state == "bought" and parcel.files and all(row.sha256 for row in parcel.files) else None


async def _fulfilled(look: Look) -> str | None:
    order = await look()
    tracking = None if order is None else order.parcels[0].tracking
    return None if tracking is None else tracking.fulfilment_id


async def _delivered(look: Look) -> OrderView | None:
    order = await look()
    tracking = None if order is None else order.parcels[0].tracking
    return order if tracking is not None and tracking.status == "delivered" else None


async def _until(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Look again and again until there is something to see. Raises WaybillError after a minute."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        found = await look()
        if found:
            return found
        await anyio.sleep(0.1)
    raise WaybillError(f"The demo waited {_PATIENCE_S:.0f} s in vain for {what}.")


def _shop(house: House, shop_id: str) -> ShopEntry:
    shop = house.directory.shop(shop_id)
    if shop is None:
        raise WaybillError("There is no such shop.", detail=shop_id)
    return shop


def _cart() -> Cart:
    """Two mugs and a tea pot, for Vienna, before the buyer has typed a street."""
    lines = (
        CartLine(2, Money(1290, "EUR"), Weight(420), "MUG-1", "Mug", "mug-1"),
        CartLine(1, Money(2450, "EUR"), Weight(980), "POT-1", "Tea pot", "pot-1"),
    )
    total = Money(2 * 1290 + 2450, "EUR")
    place = Address(_BUYER.country, _BUYER.postal_code, _BUYER.province, _BUYER.city)
    return Cart(
        lines, "EUR", destination=place, totals=CartTotals(total, Money.zero("EUR"), total), location_id="loc_1"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _say_where(speaker: Speaker, folder: Path, port: int, story: dict[str, Any]) -> None:
    """Where to look while the server goes on."""
    here, shop, order = f"http://127.0.0.1:{port}", story["shop_id"], str(story["order"]).lstrip("#")
    for line in (
        "",
        f"The server goes on until Ctrl-C. Look at {here}/readyz and {here}/metrics, or in another terminal:",
        f"  export WAYBILL_DATA_DIR={folder} WAYBILL_PUBLIC_URL={here}",
        f"  waybill order show {shop} {order}",
        f"  waybill settings {shop}",
        "  waybill shop list",
    ):
        speaker.progress(line)
