"""From the checkout to the delivered parcel over HTTP, under `waybill up`, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, text

from connector.attention.board import open_matters
from connector.settings import Settings, read_keys
from connector.storage.audit import Actor
from connector.storage.secrets import Keyring
from connector.storage.shops import add_shop, put_app
from connector.work import due
from tests.e2e.conftest import empty_database_of
from tests.e2e.killing import stamp
from tests.e2e.world import CARRIER_SECRET, CLIENT_SECRET, LINE, RATE_CALL, World, world
from tests.simulators.easypost_trackers import sign

pytestmark = pytest.mark.slow

SPEED = 20
UNDER_WAY = {
    is_sqlite: text(f"SELECT 1 FROM {table} WHERE status IN ('ENQUEUED', 'PENDING') LIMIT 1")  # noqa: S608
    for is_sqlite, table in ((True, "workflow_status"), (False, "dbos.workflow_status"))
}
on_sqlite = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
"""The databases differ in what the other tests show; one is enough for these."""
BY_TEST = Actor("person", "test")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, reference: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Web and worker under the supervisor, one shop, one carrier account."""
    folder = tmp_path_factory.mktemp("journey")
    with empty_database_of(request, request.param, folder) as url, world(folder, url, speed=SPEED) as made:
        made.start("up")
        made.set_up("default_item_weight_g=500")
        made.wait_known()
        yield made


@pytest.fixture(scope="module")
def unheard(house: World) -> str:
    """An order of which no webhook ever told; placed early, so that others can go on meanwhile."""
    order_id = house.place(name="#unheard")
    assert house.shopify.suppress() > 0
    return order_id


@pytest.mark.need(73)
@pytest.mark.complaint(10)
def test_a_hundred_copies_of_every_webhook_buy_one_label_and_tell_the_store_once(house: World, unheard: str) -> None:
    order_id = house.place()
    answers = house.shopify.deliver(copies=100, seed=7)
    assert len(answers) >= 300
    assert set(answers) == {200}
    house.wait_shipped(order_id)
    house.until(lambda: not _waiting(house), "all copies to be worked through")

    (bought,) = house.purchases(order_id)
    (told,) = house.fulfilments(order_id)
    assert told["status"] == "SUCCESS"
    assert [(each["company"], each["number"]) for each in told["trackingInfo"]] == [("USPS", bought["tracking_code"])]
    assert told["trackingInfo"][0]["url"].startswith("http")
    assert house.shopify.state()["notified"].count(told["id"]) == 1
    assert bought["rate"] == house.shipping["price"]


@on_sqlite
def test_an_address_edited_before_the_hand_over_has_another_label_and_one_number_in_the_store(house: World) -> None:
    order_id = house.place()
    house.shopify.deliver()
    house.wait_shipped(order_id)
    (old,) = house.purchases(order_id)
    house.shopify.edit(order_id, destination={"address1": "18 Sunset Avenue"})
    house.shopify.deliver()

    def replaced() -> bool:
        house.shopify.deliver()
        return len(house.purchases(order_id)) == 2 and _live(house, order_id) not in ([], [old["tracking_code"]])

    house.until(replaced, "another label")
    new = next(each for each in house.purchases(order_id) if each != old)
    house.until(lambda: _live(house, order_id) == [new["tracking_code"]], "the store to show the new number alone")
    back = set(house.easypost.state()["refunds"])
    assert back & {old["shipment_id"], new["shipment_id"]} == {old["shipment_id"]}


def _live(house: World, order_id: str) -> list[str]:
    """The numbers that the store shows for the order."""
    told = [each for each in house.fulfilments(order_id) if each["status"] == "SUCCESS"]
    return [number["number"] for each in told for number in each["trackingInfo"]]


@pytest.mark.need(36)
@pytest.mark.complaint(38)
def test_tracking_news_in_any_order_and_many_times_leave_the_right_timeline(house: World) -> None:
    order_id = house.place()
    house.shopify.deliver()
    house.wait_shipped(order_id)
    order = house.order(order_id)
    assert order is not None
    tracking = order.parcels[0].tracking
    assert tracking is not None
    assert tracking.handed_over_at is None, "a label that was made is not a parcel on its way"

    now = house.now().replace(microsecond=0)
    stages = ["pre_transit", "in_transit", "out_for_delivery", "in_transit", "delivered"]
    scans = [
        {"status": status, "datetime": stamp(now + timedelta(hours=hour)), "message": f"{status} {hour}"}
        for hour, status in enumerate(stages)
    ]
    bodies = [house.easypost.scan(order.parcels[0].id, scan) for scan in scans]
    posts = bodies * 3
    Random(11).shuffle(posts)  # noqa: S311 - an order that can be repeated
    for body in posts:
        headers = {"content-type": "application/json", "x-hmac-signature": sign(body, CARRIER_SECRET)}
        assert house.post(house.carrier_hook_url, body, headers).status == 200

    def told() -> dict[str, Any] | None:
        (made,) = house.fulfilments(order_id)
        return made if made["displayStatus"] == "DELIVERED" and not _waiting(house) else None

    timeline = house.until(told, "the store to show the delivery")["events"]
    moments = [(event["happenedAt"], event["status"]) for event in timeline]
    assert moments == sorted(set(moments))
    assert moments[-1] == (stamp(now + timedelta(hours=4)), "DELIVERED")
    shown = house.cli("order", "show", house.shop_id, order_id)["parcels"][0]
    assert shown["tracking"]["status"] == "delivered"
    assert len(shown["milestones"]) >= len(stages)


def test_an_order_of_which_no_webhook_told_is_handled_within_ten_minutes(house: World, unheard: str) -> None:
    house.wait_shipped(unheard, timeout_s=10 * 60 / SPEED + 15)
    order = house.order(unheard)
    assert order is not None
    label = order.parcels[0].label
    assert label is not None
    assert label.settled_at - order.placed_at < timedelta(minutes=10)
    assert len(house.purchases(unheard)) == len(house.fulfilments(unheard)) == 1


@on_sqlite
@pytest.mark.need(49)
@pytest.mark.complaint(5)
def test_a_cancelled_order_gets_its_money_back_and_its_fulfilment_taken_back(house: World) -> None:
    order_id = house.place()
    house.shopify.deliver()
    house.wait_shipped(order_id)
    house.shopify.cancel(order_id)
    house.shopify.deliver(copies=3, seed=1)

    def withdrawn() -> bool:
        order = house.order(order_id)
        assert order is not None
        label, tracking = order.parcels[0].label, order.parcels[0].tracking
        return bool(label and tracking and label.void_checks and tracking.fulfil_state == "cancelled")

    house.until(withdrawn, "the label to be voided")
    assert [made["status"] for made in house.fulfilments(order_id)] == ["CANCELLED"]
    order = house.order(order_id)
    assert order is not None
    amounts = {entry.kind: str(entry.money.amount) for entry in order.amounts}
    assert amounts["bought"] == amounts["refund_due"] == house.shipping["price"]


@on_sqlite
def test_an_order_cancelled_before_its_purchase_is_never_bought(house: World) -> None:
    order_id = house.place()
    house.shopify.cancel(order_id)
    house.shopify.deliver(copies=2, seed=3)
    house.until(lambda: (order := house.order(order_id)) and order.cancelled, "the cancelled order")
    house.until(lambda: not _waiting(house), "its work")
    assert house.purchases(order_id) == house.fulfilments(order_id) == []


@on_sqlite
def test_a_held_and_edited_order_waits_and_is_then_bought_by_a_click(house: World) -> None:
    """The goods are not those of the quote any more, and the chosen service costs more than was paid."""
    order_id = house.place()
    house.shopify.hold(order_id)
    house.shopify.deliver()
    house.until(lambda: house.order(order_id), "the held order")
    house.until(lambda: not _waiting(house), "its work")
    assert house.purchases(order_id) == []

    house.shopify.edit(order_id, quantities=[3])
    house.shopify.hold(order_id, None)
    house.shopify.deliver()

    def asked() -> bool:
        with house.database.engine.connect() as connection:
            return any(matter.reason.code == "quote_lost_dearer" for matter in open_matters(connection, house.shop_id))

    house.until(asked, "a person to be asked")
    assert house.purchases(order_id) == []
    shown = house.cli("label", "buy", house.shop_id, order_id)
    assert [parcel["state"] for parcel in shown["parcels"] if parcel["state"] != "cancelled"] == ["bought"]
    house.until(lambda: house.fulfilments(order_id), "the fulfilment")
    (bought,) = house.purchases(order_id)
    (grams,) = (parcel["grams"] for parcel in shown["parcels"] if parcel["state"] == "bought")
    assert grams >= 3 * LINE["weight"]["value"]  # type: ignore[index]
    assert bought["rate"] > house.shipping["price"]


@on_sqlite
def test_an_app_hears_for_all_its_shops_at_one_address(house: World) -> None:
    """The shop comes from the header, after the signature; a shop that uninstalls the app is gone."""
    other = "other-shop.myshopify.com"
    app_id, rate_url = _install_app(house, other)
    url = f"{house.url}/apps/{app_id}/hooks"
    order_id = house.place(name="#app")
    house.shopify.suppress()

    def told(topic: str, body: dict[str, Any], shop: str = other, proof: str = "app secret", key: str = "1") -> int:
        raw = json.dumps(body).encode()
        more = {"x_shopify_topic": topic, "x_shopify_webhook_id": f"{topic} {key}"}
        return house.post(url, raw, house.signed(raw, proof, shop, **more)).status

    paid = {"id": int(order_id.rsplit("/", 1)[1]), "admin_graphql_api_id": order_id}
    house.until(lambda: told("orders/paid", paid) == 200, "the app to be known")
    assert told("orders/paid", paid, proof=CLIENT_SECRET, key="2") == 401
    assert told("orders/paid", paid, shop="stranger.myshopify.com", key="3") == 404
    assert house.post(rate_url, json.dumps(RATE_CALL).encode()).status in {200, 503}
    assert told("app/uninstalled", {"id": 1}) == 200
    house.until(lambda: house.post(rate_url, b"{}").status == 404, "the shop to be gone")


def _install_app(house: World, domain: str) -> tuple[str, str]:
    settings = Settings(data_dir=house.folder / "data")
    keyring = Keyring.from_keys(read_keys(settings))

    def install(connection: Connection) -> tuple[str, str]:
        now = house.now()
        app = put_app(
            connection, keyring, platform="shopify", client_id="app", secret="app secret", actor=BY_TEST, now=now
        )
        shop = add_shop(
            connection,
            keyring,
            platform="shopify",
            domain=domain,
            name="Other",
            currency="USD",
            timezone="UTC",
            credentials={
                "domain": domain,
                "client_id": "client-id",
                "client_secret": "app secret",
                "api_base": house.shopify.base_url,
            },
            actor=BY_TEST,
            now=now,
            app_id=app.id,
        )
        return app.id, f"{house.url}/rates/{shop.id}/{shop.rates_token}"

    return house.database.run_here(install)


def _waiting(house: World) -> bool:
    """Whether work is due or under way."""
    with house.database.engine.connect() as connection:
        return due.any_due(connection, house.now()) or bool(
            connection.execute(UNDER_WAY[house.database.is_sqlite]).all()
        )
