"""A sandbox delivery is believed when its signature holds, and read whatever fields it gains."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from carriers.sandbox import webhook
from carriers.tracking import TrackingStatus
from webhooks.receiver import Authentic, Forged
from webhooks.signatures import sandbox_signature

SECRET = "a-secret-of-the-sandbox"
TRACKING: dict[str, object] = {
    "tracker": "trk_1",
    "tracking_code": "SBX1",
    "scans": [{"status": "in_transit", "at": "2026-11-23T10:00:00+00:00", "city": "Košice", "extra": None}],
    "new_field": {"of": ["tomorrow"]},
}


def header(raw: bytes) -> dict[str, str]:
    return {webhook.SIGNATURE_HEADER: sandbox_signature(raw, SECRET)}


def test_what_was_signed_is_authentic_and_its_id_is_the_delivery_key() -> None:
    delivery = webhook.sign("evt_1", TRACKING, SECRET)
    assert webhook.verify(delivery.body, delivery.headers, SECRET) == Authentic("evt_1", "tracking.updated")
    assert webhook.sign("evt_1", TRACKING, SECRET) == delivery
    (update,) = webhook.read(delivery.body)
    assert (update.tracker, update.events[0].city) == ("trk_1", "Košice")


def test_what_was_not_signed_is_forged() -> None:
    delivery = webhook.sign("evt_1", TRACKING, SECRET)
    assert webhook.verify(delivery.body, {}, SECRET) == Forged("signature_missing")
    assert webhook.verify(delivery.body + b" ", delivery.headers, SECRET) == Forged("signature_wrong")
    assert webhook.verify(delivery.body, delivery.headers, "another") == Forged("signature_wrong")


def test_a_signed_body_that_is_none_of_ours_is_malformed_and_names_the_field() -> None:
    for raw, field in ((b"{", ""), (b"[]", ""), (b'{"kind": "x"}', "id"), (b'{"id": 1, "kind": "x"}', "id")):
        assert webhook.verify(raw, header(raw), SECRET) == Forged("malformed", field)


def test_an_unknown_kind_means_nothing_to_us() -> None:
    assert webhook.read(b'{"id": "evt_1", "kind": "invoice.made", "amount": 3}') == []


def test_an_unknown_status_is_kept_with_the_carriers_own_word() -> None:
    raw = json.dumps(
        {
            "id": "evt_1",
            "kind": "tracking.updated",
            "tracking": TRACKING | {"scans": [{"status": "on_the_moon", "at": "2026-11-23T10:00:00Z"}]},
        }
    ).encode()
    event = webhook.read(raw)[0].events[0]
    assert (event.status, event.detail) == (TrackingStatus.UNKNOWN, "on_the_moon")


def test_garbled_news_are_refused_at_the_door_and_tell_nothing() -> None:
    raw = b'{"id": "e", "kind": "k", "tracking": {"tracker": "Jana Canary"}}'
    assert webhook.verify(raw, header(raw), SECRET) == Forged("malformed", "tracking.tracking_code")
    assert webhook.read(raw) == []


@given(st.binary(max_size=100))
def test_no_bytes_make_verification_raise(raw: bytes) -> None:
    assert isinstance(webhook.verify(raw, header(raw), SECRET), Authentic | Forged)
