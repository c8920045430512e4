"""The list of what needs a person: one open matter per cause and subject, settled, opened again."""

from __future__ import annotations

import threading

import pytest

from carriers.money import Money
from connector.attention.board import Matter, need_person, open_matters, settled
from connector.storage.database import Database, open_database
from connector.words.reason import Reason
from tests.conftest import FrozenClock

DEARER = Reason("dearer_than_quoted", {"now": Money(1200, "EUR"), "quoted": Money(1000, "EUR")})
GONE = Reason("service_gone", {"carrier": "USPS", "service": "Priority"})


class Board:
    """One shop's list, at the clock's time."""

    def __init__(self, database: Database, clock: FrozenClock, shop_id: str = "shop_a") -> None:
        self.database, self.clock, self.shop_id = database, clock, shop_id

    def open(self, subject: str, reason: Reason) -> bool:
        return self.database.run_here(need_person, self.shop_id, subject, reason, self.clock.now())

    def settle(self, subject: str, *codes: str) -> int:
        return self.database.run_here(settled, self.shop_id, subject, self.clock.now(), *codes)

    def matters(self) -> list[Matter]:
        return self.database.run_here(open_matters, self.shop_id)

    def seen(self) -> list[tuple[str, str]]:
        return [(each.subject, each.reason.code) for each in self.matters()]


@pytest.fixture
def board(database: Database, clock: FrozenClock) -> Board:
    return Board(database, clock)


def test_a_matter_is_listed_once_however_often_it_is_found(board: Board) -> None:
    assert board.open("par_1", DEARER)
    board.clock.advance(minutes=5)
    assert not board.open("par_1", DEARER)
    assert not board.open("par_1", Reason("dearer_than_quoted", {"now": Money(9, "EUR"), "quoted": Money(8, "EUR")}))
    (matter,) = board.matters()
    assert (matter.reason, matter.opened_at) == (DEARER, board.clock.now().replace(minute=0))


def test_other_causes_and_subjects_and_shops_are_other_matters(board: Board) -> None:
    other = Board(board.database, board.clock, "shop_b")
    assert all([board.open("par_1", DEARER), board.open("par_1", GONE), board.open("par_2", GONE)])
    assert other.open("par_1", DEARER)
    assert sorted(board.seen()) == [
        ("par_1", "dearer_than_quoted"),
        ("par_1", "service_gone"),
        ("par_2", "service_gone"),
    ]
    assert other.seen() == [("par_1", "dearer_than_quoted")]


def test_the_oldest_matter_comes_first(board: Board) -> None:
    for subject in ("par_9", "par_1", "par_5"):
        board.open(subject, GONE)
        board.clock.advance(seconds=1)
    assert [matter.subject for matter in board.matters()] == ["par_9", "par_1", "par_5"]


def test_settling_closes_every_matter_of_a_subject_in_this_shop_only(board: Board) -> None:
    other = Board(board.database, board.clock, "shop_b")
    for each in (board, other):
        each.open("par_1", DEARER)
    board.open("par_1", GONE)
    board.open("par_2", GONE)
    assert board.settle("par_1") == 2
    assert board.settle("par_1") == 0
    assert board.seen() == [("par_2", "service_gone")]
    assert other.seen() == [("par_1", "dearer_than_quoted")]


def test_settling_can_be_limited_to_causes(board: Board) -> None:
    board.open("par_1", DEARER)
    board.open("par_1", GONE)
    assert board.settle("par_1", "service_gone", "quote_lost") == 1
    assert board.seen() == [("par_1", "dearer_than_quoted")]


def test_what_comes_back_after_it_was_settled_is_listed_again_with_its_new_time(board: Board) -> None:
    board.open("par_1", DEARER)
    board.settle("par_1")
    board.clock.advance(days=1)
    assert board.open("par_1", DEARER)
    (matter,) = board.matters()
    assert matter.opened_at == board.clock.now()


def test_a_matter_says_what_happened_and_what_to_do(board: Board) -> None:
    board.open("par_1", DEARER)
    (matter,) = board.matters()
    assert matter.reason.say() == "The label now costs 12.00 EUR; it was quoted at 10.00 EUR."
    assert matter.cure == "Buy it by hand if you accept the difference."


def test_two_who_find_the_same_at_once_open_one_matter(board: Board) -> None:
    url = board.database.engine.url.render_as_string(hide_password=False)
    boards = [Board(open_database(url), board.clock) for _ in range(2)]
    opened: list[bool] = []

    def find(mine: Board) -> None:
        opened.extend(mine.open(f"par_{n}", GONE) for n in range(10))

    threads = [threading.Thread(target=find, args=(mine,)) for mine in boards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in boards:
        mine.database.close()
    assert (sum(opened), len(board.matters())) == (10, 10)
