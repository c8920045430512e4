"""One account asked: carriers that price parcel by parcel, and adapters with a defect."""

from __future__ import annotations

import pytest

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.errors import Misconfigured, Unavailable
from carriers.money import Money
from carriers.parcel import RateRequest
from connector.packing.plan import Plan
from connector.quotes.ask import Account, Question, ask_one, request_for
from connector.quotes.decide import plan
from tests.quotes.world import BUYER, PlainCarrier, as_carrier, cart, line, settings

pytestmark = pytest.mark.anyio

FROM = Address("SK", "811 01")
HEAVY, LIGHT = 4000, 3000


def account(carrier: PlainCarrier) -> Account:
    return Account("acc_1", "fake", as_carrier(carrier))


def request(carrier: PlainCarrier, *grams: int) -> RateRequest:
    """One parcel for each weight."""
    planned = plan(cart(*(line(each, sku=str(each)) for each in grams)), settings(default_carton="300x200x150:0:5000"))
    assert isinstance(planned, Plan)
    assert len(planned.parcels) == len(grams)
    return request_for(account(carrier), Question(FROM, BUYER, planned, "EUR"))


async def test_prices_of_several_parcels_are_added_up() -> None:
    carrier = PlainCarrier(by_grams={HEAVY: {"Ground": 900, "Express": 2000}, LIGHT: {"Express": 1500, "Ground": 700}})
    answer = await ask_one(account(carrier), request(carrier, HEAVY, LIGHT), 1)
    assert {each.service: each.minor for each in answer.rates} == {"Ground": 1600, "Express": 3500}
    assert answer.problems == ()
    assert [len(asked.parcels) for asked in carrier.asked] == [1, 1]


@pytest.mark.complaint(18)
@pytest.mark.parametrize("turned", [False, True])
async def test_a_service_that_does_not_take_every_parcel_has_no_price_and_is_named(turned: bool) -> None:
    """Whichever of the parcels it does not take."""
    some: list[dict[str, int]] = [{"Ground": 900}, {"Ground": 700, "Economy": 400}]
    first, second = some[::-1] if turned else some
    carrier = PlainCarrier(by_grams={HEAVY: first, LIGHT: second})
    answer = await ask_one(account(carrier), request(carrier, HEAVY, LIGHT), 1)
    assert [(each.service, each.minor) for each in answer.rates] == [("Ground", 1600)]
    assert [(each.code, each.message) for each in answer.problems] == [("not_every_parcel", "Economy")]


async def test_the_slowest_parcel_s_days_count() -> None:
    """In this carrier's story a parcel travels as many days as it has services."""
    carrier = PlainCarrier(by_grams={HEAVY: {"Ground": 900}, LIGHT: {"Ground": 700, "Express": 1, "Night": 2}})
    answer = await ask_one(account(carrier), request(carrier, HEAVY, LIGHT), 1)
    assert [each.transit_days for each in answer.rates] == [3]


async def test_a_carrier_that_prices_all_parcels_at_once_is_asked_once() -> None:
    carrier = PlainCarrier(capabilities=Capabilities("refused", 60, multi_parcel=True))
    answer = await ask_one(account(carrier), request(carrier, HEAVY, LIGHT), 1)
    assert [len(asked.parcels) for asked in carrier.asked] == [2]
    assert {each.service for each in answer.rates} == {"Ground", "Express"}


@pytest.mark.parametrize("grams", [(HEAVY,), (HEAVY, LIGHT)])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("down"), "unreachable"),
        (Misconfigured("The key is wrong."), "credentials"),
        (ZeroDivisionError(), "carrier_error"),
    ],
)
async def test_a_failure_or_a_defect_is_the_account_s_own_answer(
    error: Exception, code: str, grams: tuple[int, ...]
) -> None:
    carrier = PlainCarrier(error=error)
    answer = await ask_one(account(carrier), request(carrier, *grams), 1)
    assert (answer.state, answer.rates) == ("failed", ())
    assert [each.code for each in answer.problems] == [code]


async def test_only_a_carrier_that_needs_the_street_is_told_it() -> None:
    curious = PlainCarrier(capabilities=Capabilities("refused", 60, needs_street=True))
    assert request(curious, HEAVY).destination == BUYER
    told = request(PlainCarrier(), HEAVY).destination
    assert (told.street1, told.name, told.phone) == ("", "", "")
    assert (told.country, told.postal_code, told.city) == (BUYER.country, BUYER.postal_code, BUYER.city)


async def test_the_carrier_is_told_what_the_goods_are_worth() -> None:
    planned = plan(cart(), settings())
    assert isinstance(planned, Plan)
    carrier = PlainCarrier()
    question = Question(FROM, BUYER, planned, "EUR", Money(1000, "EUR"), 1)
    await ask_one(account(carrier), request_for(account(carrier), question), 1)
    assert (carrier.asked[0].goods, carrier.asked[0].units) == (Money(1000, "EUR"), 1)
