"""Each matter is told once, and once more when it is over; many together; nothing that comes and goes; never twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.attention import alerts
from connector.attention.alerts import Channel, Message, Outcome
from connector.attention.board import HOUSE, need_person, open_matters, settled
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from connector.words.reason import Reason

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SHOP = "shop_1"
WALLET = Reason("wallet_empty", {"carrier": "EasyPost", "said": ""})
RISK = Reason("risk_flagged")
DEAD = Reason("worker_dead")


@dataclass
class Office:
    """Plans and sends as the watch does, by a clock that the test moves."""

    database: Database
    now: datetime = NOW
    own: frozenset[str] = frozenset()
    ways: tuple[Channel, ...] = ("mail",)
    sent: list[Message] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def recipient(self, shop_id: str) -> str:
        return shop_id if shop_id in self.own else HOUSE

    def channels(self, recipient: str) -> Sequence[Channel]:
        return self.ways

    def open(self, reason: Reason, subject: str = "acc_1", shop: str = SHOP) -> None:
        self.database.run_here(need_person, shop, subject, reason, self.now)

    def settle(self, subject: str = "acc_1", shop: str = SHOP) -> None:
        self.database.run_here(settled, shop, subject, self.now)

    def go_round(self) -> list[str]:
        """Plan, and send what is due; what went out, as kind and count of matters."""
        self.database.run_here(alerts.plan, self, self.now)
        went = []
        while (message := self.database.run_here(alerts.claim, self.now)) is not None:
            outcome: Outcome = self.outcomes.pop(0) if self.outcomes else "sent"
            self.database.run_here(alerts.ended, message, outcome, "said", self.now)
            self.sent.append(message)
            kinds = "+".join(sorted({item.kind for item in message.items}))
            went.append(f"{kinds} {len(message.items)}")
        return went

    def after(self, **delta: float) -> list[str]:
        """Let time pass in steps of a round; everything that went out meanwhile."""
        span = timedelta(**delta)
        end, step = self.now + span, timedelta(minutes=1 if span < timedelta(hours=1) else 15)
        went = []
        while self.now < end:
            self.now = min(end, self.now + step)
            went += self.go_round()
        return went


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """On SQLite."""
    database = open_database(f"sqlite:///{tmp_path / 'alerts.db'}")
    metadata.create_all(database.engine)
    yield Office(database)
    database.close()


@pytest.fixture
def any_office(database: Database) -> Office:
    """On SQLite, then on PostgreSQL."""
    return Office(database)


def test_a_matter_is_told_once_and_once_when_it_is_over(any_office: Office) -> None:
    any_office.open(WALLET)
    assert any_office.go_round() == ["open 1"]
    assert any_office.after(hours=5) == []
    any_office.settle()
    assert any_office.after(minutes=5) == ["over 1"]
    assert any_office.after(days=1) == []


def test_what_is_over_before_anybody_was_told_is_not_told(office: Office) -> None:
    office.open(WALLET)
    office.settle()
    assert office.after(hours=1) == []


def test_what_is_over_for_a_moment_only_is_not_told_again(any_office: Office) -> None:
    any_office.open(WALLET)
    assert any_office.go_round() == ["open 1"]
    for _ in range(20):
        any_office.settle()
        any_office.now += timedelta(seconds=30)
        any_office.open(WALLET)
        assert any_office.after(minutes=1) == []
    any_office.settle()
    assert any_office.after(minutes=5) == ["over 1"]


def test_what_comes_back_within_half_an_hour_is_told_only_if_it_stays(office: Office) -> None:
    office.open(WALLET)
    office.go_round()
    office.settle()
    assert office.after(minutes=3) == ["over 1"]
    office.open(WALLET)
    assert office.after(minutes=10) == []
    office.settle()
    assert office.after(hours=2) == []
    office.open(WALLET)
    assert office.go_round() == ["open 1"]


def test_what_comes_back_and_stays_is_told_half_an_hour_later(office: Office) -> None:
    office.open(WALLET)
    office.go_round()
    office.settle()
    office.after(minutes=3)
    office.open(WALLET)
    assert office.after(minutes=25) == []
    assert office.after(minutes=10) == ["open 1"]


def test_one_cause_is_one_message_however_many_it_hits(office: Office) -> None:
    for number in range(200):
        office.open(Reason("work_failed", {"job": "labels.buy", "error": "Broken"}), f"fail_{number}")
    assert office.go_round() == ["open 200"]


def test_a_cause_that_trickles_in_sends_no_stream(office: Office) -> None:
    went = []
    for number in range(60):
        office.open(Reason("work_failed", {"job": "labels.buy", "error": "Broken"}), f"fail_{number}")
        went += office.after(minutes=1)
    assert len(went) <= 9


def test_many_causes_at_once_are_one_message(any_office: Office) -> None:
    for number in range(12):
        any_office.open(WALLET, f"acc_{number}", f"shop_{number}")
    assert any_office.go_round() == ["open 12"]


def test_matters_of_single_orders_are_told_together_and_not_often(any_office: Office) -> None:
    for number in range(30):
        any_office.open(RISK, f"par_{number}")
    assert any_office.go_round() == []
    assert any_office.after(minutes=6) == ["open 30"]
    for number in range(30, 40):
        any_office.open(RISK, f"par_{number}")
    assert any_office.after(hours=3) == []
    assert any_office.after(hours=2) == ["open 10"]


def test_a_single_order_that_is_settled_is_not_told_to_be_over(office: Office) -> None:
    office.open(RISK, "par_1")
    assert office.after(minutes=6) == ["open 1"]
    office.settle("par_1")
    assert office.after(hours=6) == []


def test_what_is_urgent_does_not_wait_for_what_is_not(office: Office) -> None:
    office.open(RISK, "par_1")
    office.after(minutes=6)
    office.open(DEAD, "worker", HOUSE)
    assert office.go_round() == ["open 1"]


def test_a_shop_with_an_address_of_its_own_is_told_itself(office: Office) -> None:
    office.own = frozenset({SHOP})
    office.open(WALLET)
    office.open(DEAD, "worker", HOUSE)
    office.go_round()
    assert sorted((message.recipient, message.items[0].reason.code) for message in office.sent) == [
        ("", "worker_dead"),
        (SHOP, "wallet_empty"),
    ]


def test_both_ways_are_told_the_same(office: Office) -> None:
    office.ways = ("mail", "webhook")
    office.open(WALLET)
    assert office.go_round() == ["open 1", "open 1"]
    assert sorted(message.channel for message in office.sent) == ["mail", "webhook"]


def test_without_a_way_nothing_is_kept_and_it_is_told_once_there_is_one(office: Office) -> None:
    office.ways = ()
    office.open(WALLET)
    assert office.after(hours=1) == []
    office.ways = ("mail",)
    assert office.go_round() == ["open 1"]


def test_what_certainly_did_not_go_out_is_tried_again_and_shown(office: Office) -> None:
    office.open(WALLET)
    office.outcomes = ["not_sent", "not_sent"]
    office.go_round()
    (shown,) = office.database.run_here(open_matters, HOUSE)
    assert shown.reason.code == "alert_not_sent"
    office.after(minutes=30)
    assert len(office.sent) == 3
    assert len({message.id for message in office.sent}) == 1
    assert office.database.run_here(open_matters, HOUSE) == []


def test_what_cannot_be_sent_for_a_day_is_given_up(office: Office) -> None:
    office.open(WALLET)
    office.outcomes = ["not_sent"] * 100
    office.after(hours=30)
    tries = len(office.sent)
    assert 20 <= tries <= 30
    office.after(hours=10)
    assert len(office.sent) == tries


def test_what_may_have_arrived_is_sent_once_more_and_not_a_third_time(office: Office) -> None:
    office.open(WALLET)
    office.outcomes = ["unclear", "unclear"]
    office.after(hours=2)
    assert len(office.sent) == 2
    assert len({message.id for message in office.sent}) == 1


def test_a_sender_that_died_leaves_a_message_that_is_sent_once_more(any_office: Office) -> None:
    any_office.open(WALLET)
    any_office.database.run_here(alerts.plan, any_office, any_office.now)
    assert any_office.database.run_here(alerts.claim, any_office.now) is not None
    assert any_office.after(minutes=4) == []
    assert any_office.after(minutes=10) == ["open 1"]
    assert any_office.after(hours=2) == []


def test_two_processes_send_no_message_twice(database: Database) -> None:
    office = Office(database)
    for number in range(3):
        office.open(WALLET, f"acc_{number}", f"shop_{number}")
    database.run_here(alerts.plan, office, office.now)
    claimed: list[str] = []

    def send() -> None:
        while (message := database.run_here(alerts.claim, NOW)) is not None:
            claimed.append(message.id)
            database.run_here(alerts.ended, message, "sent", "", NOW)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 3


def test_that_an_alert_could_not_be_sent_is_not_itself_an_alert(office: Office) -> None:
    office.open(Reason("alert_not_sent", {"said": "x"}), "mail", HOUSE)
    assert office.after(hours=1) == []


def test_old_messages_are_forgotten_and_what_was_told_is_not_told_again(office: Office) -> None:
    office.open(WALLET)
    office.go_round()
    office.now += timedelta(days=91)
    assert office.database.run_here(alerts.forget_old, office.now - timedelta(days=90)) == 1
    assert office.after(hours=1) == []
