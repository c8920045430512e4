"""Sealing, opening, rotating."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from connector.storage import persons, shops
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.secrets import Keyring, SealError, new_key, rotate_all, sealed_columns
from tests.conftest import FrozenClock

ACTOR = Actor("command", "shop add")


def test_what_was_sealed_opens_again() -> None:
    keyring = Keyring.from_keys([new_key()])
    token = keyring.seal("žltý".encode())
    assert "žltý" not in token
    assert keyring.open(token).decode() == "žltý"


def test_an_old_key_still_opens_and_a_removed_one_does_not() -> None:
    old, new = new_key(), new_key()
    token = Keyring.from_keys([old]).seal(b"secret")
    both = Keyring.from_keys([new, old])
    assert both.open(token) == b"secret"
    with pytest.raises(SealError):
        Keyring.from_keys([new]).open(token)
    assert Keyring.from_keys([new]).open(both.rotate(token)) == b"secret"


def test_a_changed_token_does_not_open() -> None:
    keyring = Keyring.from_keys([new_key()])
    token = keyring.seal(b"secret")
    with pytest.raises(SealError):
        keyring.open(token[:-4] + "AAA=")


@pytest.mark.parametrize("key", ["short", "", "=" * 44, "é" * 44])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SealError) as caught:
        Keyring.from_keys([key])
    assert not key or key not in str(caught.value)


def test_no_keys_are_refused() -> None:
    with pytest.raises(SealError):
        Keyring.from_keys([])


def test_pseudonyms_are_equal_for_equal_data_and_need_the_key() -> None:
    key = new_key()
    first = Keyring.from_keys([key])
    assert first.keyed_hash(b"a@b.example") == Keyring.from_keys([key]).keyed_hash(b"a@b.example")
    assert first.keyed_hash(b"a@b.example") != first.keyed_hash(b"b@b.example")
    assert first.keyed_hash(b"a@b.example") != Keyring.from_keys([new_key()]).keyed_hash(b"a@b.example")


def test_rotation_reseals_every_sealed_column_of_every_room(database: Database, clock: FrozenClock) -> None:
    old, new = new_key(), new_key()
    with_old = Keyring.from_keys([old])

    def fill(connection: Connection) -> tuple[str, str]:
        shop = shops.add_shop(
            connection,
            with_old,
            platform="sandbox",
            domain="a.example",
            name="A",
            currency="EUR",
            timezone="UTC",
            credentials={"token": "t"},
            actor=ACTOR,
            now=clock.now(),
        )
        shops.add_account(connection, with_old, shop.id, "sandbox", {"api_key": "k"}, None, ACTOR, clock.now())
        person = persons.put(connection, with_old, shop.id, "ship_to", {"name": "N"}, clock.now(), clock.now())
        return shop.id, person

    shop_id, person_id = database.run_here(fill)
    assert database.run_here(rotate_all, Keyring.from_keys([new, old])) == 6
    only_new = Keyring.from_keys([new])
    assert database.run_here(shops.get_shop, only_new, shop_id).credentials == {"token": "t"}
    assert database.run_here(shops.list_accounts, only_new, shop_id)[0].settings == {"api_key": "k"}
    assert database.run_here(persons.get, only_new, shop_id, person_id) == {"name": "N"}


def test_rotation_with_a_missing_key_changes_nothing(database: Database, clock: FrozenClock) -> None:
    keyring = Keyring.from_keys([new_key()])
    shop = database.run_here(
        shops.put_app,
        keyring,
        platform="shopify",
        client_id="c",
        secret="s",
        actor=ACTOR,
        now=clock.now(),
    )
    with pytest.raises(SealError):
        database.run_here(rotate_all, Keyring.from_keys([new_key()]))
    assert database.run_here(shops.list_apps, keyring) == [shop]


def test_every_column_that_holds_a_secret_is_of_the_sealed_type() -> None:
    names = {f"{table.name}.{column.name}" for table, columns in sealed_columns().items() for column in columns}
    assert names >= {
        "apps.secret",
        "shops.credentials",
        "shops.rates_token",
        "shops.hooks_token",
        "shops.access_tokens",
        "carrier_accounts.settings",
        "carrier_accounts.hook_token",
        "persons.fields",
    }


def test_no_secret_is_legible_in_the_database_file(database: Database, clock: FrozenClock) -> None:
    keyring = Keyring.from_keys([new_key()])
    database.run_here(
        shops.add_shop,
        keyring,
        platform="sandbox",
        domain="a.example",
        name="A",
        currency="EUR",
        timezone="UTC",
        credentials={"token": "canary-credential"},
        actor=ACTOR,
        now=clock.now(),
    )
    with database.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM shops")).one()
    assert "canary-credential" not in repr(row)
