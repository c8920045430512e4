"""What the watch tells, each by one mail with its cure and one when it is over; and nothing on a healthy day."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection

from connector.attention.board import HOUSE, need_person, settled
from connector.quotes.ledger import quotes
from connector.watch import premises
from connector.watch.shops import share_of
from connector.words.reason import Reason
from tests.labels.world import World
from tests.watch.conftest import Watched
from tests.webhooks.servers import always, reply, serve

pytestmark = pytest.mark.anyio
GIB = 1024**3


class Usage(NamedTuple):
    """As shutil.disk_usage tells it."""

    total: float
    used: float
    free: float


def answer(world: World, outcome: str, count: int = 1, *, works: bool | None = None) -> None:
    """So many rows of the ledger, now; `works`: what the account answered."""
    answers = []
    if works is not None:
        problems = [] if works else [{"account": "", "carrier": "Fake", "code": "timeout", "message": ""}]
        state = "answered" if works else "failed"
        answers = [{"account_id": world.account_id, "carrier": "fake", "state": state, "problems": problems}]
        answers[0] |= {"source": "live", "rates": []}

    def put(connection: Connection) -> None:
        for _ in range(count):
            number = next(world.numbers)
            connection.execute(
                quotes.insert(
                    world.shop_id,
                    id=f"quo_test_{number}",
                    at=world.clock.now(),
                    outcome=outcome,
                    settings_version=1,
                    facts_hash="x",
                    match_key="x",
                    cart={},
                    answers=answers,
                    decision={},
                    echo={},
                    signature="valid",
                    answer_digest="x",
                    elapsed_ms=5,
                )
            )

    world.act(put)


# --- quiet


async def test_a_healthy_day_sends_nothing(watched: Watched) -> None:
    """A day with quotes, orders, a few answers by backup, a restarted worker and a late hour without any traffic."""
    world = watched.world
    for hour in range(24):
        if hour not in {2, 3, 4}:
            answer(world, "offers", 60, works=True)
        if hour in {5, 14}:
            answer(world, "backup", 1, works=False)
        if hour == 9:
            order = await world.buy_from_quote()
            await world.refresh(order.id)
        if hour == 12:
            watched.set_worker(alive=False)
            await watched.pass_time(minutes=1)
            watched.set_worker(alive=True)
        await watched.pass_time(step=timedelta(minutes=4), hours=1)
    assert watched.mailbox.tries == 0


# --- the worker


@pytest.mark.complaint(50)
async def test_a_dead_worker_is_told_by_the_web_process_once_and_its_return_once(watched: Watched) -> None:
    await watched.pass_time(minutes=2)
    watched.set_worker(alive=False)
    told = await watched.pass_time(minutes=20)
    assert told == ["No worker runs: orders are not read, and no label is bought"]
    assert "What to do: Start one with `waybill up`" in watched.mailbox.arrived[0].get_content()
    watched.set_worker(alive=True)
    assert await watched.pass_time(minutes=10) == ["Over: No worker runs: orders are not read, and no label is bought"]


async def test_a_restart_of_the_processes_forgets_nothing_and_tells_nothing_twice(watched: Watched) -> None:
    await watched.pass_time(minutes=2)
    watched.set_worker(alive=False)
    assert len(await watched.pass_time(minutes=5)) == 1
    watched.watch = watched.new_watch()
    assert await watched.pass_time(minutes=10) == []


# --- the checkout


async def test_a_share_of_backup_answers_over_one_percent_is_told_with_its_figures(watched: Watched) -> None:
    answer(watched.world, "offers", 200)
    answer(watched.world, "backup", 3)
    assert await watched.pass_time(minutes=3) == ["Fake shop: Too many buyers do not see your prices"]
    assert "Of 203 answers in the last 15 minutes, 3 were" in watched.mailbox.arrived[0].get_content()
    told = await watched.pass_time(minutes=40)
    assert [subject.startswith("Fake shop: Over: ") for subject in told] == [True]


@pytest.mark.parametrize(
    ("offers", "backups", "high"), [(2, 1, False), (0, 2, False), (0, 3, True), (300, 3, False), (296, 3, True)]
)
async def test_one_of_three_at_night_is_chance(watched: Watched, offers: int, backups: int, high: bool) -> None:
    world = watched.world
    answer(world, "offers", offers)
    answer(world, "backup", backups)
    assert world.act(share_of, world.shop_id, world.clock.now()).is_high is high


async def test_the_share_is_counted_on_the_ledgers_index(watched: Watched) -> None:
    world = watched.world

    def plan(connection: Connection) -> str:
        compiled = quotes.select(world.shop_id, quotes.c.outcome).where(quotes.c.at > world.clock.now())
        text = compiled.compile(connection, compile_kwargs={"literal_binds": True})
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all())

    assert "ix_quotes_shop_id_at" in world.act(plan)


async def test_a_carrier_that_answers_nobody_for_ten_minutes_is_told_and_its_return(watched: Watched) -> None:
    world = watched.world
    told: list[str] = []
    for _ in range(9):
        answer(world, "offers", 2, works=False)
        told += await watched.pass_time(minutes=1)
    assert told == []
    for _ in range(4):
        answer(world, "offers", 2, works=False)
        told += await watched.pass_time(minutes=1)
    assert told == ["Fake shop: Fake carrier has not answered a single question for 10 minutes"]
    for _ in range(10):
        answer(world, "offers", 2, works=True)
        told += await watched.pass_time(minutes=1)
    assert len(told) == 2
    assert "Over: " in told[1]


async def test_a_carrier_that_fails_now_and_then_is_not_out(watched: Watched) -> None:
    for minute in range(20):
        answer(watched.world, "offers", 2, works=False)
        if minute % 4 == 0:
            answer(watched.world, "offers", 1, works=True)
        assert await watched.pass_time(minutes=1) == []


async def test_a_carrier_that_nobody_asks_tells_nothing(watched: Watched) -> None:
    answer(watched.world, "offers", 2, works=False)
    assert await watched.pass_time(hours=1) == []


# --- the premises


async def test_a_disk_that_is_nearly_full_is_told() -> None:
    looks = premises.look_at_disks([Path("/")], lambda _folder: Usage(100 * GIB, 99.5 * GIB, GIB // 2))
    assert looks[0].reason is not None
    assert "0.5 GiB" in looks[0].reason.say()


@pytest.mark.parametrize(
    ("total", "free", "little"), [(100, 4, True), (1000, 40, False), (20, 1.5, False), (8, 0.9, True), (100, 6, False)]
)
def test_little_room_is_a_gib_or_a_twentieth_below_ten(total: int, free: float, little: bool) -> None:
    (look,) = premises.look_at_disks([Path("/")], lambda _folder: Usage(total * GIB, 0, free * GIB))
    assert (look.reason is not None) is little


def test_a_folder_that_is_not_there_yet_is_measured_by_its_parent(tmp_path: Path) -> None:
    (look,) = premises.look_at_disks([tmp_path / "not" / "yet"])
    assert look.code == "disk_full"


async def test_a_certificate_that_ends_within_two_weeks_is_told_and_its_renewal(watched: Watched) -> None:
    end = datetime(2026, 12, 3, tzinfo=UTC)
    ends = [end]
    watched.watch = watched.new_watch(public_url="https://ship.example.com", certificate_ends=lambda *_: ends[0])
    assert await watched.pass_time(minutes=2) == ["The certificate of ship.example.com ends in 9 days"]
    ends[0] = end + timedelta(days=80)
    assert len(await watched.pass_time(step=timedelta(minutes=4), hours=13)) == 1


def test_a_certificate_that_does_not_hold_is_told() -> None:
    def refused(_host: str, _port: int) -> datetime:
        raise ssl.SSLCertVerificationError("bad")

    now = datetime(2026, 11, 23, tzinfo=UTC)
    (look,) = premises.look_at_certificate("https://ship.example.com", now, refused)
    assert look.code == "certificate_bad"
    assert look.reason is not None


def test_an_address_that_is_not_reached_from_here_tells_nothing() -> None:
    def unreached(_host: str, _port: int) -> datetime:
        raise TimeoutError

    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert premises.look_at_certificate("https://ship.example.com", now, unreached) == []
    assert premises.look_at_certificate("http://127.0.0.1:8080", now, unreached) == []


# --- other rooms' matters


async def test_an_empty_wallet_is_one_mail_and_one_when_it_is_filled(watched: Watched) -> None:
    world = watched.world
    world.carrier.plays.extend(["empty-wallet"] * 2)
    for _ in range(5):
        order = await world.buy_from_quote()
        await world.refresh(order.id)
    told = await watched.pass_time(minutes=2)
    assert told == ["Fake shop: Fake carrier sells no labels: the account has not enough money"]
    told = await watched.pass_time(minutes=20)
    assert len(world.carrier.sales) == 5
    assert told == ["Fake shop: Over: Fake carrier sells no labels: the account has not enough money"]


async def test_work_that_was_parked_is_told(watched: Watched) -> None:
    world = watched.world
    now = world.clock.now()
    world.act(need_person, world.shop_id, "fail_1", Reason("work_parked", {"job": "labels.buy"}), now)
    assert len(await watched.pass_time(minutes=1)) == 1
    world.act(settled, world.shop_id, "fail_1", world.clock.now())
    assert len(await watched.pass_time(minutes=5)) == 1


async def test_a_shop_with_an_address_of_its_own_gets_its_mail(watched: Watched) -> None:
    await watched.world.set(alert_mail="shop@example.com")
    watched.world.act(need_person, HOUSE, "worker", Reason("worker_dead"), watched.world.clock.now())
    answer(watched.world, "backup", 5)
    await watched.pass_time(minutes=1)
    assert sorted(str(mail["To"]) for mail in watched.mailbox.arrived) == ["desk@example.com", "shop@example.com"]


async def test_mail_holds_no_personal_data_and_comes_from_a_machine(watched: Watched) -> None:
    order = await watched.world.buy_from_quote(risky=True)
    await watched.world.refresh(order.id)
    await watched.pass_time(minutes=10)
    (mail,) = watched.mailbox.arrived
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "Sample Buyer" not in mail.as_string()
    assert "buyer@example.com" not in mail.as_string()


# --- the heartbeat


async def test_the_outside_watchdog_hears_of_it_each_minute_while_a_worker_lives(watched: Watched) -> None:
    async with serve(always(reply())) as server:
        watched.watch = watched.new_watch(heartbeat_url=server.url)
        await watched.pass_time(minutes=5)
        heard = server.requests
        watched.set_worker(alive=False)
        await watched.pass_time(minutes=5)
        assert len(heard) == 5


async def test_a_worker_leaves_the_heartbeat_to_the_web_process(watched: Watched) -> None:
    async with serve(always(reply())) as server:
        watched.watch = watched.new_watch(heartbeat_url=server.url)
        await watched.pass_time("worker", minutes=3)
        assert server.requests == []
