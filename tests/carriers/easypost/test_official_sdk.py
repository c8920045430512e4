"""EasyPost's own SDK works unchanged against the simulator, and agrees with our client on what the answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anyio.to_thread
import pytest
from easypost import util
from easypost.easypost_client import EasyPostClient
from easypost.errors.api.api_error import ApiError
from easypost.errors.api.unauthorized_error import UnauthorizedError
from easypost.errors.general.signature_verification_error import SignatureVerificationError

from carriers.carrier import Carrier
from carriers.easypost import asking
from carriers.label import Purchased
from tests.contracts.carrier_contract import SHIPMENT, allowed, request_for
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.easypost_trackers import sign
from webhooks.signatures import easypost_signature

pytestmark = pytest.mark.anyio
BODY = asking.create_body(SHIPMENT, ())["shipment"]


@pytest.fixture
def official(base_url: str, control: EasyPostControl) -> Iterator[Any]:
    client = EasyPostClient("EZTKtest", api_base=f"{base_url}/v2")
    yield client
    client._requests_session.close()


def _prices(rates: list[Any]) -> dict[tuple[str, str, str], Decimal]:
    return {(rate["carrier_account_id"], rate["carrier"], rate["service"]): Decimal(rate["rate"]) for rate in rates}


async def test_both_read_the_same_checkout_rates(official: Any, easypost: Carrier) -> None:
    theirs = await anyio.to_thread.run_sync(lambda: official.beta_rate.retrieve_stateless_rates(**BODY))
    ours = await easypost.rates(request_for(SHIPMENT), 5)
    assert {rate.key: rate.price.amount for rate in ours.rates} == _prices(theirs)


async def test_what_the_sdk_buys_our_client_finds(official: Any, easypost: Carrier) -> None:
    def buy() -> Any:
        made = official.shipment.create(**BODY)
        return official.shipment.buy(made.id, rate=made.lowest_rate())

    theirs = await anyio.to_thread.run_sync(buy)
    ours = await easypost.look_up(theirs.id)
    assert isinstance(ours, Purchased)
    assert ours.tracking_code == theirs.tracking_code
    assert ours.tracker == theirs.tracker.id
    assert ours.tracking_url == theirs.tracker.public_url
    assert ours.rate.rate_id == theirs.selected_rate.id
    assert ours.rate.price.amount == Decimal(theirs.selected_rate.rate)
    assert ours.files[0].url == theirs.postage_label.label_url
    assert ours.files[0].media_type == theirs.postage_label.label_file_type


async def test_what_our_client_buys_the_sdk_finds_and_refunds(official: Any, easypost: Carrier) -> None:
    created = await easypost.create(SHIPMENT)
    bought = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(bought, Purchased)
    theirs = await anyio.to_thread.run_sync(official.shipment.retrieve, created.handle)
    assert theirs.reference == SHIPMENT.reference
    assert theirs.tracking_code == bought.tracking_code
    assert theirs.to_address.city == SHIPMENT.destination.city
    assert theirs.parcel.weight == 31.8
    listed = await anyio.to_thread.run_sync(lambda: official.shipment.all(page_size=5))
    assert [one.id for one in listed.shipments] == [created.handle]
    refunded = await anyio.to_thread.run_sync(official.shipment.refund, created.handle)
    assert refunded.refund_status == "submitted"
    assert (await easypost.void(created.handle, allowed)).state == "requested"


async def test_a_second_purchase_is_an_error_to_the_sdk_as_well(official: Any, easypost: Carrier) -> None:
    created = await easypost.create(SHIPMENT)
    await easypost.purchase(created.handle, created.rates[0], allowed)
    with pytest.raises(ApiError) as raised:
        await anyio.to_thread.run_sync(
            lambda: official.shipment.buy(created.handle, rate={"id": created.rates[0].rate_id})
        )
    assert raised.value.code == "SHIPMENT.POSTAGE.EXISTS"


async def test_both_read_the_same_tracker(official: Any, easypost: Carrier) -> None:
    theirs = await anyio.to_thread.run_sync(lambda: official.tracker.create(tracking_code="EZ4000000004"))
    ours = await easypost.track(theirs.id)
    assert (ours.tracking_code, ours.carrier) == (theirs.tracking_code, theirs.carrier)
    assert [event.message for event in ours.events] == [detail.message for detail in theirs.tracking_details]
    assert ours.events[-1].status == "delivered"
    assert ours.public_url == theirs.public_url


async def test_both_believe_the_same_deliveries(easypost: Carrier, control: EasyPostControl) -> None:
    created = await easypost.create(SHIPMENT)
    bought = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(bought, Purchased)
    body = control.scan(bought.tracker, {"status": "in_transit", "datetime": "2026-11-24T02:00:00Z"})
    signature = sign(body, "s")
    assert signature == easypost_signature(body, "s")
    theirs = util.validate_webhook(body, {"X-Hmac-Signature": signature}, "s")
    verdict = easypost.verify_webhook(body, {"x-hmac-signature": signature})
    assert theirs["id"] == verdict.delivery_key  # type: ignore[union-attr]
    assert theirs == json.loads(body)
    with pytest.raises(SignatureVerificationError):
        util.validate_webhook(body, {"X-Hmac-Signature": sign(body, "other")}, "s")


async def test_the_sdk_sets_webhooks_up_and_reads_the_account(official: Any, base_url: str) -> None:
    def set_up() -> list[Any]:
        made = official.webhook.create(url="https://hooks.example/1", webhook_secret="s")
        changed = official.webhook.update(made.id, webhook_secret="t")
        listed = official.webhook.all()
        official.webhook.delete(made.id)
        return [made.url, changed.id == made.id, len(listed.webhooks), len(official.webhook.all().webhooks)]

    assert await anyio.to_thread.run_sync(set_up) == ["https://hooks.example/1", True, 1, 0]
    accounts = await anyio.to_thread.run_sync(official.carrier_account.all)
    assert accounts[0].id.startswith("ca_")
    production = EasyPostClient("EZAKproduction", api_base=f"{base_url}/v2")
    try:
        assert (await anyio.to_thread.run_sync(production.user.retrieve_me)).id.startswith("user_")
    finally:
        production._requests_session.close()


async def test_a_wrong_key_is_unauthorized_to_the_sdk(base_url: str, control: EasyPostControl) -> None:
    stranger = EasyPostClient("nobody", api_base=f"{base_url}/v2")
    with pytest.raises(UnauthorizedError):
        await anyio.to_thread.run_sync(lambda: stranger.shipment.create(**BODY))
    stranger._requests_session.close()
