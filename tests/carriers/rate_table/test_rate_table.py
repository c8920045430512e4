"""A table as a carrier: dates in the shop's zone, reasons that name the limit, labels that are bought by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from carriers.address import Address
from carriers.errors import Refused
from carriers.label import NotBought, Rejected
from carriers.measure import Size, Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest, Shipment
from carriers.rate import Rates
from carriers.rate_table import KIND, BadTable, RateTableCarrier, RateTableSettings, pack
from carriers.sandbox import SandboxSettings
from tests.carriers.rate_table.sheets import HEAD, SERVICE, TABLE, ZONE, Row, line, price, sheet
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

HOME = Address("SK", "811 01")


def carrier(clock: FrozenClock, *rows: Row, head: tuple[Row, ...] = HEAD, zone: str = "UTC") -> RateTableCarrier:
    return RateTableCarrier(RateTableSettings(file=pack(sheet(*head, *rows)), timezone=zone), clock)


async def ask(table: RateTableCarrier, *grams: int, to: Address = HOME, currency: str = "EUR", **more: object) -> Rates:
    parcels = tuple(Parcel(Weight(each), Size(400, 300, 200) if "sized" in more else None) for each in grams)
    units, goods = more.get("units"), more.get("goods")
    assert units is None or isinstance(units, int)
    assert goods is None or isinstance(goods, Money)
    return await table.rates(RateRequest(HOME, to, parcels, currency, goods=goods, units=units), 1)


async def test_a_rate_names_table_service_price_and_days(clock: FrozenClock) -> None:
    head = (TABLE, line("service", service="Post", days="3"), ZONE)
    (rate,) = (await ask(carrier(clock, price(), head=head), 500)).rates
    assert rate.key == ("Test", "Test", "Post")
    assert (rate.price, rate.transit_days, rate.rate_id) == (Money(500, "EUR"), 3, "")


async def test_a_surcharge_begins_and_ends_at_midnight_of_the_shop(clock: FrozenClock) -> None:
    peak = line("surcharge", name="Peak", amount="1", from_="2026-11-24", to="2026-11-24")
    table = carrier(clock, price(), peak, zone="America/New_York")
    found = []
    for at in ("2026-11-24T04:59", "2026-11-24T05:00", "2026-11-25T04:59", "2026-11-25T05:00"):
        clock.at = datetime.fromisoformat(at).replace(tzinfo=UTC)
        found.append((await ask(table, 500)).rates[0].price.minor)
    assert found == [500, 600, 600, 500]


async def test_percentages_are_of_the_price_and_amounts_come_after(clock: FrozenClock) -> None:
    extra = (line("surcharge", name=name, percent="10") for name in ("Fuel", "Toll"))
    table = carrier(clock, price(price="1.23"), *extra, line("surcharge", name="Peak", amount="0.50"))
    assert (await ask(table, 1)).rates[0].price == Money(148 + 50, "EUR")  # 1.23 x 1.20 is 1.476.


@pytest.mark.complaint(18)
async def test_a_service_has_a_price_only_if_every_parcel_has_one(clock: FrozenClock) -> None:
    table = carrier(clock, price(weight_to="10"))
    assert [rate.price.minor for rate in (await ask(table, 500, 10_000)).rates] == [1000]
    found = await ask(table, 500, 10_001)
    assert found.rates == ()
    (problem,) = found.problems
    assert problem.code == "rate_refused"
    assert problem.message == "Post takes at most 10 kg to Home; this parcel counts as 10.001 kg."


async def test_a_destination_that_no_zone_covers_is_no_service(clock: FrozenClock) -> None:
    (problem,) = (await ask(carrier(clock, price()), 500, to=Address("AT", "1010"))).problems
    assert problem.code == "no_service"
    assert "(AT)" in problem.message


async def test_a_service_without_a_price_in_the_zone_is_no_service(clock: FrozenClock) -> None:
    head = (*HEAD, line("service", service="Courier"), line("zone", zone="City", country="SK", postal="81*"))
    courier = price(service="Courier", zone="City")
    found = await ask(carrier(clock, price(), courier, head=head), 500)
    assert [rate.service for rate in found.rates] == ["Courier"]
    assert [(problem.code, problem.message) for problem in found.problems] == [
        ("no_service", "Post is not offered in this zone.")
    ]


async def test_bands_of_items_and_subtotal_need_to_know_them(clock: FrozenClock) -> None:
    by_items = carrier(clock, price(items_from="1", items_to="5"))
    assert (await ask(by_items, 500, units=5)).rates
    assert "5 items" in (await ask(by_items, 500, units=6)).problems[0].message
    assert "not known" in (await ask(by_items, 500)).problems[0].message
    by_worth = carrier(clock, price(subtotal_to="49.99"), price(subtotal_from="50", price="0"))
    assert (await ask(by_worth, 500, goods=Money(4999, "EUR"))).rates[0].price == Money(500, "EUR")
    assert (await ask(by_worth, 500, goods=Money(5000, "EUR"))).rates[0].price == Money(0, "EUR")
    assert "not known" in (await ask(by_worth, 500)).problems[0].message
    assert "not in EUR" in (await ask(by_worth, 500, goods=Money(1, "USD"))).problems[0].message


@pytest.mark.complaint(19)
async def test_dimensional_weight_follows_the_divisor_of_the_service_and_the_day(clock: FrozenClock) -> None:
    rows = (
        line("divisor", divisor="5000"),
        line("divisor", service="Post", divisor="0", to="2026-11-23"),
        price(price="0", per_unit="1.00"),
    )
    table = carrier(clock, *rows)
    assert (await ask(table, 1000, sized=True)).rates[0].price == Money(100, "EUR")
    clock.advance(days=1)
    assert (await ask(table, 1000, sized=True)).rates[0].price == Money(480, "EUR")  # 24 litres / 5000.
    assert (await ask(table, 1000)).rates[0].price == Money(100, "EUR")  # Its size is not known.


async def test_a_price_in_the_asked_currency_wins_over_the_tables_own(clock: FrozenClock) -> None:
    table = carrier(clock, price(), price(currency="CZK", price="125.00"))
    for asked, expected in (("EUR", "5.00 EUR"), ("CZK", "125.00 CZK"), ("USD", "5.00 EUR")):
        assert str((await ask(table, 500, currency=asked)).rates[0].price) == expected


async def test_only_the_asked_accounts_answer(clock: FrozenClock) -> None:
    request = RateRequest(HOME, HOME, (Parcel(Weight(1)),), "EUR", accounts=("Other",))
    assert await carrier(clock, price()).rates(request, 1) == Rates()
    assert (await ask(carrier(clock, price()))).problems[0].code == "rate_refused"


async def test_a_label_is_bought_by_hand(clock: FrozenClock) -> None:
    table = carrier(clock, price())
    created = await table.create(Shipment(HOME, HOME, Parcel(Weight(1)), "par_1", "EUR"))
    assert created.handle == "byhand_par_1"
    outcome = await table.purchase(created.handle, created.rates[0], lambda: True)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, bool(outcome.message)) == ("by_hand", True)
    assert isinstance(await table.look_up(created.handle), NotBought)
    assert (await table.void(created.handle, lambda: True)).state == "nothing_charged"
    assert (await table.void_state(created.handle)).state == "nothing_charged"
    with pytest.raises(Refused):
        await table.fetch_file("https://example.com/label")
    with pytest.raises(Refused):
        await table.track("trk_1")


def test_settings_refuse_what_is_no_file_and_no_time_zone(clock: FrozenClock) -> None:
    good = pack(sheet(TABLE, SERVICE, ZONE, price()))
    for file, zone in (("not packed!", "UTC"), (good[:-8], "UTC"), (good, "Mars/Olympus"), (good, "../etc")):
        with pytest.raises(ValidationError):
            RateTableSettings(file=file, timezone=zone)
    with pytest.raises(BadTable):
        carrier(clock, price(price="x"))


def test_the_kind_connects_its_own_settings_only(clock: FrozenClock) -> None:
    with pytest.raises(TypeError):
        KIND.connect(SandboxSettings.model_construct(), None, clock)  # type: ignore[arg-type]


async def test_several_parcels_have_a_price_each(clock: FrozenClock) -> None:
    """So that each label is compared with its own parcel's price; a single parcel's price is the whole one."""
    table = carrier(clock, price(price="2", weight_to="1"), price(price="5", weight_from="1.001", weight_to="10"))
    (several,) = (await ask(table, 500, 2500, 900)).rates
    assert [part.minor for part in several.parts] == [200, 500, 200]
    assert several.price == Money(900, "EUR")
    (alone,) = (await ask(table, 500)).rates
    assert alone.parts == ()
