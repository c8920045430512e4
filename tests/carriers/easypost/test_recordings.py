"""Everything that EasyPost was recorded to answer can be read, and means what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from carriers.easypost import mapping, tracking, webhook, wire
from carriers.easypost.errors import error_of, raise_for
from carriers.errors import CarrierError, Garbled, Misconfigured, Refused
from carriers.label import NotBought, Purchased
from carriers.money import Money
from carriers.tracking import TrackingStatus, TrackingUpdate
from tests.simulators.easypost_truth import Truth
from webhooks.outgoing import HTTPAnswer

KINDS = {"Shipment", "Rate", "Tracker", "Event"}


@pytest.fixture(scope="module")
def truth(reference: Path) -> Truth:
    return Truth(reference)


@pytest.fixture(scope="module")
def documents(truth: Truth) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((truth.folder / "docs_responses" / "docs_responses.json").read_text())
    return read


def objects(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every object of a kind, however deep."""
    if isinstance(value, dict):
        if value.get("object") == kind:
            yield value
        for one in value.values():
            yield from objects(one, kind)
    elif isinstance(value, list):
        for one in value:
            yield from objects(one, kind)


def exact(value: Any) -> Any:
    """The value as our client reads it: decimals, not floats."""
    return wire.parse(json.dumps(value).encode())


def test_every_recorded_and_documented_object_is_read(truth: Truth, documents: dict[str, Any]) -> None:
    answers = [exchange.response for exchange in truth.exchanges] + list(documents.values())
    counts = dict.fromkeys(KINDS, 0)
    for answer in map(exact, answers):
        for one in objects(answer, "Rate"):
            rate = mapping.rate(one)
            assert rate.price == Money.rounded(str(one["rate"]), one["currency"])
            assert rate.transit_days == one["delivery_days"]
            assert (rate.delivery_at is None) == (one["delivery_date"] is None)
            counts["Rate"] += 1
        for one in objects(answer, "Shipment"):
            bought = mapping.purchased(one)
            assert isinstance(bought, Purchased) == (one["postage_label"] is not None)
            if "rates" in one:  # An account's list of luma purchases leaves them out.
                assert mapping.created(one).test_mode is True
            counts["Shipment"] += 1
        for one in objects(answer, "Tracker"):
            assert tracking.update(one).tracking_code == one["tracking_code"]
            counts["Tracker"] += 1
        for one in objects(answer, "Event"):
            wire.read(wire.WireEvent, one)
            counts["Event"] += 1
    assert counts["Rate"] > 500
    assert counts["Shipment"] > 90
    assert counts["Tracker"] > 100
    assert counts["Event"] > 20


def test_every_recorded_answer_goes_through_the_models_without_an_accident(truth: Truth) -> None:
    """All 255: success or failure, an answer is read or refused with one of our errors."""
    for exchange in truth.exchanges:
        content = b"" if exchange.response is None else json.dumps(exchange.response).encode()
        answer = HTTPAnswer(exchange.status, {}, content, 0.1)
        if exchange.status >= 400:
            assert error_of(answer) is not None
            with pytest.raises(CarrierError):
                raise_for(answer)
            continue
        raise_for(answer)
        for reader in (mapping.rates, mapping.created, mapping.purchased, mapping.voided, tracking.update):
            try:
                reader(exact(exchange.response))
            except Garbled:
                continue


def test_recorded_errors_keep_their_code_and_sentence(truth: Truth) -> None:
    said = {}
    for exchange in truth.exchanges:
        if exchange.topic == "error":
            with pytest.raises(CarrierError) as raised:
                raise_for(HTTPAnswer(exchange.status, {}, json.dumps(exchange.response).encode(), 0.1), ())
            said[exchange.status] = raised.value
    assert isinstance(said[422], Refused)
    assert said[422].detail == "422 PARAMETER.REQUIRED"
    assert "shipment: cannot be blank" in said[422].message
    assert "No eligible insurance" in said[404].message
    assert isinstance(said[403], Misconfigured)


def test_a_recorded_purchase_is_read_whole(truth: Truth) -> None:
    answer = truth.answer("shipment", "shipment_buy", 1)
    bought = mapping.purchased(exact(answer))
    assert isinstance(bought, Purchased)
    assert bought.handle == answer["id"]
    assert bought.rate.key == ("ca_b25657e9896e4d63ac8151ac346ac41e", "USPS", "GroundAdvantage")
    assert bought.rate.price == Money(607, "USD")
    assert bought.rate.list_price == Money(657, "USD")
    assert bought.tracking_code == "9400100208303109505657"
    assert bought.tracker == answer["tracker"]["id"]
    assert bought.tracking_url.startswith("https://track.easypost.com/")
    assert [(file.kind, file.media_type) for file in bought.files] == [("label", "image/png")]
    assert bought.fees == (("LabelFee", Money(0, "USD")),)
    assert bought.test_mode is True


def test_a_recorded_shipment_before_the_purchase_is_not_bought(truth: Truth) -> None:
    answer = truth.answer("shipment", "shipment_buy", 0)
    assert mapping.purchased(exact(answer)) == NotBought(answer["id"])


def test_a_converted_label_has_both_files(truth: Truth) -> None:
    bought = mapping.purchased(exact(truth.answer("shipment", "shipment_convert_label", 2)))
    assert isinstance(bought, Purchased)
    assert [file.media_type for file in bought.files] == ["image/png", "application/zpl"]


def test_a_form_for_the_way_back_is_kept_as_such(truth: Truth) -> None:
    bought = mapping.purchased(exact(truth.answer("shipment", "shipment_generate_form", 1)))
    assert isinstance(bought, Purchased)
    assert ("return", "application/pdf") in [(file.kind, file.media_type) for file in bought.files]


def test_a_recorded_refund_was_asked_for(truth: Truth) -> None:
    assert mapping.voided(exact(truth.answer("shipment", "shipment_refund", 1))).state == "requested"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("submitted", "requested"),
        ("refunded", "voided"),
        ("rejected", "refused"),
        ("not_applicable", "nothing_charged"),
        ("on_the_moon", "unknown"),
        (None, "unknown"),
    ],
)
def test_every_refund_status_is_a_state(status: str | None, state: str) -> None:
    assert mapping.voided({"id": "shp_1", "refund_status": status}).state == state


def test_prices_that_are_json_numbers_stay_exact(truth: Truth) -> None:
    """SmartRate answers numbers where others answer texts."""
    result = exact(truth.answer("shipment", "shipment_smart_rate", 1))["result"]
    assert all(isinstance(one["rate"], Decimal) for one in result)
    assert {mapping.rate(one).price for one in result} == {Money(742, "USD"), Money(607, "USD"), Money(3415, "USD")}


def test_accounts_that_gave_no_rate_are_problems_with_their_sentences(truth: Truth) -> None:
    answer = truth.answer("shipment_multicarrier_messages", "claim_service_with_parameters/retrieve")
    found = mapping.rates(exact(answer))
    assert len(found.rates) == 24
    assert len({rate.key for rate in found.rates}) == 24
    assert [problem.code for problem in found.problems] == ["credentials"] * 5
    assert found.problems[0].message == "Account numbers should be 6 characters or less."


def test_every_tracking_status_and_detail_has_our_word(reference: Path) -> None:
    enums = json.loads((reference / "easypost" / "enums.json").read_text())
    for status in enums["tracker_status"]:
        known = tracking.status_of(status)
        assert (known is TrackingStatus.UNKNOWN) == (status in {"unknown", "error"})
        for detail in enums["tracker_status_detail"]:
            mapped = tracking.status_of(status, detail)
            assert mapped is known or status in {"in_transit", "unknown"}
    delays = {
        d for d in enums["tracker_status_detail"] if tracking.status_of("in_transit", d) is TrackingStatus.DELAYED
    }
    assert delays == {
        "address_correction",
        "awaiting_information",
        "damaged",
        "delayed",
        "delivery_exception",
        "held",
        "missorted",
        "transit_exception",
        "weather_delay",
    }


def test_every_refund_status_of_the_documentation_is_known(reference: Path) -> None:
    enums = json.loads((reference / "easypost" / "enums.json").read_text())
    for status in enums["refund_status_on_shipment"]:
        assert mapping.voided({"refund_status": status}).state != "unknown"


def test_every_documented_error_code_is_classified(reference: Path) -> None:
    """Each of them, as an answer to a read and to a purchase, becomes one of ours."""
    enums = json.loads((reference / "easypost" / "enums.json").read_text())
    assert len(enums["error_codes"]) == 168
    for code in enums["error_codes"]:
        answer = HTTPAnswer(422, {}, json.dumps({"error": {"code": code, "message": "x", "errors": []}}).encode(), 0)
        with pytest.raises(CarrierError) as raised:
            raise_for(answer)
        assert raised.value.detail == f"422 {code}"


def test_the_official_delivery_is_believed_with_the_right_secret_only(reference: Path) -> None:
    folder = reference / "easypost" / "webhooks"
    raw = (folder / "v1_body.json").read_bytes()
    vector = json.loads((folder / "hmac_vectors.json").read_text())["v1"]
    headers = {"x-hmac-signature": vector["signature"]}
    verdict = webhook.verify(raw, headers, vector["secret"])
    assert (verdict.delivery_key, verdict.topic) == ("evt_1", "tracker.updated")  # type: ignore[union-attr]
    nfc = {"x-hmac-signature": vector["must_fail"]["signature_with_NFC_secret"]}
    assert webhook.verify(raw, nfc, vector["secret"]).reason == "signature_wrong"  # type: ignore[union-attr]
    assert webhook.verify(raw, headers, "wrong").reason == "signature_wrong"  # type: ignore[union-attr]
    assert webhook.verify(raw, {}, vector["secret"]).reason == "signature_missing"  # type: ignore[union-attr]


def test_the_official_delivery_is_read(reference: Path) -> None:
    (update,) = webhook.news((reference / "easypost" / "webhooks" / "v1_body.json").read_bytes())
    assert isinstance(update, TrackingUpdate)
    assert update.tracker == "trk_1"
    assert update.test_mode is False
    assert len(update.events) == 7
    assert [event.status for event in update.events][:2] == [TrackingStatus.LABEL_MADE, TrackingStatus.IN_TRANSIT]
    assert update.events[1].city == "ORLANDO"
    assert update.estimated_delivery is not None
    assert update.estimated_delivery.isoformat() == "2024-08-05T00:00:00+00:00"


def test_who_signed_is_not_taken_over(reference: Path) -> None:
    (update,) = webhook.news((reference / "easypost" / "webhooks" / "event_tracker_updated_guide.json").read_bytes())
    assert isinstance(update, TrackingUpdate)
    assert "John Tester" not in repr(update)
    assert TrackingStatus.DELIVERED in {event.status for event in update.events}


@pytest.mark.parametrize("name", ["event_batch_created", "event_retrieved_without_result", "event_scan_form_created"])
def test_deliveries_of_other_kinds_are_no_news(reference: Path, name: str) -> None:
    assert webhook.news((reference / "easypost" / "webhooks" / f"{name}.json").read_bytes()) == []
