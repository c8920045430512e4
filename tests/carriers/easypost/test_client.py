"""The EasyPost client against its simulator: what it asks, and what it makes of faults."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import ValidationError

from carriers.carrier import Carrier
from carriers.easypost import KIND
from carriers.easypost.settings import EasyPostSettings
from carriers.errors import CarrierError, Garbled, Misconfigured, Overloaded, Refused, TooSlow
from carriers.label import NotBought, Purchased, Rejected, Unknown
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest
from carriers.rate import Rate
from tests.carriers.easypost.conftest import settings
from tests.conftest import FrozenClock
from tests.contracts.carrier_contract import BUYER, SHIPMENT, SHOP, allowed, assert_impersonal, request_for
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.easypost_truth import expected_rates
from webhooks.outgoing import OutgoingClient

pytestmark = pytest.mark.anyio
REQUEST = request_for(SHIPMENT)
RATE = Rate("ca_1", "USPS", "Ground", Money(100, "USD"), rate_id="rate_1")


# --- rates ---


async def test_prices_are_those_of_the_recording_by_the_simulators_rule(easypost: Carrier, reference: Path) -> None:
    """900 g are 31.8 oz, so two pounds."""
    found = await easypost.rates(REQUEST, 5)
    asked = {"from_address": {"country": "US"}, "to_address": {"country": "US", "zip": "90277"}}
    expected = expected_rates(asked | {"parcel": {"weight": 31.8}}, reference=reference)
    assert {rate.key: rate.price.amount for rate in found.rates} == expected
    assert expected["ca_b25657e9896e4d63ac8151ac346ac41e", "USPS", "Priority"] == Decimal("8.53")


async def test_checkout_rates_leave_nothing_behind(easypost: Carrier, control: EasyPostControl) -> None:
    found = await easypost.rates(REQUEST, 5)
    assert {rate.rate_id for rate in found.rates} == {""}
    assert control.state()["created"] == 0


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 404}, {"kind": "html", "status": 503}, {"kind": "garbage"}]
)
async def test_shipments_stand_in_when_stateless_rates_are_not_to_be_had(
    easypost: Carrier, control: EasyPostControl, clock: FrozenClock, fault: dict[str, Any]
) -> None:
    quoted = {rate.key: rate.price for rate in (await easypost.rates(REQUEST, 5)).rates}
    control.fault("rates", **fault)
    for _ in range(2):
        assert {rate.key: rate.price for rate in (await easypost.rates(REQUEST, 5)).rates} == quoted
    calls = control.state()["calls"]
    assert (calls["rates"], calls["create"]) == (2, 2)
    clock.advance(minutes=11)
    await easypost.rates(REQUEST, 5)
    assert control.state()["calls"]["rates"] == 3


async def test_a_rate_call_that_breaks_off_is_tried_again(easypost: Carrier, control: EasyPostControl) -> None:
    control.fault("rates", "dropped")
    assert (await easypost.rates(REQUEST, 5)).rates
    calls = control.state()["calls"]
    assert (calls["rates"], calls.get("create", 0)) == (2, 0)


@pytest.mark.parametrize("kind", ["hung", "drip", "slow"])
async def test_the_deadline_holds_whatever_easypost_does(
    easypost: Carrier, control: EasyPostControl, kind: str
) -> None:
    control.fault("rates", kind, seconds=0.5)
    with pytest.raises(TooSlow):
        await easypost.rates(REQUEST, 0.2)


async def test_too_many_requests_name_when_to_come_back(easypost: Carrier, control: EasyPostControl) -> None:
    control.fault("rates", "overloaded", seconds=30)
    with pytest.raises(Overloaded) as raised:
        await easypost.rates(REQUEST, 5)
    assert raised.value.retry_after_s == 30


async def test_after_failures_in_a_row_easypost_is_left_alone(easypost: Carrier, control: EasyPostControl) -> None:
    control.fault("*", "html", 1000, status=502)
    codes = []
    for _ in range(200):  # Nothing may have worked for two seconds.
        asked = control.state()["calls"]
        with pytest.raises(CarrierError) as raised:
            await easypost.rates(REQUEST, 5)
        codes.append(raised.value.code)
        if raised.value.code == "unreachable":
            break
        await anyio.sleep(0.05)
    assert codes[5:], "five failures alone are borne"
    assert codes[-1] == "unreachable"
    assert raised.value.retry_after_s
    assert control.state()["calls"] == asked


async def test_a_wrong_key_is_a_matter_of_settings(
    base_url: str, outgoing: OutgoingClient, clock: FrozenClock, control: EasyPostControl
) -> None:
    stranger = KIND.connect(settings(base_url, api_key="wrong"), outgoing, clock)
    for call in (stranger.rates(REQUEST, 5), stranger.create(SHIPMENT), stranger.look_up("shp_1")):
        with pytest.raises(Misconfigured) as raised:
            await call
        assert raised.value.code == "credentials"
        assert "wrong" not in str(raised.value)


async def test_a_production_key_says_so(
    base_url: str, outgoing: OutgoingClient, clock: FrozenClock, control: EasyPostControl
) -> None:
    live = KIND.connect(settings(base_url, api_key="EZAKlive"), outgoing, clock)
    assert (await live.rates(REQUEST, 5)).test_mode is False
    assert (await live.create(SHIPMENT)).test_mode is False


async def test_prices_in_another_currency_are_told_as_they_are(easypost: Carrier, control: EasyPostControl) -> None:
    control.fault("rates", "currency", code="CAD")
    assert {rate.price.currency for rate in (await easypost.rates(REQUEST, 5)).rates} == {"CAD"}


async def test_different_parcels_are_asked_for_once_each_and_summed(
    easypost: Carrier, control: EasyPostControl
) -> None:
    light, heavy = Parcel(Weight(100)), Parcel(Weight(2000))
    one = {r.key: r.price for r in (await easypost.rates(replace(REQUEST, parcels=(light,)), 5)).rates}
    other = {r.key: r.price for r in (await easypost.rates(replace(REQUEST, parcels=(heavy,)), 5)).rates}
    found = await easypost.rates(replace(REQUEST, parcels=(light, heavy, light)), 5)
    assert {r.key: r.price for r in found.rates} == {key: one[key] * 2 + other[key] for key in one}
    assert control.state()["calls"]["rates"] == 4


async def test_without_a_parcel_there_is_nothing_to_ask(easypost: Carrier) -> None:
    with pytest.raises(Refused):
        await easypost.rates(RateRequest(SHOP, BUYER, (), "USD"), 5)


async def test_a_reason_does_not_repeat_the_buyer(easypost: Carrier, control: EasyPostControl) -> None:
    message = f"No service for {BUYER.name}, {BUYER.street1}, call {BUYER.phone} or {BUYER.email}"
    control.fault("rates", "no_rates", message=message)
    (problem,) = (await easypost.rates(REQUEST, 5)).problems
    assert problem.code == "no_service"
    assert problem.message.startswith("No service for")
    assert_impersonal(problem.message)


# --- purchase ---


@pytest.mark.complaint(1)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "withheld", "seconds": 1.5},
        {"kind": "slow", "seconds": 1.0},
        {"kind": "hung_after_effect"},
        {"kind": "dropped_after_effect"},
        {"kind": "drip", "seconds": 0.01},
        {"kind": "status_after_effect", "status": 500},
        {"kind": "status_after_effect", "status": 422, "code": "SHIPMENT.POSTAGE.NO_RESPONSE"},
        {"kind": "status_after_effect", "status": 422, "code": "SHIPMENT.POSTAGE.TIMED_OUT"},
        {"kind": "status_after_effect", "status": 422, "code": "SHIPMENT.POSTAGE.NEVER_HEARD_OF"},
        {"kind": "html_after_effect", "status": 502},
        {"kind": "html_after_effect", "status": 403},
        {"kind": "html_after_effect", "status": 200},
        {"kind": "html_after_effect", "status": 302},
        {"kind": "truncated"},
        {"kind": "garbage"},
    ],
)
async def test_any_doubt_about_a_purchase_is_unknown_and_one_label_is_sold(
    easypost: Carrier, control: EasyPostControl, fault: dict[str, Any]
) -> None:
    created = await easypost.create(SHIPMENT)
    control.fault("buy", **fault)
    outcome = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(outcome, Unknown)
    assert outcome.why
    found = await easypost.look_up(created.handle)
    while isinstance(found, NotBought):  # A slow purchase takes effect after we gave up.
        found = await easypost.look_up(created.handle)
    assert isinstance(found, Purchased)
    assert found.rate.key == created.rates[0].key
    assert control.state()["by_reference"] == {SHIPMENT.reference: 1}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (402, "", "wallet_empty"),
        (422, "USER.CHARGE.NOT_ALLOWED", "wallet_empty"),
        (401, "UNAUTHORIZED", "credentials"),
        (403, "APIKEY.INACTIVE", "credentials"),
        (422, "MODE.CONFLICT", "credentials"),
        (422, "SHIPMENT.RATE.STAMP_UNAVAILABLE", "rate_gone"),
        (422, "SHIPMENT.RATE.EXPIRED", "rate_gone"),
        (422, "ADDRESS.VERIFY.FAILURE", "address_refused"),
        (422, "SHIPMENT.CUSTOMS_INFO.REQUIRED", "refused"),
        (422, "SHIPMENT.POSTAGE.FAILURE", "refused"),
        (422, "NEVER.HEARD.OF", "refused"),
        (404, "NOT_FOUND", "refused"),
    ],
)
async def test_a_clear_refusal_has_its_code(
    easypost: Carrier, control: EasyPostControl, status: int, code: str, expected: str
) -> None:
    created = await easypost.create(SHIPMENT)
    control.fault("buy", "status", status=status, code=code, message="It's no use to ask '12 Canary Row'")
    outcome = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(outcome, Rejected)
    assert outcome.code == expected
    assert_impersonal(outcome.message)


async def test_a_refusal_from_another_process_shows_its_code_alone(
    base_url: str, easypost: Carrier, control: EasyPostControl, outgoing: OutgoingClient, clock: FrozenClock
) -> None:
    """Only who created the shipment knows which words must not come back."""
    created = await easypost.create(SHIPMENT)
    control.fault("buy", "status", status=422, code="SHIPMENT.INVALID", message=f"{BUYER.name} is no company")
    other = KIND.connect(settings(base_url), outgoing, clock)
    outcome = await other.purchase(created.handle, created.rates[0], allowed)
    assert outcome == Rejected("refused", "SHIPMENT.INVALID")


async def test_an_overloaded_easypost_may_be_asked_again_later(easypost: Carrier, control: EasyPostControl) -> None:
    created = await easypost.create(SHIPMENT)
    control.fault("buy", "overloaded", seconds=7)
    outcome = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert outcome == Rejected("overloaded", "EasyPost asks for patience.", retry_after_s=7)
    assert isinstance(await easypost.purchase(created.handle, created.rates[0], allowed), Purchased)


async def test_a_purchase_that_could_not_be_sent_may_be_made_again(
    outgoing: OutgoingClient, clock: FrozenClock
) -> None:
    nobody = KIND.connect(settings("http://127.0.0.1:1"), outgoing, clock)
    outcome = await nobody.purchase("shp_1", RATE, allowed)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_sent"
    assert outcome.retry_after_s


async def test_a_price_without_an_id_is_not_bought(easypost: Carrier, control: EasyPostControl) -> None:
    created = await easypost.create(SHIPMENT)
    outcome = await easypost.purchase(created.handle, replace(created.rates[0], rate_id=""), allowed)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "rate_gone"
    assert control.state()["calls"].get("buy", 0) == 0


async def test_a_label_at_another_price_shows_it(easypost: Carrier, control: EasyPostControl) -> None:
    """The work compares with its intent; the client tells what was booked."""
    created = await easypost.create(SHIPMENT)
    control.fault("buy", "price", cents=150)
    bought = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(bought, Purchased)
    assert bought.rate.price == created.rates[0].price + Money(150, "USD")


async def test_a_look_up_survives_a_passing_fault(easypost: Carrier, control: EasyPostControl) -> None:
    created = await easypost.create(SHIPMENT)
    control.fault("look_up", "status", status=500)
    assert isinstance(await easypost.look_up(created.handle), NotBought)


async def test_a_shipment_is_found_by_our_reference_too(easypost: Carrier) -> None:
    created = await easypost.create(SHIPMENT)
    assert await easypost.look_up(SHIPMENT.reference) == NotBought(created.handle)


async def test_an_account_can_have_a_label_format_of_its_own(
    base_url: str, outgoing: OutgoingClient, clock: FrozenClock, control: EasyPostControl
) -> None:
    zebra = KIND.connect(settings(base_url, label_format="zpl"), outgoing, clock)
    created = await zebra.create(SHIPMENT)
    bought = await zebra.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(bought, Purchased)
    assert [file.media_type for file in bought.files] == ["application/zpl"]


# --- documents, voids ---


@pytest.mark.parametrize("fault", [{"kind": "html", "status": 200}, {"kind": "html", "status": 403}])
async def test_a_page_is_never_taken_for_a_label(
    easypost: Carrier, control: EasyPostControl, fault: dict[str, Any]
) -> None:
    created = await easypost.create(SHIPMENT)
    bought = await easypost.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(bought, Purchased)
    control.fault("file", "html", 2 if fault["status"] == 200 else 1, status=fault["status"])
    with pytest.raises(Garbled if fault["status"] == 200 else Refused):
        await easypost.fetch_file(bought.files[0].url)
    media_type, content = await easypost.fetch_file(bought.files[0].url)
    assert media_type == "application/pdf"
    assert content.rstrip().endswith(b"%%EOF")


async def test_a_refund_without_an_answer_is_looked_up(easypost: Carrier, control: EasyPostControl) -> None:
    created = await easypost.create(SHIPMENT)
    await easypost.purchase(created.handle, created.rates[0], allowed)
    control.fault("refund", "dropped_after_effect")
    assert (await easypost.void(created.handle, allowed)).state == "requested"


async def test_a_refund_that_got_lost_is_unknown_and_can_be_asked_for_again(
    easypost: Carrier, control: EasyPostControl
) -> None:
    created = await easypost.create(SHIPMENT)
    await easypost.purchase(created.handle, created.rates[0], allowed)
    control.fault("refund", "dropped")
    assert (await easypost.void(created.handle, allowed)).state == "unknown"
    assert (await easypost.void(created.handle, allowed)).state == "requested"
    control.change_shipment(created.handle, refund_status="refunded")
    assert (await easypost.void(created.handle, allowed)).state == "voided"


async def test_fees_beside_the_postage_come_with_the_label_and_go_back_where_easypost_says_so(
    easypost: Carrier, control: EasyPostControl
) -> None:
    created = await easypost.create(SHIPMENT)
    await easypost.purchase(created.handle, created.rates[0], allowed)
    fee = {"object": "Fee", "type": "LabelFee", "amount": "0.01000", "charged": True, "refunded": False}
    postage = fee | {"type": "PostageFee", "amount": str(created.rates[0].price.minor / 100)}
    control.change_shipment(created.handle, fees=[fee, postage])
    found = await easypost.look_up(created.handle)
    assert isinstance(found, Purchased)
    assert found.fees == (("LabelFee", Money(1, "USD")),)
    assert (await easypost.void(created.handle, allowed)).fees_back == ()
    given = [fee | {"refunded": True}, postage | {"refunded": True}]
    control.change_shipment(created.handle, refund_status="refunded", fees=given)
    assert (await easypost.void_state(created.handle)).fees_back == ("LabelFee",)


async def test_a_refused_refund_is_refused(easypost: Carrier, control: EasyPostControl) -> None:
    created = await easypost.create(SHIPMENT)
    await easypost.purchase(created.handle, created.rates[0], allowed)
    control.fault("refund", "status", status=422, code="SHIPMENT.REFUND.UNAVAILABLE", message="It was scanned.")
    voided = await easypost.void(created.handle, allowed)
    assert voided.state == "refused"
    assert "It was scanned." in voided.message


# --- settings ---


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": ""},
        {"api_key": "ключ"},
        {"api_base": "api.easypost.com"},
        {"api_base": "https://x/v2"},
        {"extra": 1},
    ],
)
def test_wrong_settings_are_refused_without_showing_secrets(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as raised:
        EasyPostSettings.model_validate({"api_key": "EZTKhidden"} | wrong)
    assert "EZTKhidden" not in str(raised.value.errors(include_input=False))


def test_settings_have_defaults_and_hide_the_key() -> None:
    made = EasyPostSettings.model_validate({"api_key": "EZTKhidden"})
    assert made.api_base == "https://api.easypost.com"
    assert made.look_up_ceiling_s == 100
    assert "EZTKhidden" not in repr(made)
