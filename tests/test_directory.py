"""What a process knows of its shops: loaded, kept up to date, and spared from what is broken or away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError

from carriers.address import Address
from carriers.carrier import Capabilities, Carrier, CarrierKind
from connector.directory import Directory, ShopEntry, UnknownKind
from connector.storage import config_version, settings_versions
from connector.storage.accounts import add_account, put_account_settings, set_account_mode, switch_account
from connector.storage.audit import Actor
from connector.storage.database import Database, open_database
from connector.storage.locations import put_locations
from connector.storage.schema import metadata
from connector.storage.secrets import Keyring, SealError, new_key
from connector.storage.shops import ShopRecord, add_shop, mark_gone, put_app, put_credentials, put_facts
from connector.store import Store, StoreCapabilities, StoreKind, StoreLocation
from tests.conftest import FrozenClock
from webhooks.errors import WaybillError
from webhooks.outgoing import OutgoingClient
from webhooks.ports import Clock

pytestmark = pytest.mark.anyio

T = TypeVar("T")
ACTOR = Actor("command", "test")


class Given(BaseModel):
    """What a connection is made from."""

    model_config = ConfigDict(extra="forbid")
    key: str
    hmac: str = "prefer"


@dataclass(eq=False)
class Connection:
    """A store or a carrier that knows what it was made from and whether it was let go."""

    settings: Given
    closed: bool = False
    capabilities: Any = None

    async def close(self) -> None:
        assert not self.closed, "a connection is closed once"
        self.closed = True


class AwayDatabase(Database):
    """A database that can be away."""

    def __init__(self, inner: Database) -> None:
        super().__init__(inner.engine, threads=4)
        self.away = False

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        if self.away:
            raise OperationalError("select", {}, ConnectionError("gone"))
        return await super().run(work, *args, **kwargs)


@dataclass
class House:
    """A directory over a real database, and the hands that change it."""

    database: AwayDatabase
    clock: FrozenClock
    keyring: Keyring = field(default_factory=lambda: Keyring.from_keys([new_key()]))
    made: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory = self.another()

    def another(self, keyring: Keyring | None = None) -> Directory:
        """What another process would have."""
        carriers = {"post": CarrierKind("post", "Post", Given, Capabilities("refused", 60), self._carrier)}
        capabilities = StoreCapabilities(10, 0, 60)
        stores = {"shoply": StoreKind("shoply", "Shoply", Given, capabilities, self._store, lambda headers: None)}
        outgoing = OutgoingClient(allow_private=True)
        return Directory(self.database, keyring or self.keyring, outgoing, self.clock, stores, carriers)

    def _connect(self, settings: BaseModel) -> Connection:
        assert isinstance(settings, Given)
        if settings.key == "refused":
            raise WaybillError("This key cannot be.")
        self.made.append(Connection(settings, capabilities=StoreCapabilities(10, 0, 60)))
        return self.made[-1]

    def _store(self, settings: BaseModel, outgoing: Any, clock: Clock, vault: Any) -> Store:
        return cast("Store", self._connect(settings))

    def _carrier(self, settings: BaseModel, outgoing: Any, clock: Clock) -> Carrier:
        return cast("Carrier", self._connect(settings))

    def act(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return self.database.run_here(work, *args, **kwargs)

    def add(self, domain: str = "one.example", key: str = "k", platform: str = "shoply", **fields: str) -> ShopRecord:
        return self.act(
            add_shop,
            self.keyring,
            platform=platform,
            domain=domain,
            name="Shop",
            currency="EUR",
            timezone="Europe/Bratislava",
            credentials={"key": key} | fields,
            actor=ACTOR,
            now=self.clock.now(),
        )

    def connect(self, shop: ShopRecord, key: str = "a", carrier: str = "post") -> str:
        """A carrier account; our id of it."""
        given = (self.keyring, shop.id, carrier, {"key": key}, True, ACTOR, self.clock.now())
        return self.act(add_account, *given).id

    def publish(self, shop: ShopRecord, body: dict[str, Any]) -> None:
        self.act(settings_versions.publish, shop.id, body, ACTOR, self.clock.now())

    def open_now(self) -> list[str]:
        """What the connections that are open were made from."""
        return [each.settings.key for each in self.made if not each.closed]

    async def entry(self, shop: ShopRecord) -> ShopEntry:
        await self.directory.refresh()
        found = self.directory.shop(shop.id)
        assert found is not None
        return found


@pytest.fixture
def house(tmp_path: Path, clock: FrozenClock) -> House:
    database = open_database(f"sqlite:///{tmp_path / 'waybill.db'}")
    metadata.create_all(database.engine)
    return House(AwayDatabase(database), clock)


# --- loaded -------------------------------------------------------------------------------------------------------


async def test_a_directory_is_ready_once_it_has_read_even_where_there_is_no_shop(house: House) -> None:
    directory = house.directory
    ready = [directory.ready, await directory.refresh(), directory.ready]
    assert ready == [False, True, True]
    assert directory.shops() == []


async def test_a_shop_is_known_with_its_settings_places_and_accounts(house: House) -> None:
    shop = house.add()
    account = house.connect(shop)
    house.publish(shop, {"store_notifies": False})
    place = StoreLocation("1", "Here", Address("SK", "811 01"))
    closed = StoreLocation("2", "Closed", Address("SK", "811 01"), active=False)
    house.act(put_locations, shop.id, [place, closed], house.clock.now())
    entry = await house.entry(shop)
    assert (entry.id, entry.domain, entry.platform) == (shop.id, "one.example", "shoply")
    assert (entry.rates_token, entry.hooks_token) == (shop.rates_token, shop.hooks_token)
    assert (entry.settings.store_notifies, entry.quoting.settings_version) == (False, 1)
    assert [(each.external_id, each.is_default) for each in entry.quoting.origins] == [("1", True)]
    assert [(each.id, each.carrier) for each in entry.quoting.accounts] == [(account, "post")]
    assert entry.quoting.timezone == "Europe/Bratislava"


async def test_look_ups_by_domain_app_account_and_hook_token(house: House) -> None:
    shop = house.add("One.Example")
    account = house.connect(shop)
    app = house.act(
        put_app, house.keyring, platform="shoply", client_id="c", secret="s", actor=ACTOR, now=house.clock.now()
    )
    entry = await house.entry(shop)
    directory = house.directory
    assert directory.shop_by_domain("shoply", "ONE.example") is entry
    assert directory.shop_by_domain("other", "one.example") is None
    assert directory.shop_by_domain("shoply", "two.example") is None
    found = directory.account(shop.id, account)
    assert found is not None
    assert directory.carrier_hook(found.record.hook_token) is found
    assert (directory.account("shop_x", account), directory.account(shop.id, "acc_x")) == (None, None)
    for wrong in ("", found.record.hook_token[:-1], found.record.hook_token.upper(), "\ud800", account):
        assert directory.carrier_hook(wrong) is None
    known = directory.app(app.id)
    assert known is not None
    assert known.secrets == ("s",)
    assert directory.app("app_x") is None


# --- refreshed ----------------------------------------------------------------------------------------------------


async def test_nothing_is_read_again_until_something_changed(house: House) -> None:
    shop = house.add()
    before = await house.entry(shop)
    assert not await house.directory.refresh()
    assert house.directory.shop(shop.id) is before
    house.act(config_version.bump)
    assert await house.directory.refresh()
    assert not await house.directory.refresh()


async def test_a_change_reaches_every_process_and_keeps_its_connections(house: House) -> None:
    shop = house.add()
    house.connect(shop)
    other = house.another()
    await other.refresh()
    before = await house.entry(shop)
    house.publish(shop, {"store_notifies": False})
    after = await house.entry(shop)
    assert (before.settings.store_notifies, after.settings.store_notifies) == (True, False)
    assert after.store is before.store
    assert [each.connection for each in after.accounts.values()] == [
        each.connection for each in before.accounts.values()
    ]
    await other.refresh()
    found = other.shop(shop.id)
    assert found is not None
    assert found.settings == after.settings
    assert not any(each.closed for each in house.made)


async def test_only_the_connection_whose_settings_changed_is_made_anew(house: House) -> None:
    shop = house.add(key="store")
    first, second = house.connect(shop, "first"), house.connect(shop, "second")
    before = await house.entry(shop)
    house.act(put_account_settings, house.keyring, shop.id, first, {"key": "new"}, ACTOR, house.clock.now())
    after = await house.entry(shop)
    assert after.store is before.store
    assert after.accounts[second].connection is before.accounts[second].connection
    assert after.accounts[first].connection is not before.accounts[first].connection
    assert sorted(house.open_now()) == ["new", "second", "store"]
    house.act(put_credentials, house.keyring, shop.id, {"key": "moved"}, ACTOR, house.clock.now())
    await house.entry(shop)
    assert sorted(house.open_now()) == ["moved", "new", "second"]


async def test_what_is_noted_of_an_account_reaches_it_without_a_new_connection(house: House) -> None:
    shop = house.add()
    account = house.connect(shop)
    before = (await house.entry(shop)).accounts[account]
    house.act(set_account_mode, shop.id, account, False, ACTOR, house.clock.now())
    after = (await house.entry(shop)).accounts[account]
    assert (before.record.test_mode, after.record.test_mode) == (True, False)
    assert after.connection is before.connection


async def test_a_setting_that_the_store_s_connection_uses_makes_it_anew(house: House) -> None:
    shop = house.add()
    before = await house.entry(shop)
    house.publish(shop, {"hmac": "require"})
    after = await house.entry(shop)
    assert [each.settings.hmac for each in house.made] == ["prefer", "require"]
    assert after.store is not before.store
    assert [each.closed for each in house.made] == [True, False]


async def test_connections_of_what_went_are_let_go(house: House) -> None:
    shop, other = house.add(key="store"), house.add("two.example", "other")
    account = house.connect(shop, "account")
    await house.entry(shop)
    house.act(switch_account, shop.id, account, False, ACTOR, house.clock.now())
    assert (await house.entry(shop)).accounts == {}
    assert sorted(house.open_now()) == ["other", "store"]
    house.act(mark_gone, shop.id, ACTOR, house.clock.now())
    await house.directory.refresh()
    assert house.directory.shop(shop.id) is None
    assert house.directory.shop_by_domain("shoply", "one.example") is None
    assert house.open_now() == ["other"]
    assert house.directory.shops() == [await house.entry(other)]
    await house.directory.close()
    assert house.open_now() == []


async def test_locations_follow_the_store(house: House) -> None:
    shop = house.add()
    places = [StoreLocation("1", "One", Address("SK", "811 01")), StoreLocation("2", "Two", Address("AT", "1010"))]
    house.act(put_locations, shop.id, places, house.clock.now())
    entry = await house.entry(shop)
    assert {each.external_id: each.is_default for each in entry.quoting.origins} == {"1": True, "2": False}
    house.act(put_locations, shop.id, places[1:], house.clock.now())
    entry = await house.entry(shop)
    assert [(each.external_id, each.is_default) for each in entry.quoting.origins] == [("2", True)]


# --- spared -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        {"platform": "nowhere"},
        {"key": "refused"},
        {"key": "k", "unheard": "of"},
    ],
)
async def test_a_broken_shop_is_left_out_and_stops_no_other(house: House, broken: dict[str, str]) -> None:
    sound = house.add("sound.example")
    house.add("broken.example", **broken)
    later = house.add("later.example")
    await house.directory.refresh()
    assert {entry.id for entry in house.directory.shops()} == {sound.id, later.id}


async def test_a_shop_with_settings_that_cannot_be_read_is_left_out_until_they_are_mended(house: House) -> None:
    shop, sound = house.add(), house.add("two.example")
    await house.directory.refresh()
    house.publish(shop, {"mode": "from_another_release"})
    await house.directory.refresh()
    assert [entry.id for entry in house.directory.shops()] == [sound.id]
    house.publish(shop, {})
    assert (await house.entry(shop)).quoting.settings_version == 2


@pytest.mark.complaint(25)
@pytest.mark.parametrize(("carrier", "key"), [("nobody", "a"), ("post", "refused")])
async def test_a_broken_account_costs_its_own_prices_only(house: House, carrier: str, key: str) -> None:
    shop = house.add()
    sound = house.connect(shop)
    house.connect(shop, key, carrier)
    assert list((await house.entry(shop)).accounts) == [sound]


async def test_while_the_database_is_away_what_is_known_goes_on(house: House) -> None:
    shop = house.add()
    before = await house.entry(shop)
    house.database.away = True
    house.publish(shop, {"store_notifies": False})
    assert not await house.directory.refresh()
    assert house.directory.ready
    assert house.directory.shop(shop.id) is before
    house.database.away = False
    assert not (await house.entry(shop)).settings.store_notifies


async def test_without_a_database_at_the_start_there_is_nothing_to_know_yet(house: House) -> None:
    house.database.away = True
    assert not await house.directory.refresh()
    assert not house.directory.ready


async def test_a_key_that_this_process_has_not_yet_changes_nothing_that_it_knows(house: House) -> None:
    """Keys are rotated process by process: the first to have the new one may seal with it."""
    shop = house.add()
    before = await house.entry(shop)
    house.keyring = Keyring.from_keys([new_key()])
    house.add("two.example")
    assert not await house.directory.refresh()
    assert house.directory.shop(shop.id) is before


async def test_a_wrong_key_at_the_start_is_an_error(house: House) -> None:
    house.add()
    with pytest.raises(SealError):
        await house.another(Keyring.from_keys([new_key()])).refresh()


async def test_new_facts_of_the_store_reach_quoting(house: House) -> None:
    shop = house.add()
    await house.entry(shop)
    house.act(put_facts, shop.id, name="New", currency="CZK", timezone="Asia/Tokyo")
    entry = await house.entry(shop)
    assert (entry.record.name, entry.record.currency, entry.quoting.timezone) == ("New", "CZK", "Asia/Tokyo")


async def test_a_connection_for_an_unknown_name_is_refused(house: House) -> None:
    shop = house.add()
    account = house.connect(shop)
    entry = await house.entry(shop)
    with pytest.raises(UnknownKind):
        house.directory.connect_store(replace(shop, platform="nowhere"), entry.settings)
    with pytest.raises(UnknownKind):
        house.directory.connect_account(replace(entry.accounts[account].record, carrier="nobody"), "UTC")
