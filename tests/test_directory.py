"""What a process knows of its shops: kept up with changes, and what cannot be loaded or reached costs itself only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy.exc import OperationalError

from carriers.address import Address
from carriers.carrier import Capabilities, Carrier, CarrierKind
from connector.directory import Directory
from connector.storage.accounts import add_account, switch_account
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.locations import put_locations
from connector.storage.secrets import Keyring, new_key
from connector.storage.settings_versions import publish
from connector.storage.shops import ShopRecord, add_shop, mark_gone, put_credentials
from connector.store import Store, StoreKind, StoreLocation
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier, FakeStore
from webhooks.outgoing import OutgoingClient

pytestmark = pytest.mark.anyio

T = TypeVar("T")
BY = Actor("command", "test")


class StoreSettings(BaseModel):
    """A shop's connection needs a secret."""

    secret: SecretStr


class CarrierSettings(BaseModel):
    """An account needs a key."""

    key: SecretStr


class ClosingStore(FakeStore):
    """Knows whether it was let go of."""

    closed = False

    async def close(self) -> None:
        self.closed = True


class ClosingCarrier(FakeCarrier):
    """Knows whether it was let go of."""

    closed = False

    async def close(self) -> None:
        self.closed = True


class AwayDatabase(Database):
    """Can be away for a while."""

    away = False

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        if self.away:
            raise OperationalError("SELECT", {}, ConnectionError("away"))
        return await super().run(work, *args, **kwargs)


class Installation:
    """A directory on a database that tests change behind its back."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database = AwayDatabase(database.engine, threads=2)
        self.clock = clock
        self.keyring = Keyring.from_keys([new_key()])
        self.stores: list[ClosingStore] = []
        self.carriers: list[ClosingCarrier] = []
        outgoing = OutgoingClient()
        self.directory = Directory(
            self.database, self.keyring, outgoing, clock, {"fake": self._store_kind()}, {"fake": self._carrier_kind()}
        )

    def act(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return self.database.run_here(work, *args, **kwargs)

    def add_shop(self, domain: str = "one.example", credentials: Mapping[str, str] | None = None) -> ShopRecord:
        return self.act(
            add_shop,
            self.keyring,
            platform="fake",
            domain=domain,
            name="One",
            currency="EUR",
            timezone="UTC",
            credentials={"secret": "s"} if credentials is None else credentials,
            actor=BY,
            now=self.clock.now(),
        )

    def add_account(self, shop: ShopRecord, settings: Mapping[str, Any] | None = None) -> str:
        given = {"key": "k"} if settings is None else settings
        return self.act(add_account, self.keyring, shop.id, "fake", given, True, BY, self.clock.now()).id

    def _store_kind(self) -> StoreKind:
        def connect(settings: BaseModel, outgoing: Any, clock: Any, vault: Any) -> Store:
            self.stores.append(ClosingStore())
            return self.stores[-1]

        return StoreKind("fake", "Fake", StoreSettings, FakeStore().capabilities, connect, lambda headers: None)

    def _carrier_kind(self) -> CarrierKind:
        def connect(settings: BaseModel, outgoing: Any, clock: Any) -> Carrier:
            self.carriers.append(ClosingCarrier())
            return self.carriers[-1]

        return CarrierKind("fake", "Fake", CarrierSettings, Capabilities("refused", 60), connect)


@pytest.fixture
def installation(database: Database, clock: FrozenClock) -> Installation:
    """Nothing is connected yet."""
    return Installation(database, clock)


async def test_nothing_is_known_before_the_first_reading(installation: Installation) -> None:
    shop = installation.add_shop()
    assert not installation.directory.ready
    assert installation.directory.shop(shop.id) is None
    assert await installation.directory.refresh()
    assert installation.directory.ready


async def test_a_shop_is_found_by_id_by_domain_and_its_account_by_its_hook(installation: Installation) -> None:
    shop = installation.add_shop("One.Example")
    account_id = installation.add_account(shop)
    await installation.directory.refresh()
    directory = installation.directory
    entry = directory.shop(shop.id)
    assert entry is not None
    assert directory.shop_by_domain("fake", "ONE.example") is entry
    assert directory.shop_by_domain("other", "one.example") is None
    account = directory.account(shop.id, account_id)
    assert account is not None
    assert directory.carrier_hook(account.record.hook_token) is account
    assert directory.carrier_hook(account.record.hook_token[:-1]) is None


async def test_an_empty_installation_is_ready(installation: Installation) -> None:
    await installation.directory.refresh()
    assert installation.directory.ready
    assert installation.directory.shops() == []


async def test_without_a_change_nothing_is_read_again(installation: Installation) -> None:
    installation.add_shop()
    assert await installation.directory.refresh()
    assert not await installation.directory.refresh()


async def test_new_settings_hold_from_the_next_reading_and_connections_stay(installation: Installation) -> None:
    shop = installation.add_shop()
    installation.add_account(shop)
    await installation.directory.refresh()
    installation.act(publish, shop.id, {"mode": "live"}, BY, installation.clock.now())
    await installation.directory.refresh()
    entry = installation.directory.shop(shop.id)
    assert entry is not None
    assert (entry.settings.mode, entry.quoting.settings_version) == ("live", 1)
    assert (len(installation.stores), len(installation.carriers)) == (1, 1)
    assert not installation.stores[0].closed


async def test_new_credentials_connect_anew_and_let_the_old_connection_go(installation: Installation) -> None:
    shop = installation.add_shop()
    await installation.directory.refresh()
    installation.act(put_credentials, installation.keyring, shop.id, {"secret": "new"}, BY, installation.clock.now())
    await installation.directory.refresh()
    assert [store.closed for store in installation.stores] == [True, False]


async def test_a_shop_that_left_is_gone_and_its_connections_are_let_go(installation: Installation) -> None:
    shop = installation.add_shop()
    installation.add_account(shop)
    await installation.directory.refresh()
    installation.act(mark_gone, shop.id, BY, installation.clock.now())
    await installation.directory.refresh()
    assert installation.directory.shop(shop.id) is None
    assert installation.stores[0].closed
    assert installation.carriers[0].closed


async def test_an_account_that_is_switched_off_is_gone_and_the_shop_stays(installation: Installation) -> None:
    shop = installation.add_shop()
    account_id = installation.add_account(shop)
    await installation.directory.refresh()
    installation.act(switch_account, shop.id, account_id, False, BY, installation.clock.now())
    await installation.directory.refresh()
    assert installation.directory.account(shop.id, account_id) is None
    assert installation.directory.shop(shop.id) is not None
    assert installation.carriers[0].closed


async def test_a_shop_that_cannot_be_loaded_is_left_out_and_stops_no_other(installation: Installation) -> None:
    broken = installation.add_shop("broken.example", credentials={})
    spoiled = installation.add_shop("spoiled.example")
    sound = installation.add_shop("sound.example")
    installation.act(publish, spoiled.id, {"from_the_future": 1}, BY, installation.clock.now())
    await installation.directory.refresh()
    assert [shop.id for shop in installation.directory.shops()] == [sound.id]
    assert installation.directory.shop(broken.id) is None


async def test_an_account_that_cannot_be_loaded_costs_its_own_prices_only(installation: Installation) -> None:
    shop = installation.add_shop()
    installation.add_account(shop, settings={})
    sound = installation.add_account(shop)
    await installation.directory.refresh()
    entry = installation.directory.shop(shop.id)
    assert entry is not None
    assert list(entry.accounts) == [sound]
    assert [account.id for account in entry.quoting.accounts] == [sound]


async def test_while_the_database_is_away_what_is_known_goes_on(installation: Installation) -> None:
    shop = installation.add_shop()
    await installation.directory.refresh()
    installation.act(publish, shop.id, {"mode": "live"}, BY, installation.clock.now())
    installation.database.away = True
    assert not await installation.directory.refresh()
    assert installation.directory.shop(shop.id) is not None
    installation.database.away = False
    assert await installation.directory.refresh()
    entry = installation.directory.shop(shop.id)
    assert entry is not None
    assert entry.settings.mode == "live"


async def test_a_process_that_starts_while_the_database_is_away_is_not_ready(installation: Installation) -> None:
    installation.database.away = True
    assert not await installation.directory.refresh()
    assert not installation.directory.ready


async def test_locations_follow_the_store(installation: Installation) -> None:
    shop = installation.add_shop()
    places = [StoreLocation("loc_1", "One", Address("SK", "811 01")), StoreLocation("loc_2", "Two", Address("AT"))]
    installation.act(put_locations, shop.id, places, installation.clock.now())
    await installation.directory.refresh()
    entry = installation.directory.shop(shop.id)
    assert entry is not None
    assert [origin.external_id for origin in entry.quoting.origins] == ["loc_1", "loc_2"]
    assert len([each for each in entry.locations if each.is_default]) == 1
    installation.act(put_locations, shop.id, places[1:], installation.clock.now())
    await installation.directory.refresh()
    entry = installation.directory.shop(shop.id)
    assert entry is not None
    assert [(each.external_id, each.is_default) for each in entry.locations] == [("loc_2", True)]


async def test_closing_lets_go_of_every_connection(installation: Installation) -> None:
    installation.add_account(installation.add_shop())
    await installation.directory.refresh()
    await installation.directory.close()
    assert installation.stores[0].closed
    assert installation.carriers[0].closed
