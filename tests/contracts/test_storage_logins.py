"""Logins on every database: people, links, sessions and forms that were sent; also when two come at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.logins import forms, links, people, sessions
from connector.storage.logins.people import BadEmail, LastOwner, NoSuchUser, User, UserExists
from connector.storage.logins.tables import EVERY_SHOP, Role
from connector.storage.secrets import Keyring, new_key, rotate_all
from tests.conftest import FrozenClock

BY_TEST = Actor("system", "test")


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.from_keys([new_key()])


@pytest.fixture
def add(database: Database, keyring: Keyring, clock: FrozenClock) -> Callable[..., User]:
    def add_user(email: str, **roles: Role) -> User:
        held = {EVERY_SHOP if shop == "every" else shop: role for shop, role in roles.items()}
        return database.run_here(
            people.add_user,
            keyring,
            email=email,
            name="N",
            password_hash="x",
            roles=held,
            actor=None,
            now=clock.now(),
        )

    return add_user


def at_once(database: Database, count: int, act: Callable[[Any], object]) -> list[object]:
    """Do something in several transactions at the same time; what came of each."""
    results: list[object] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        try:
            results.append(database.run_here(act))
        except (links.LinkUsedUp, LastOwner, UserExists) as error:
            results.append(type(error).__name__)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_person_is_found_whatever_the_case_and_only_once(
    database: Database, keyring: Keyring, add: Callable[..., User]
) -> None:
    anna = add(" Anna@Example.COM ", every="owner")
    assert anna.email == "anna@example.com"
    assert database.run_here(people.find_login, keyring, "ANNA@example.com") == (anna.id, "x")
    assert database.run_here(people.find_user, keyring, anna.id) == anna
    with pytest.raises(UserExists):
        add("anna@example.com", every="packer")
    for wrong in (
        "",
        "anna",
        "a@b",
        "a b@example.com",
        "a@b@example.com",
        "x" * 250 + "@example.com",
        "a\n@example.com",
    ):
        with pytest.raises(BadEmail):
            people.normal_email(wrong)
        assert database.run_here(people.find_login, keyring, wrong) is None


def test_roles_of_a_shop_and_of_every_shop_add_up(
    database: Database, keyring: Keyring, add: Callable[..., User]
) -> None:
    add("root@example.com", every="owner")
    both = add("both@example.com", every="packer", shop_a="owner")
    one = add("one@example.com", shop_b="packer")
    assert (both.role_in("shop_a"), both.role_in("shop_b"), both.owns_installation) == ("owner", "packer", False)
    assert (one.role_in("shop_a"), one.role_in("shop_b")) == (None, "packer")
    found = database.run_here(people.list_users, keyring, "shop_a")
    assert {each.email for each in found} == {"root@example.com", "both@example.com"}


def test_the_last_owner_stays(
    database: Database, keyring: Keyring, clock: FrozenClock, add: Callable[..., User]
) -> None:
    first = add("a@example.com", every="owner")
    for act in (
        lambda c: people.remove_user(c, first.id, BY_TEST, clock.now()),
        lambda c: people.set_role(c, first.id, EVERY_SHOP, "packer", BY_TEST, clock.now()),
        lambda c: people.set_role(c, first.id, EVERY_SHOP, None, BY_TEST, clock.now()),
    ):
        with pytest.raises(LastOwner):
            database.run_here(act)
    add("b@example.com", every="owner")
    database.run_here(people.remove_user, first.id, BY_TEST, clock.now())
    with pytest.raises(NoSuchUser):
        database.run_here(people.get_user, keyring, first.id)


def test_a_removed_person_leaves_no_session_link_or_name(
    database: Database, keyring: Keyring, clock: FrozenClock, add: Callable[..., User]
) -> None:
    add("root@example.com", every="owner")
    gone = add("gone@example.com", shop_a="packer")
    session = database.run_here(sessions.start, gone.id, clock.now())
    link = database.run_here(links.make_reset, gone.id, BY_TEST, clock.now())
    database.run_here(people.remove_user, gone.id, BY_TEST, clock.now())
    assert database.run_here(sessions.find, keyring, session, clock.now()) is None
    with pytest.raises(links.LinkUsedUp):
        database.run_here(links.look, keyring, link, clock.now())
    assert database.run_here(people.names_of, keyring, [gone.id]) == {}
    (last, *_) = database.run_here(audit.entries, "shop_a", subject=gone.id)
    assert (last.action, last.actor) == ("user.remove", BY_TEST)


def test_a_link_that_two_open_at_once_makes_one_person(
    database: Database, keyring: Keyring, clock: FrozenClock
) -> None:
    token = database.run_here(links.make_first, clock.now(), BY_TEST)
    given: dict[str, Any] = {"email": "a@example.com", "name": "A", "password_hash": "x", "now": clock.now()}
    results = at_once(database, 4, lambda connection: links.use(connection, keyring, token, **given).email)
    assert sorted(map(str, results)) == ["LinkUsedUp"] * 3 + ["a@example.com"]
    assert database.run_here(people.count_users) == 1


def test_a_newer_first_link_ends_the_older(database: Database, keyring: Keyring, clock: FrozenClock) -> None:
    older = database.run_here(links.make_first, clock.now(), BY_TEST)
    newer = database.run_here(links.make_first, clock.now(), BY_TEST)
    with pytest.raises(links.LinkUsedUp):
        database.run_here(links.look, keyring, older, clock.now())
    assert database.run_here(links.look, keyring, newer, clock.now()).role == "owner"


def test_a_form_is_claimed_by_one_of_many(database: Database, clock: FrozenClock) -> None:
    results = at_once(database, 5, lambda connection: forms.claim(connection, "form", "body", clock.now()))
    assert results.count(None) == 1
    assert database.run_here(forms.look, "form", "body") == forms.SentForm(same=True, result=None)
    database.run_here(forms.settle, "form", "/desk")
    assert database.run_here(forms.claim, "form", "other", clock.now()) == forms.SentForm(same=False, result="/desk")
    database.run_here(forms.release, "form")
    assert database.run_here(forms.claim, "form", "other", clock.now()) is None


def test_what_has_ended_is_swept_and_what_holds_stays(
    database: Database, keyring: Keyring, clock: FrozenClock, add: Callable[..., User]
) -> None:
    anna = add("anna@example.com", every="owner")
    database.run_here(sessions.start, anna.id, clock.now())
    database.run_here(links.make_reset, anna.id, BY_TEST, clock.now())
    database.run_here(forms.claim, "form", "body", clock.now())
    clock.advance(hours=11)
    kept = database.run_here(sessions.start, anna.id, clock.now())
    assert database.run_here(sessions.forget_ended, clock.now()) == 1, "the link"
    clock.advance(hours=11)
    assert database.run_here(sessions.forget_ended, clock.now()) == 1, "the idle session"
    assert database.run_here(sessions.find, keyring, kept, clock.now()) is not None
    assert database.run_here(sessions.forget_ended, clock.now() + sessions.KEEP_FORMS) == 2
    assert timedelta(0) < sessions.LONGEST < sessions.KEEP_FORMS


def test_people_are_found_after_the_keys_changed(
    database: Database, add: Callable[..., User], keyring: Keyring, clock: FrozenClock
) -> None:
    old = new_key()
    before = Keyring.from_keys([old])
    given: dict[str, Any] = {"name": "N", "password_hash": "x", "roles": {}, "actor": None, "now": clock.now()}
    database.run_here(people.add_user, before, email="anna@example.com", **given)
    after = Keyring.from_keys([new_key(), old])
    assert database.run_here(people.find_login, after, "anna@example.com") is not None
    with pytest.raises(UserExists):
        database.run_here(people.add_user, after, email="anna@example.com", **given)
    database.run_here(rotate_all, after)
    assert [each.email for each in database.run_here(people.list_users, after)] == ["anna@example.com"]
