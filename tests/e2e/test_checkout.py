"""The checkout over HTTP: what it was told can be explained and replayed, and who may ask."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from connector import shop_settings
from connector.quotes import ledger
from connector.quotes.ledger import LedgerRow
from connector.storage import settings_versions
from connector.storage.audit import Actor
from tests.e2e.world import CLIENT_SECRET, DOMAIN, World, world

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("checkout")
    with world(folder, f"sqlite:///{folder / 'waybill.db'}") as house:
        house.set_up()
        house.start("serve")
        house.wait_ready()
        yield house


def recorded(reference: Path, name: str) -> bytes:
    return (reference / "shopify" / "carrier-service" / f"rate-request.{name}.json").read_bytes()


def _newest(house: World) -> LedgerRow | None:
    with house.database.engine.connect() as connection:
        rows = ledger.recent(connection, house.shop_id, 1)
    return rows[0] if rows else None


def settle(house: World, *changes: str) -> None:
    """Change settings, and wait until the web process answers by them."""
    version = house.database.run_here(_publish, house.shop_id, changes)
    end = time.monotonic() + 60
    while time.monotonic() < end:  # An equal call is answered from memory, and no row is written, until it sees them.
        house.post(house.rate_url, RATE_PROBE, house.signed(RATE_PROBE))
        time.sleep(0.4)
        row = _newest(house)
        if row is not None and row.facts.settings_version == version:
            return
    raise AssertionError("the web process does not see the new settings")


def _publish(connection: Connection, shop_id: str, changes: tuple[str, ...]) -> int:
    latest = settings_versions.latest(connection, shop_id)
    assert latest is not None
    pairs = dict(change.split("=", 1) for change in changes)
    settings = shop_settings.change(shop_settings.load(latest.body), pairs, "USD")
    actor = Actor("command", "test")
    return settings_versions.publish(connection, shop_id, shop_settings.dump(settings), actor, datetime.now(UTC))


def _other(house: World, before: LedgerRow | None) -> LedgerRow | None:
    row = _newest(house)
    return row if row is not None and (before is None or row.id != before.id) else None


RATE_PROBE = json.dumps(
    {
        "rate": {
            "origin": {"country": "US", "postal_code": "94104"},
            "destination": {"country": "US", "postal_code": "10001"},
            "items": [{"name": "Probe", "quantity": 1, "grams": 100, "price": 100}],
            "currency": "USD",
        }
    }
).encode()


def ask(house: World, raw: bytes) -> tuple[int, Any, LedgerRow]:
    """Post a raw request; status, body and the ledger's row."""
    before = _newest(house)
    answer = house.post(house.rate_url, raw, house.signed(raw))
    row = house.until(lambda: _other(house, before), "the answer in the ledger")
    return answer.status, answer.json(), row


def test_the_command_line_explains_and_replays_what_the_checkout_was_told(shop: World, reference: Path) -> None:
    settle(shop, "default_item_weight_g=500")
    _, _, row = ask(shop, recorded(reference, "documented"))
    explained = shop.cli("quote", "explain", row.id)
    assert explained["outcome"] == "offers"
    assert len(explained["text"]) < 60
    assert shop.cli("quote", "replay", row.id)["same"] is True


def test_strangers_get_the_same_answer_whatever_is_wrong(shop: World) -> None:
    token = shop.rate_url.rsplit("/", 1)[1]
    wrong_token = shop.rate_url.replace(token, "0" * len(token))
    wrong_shop = shop.rate_url.replace(shop.shop_id, "shop_0000000000000000000000000")
    answers = [
        shop.post(wrong_token, RATE_PROBE, shop.signed(RATE_PROBE)),
        shop.post(wrong_shop, RATE_PROBE, shop.signed(RATE_PROBE)),
        shop.post(shop.rate_url, RATE_PROBE, shop.signed(RATE_PROBE, shop="other.myshopify.com")),
    ]
    assert {(answer.status, answer.content) for answer in answers} == {(404, answers[0].content)}


def test_a_wrong_hmac_with_the_right_url_is_answered_and_counted(shop: World) -> None:
    wrong = shop.signed(RATE_PROBE, secret=f"not {CLIENT_SECRET}")
    assert shop.post(shop.rate_url, RATE_PROBE, wrong).status == 200
    settle(shop, "hmac=require")
    try:
        assert shop.post(shop.rate_url, RATE_PROBE, wrong).status == 401
    finally:
        settle(shop, "hmac=prefer")
    metrics = shop.get("/metrics").content.decode()
    assert 'result="wrong"' in metrics
    assert DOMAIN not in metrics
