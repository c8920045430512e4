"""The price before the checkout is the checkout's: 2,000 random carts, and what an estimate may and may not say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

import pytest

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import RateRequest
from carriers.rate import Rate, Rates
from connector.catalogue.memory import Products, ShopProducts
from connector.catalogue.product import Product
from connector.quotes.ask import Account
from connector.quotes.desk import QuoteDesk
from connector.quotes.estimate import Asked, AskedLine, Estimate, Fault
from connector.quotes.ledger import LedgerRow
from connector.quotes.shop import Origin, QuotingShop
from connector.quotes.storefront import estimate
from connector.rules.ruleset import RuleSet
from connector.shop_settings import ShopSettings, change
from connector.store import Answer, Incoming, RateCall, Refusal, Store, StoreCapabilities, UseBackup
from connector.stores.shopify import rates as shopify
from connector.stores.shopify.shop import CAPABILITIES
from tests.quotes.world import NOW, as_carrier, keyed_hash
from webhooks.receiver import Reply

pytestmark = pytest.mark.anyio

SEED = 20261122
CARTS = 2000
ORIGIN = Address("SK", "811 01", "BL", "Bratislava", street1="Sample Street 1")
PLACES = [
    ("AT", "1010", "", "Wien"), ("AT", "6020", "", "Innsbruck"), ("SK", "040 01", "", "Kosice"),
    ("DE", "10115", "BE", "Berlin"), ("US", "10001", "NY", "New York"), ("HK", "", "HK", "Hong Kong"),
    ("GR", "105 57", "", "Athens"),
]  # fmt: skip


@dataclass(eq=False)
class Restless:
    """A carrier whose prices are other ones at each call: only what is held can be equal."""

    dice: Random
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("refused", 60))

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        grams = sum(parcel.weight.grams for parcel in request.parcels)
        if request.destination.country == "GR":
            return Rates(())
        least = 300 + grams // 10
        offers = [("Ground", 4), ("Express", 2), ("Night", 1)]
        return Rates(
            tuple(
                Rate("ca_1", "Fake", name, Money(least + self.dice.randrange(900), "EUR"), transit_days=days)
                for name, days in offers[: 2 + grams % 2]
            )
        )


@dataclass
class ShopifyCheckout:
    """Reads and writes as Shopify's adapter does."""

    capabilities: StoreCapabilities = CAPABILITIES

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        return shopify.write_answer(answer)


class Shelf(Products):
    """A catalogue in memory."""

    def __init__(self, products: ShopProducts) -> None:
        super().__init__(None)
        self._only = products

    def of(self, shop_id: str) -> ShopProducts:
        return self._only

    async def load(self, shop_id: str) -> ShopProducts:
        return self._only


@dataclass
class Notes:
    """A ledger that keeps rows in a list."""

    rows: list[LedgerRow] = field(default_factory=list)
    repeats: int = 0

    def put(self, row: LedgerRow) -> None:
        self.rows.append(row)

    def repeat(self, shop_id: str, quote_id: str, at: datetime) -> None:
        self.repeats += 1

    def live(self, answer: object) -> None:
        """Nothing to learn from."""

    def difference(self, difference: object) -> None:
        """Prices differ by design."""


def catalogue() -> dict[str, Product]:
    dice = Random(SEED)  # noqa: S311 - a seed that is always the same.
    found = {}
    for number in range(40):
        found[str(7000 + number)] = Product(
            key=str(7000 + number),
            sku=f"SKU-{number}",
            name=f"Thing {number}",
            product_id=f"gid://shopify/Product/{number // 4}",
            vendor=dice.choice(["Acme", "Tea House"]),
            weight_g=dice.randrange(50, 3000),
            price=f"{dice.randrange(100, 6000) / 100:.2f}",
            requires_shipping=False if number % 13 == 12 else None,
            sources={"weight_g": "store"},
        )
    return found


THINGS = catalogue()


class World:
    """A desk with one restless carrier, and a clock that stands still unless it is moved."""

    def __init__(self, **settings: str) -> None:
        self.now = NOW
        self.ledger = Notes()
        raw = {key: thing.model_dump_json() for key, thing in THINGS.items()}
        self.desk = QuoteDesk(
            lambda: self.now, keyed_hash, cast("Any", self.ledger), products=Shelf(ShopProducts(1, raw))
        )
        carrier = Restless(Random(1))  # noqa: S311 - a seed that is always the same.
        usual = {"storefront": "on", "threshold": "50.00", "markup_percent": "7.5", "exchange_rates": "EUR/USD:1.0825"}
        self.shop = QuotingShop(
            id="shop_1",
            store=cast("Store", ShopifyCheckout()),
            settings=change(ShopSettings(), usual | settings, "EUR"),
            settings_version=3,
            timezone="Europe/Bratislava",
            origins=(Origin("loc_1", "gid://shopify/Location/1", ORIGIN, is_default=True),),
            accounts=(Account("acc_1", "fake", as_carrier(cast("Any", carrier)), "shop_1"),),
        )

    async def told(self, asked: Asked) -> Estimate:
        """What a page is told."""
        found = await estimate(self.desk, self.shop, "EUR", asked, time.monotonic())
        assert isinstance(found, Estimate), found
        return found

    async def checkout(self, body: dict[str, Any]) -> dict[str, Any]:
        """What Shopify's checkout gets: status, and the rates by code."""
        raw = json.dumps({"rate": body}).encode()
        call = shopify.read_rate_call(Incoming({}, {}, raw, "tea.myshopify.com"), (), "off")
        assert isinstance(call, RateCall), call
        given = await self.desk.give(self.shop, call, time.monotonic())
        return {"status": given.reply.status, **json.loads(given.reply.body)}


def a_cart(dice: Random) -> tuple[Asked, dict[str, Any]]:
    """The same cart as a page asks and as the checkout does: with street, names and totals, without digital goods."""
    country, postal, province, city = dice.choice(PLACES)
    chosen = {dice.choice(list(THINGS)): dice.randrange(1, 4) for _ in range(dice.randrange(1, 6))}
    subtotal = sum(round(float(THINGS[key].price) * 100) * units for key, units in chosen.items())
    discount = dice.choice([0, 0, 0, subtotal // 10, 500 if subtotal > 500 else 0])
    locale = dice.choice(["en", "sk-SK", "ar", "pl"])
    asked = Asked(
        lines=tuple(
            # A page may say what it wants of prices and weights that are known.
            AskedLine(key, "", units, Money(dice.randrange(1, 9999), "EUR"), dice.choice([None, 1, 99999]))
            if dice.random() < 0.7
            else AskedLine("", THINGS[key].sku, units)
            for key, units in chosen.items()
        ),
        destination=Address(country, postal.replace(" ", "") if dice.random() < 0.5 else postal),
        discount=Money(discount, "EUR"),
        locale=locale,
        currency=dice.choice(["EUR", "EUR", "USD"]),
    )
    items = [
        {
            "name": thing.name, "sku": thing.sku, "quantity": units, "grams": thing.weight_g,
            "price": round(float(thing.price) * 100), "vendor": thing.vendor, "requires_shipping": True,
            "taxable": True, "fulfillment_service": "manual", "properties": None,
            "product_id": int(thing.product_id.rsplit("/", 1)[1]), "variant_id": int(key),
        }
        for key, units in chosen.items()
        if (thing := THINGS[key]).requires_shipping is not False
    ]  # fmt: skip
    body = {
        "origin": {"country": "SK", "postal_code": "81101", "province": "BL", "city": "Bratislava", "address1": "S 1"},
        "destination": {
            "country": country, "postal_code": postal, "province": province, "city": city, "name": "Sample Buyer",
            "address1": f"Sample Street {dice.randrange(99)}", "phone": "+43 1 234567", "email": None,
        },
        "items": items,
        "currency": "EUR",
        "locale": locale,
        "order_totals": {
            "subtotal_price": str(subtotal), "discount_amount": str(discount),
            "total_price": str((subtotal - discount) * 6 // 5),
        },
        "customer": None,
    }  # fmt: skip
    return asked, body


RULES = {
    "rules": [
        {"name": "No tea to Greece", "then": [{"kind": "refuse_goods", "table": [
            {"areas": [{"country": "GR"}], "items": {"vendors": ["Tea House"]}, "text": "Not allowed."}]}]},
        {"name": "Vienna costs more", "when": [{"kind": "postal_code_in", "country": "AT", "patterns": ["1*"]}],
         "then": [{"kind": "percent_change", "percent": "15"}]},
        {"name": "Only Acme", "when": [{"kind": "items", "match": "all", "items": {"vendors": ["Acme"]}}],
         "then": [{"kind": "fixed_change", "amount": "-1.00", "currency": "EUR"}]},
        {"name": "Heavy", "when": [{"kind": "weight", "at_least_g": 5000}],
         "then": [{"kind": "handling", "per": "order", "amount": "2.50", "currency": "EUR"}]},
        {"name": "Guests see names", "when": [{"kind": "guest"}, {"kind": "service_in", "services": ["fake-night"]}],
         "then": [{"kind": "rename", "name": "Night courier"}]},
        {"name": "Prices end in .90", "then": [{"kind": "round", "ending": "0.90", "direction": "up"}]},
        {"name": "Pick up", "when": [{"kind": "country_in", "countries": ["SK"]}], "then": [
            {"kind": "add_rate", "code": "pick-up", "name": "Pick up", "amount": "0", "currency": "EUR"}]},
    ],
    "thresholds": [
        {"name": "Free from 50", "amount": "50.00", "currency": "EUR"},
        {"name": "Austria", "amount": "80.00", "currency": "EUR", "where": ["AT"]},
    ],
}  # fmt: skip


def worlds() -> list[World]:
    """Shops of four kinds: plain, with words of its own, with dates, and with many rules."""
    ruled = World()
    settings = ruled.shop.settings.model_copy(update={"rules": RuleSet.model_validate(RULES)})
    ruled.shop = replace(ruled.shop, settings=settings)
    words = "*@sk:Kuriér {carrier}|Doručíme {from} až {to};*@en:Courier {service};class/express@ar:سريع"
    return [World(), World(wording=words, language="sk"), World(threshold="", markup_fixed="1.50"), ruled]


@pytest.mark.need(1)
async def test_the_estimate_is_the_checkouts_price_in_2000_random_carts() -> None:
    dice, shops = Random(SEED), worlds()  # noqa: S311 - a seed that is always the same.
    shown = refused = 0
    for number in range(CARTS):
        world = shops[number % len(shops)]
        asked, body = a_cart(dice)
        found = await world.told(asked)
        if not body["items"]:
            assert found.outcome == "not_served"
            continue
        rates = (await world.checkout(body)).get("rates", [])
        shown += len(rates)
        refused += found.message.endswith(" cannot be sent there.")
        assert [
            (each.code, each.name, str(each.price.minor), each.price.currency, each.description)
            for each in found.options
        ] == [
            (each["service_code"], each["service_name"], each["total_price"], each["currency"], each["description"])
            for each in rates
        ]
        days = [each.earliest and (str(each.earliest), str(each.latest)) for each in found.options]
        assert days == [
            (each["min_delivery_date"][:10], each["max_delivery_date"][:10]) if "min_delivery_date" in each else None
            for each in rates
        ]
    assert shown > CARTS
    assert refused > 0
    for world in shops:
        await world.desk.aclose()


def asked(*lines: AskedLine, **changes: Any) -> Asked:
    usual: dict[str, Any] = {"destination": Address("AT", "1010"), "currency": "EUR"}
    return Asked(lines or (AskedLine("7000", "", 1),), **usual | changes)


def body_of(units: int = 1, **destination: Any) -> dict[str, Any]:
    thing = THINGS["7000"]
    price = round(float(thing.price) * 100)
    return {
        "currency": "EUR",
        "locale": "en",
        "customer": None,
        "origin": {"country": "SK", "postal_code": "81101"},
        "destination": {"country": "AT", "postal_code": "1010", "city": "Wien", "address1": "Ring 1"} | destination,
        "items": [{"sku": thing.sku, "name": thing.name, "quantity": units, "grams": thing.weight_g, "price": price,
                   "variant_id": 7000, "product_id": 0, "vendor": thing.vendor}],
        "order_totals": {"subtotal_price": price * units, "discount_amount": 0, "total_price": price * units},
    }  # fmt: skip


async def prices(world: World, units: int = 1, **destination: Any) -> list[int]:
    rates = (await world.checkout(body_of(units, **destination))).get("rates", [])
    return [int(each["total_price"]) for each in rates]


async def test_what_was_told_holds_for_half_an_hour_and_no_longer() -> None:
    world = World()
    told = [each.price.minor for each in (await world.told(asked())).options]
    world.now += timedelta(minutes=29)
    assert await prices(world) == told
    world.now += timedelta(minutes=31)
    assert await prices(world, address1="Another Street 2") != told


async def test_another_quantity_postal_code_or_kind_of_address_is_another_cart() -> None:
    world = World()
    told = [each.price.minor for each in (await world.told(asked())).options]
    assert await prices(world, 2) != told
    assert await prices(world, postal_code="6020") != told
    assert await prices(world, address1="P.O. Box 12") != told
    assert await prices(world, address_type="residential") != told
    assert await prices(world) == told


async def test_a_repeated_question_asks_no_carrier_and_is_counted() -> None:
    world = World()
    first = await world.told(asked())
    assert await world.told(asked()) == first
    assert (len(world.ledger.rows), world.ledger.repeats) == (1, 1)
    assert world.ledger.rows[0].channel == "storefront"


async def test_without_a_postal_code_nobody_is_asked_and_the_way_to_free_shipping_is_told() -> None:
    world = World()
    found = await world.told(asked(destination=Address("AT"), locale="sk"))
    assert (found.outcome, found.options, world.ledger.rows) == ("unknown", (), [])
    assert found.progress is not None
    assert found.progress.text.startswith("Do dopravy zadarmo")
    assert found.message == "Zadajte PSČ a ukážeme možnosti doručenia."


@pytest.mark.need(2)
async def test_the_way_is_told_in_the_buyers_currency_rounded_up() -> None:
    thing = THINGS["7000"]
    found = (await World().told(asked(currency="USD"))).progress
    assert found is not None
    assert found.missing is not None
    missing = Money.parse("50.00", "EUR") - Money.parse(thing.price, "EUR")
    exact = missing.amount * 10825 / 10000
    assert exact <= found.missing.amount < exact + Money(1, "USD").amount
    assert found.missing.currency == "USD"


async def test_once_it_is_free_the_way_has_an_end() -> None:
    found = await World().told(asked(AskedLine("7000", "", 100)))
    assert found.progress is not None
    assert (found.progress.missing, found.progress.percent) == (None, 100)
    assert "Free" in {each.text for each in found.options}


async def test_a_variant_that_nobody_knows_needs_a_price_from_the_page() -> None:
    world = World()
    fault = await estimate(world.desk, world.shop, "EUR", asked(AskedLine("1", "", 1)), time.monotonic())
    assert fault == Fault("missing", "lines[0].unit_price")
    own = AskedLine("1", "", 1, Money(1000, "EUR"), 300)
    assert (await world.told(asked(own))).outcome == "offers"


async def test_a_price_in_a_currency_without_a_rate_names_its_field() -> None:
    world = World()
    line = AskedLine("1", "", 1, Money(1000, "GBP"), 300)
    assert await estimate(world.desk, world.shop, "EUR", asked(line), 0.0) == Fault("no_rate", "lines[0].unit_price")
    off = asked(discount=Money(100, "GBP"))
    assert await estimate(world.desk, world.shop, "EUR", off, 0.0) == Fault("no_rate", "discount")
    much = asked(discount=Money(10**7, "EUR"))
    assert await estimate(world.desk, world.shop, "EUR", much, 0.0) == Fault("out_of_range", "discount")


async def test_a_buyer_reads_no_carriers_words() -> None:
    world = World()
    found = await world.told(asked(destination=Address("GR", "10557")))
    assert (found.outcome, found.options) == ("unknown", ())
    assert found.message == "Delivery options and prices are shown at the checkout."


async def test_estimates_at_the_same_moment_agree() -> None:
    world = World()
    both = await asyncio.gather(world.told(asked()), world.told(asked(locale="en")))
    assert [each.price for each in both[0].options] == [each.price for each in both[1].options]


def test_weights_of_the_page_count_only_where_nothing_is_known() -> None:
    from connector.quotes.estimate import cart_of

    shelf = {("7000", ""): THINGS["7000"]}
    lines = (AskedLine("7000", "", 1, None, 5), AskedLine("1", "", 1, Money(100, "EUR"), 5))
    cart = cart_of(Asked(lines), "EUR", (), lambda variant, sku: shelf.get((variant, sku)))
    assert not isinstance(cart, Fault)
    assert [line.weight for line in cart.lines] == [Weight(THINGS["7000"].weight_g or 0), Weight(5)]
