"""One list of what needs a person: once for each cause and subject, with a cure, gone when it is settled."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from carriers.money import Money
from connector.attention.board import need_person, open_matters, settled
from connector.storage.database import Database, open_database
from connector.words.reason import Reason

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DEAR = Reason("dearer_than_quoted", {"quoted": Money(700, "EUR"), "now": Money(900, "EUR")})
GONE = Reason("service_gone", {"carrier": "Fake", "service": "Ground"})


def put(database: Database, subject: str, reason: Reason, shop: str = "shop_1", minutes: int = 0) -> bool:
    return database.run_here(need_person, shop, subject, reason, NOW + timedelta(minutes=minutes))


def codes(database: Database, shop: str = "shop_1") -> list[str]:
    return [matter.reason.code for matter in database.run_here(open_matters, shop)]


def test_a_matter_is_opened_once_for_each_cause_and_subject(database: Database) -> None:
    assert put(database, "par_1", DEAR)
    assert not put(database, "par_1", DEAR)
    assert put(database, "par_2", DEAR)
    assert put(database, "par_1", GONE)
    assert codes(database).count("dearer_than_quoted") == 2


def test_the_oldest_comes_first_and_shops_do_not_see_each_other(database: Database) -> None:
    put(database, "par_1", GONE, minutes=5)
    put(database, "par_1", DEAR)
    put(database, "par_1", GONE, shop="shop_2")
    assert codes(database) == ["dearer_than_quoted", "service_gone"]
    assert codes(database, "shop_2") == ["service_gone"]


def test_what_is_settled_is_closed_and_may_be_opened_again(database: Database) -> None:
    put(database, "par_1", DEAR)
    assert database.run_here(settled, "shop_1", "par_1", NOW) == 1
    assert codes(database) == []
    assert database.run_here(settled, "shop_1", "par_1", NOW) == 0
    assert put(database, "par_1", DEAR)


def test_only_the_named_causes_are_settled(database: Database) -> None:
    put(database, "par_1", DEAR)
    put(database, "par_1", GONE)
    database.run_here(settled, "shop_1", "par_1", NOW, "service_gone")
    assert codes(database) == ["dearer_than_quoted"]


@pytest.mark.parametrize(("reason", "says"), [(DEAR, "now costs 9.00 EUR"), (GONE, "does not offer Ground")])
def test_a_matter_says_what_happened_and_what_to_do(database: Database, reason: Reason, says: str) -> None:
    put(database, "par_1", reason)
    (matter,) = database.run_here(open_matters, "shop_1")
    assert says in matter.reason.say()
    assert matter.cure.endswith(".")
    assert matter.cure != f"{reason.code}_cure"


def test_what_is_found_again_keeps_its_first_words_and_time_until_it_is_settled(database: Database) -> None:
    dearer = Reason("dearer_than_quoted", {"quoted": Money(700, "EUR"), "now": Money(950, "EUR")})
    put(database, "par_1", DEAR)
    put(database, "par_1", dearer, minutes=5)
    (matter,) = database.run_here(open_matters, "shop_1")
    assert (matter.reason, matter.opened_at) == (DEAR, NOW)
    database.run_here(settled, "shop_1", "par_1", NOW)
    put(database, "par_1", dearer, minutes=9)
    (matter,) = database.run_here(open_matters, "shop_1")
    assert (matter.reason, matter.opened_at) == (dearer, NOW + timedelta(minutes=9))


def test_settling_touches_this_subject_of_this_shop_only(database: Database) -> None:
    for shop in ("shop_1", "shop_2"):
        put(database, "par_1", DEAR, shop=shop)
        put(database, "par_2", DEAR, shop=shop)
    assert database.run_here(settled, "shop_1", "par_1", NOW) == 1
    assert [matter.subject for matter in database.run_here(open_matters, "shop_1")] == ["par_2"]
    assert len(codes(database, "shop_2")) == 2


def test_two_who_find_the_same_at_once_open_one_matter(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    databases = [open_database(url) for _ in range(2)]
    opened: list[bool] = []

    def find(mine: Database) -> None:
        opened.extend(put(mine, f"par_{n}", GONE) for n in range(10))

    threads = [threading.Thread(target=find, args=(mine,)) for mine in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in databases:
        mine.close()
    assert (sum(opened), len(codes(database))) == (10, 10)
