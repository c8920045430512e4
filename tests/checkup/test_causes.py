"""Causes that need a closer look: many zones, several pages, wallets that run low, messages that are accepted again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from carriers.address import Address
from carriers.easypost.settings import EasyPostSettings
from carriers.easypost.standing import read_standing
from carriers.errors import Misconfigured
from carriers.money import Money
from connector.checkup import refused
from connector.checkup.address import check_address
from connector.checkup.carriers import _judge_wallet
from connector.checkup.places import judge_locations
from connector.store import StoreLocation
from connector.wiring import receiver
from tests.checkup import plants
from tests.checkup.world import Patient
from webhooks.receiver import Endpoint

pytestmark = pytest.mark.anyio


async def test_zones_of_every_page_are_looked_at(patient: Patient) -> None:
    zones = [{"name": f"Zone {number}", "without": number == 23} for number in range(24)]
    await patient.at_store("set_up", profiles=[plants.GENERAL | {"zones": zones}])
    (finding,) = (await patient.check()).findings
    assert finding.reason.params["zones"] == "Zone 23"
    assert finding.link == "https://admin.shopify.com/store/waybill-test/settings/shipping/profiles/1"


async def test_products_of_every_page_are_weighed(patient: Patient) -> None:
    products = [f"Mug {number}" for number in range(401)]
    await patient.at_store("set_up", profiles=[plants.GENERAL | {"products": products}], weightless=["Mug 400"])
    (finding,) = (await patient.check()).findings
    assert finding.reason.params == {"count": 1, "looked_at": 401, "products": "Mug 400 - Default Title"}


async def test_a_weight_that_is_assumed_stops_nothing(patient: Patient) -> None:
    await patient.settings(default_item_weight_g=500)
    await plants.weightless(patient)
    (finding,) = (await patient.check()).findings
    assert (finding.reason.code, finding.level) == ("check_weight_assumed", "look")


async def test_a_plan_that_may_have_the_feature_is_believed_while_it_works(patient: Patient) -> None:
    await patient.at_store("set_up", plan="Basic")
    assert await patient.codes() == set()
    await patient.at_store("set_up", plan="Grow")
    await plants.service_gone(patient)
    assert await patient.codes() == {"check_plan_perhaps"}
    await patient.at_store("set_up", for_developers=True)
    assert await patient.codes() == {"check_service_missing"}


async def test_the_merchants_own_prices_are_no_backup_prices(patient: Patient) -> None:
    """A zone may hold the merchant's own price beside ours; who chose it was not failed by us."""
    zones = [{"name": "Domestic", "own": ["Bike courier"]}]
    await patient.at_store("set_up", profiles=[plants.GENERAL | {"zones": zones}])
    shipping = {"code": "own", "title": "Bike courier", "price": "5.00", "source": "shopify"}
    await patient.at_store("place_orders", 2, paid=True, shipping=shipping)
    await patient.at_store(
        "place_order",
        paid=True,
        code_lost=True,
        shipping={"source": "shopify", "code": "x"} | {"title": "x", "price": "1.00"},
    )
    assert await patient.codes() == set()


@pytest.mark.complaint(28)
async def test_backup_prices_are_told_by_day_beside_the_price_questions(patient: Patient) -> None:
    await plants.backup_used(patient)
    (finding,) = (await patient.check()).findings
    said = finding.reason.params
    assert said["count"] == 3
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: [123](, \d{4}-\d\d-\d\d: [12])?", str(said["days"]))
    assert said["asked"] in {0, 1}  # The question came five minutes before: that may have been yesterday.


async def test_a_message_that_is_accepted_clears_the_secret(patient: Patient) -> None:
    await plants.wrong_secret(patient)
    assert await patient.codes() == {"check_messages_refused"}
    await patient.at_store("place_order", paid=True)
    (news, *_) = await patient.at_store("deliveries")
    endpoint = Endpoint(f"store:{patient.shop_id}", patient.shop.store.verify_webhook, patient.shop_id)
    reply = receiver(patient.house).receive(endpoint, "POST", news["headers"], news["body"].encode())
    assert reply.status == 200
    assert await patient.codes() == set()


async def test_refusals_are_counted_by_day_and_forgotten_after_their_time(patient: Patient) -> None:
    database, now = patient.house.database, patient.house.clock.now()
    for _ in range(2):
        await plants.wrong_secret(patient)
        await patient.house.refused.flush()
    found = await database.run(refused.refusals, patient.shop_id, "hooks", None, now)
    assert found == refused.Refusals(6, now.date().isoformat())
    assert await database.run(refused.refusals, patient.shop_id, "hooks", None, now + timedelta(days=4)) is None
    assert await database.run(refused.forget_older, now - timedelta(days=30)) == 0
    assert await database.run(refused.forget_older, now + timedelta(days=1)) == 1


async def test_price_questions_without_a_right_signature_are_told(patient: Patient) -> None:
    for _ in range(3):
        await patient.asked(signature="wrong")
    assert await patient.codes() == set()  # One was right.
    await patient.house.database.run(_all_wrong, patient.shop_id)
    assert await patient.codes() == {"check_questions_unproved"}


def _all_wrong(connection: Connection, shop_id: str) -> None:
    from connector.quotes.ledger import quotes

    connection.execute(quotes.update(shop_id).values(signature="wrong"))


async def test_a_wallet_runs_low_against_what_labels_cost_lately(patient: Patient) -> None:
    (account,) = patient.shop.accounts.values()
    balance, spent = Money(1000, "USD"), Money(5000, "USD")
    (low,) = _judge_wallet(account, balance, spent, refills=False)
    assert low.reason.say() == "The wallet at EasyPost holds 10.00 USD; the labels of the last 3 days cost 50.00 USD."
    assert _judge_wallet(account, balance, spent, refills=True) == []
    assert _judge_wallet(account, spent, balance, refills=False) == []
    (empty,) = _judge_wallet(account, Money(0, "USD"), balance, refills=True)
    assert empty.reason.code == "check_wallet_empty"


async def test_an_account_says_how_it_stands(patient: Patient) -> None:
    settings = EasyPostSettings.model_validate({"api_key": "EZAKp", "api_base": patient.carrier.base_url})
    outgoing = patient.house.outgoing
    standing = await read_standing(settings, outgoing, 10)
    assert (standing.balance, standing.refills) == (Money(25000, "USD"), False)
    await patient.at_carrier("user", balance=None)
    assert (await read_standing(settings, outgoing, 10)).balance is None
    test_key = EasyPostSettings.model_validate({"api_key": "EZTKt", "api_base": patient.carrier.base_url})
    assert (await read_standing(test_key, outgoing, 10)).balance is None
    strange = EasyPostSettings.model_validate({"api_key": "gone", "api_base": patient.carrier.base_url})
    with pytest.raises(Misconfigured):
        await read_standing(strange, outgoing, 10)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://127.0.0.1", "check_address_local"),
        ("https://localhost:8443", "check_address_local"),
        ("https://10.1.2.3", "check_address_local"),
        ("http://ship.example.com", "check_address_plain"),
    ],
)
async def test_an_address_that_no_store_can_call_is_told_without_a_call(patient: Patient, url: str, code: str) -> None:
    (finding,) = await check_address(patient.house.outgoing, url, private_is_fine=False)
    assert finding.reason.code == code


async def test_another_program_at_our_address_is_told(patient: Patient) -> None:
    patient.front.body = "<html>nginx</html>"
    assert await patient.codes() == {"check_address_stranger"}


def test_a_closed_location_matters_if_it_is_the_one_that_is_set() -> None:
    place = Address("SK", "81101", "", "Bratislava", "Hlavná 1")
    open_one, closed = StoreLocation("1", "Shop", place), StoreLocation("2", "Old store", place, active=False)
    assert judge_locations([open_one, closed]) == []
    (finding,) = judge_locations([open_one, closed], "2")
    assert finding.reason.code == "check_location_closed"
    (nothing_open,) = judge_locations([closed])
    assert nothing_open.reason.code == "check_locations_closed"
    (bare,) = judge_locations([replace(open_one, address=Address("SK"))])
    assert bare.reason.code == "check_location_without_address"
