"""Shops, locations, accounts, settings versions, audit, persons and retention, on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from carriers.address import Address
from connector.storage import audit, config_version, locations, persons, settings_versions, shops
from connector.storage.accounts import NoSuchAccount, put_account_settings, set_account_mode, switch_account
from connector.storage.audit import Actor
from connector.storage.database import Database, open_database
from connector.storage.locations import NoSuchLocation, list_locations, put_locations, set_default
from connector.storage.retention import PERSONS, Sweep, sweep
from connector.storage.secrets import Keyring, new_key
from connector.storage.settings_versions import StaleSettings
from connector.storage.shops import AppRecord, NoSuchShop, ShopExists, ShopRecord
from connector.storage.vault import ShopTokenVault
from connector.store import StoreLocation
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

COMMAND = Actor("command", "shop add")
PERSON = Actor("person", "anna")

AddShop = Callable[..., ShopRecord]


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.from_keys([new_key()])


@pytest.fixture
def add(database: Database, keyring: Keyring, clock: FrozenClock) -> AddShop:
    def add_shop(domain: str = "a.example", **changes: str) -> ShopRecord:
        given = {"platform": "sandbox", "name": "A", "currency": "EUR", "timezone": "Europe/Bratislava", **changes}
        return database.run_here(
            shops.add_shop,
            keyring,
            domain=domain,
            credentials={"client_secret": "hush"},
            actor=COMMAND,
            now=clock.now(),
            **given,
        )

    return add_shop


# --- shops --------------------------------------------------------------------------------------------------------


def test_a_shop_is_found_again_with_its_secrets_and_unguessable_tokens(
    database: Database, keyring: Keyring, add: AddShop
) -> None:
    shop = add("Shop.Example")
    assert database.run_here(shops.list_shops, keyring) == [shop]
    assert database.run_here(shops.get_shop, keyring, shop.id) == shop
    assert shop.domain == "shop.example"
    assert shop.credentials == {"client_secret": "hush"}
    assert len({shop.rates_token, shop.hooks_token}) == 2
    assert "hush" not in repr(shop)
    assert shop.hooks_token not in repr(shop)


def test_a_store_is_connected_once_while_it_is_live(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    first = add()
    with pytest.raises(ShopExists):
        add("A.example")
    assert database.run_here(shops.mark_gone, first.id, COMMAND, clock.now()) is True
    assert database.run_here(shops.mark_gone, first.id, COMMAND, clock.now()) is False
    assert database.run_here(shops.list_shops, keyring) == []
    assert [shop.id for shop in database.run_here(shops.list_shops, keyring, gone=True)] == [first.id]


def test_a_store_that_comes_back_is_the_same_shop_with_new_callback_tokens(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    first = add()
    database.run_here(shops.note_switch, first.id, True)
    database.run_here(shops.note_callbacks, first.id, "https://old.example")
    database.run_here(shops.mark_gone, first.id, COMMAND, clock.now())
    back = add("A.example")
    assert back.id == first.id
    assert back.status == "live"
    assert (back.rates_on, back.callbacks_base) == (False, "")
    assert {back.rates_token, back.hooks_token}.isdisjoint({first.rates_token, first.hooks_token})
    assert database.run_here(shops.list_shops, keyring, gone=True) == [back]


def test_credentials_go_when_the_shop_has_left_and_asked_for_it_in_any_order(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    first, second = add("one.example"), add("two.example")
    now = clock.now()
    database.run_here(shops.note_redacted, first.id, now)
    assert not database.run_here(shops.drop_credentials, keyring, first.id, asked_only=True)
    database.run_here(shops.mark_gone, first.id, COMMAND, now)
    database.run_here(shops.mark_gone, second.id, COMMAND, now)
    assert not database.run_here(shops.drop_credentials, keyring, second.id, asked_only=True)
    database.run_here(shops.note_redacted, second.id, now)
    for shop in (first, second):
        assert database.run_here(shops.get_shop, keyring, shop.id).credentials == {"client_secret": "hush"}
        assert database.run_here(shops.drop_credentials, keyring, shop.id, asked_only=True)
        assert database.run_here(shops.get_shop, keyring, shop.id).credentials == {}


async def test_one_connection_at_a_time_may_renew_the_tokens(
    database: Database, keyring: Keyring, add: AddShop
) -> None:
    shop = add()
    one, other = (ShopTokenVault(database, keyring, shop.id) for _ in range(2))
    assert await one.claim(60)
    assert not await other.claim(60)
    assert await one.save({"access": "new"})
    assert await other.claim(60)
    await other.give_up()
    assert await one.claim(60)


async def test_what_a_lost_claim_fetched_is_not_kept(database: Database, keyring: Keyring, add: AddShop) -> None:
    """Its process slept too long, or the shop was connected anew meanwhile."""
    shop = add()
    one, other = (ShopTokenVault(database, keyring, shop.id) for _ in range(2))
    assert await one.claim(-1)
    assert await other.claim(60)
    assert await other.save({"access": "the other's"})
    assert not await one.save({"access": "late"})
    assert await one.claim(60)
    await database.run(shops.put_tokens, keyring, shop.id, {"access": "granted"})
    assert not await one.save({"access": "late"})
    assert await other.load() == {"access": "granted"}


def test_a_replaced_secret_of_an_app_proves_for_a_while_longer(
    database: Database, keyring: Keyring, clock: FrozenClock
) -> None:
    def put(secret: str, api_base: str | None = None) -> AppRecord:
        given = {"platform": "shopify", "client_id": "c1", "secret": secret, "actor": COMMAND, "now": clock.now()}
        return database.run_here(shops.put_app, keyring, api_base=api_base, **given)

    assert put("one", "http://127.0.0.1:1").secrets_at(clock.now()) == ("one",)
    changed = put("two")
    assert changed.api_base == "http://127.0.0.1:1"
    assert changed.secrets_at(clock.now()) == ("two", "one")
    assert put("two").secrets_at(clock.now()) == ("two", "one")
    clock.advance(hours=3)
    assert put("two").secrets_at(clock.now()) == ("two",)
    assert "two" not in repr(changed)


def test_the_database_itself_refuses_a_second_live_shop_of_a_store(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    add()
    gone = add("b.example")
    database.run_here(shops.mark_gone, gone.id, COMMAND, clock.now())
    with pytest.raises(IntegrityError), database.transaction() as connection:
        connection.execute(
            text("UPDATE shops SET domain = 'a.example', status = 'live' WHERE id = :id"), {"id": gone.id}
        )
    with pytest.raises(IntegrityError), database.transaction() as connection:
        connection.exec_driver_sql("UPDATE shops SET status = 'asleep'")


def test_an_unknown_shop_is_said_to_be_unknown(database: Database, keyring: Keyring, clock: FrozenClock) -> None:
    with pytest.raises(NoSuchShop):
        database.run_here(shops.get_shop, keyring, "shop_none")
    with pytest.raises(NoSuchShop):
        database.run_here(shops.put_facts, "shop_none", name="N", currency="EUR", timezone="UTC")


async def test_access_tokens_are_kept_as_a_whole_and_dropped_with_the_shop(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    shop = add()
    vault = ShopTokenVault(database, keyring, shop.id)
    assert await vault.load() is None
    await vault.save({"access": "one", "refresh": "two"})
    assert await ShopTokenVault(database, keyring, shop.id).load() == {"access": "one", "refresh": "two"}
    await vault.save({"access": "three"})
    assert await vault.load() == {"access": "three"}
    await database.run(shops.mark_gone, shop.id, COMMAND, clock.now())
    await vault.save({"access": "late"})
    assert await vault.load() is None


async def test_new_credentials_drop_the_tokens_got_with_the_old(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    shop = add()
    vault = ShopTokenVault(database, keyring, shop.id)
    await vault.save({"access": "one"})
    await database.run(shops.put_credentials, keyring, shop.id, {"client_secret": "new"}, PERSON, clock.now())
    assert await vault.load() is None
    assert (await database.run(shops.get_shop, keyring, shop.id)).credentials == {"client_secret": "new"}


def test_an_app_keeps_its_id_when_its_secret_changes(
    database: Database, keyring: Keyring, clock: FrozenClock, add: AddShop
) -> None:
    def put(secret: str) -> str:
        record = database.run_here(
            shops.put_app,
            keyring,
            platform="shopify",
            client_id="c1",
            secret=secret,
            actor=COMMAND,
            now=clock.now(),
        )
        return record.id

    app_id = put("one")
    assert put("two") == app_id
    assert [app.secret for app in database.run_here(shops.list_apps, keyring)] == ["two"]
    assert add("c.example", app_id=app_id).app_id == app_id


# --- locations ----------------------------------------------------------------------------------------------------


def _place(place_id: str, *, active: bool = True) -> StoreLocation:
    return StoreLocation(place_id, f"Place {place_id}", Address(country="SK", city="Žilina"), active=active)


def test_locations_follow_the_store_and_keep_their_ids(database: Database, clock: FrozenClock) -> None:
    first = database.run_here(put_locations, "shop_a", [_place("1"), _place("2")], clock.now())
    assert [place.is_default for place in first] == [True, False]
    assert first[0].address == Address(country="SK", city="Žilina")
    again = database.run_here(put_locations, "shop_a", [_place("2"), _place("1")], clock.now())
    assert again == first
    left = database.run_here(put_locations, "shop_a", [_place("2"), _place("3", active=False)], clock.now())
    assert [(place.external_id, place.is_default) for place in left] == [("2", True)]
    assert left[0].id == first[1].id
    assert len(database.run_here(list_locations, "shop_a", inactive=True)) == 3
    assert database.run_here(put_locations, "shop_a", [], clock.now()) == []
    back = database.run_here(put_locations, "shop_a", [_place("1")], clock.now())
    assert [(place.id, place.is_default) for place in back] == [(first[0].id, True)]
    assert database.run_here(locations.list_all) == back


def test_the_chosen_default_stays_while_the_store_lists_it(database: Database, clock: FrozenClock) -> None:
    places = database.run_here(put_locations, "shop_a", [_place("1"), _place("2")], clock.now())
    database.run_here(set_default, "shop_a", places[1].id, PERSON, clock.now())
    again = database.run_here(put_locations, "shop_a", [_place("1"), _place("2")], clock.now())
    assert [place.is_default for place in again] == [False, True]
    with pytest.raises(NoSuchLocation):
        database.run_here(set_default, "shop_b", places[0].id, PERSON, clock.now())


# --- carrier accounts ---------------------------------------------------------------------------------------------


def test_accounts_are_kept_with_their_settings_and_mode(
    database: Database, keyring: Keyring, clock: FrozenClock
) -> None:
    account = database.run_here(
        shops.add_account, keyring, "shop_a", "easypost", {"api_key": "hush"}, None, COMMAND, clock.now()
    )
    assert database.run_here(shops.list_accounts, keyring) == [account]
    assert database.run_here(shops.list_accounts, keyring, "shop_b") == []
    assert "hush" not in repr(account)
    database.run_here(set_account_mode, "shop_a", account.id, False, COMMAND, clock.now())
    assert database.run_here(shops.list_accounts, keyring, "shop_a")[0].test_mode is False
    database.run_here(put_account_settings, keyring, "shop_a", account.id, {"api_key": "new"}, PERSON, clock.now())
    renewed = database.run_here(shops.list_accounts, keyring, "shop_a")[0]
    assert (renewed.settings, renewed.test_mode) == ({"api_key": "new"}, None)
    database.run_here(switch_account, "shop_a", account.id, False, PERSON, clock.now())
    assert database.run_here(shops.list_accounts, keyring, "shop_a") == []
    assert len(database.run_here(shops.list_accounts, keyring, "shop_a", inactive=True)) == 1
    with pytest.raises(NoSuchAccount):
        database.run_here(set_account_mode, "shop_b", account.id, True, COMMAND, clock.now())


def test_every_change_to_what_processes_remember_bumps_the_version(
    database: Database, keyring: Keyring, add: AddShop, clock: FrozenClock
) -> None:
    seen = [database.run_here(config_version.read)]

    def grew() -> bool:
        seen.append(database.run_here(config_version.read))
        return seen[-1] > seen[-2]

    shop = add()
    assert grew()
    account = database.run_here(shops.add_account, keyring, shop.id, "sandbox", {}, True, COMMAND, clock.now())
    assert grew()
    database.run_here(set_account_mode, shop.id, account.id, False, COMMAND, clock.now())
    assert grew()
    database.run_here(put_locations, shop.id, [_place("1")], clock.now())
    assert grew()
    database.run_here(settings_versions.publish, shop.id, {}, COMMAND, clock.now())
    assert grew()
    database.run_here(shops.mark_gone, shop.id, COMMAND, clock.now())
    assert grew()


# --- settings versions --------------------------------------------------------------------------------------------


def test_settings_are_versions_with_actor_and_time(database: Database, clock: FrozenClock) -> None:
    assert database.run_here(settings_versions.latest, "shop_a") is None
    assert database.run_here(settings_versions.publish, "shop_a", {"mode": "test"}, COMMAND, clock.now()) == 1
    clock.advance(hours=1)
    body = {"mode": "live", "rules": [{"markup": None, "rate": 1.5}]}
    assert database.run_here(settings_versions.publish, "shop_a", body, PERSON, clock.now(), based_on=1) == 2
    newest = database.run_here(settings_versions.latest, "shop_a")
    assert newest is not None
    assert (newest.version, newest.body, newest.at, newest.actor) == (2, body, clock.now(), PERSON)
    first = database.run_here(settings_versions.get, "shop_a", 1)
    assert first is not None
    assert first.body == {"mode": "test"}
    assert [each.version for each in database.run_here(settings_versions.history, "shop_a")] == [2, 1]
    assert database.run_here(settings_versions.get, "shop_b", 1) is None


def test_a_change_based_on_an_old_version_is_refused(database: Database, clock: FrozenClock) -> None:
    database.run_here(settings_versions.publish, "shop_a", {}, COMMAND, clock.now(), based_on=0)
    with pytest.raises(StaleSettings):
        database.run_here(settings_versions.publish, "shop_a", {}, PERSON, clock.now(), based_on=0)
    assert len(database.run_here(settings_versions.history, "shop_a")) == 1


def test_two_who_publish_at_once_both_get_a_version(database: Database, clock: FrozenClock) -> None:
    other = open_database(database.engine.url.render_as_string(hide_password=False))

    def publish(mine: Database) -> None:
        for _ in range(10):
            mine.run_here(settings_versions.publish, "shop_a", {}, COMMAND, clock.now())

    threads = [threading.Thread(target=publish, args=(each,)) for each in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    versions = [each.version for each in database.run_here(settings_versions.history, "shop_a")]
    assert versions == list(range(20, 0, -1))


# --- audit, persons, retention ------------------------------------------------------------------------------------


def test_the_audit_names_who_did_what_newest_first(database: Database, add: AddShop, clock: FrozenClock) -> None:
    shop = add()
    clock.advance(minutes=1)
    database.run_here(
        audit.record,
        now=clock.now(),
        actor=PERSON,
        action="label.void",
        subject="par_1",
        shop_id=shop.id,
        detail={"reason": "torn", "amount": 495},
    )
    newest, first = database.run_here(audit.entries, shop.id)
    assert (newest.actor, newest.action, newest.detail) == (PERSON, "label.void", {"reason": "torn", "amount": 495})
    assert (first.actor, first.action, first.subject) == (COMMAND, "shop.add", shop.id)
    assert database.run_here(audit.entries, shop.id, before_id=newest.id) == [first]
    assert database.run_here(audit.entries, shop.id, subject="par_1") == [newest]
    assert database.run_here(audit.entries, "shop_other") == []


def test_a_change_that_is_rolled_back_leaves_no_audit(database: Database, clock: FrozenClock) -> None:
    def fail(connection: Connection) -> None:
        audit.record(connection, now=clock.now(), actor=PERSON, action="x", subject="y", shop_id="shop_a")
        raise KeyError("x")

    with pytest.raises(KeyError):
        database.run_here(fail)
    assert database.run_here(audit.entries, "shop_a") == []


def test_a_person_is_kept_until_their_time_and_not_longer(
    database: Database, keyring: Keyring, clock: FrozenClock
) -> None:
    short = clock.now() + timedelta(days=1)
    long = clock.now() + timedelta(days=90)
    first = database.run_here(persons.put, keyring, "shop_a", "ship_to", {"name": "N"}, clock.now(), short)
    second = database.run_here(persons.put, keyring, "shop_a", "ship_to", {"name": "M"}, clock.now(), short)
    assert database.run_here(persons.replace, keyring, "shop_a", second, {"name": "O"}, long) is True
    clock.advance(days=2)
    other = Sweep("other", lambda _connection, _now: 3)
    assert database.run_here(sweep, [PERSONS, other], clock.now()) == {"persons": 1, "other": 3}
    assert database.run_here(persons.get, keyring, "shop_a", first) is None
    assert database.run_here(persons.get, keyring, "shop_a", second) == {"name": "O"}
    assert database.run_here(persons.forget, "shop_a", second) is True
    assert database.run_here(persons.forget, "shop_a", second) is False
