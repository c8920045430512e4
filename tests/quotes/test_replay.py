"""Replay: the same decision and the same bytes, offline, from what was kept; and what differs where something does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pydantic import SecretStr

from connector.quotes import ledger
from connector.quotes.decide import decide
from connector.quotes.facts import DECIDE_VERSION, Facts
from connector.quotes.ledger import LedgerRow, LedgerWriter
from connector.quotes.replay import WriteAnswer, replay
from connector.storage.database import Database
from connector.store import Answer, Refusal, Store, UseBackup
from connector.stores.sandbox import SandboxStore, SandboxStoreSettings
from connector.stores.shopify.rates import write_answer as write_for_shopify
from tests.conftest import FrozenClock
from tests.quotes.world import (
    NOW,
    PlainStore,
    answered,
    cart,
    facts,
    line,
    moments,
    rate,
    reduced_carts,
    refused,
    row_of,
    settings,
    some_answers,
    some_facts,
)
from webhooks.receiver import Reply

pytestmark = pytest.mark.anyio


class ShopifyWriter(PlainStore):
    """Shopify's own writer of answers."""

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        return write_for_shopify(answer)


def _writer(store: Any) -> WriteAnswer:
    def write(answer: Answer | UseBackup, echo: Mapping[str, str]) -> bytes:
        body: bytes = store.write_answer(answer, echo).body
        return body

    return write


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Both platforms' writers."""
    path: Path = tmp_path_factory.mktemp("books") / "store.db"
    chosen = SandboxStoreSettings(path=path, secret=SecretStr("a-secret-of-the-shop"))
    sandbox = SandboxStore(chosen, FrozenClock(datetime(2026, 11, 23, tzinfo=UTC)))
    return {"shopify": ShopifyWriter(), "sandbox": sandbox}


MANY = 250


@pytest.fixture(scope="module")
def made(stores: Mapping[str, Any]) -> list[tuple[str, LedgerRow]]:
    """Answers of both platforms to all sorts of carts, with all sorts of settings and carriers' answers."""
    rows: list[tuple[str, LedgerRow]] = []

    @effort(
        max_examples=MANY,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.sampled_from(sorted(stores)), reduced_carts(), some_facts, some_answers(), moments)
    def make(name: str, asked: Any, using: Facts, answers: Any, at: datetime) -> None:
        store: Store = stores[name]
        rows.append((name, row_of(asked, using, answers, store, at, {"call": str(len(rows))})))

    make()
    return rows


@pytest.mark.complaint(33)
async def test_hundreds_of_answers_are_the_same_byte_for_byte_after_they_were_stored(
    database: Database, stores: Mapping[str, Any], made: list[tuple[str, LedgerRow]]
) -> None:
    """Leap 1 of the market notes: offline, from the kept rows alone, through both platforms' writers."""
    writer = LedgerWriter(database)
    for _, row in made:
        writer.put(row)
    await writer.flush()
    for name, row in made:
        found = database.run_here(ledger.load, row.shop_id, row.id)
        assert found is not None
        result = replay(found, _writer(stores[name]))
        assert (result.same, result.changes) == (True, ()), row


def test_what_is_replayed_is_of_every_kind(made: list[tuple[str, LedgerRow]]) -> None:
    assert len(made) == MANY
    assert {row.decision.outcome for _, row in made} == {"offers", "not_served", "backup"}
    assert {row.decision.offers[0].source for _, row in made if row.decision.offers} == {"live", "safety"}


# --- what differs is named ----------------------------------------------------------------------------------------


def tampered(stores: Mapping[str, Any], **changes: Any) -> tuple[str, ...]:
    """What a replay says of a sound row after it was changed."""
    row = sound(stores)
    assert replay(row, _writer(stores["shopify"])).same
    result = replay(replace(row, **changes), _writer(stores["shopify"]))
    assert not result.same
    assert result.changes
    return result.changes


def sound(stores: Mapping[str, Any]) -> LedgerRow:
    using = facts(settings(threshold="50.00", markup_percent="10"))
    answers = (answered(rate(700), rate(1500, "Express")), refused("timeout", account_id="acc_2", state="late"))
    return row_of(cart(), using, answers, stores["shopify"])


def test_another_price_of_a_carrier_is_named(stores: Mapping[str, Any]) -> None:
    answers = (answered(rate(701), rate(1500, "Express")), refused("timeout", account_id="acc_2", state="late"))
    changes = tampered(stores, answers=answers)
    assert changes[0] == "fake-ground: 7.70 EUR became 7.71 EUR"
    assert "fake-express" not in " ".join(changes)


def test_a_missing_and_a_new_service_are_named(stores: Mapping[str, Any]) -> None:
    changes = tampered(stores, answers=(answered(rate(700), rate(900, "Night")),))
    assert changes[:2] == ("fake-express is gone", "fake-night is new")
    assert "what is not shown changed" in changes


def test_other_settings_are_seen_in_their_effect(stores: Mapping[str, Any]) -> None:
    changes = tampered(stores, facts=facts(settings(threshold="10.00:fake-ground", markup_percent="10")))
    assert "fake-ground: 7.70 EUR became 0.00 EUR" in changes


def test_the_reasons_of_rules_that_an_early_release_kept_are_compared_too(stores: Mapping[str, Any]) -> None:
    row = sound(stores)
    early = decide(row.cart, row.facts, row.answers, row.at, with_passed=True)
    assert early.passed_rules
    assert replay(replace(row, decision=early), _writer(stores["shopify"])).same
    changes = tampered(stores, decision=early, facts=facts(settings(threshold="10.00", markup_percent="10")))
    assert "the rules that did not apply changed" in changes


def test_another_outcome_is_named_with_its_reason(stores: Mapping[str, Any]) -> None:
    changes = tampered(stores, cart=cart(line(None)))
    assert changes[0] == "outcome offers became backup"
    assert "the reason none became weight_missing" in changes


def test_another_day_is_named(stores: Mapping[str, Any]) -> None:
    changes = tampered(stores, at=NOW.replace(day=24))
    assert "fake-ground: the first day of arrival changed" in changes
    assert "how long the answer holds changed" in changes


def test_another_account_at_the_same_price_is_named(stores: Mapping[str, Any]) -> None:
    moved = answered(rate(700), rate(1500, "Express"), account_id="acc_9")
    changes = tampered(stores, answers=(moved, refused("timeout", account_id="acc_2", state="late")))
    assert changes == (
        "fake-express: the account or service that it is bought as changed",
        "fake-ground: the account or service that it is bought as changed",
    )


def test_a_decision_that_was_changed_is_named(stores: Mapping[str, Any]) -> None:
    row = sound(stores)
    first, *rest = row.decision.offers
    forged = row.decision.but(offers=(first.but(minor=1), *rest))
    assert tampered(stores, decision=forged) == ("fake-ground: 0.01 EUR became 7.70 EUR",)
    turned = row.decision.but(offers=tuple(reversed(row.decision.offers)))
    assert tampered(stores, decision=turned) == ("the order of the offers changed",)


def test_other_bytes_are_noticed_where_the_decision_is_the_same(stores: Mapping[str, Any]) -> None:
    assert tampered(stores, digest="0" * 64) == ("the decision is the same, but other bytes were sent",)


def test_a_row_of_another_version_says_so_where_it_differs(stores: Mapping[str, Any]) -> None:
    older = sound(stores).facts.but(decide_version=0)
    assert replay(replace(sound(stores), facts=older), _writer(stores["shopify"])).same
    changes = tampered(stores, facts=older, answers=())
    assert any(change.startswith("decided by version 0, replayed by ") for change in changes)
    assert changes[-1].startswith(f"version {DECIDE_VERSION} of the decision: "), "and why"


OLD_ROWS = json.loads((Path(__file__).parent / "decided_by_version_2.json").read_text(encoding="utf-8"))
"""Three quotes as the release before decided them: a free one, one below the limit, one with a silent carrier."""


def row_of_version_2(body: dict[str, Any]) -> LedgerRow:
    """A row of the ledger, read as from a database."""
    values = {"shop_id": "shop_1", "id": "quo_1", "at": NOW, "echo": {}, "signature": "valid", "elapsed_ms": 5}
    kept = {name: body[name] for name in ("cart", "answers", "decision")}
    rest = {"answer_digest": body["digest"], "plan_id": "", "hold_key": None, "channel": None}
    return ledger.row_of(SimpleNamespace(**values, **kept, **rest), Facts.from_plain(body["facts"]))


@pytest.mark.parametrize("body", OLD_ROWS, ids=[str(each["name"]) for each in OLD_ROWS])
def test_a_quote_of_the_release_before_is_replayed_and_says_what_changed_and_why(body: dict[str, Any]) -> None:
    row = row_of_version_2(body)
    assert row.facts.decide_version == 2
    again = replay(row, lambda answer, _: write_for_shopify(answer).body)
    if body["name"] == "safety":
        assert again.same
        return
    assert not again.same
    since = f"decided by version 2, replayed by {DECIDE_VERSION}"
    assert since in again.changes[1:], "what differs comes first"
    after = again.changes[again.changes.index(since) + 1 :]
    numbers = range(3, DECIDE_VERSION + 1)
    assert [change.partition(" of the decision: ")[0] for change in after] == [f"version {each}" for each in numbers]
