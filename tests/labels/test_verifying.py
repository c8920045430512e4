"""The carrier is asked about an address once; what it proposes is shown, and used or passed over by a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.errors import Refused, Unavailable
from carriers.verification import Verified, differing
from connector.labels.tables import parcels
from connector.orders.addresses import NothingToCorrect, use_correction
from connector.orders.whole import WholeOrder, load
from connector.storage import persons
from connector.storage.audit import entries
from connector.store import Order
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import BUYER, PERSON, World, a_world

pytestmark = pytest.mark.anyio

RIGHT = "Stephansplatz 4"


@dataclass
class Register:
    """What the carrier knows of addresses: a street that it proposes instead, or none."""

    proposes: str = ""
    finds: bool = True
    errors: list[Exception] = field(default_factory=list)
    asked: list[Address] = field(default_factory=list)

    async def verify(self, address: Address) -> Verified:
        self.asked.append(address)
        if self.errors:
            raise self.errors.pop(0)
        if not self.finds:
            return Verified(deliverable=False, messages=("Address not found",))
        return Verified(deliverable=True, corrected=replace(address, street1=self.proposes or address.street1))


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
async def asking(tmp_path: Path, clock: FrozenClock, register: Register) -> AsyncIterator[World]:
    """A world whose carrier knows addresses, and whose shop wants it asked."""
    async with asked_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock, register) as world:
        yield world


@pytest.fixture
async def any_asking(tables_url: str, tmp_path: Path, clock: FrozenClock, register: Register) -> AsyncIterator[World]:
    """The same on SQLite, then on PostgreSQL: for what keeps, replaces and erases addresses."""
    async with asked_world(tables_url, tmp_path, clock, register) as world:
        yield world


@asynccontextmanager
async def asked_world(url: str, folder: Path, clock: FrozenClock, register: Register) -> AsyncIterator[World]:
    carrier = FakeCarrier(capabilities=Capabilities("refused", 60, verify_address=True), verifier=register)
    async with a_world(url, folder, clock, carrier=carrier) as world:
        await world.set(verify_address="carrier")
        yield world


async def held(world: World) -> tuple[Order, str]:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    assert parcel.state == "held"
    assert parcel.why is not None
    world.clock.advance(seconds=1)
    return order, parcel.why.code


def shown(world: World, order: Order) -> WholeOrder:
    return world.act(load, world.house.keyring, world.shop_id, order.id)


async def use(world: World, order: Order) -> None:
    our_id = world.order(order.id).id
    keyring, work = world.house.keyring, world.work
    world.act(use_correction, keyring, work, world.shop, our_id, PERSON, world.clock.now())
    await world.drain()


async def test_an_address_that_the_carrier_knows_is_asked_about_once_and_bought(
    asking: World, register: Register
) -> None:
    order = await asking.buy_from_quote()
    asking.carrier.plays.append("refuse")
    await asking.refresh(order.id)
    asking.clock.advance(seconds=1)
    await asking.click_buy(order.id)
    assert asking.parcel(order.id).state == "bought"
    assert len(register.asked) == 1


async def test_nobody_is_asked_unless_the_shop_wants_it(asking: World, register: Register) -> None:
    await asking.set(verify_address="off")
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    assert (asking.parcel(order.id).state, register.asked) == ("bought", [])


@pytest.mark.complaint(8)
async def test_an_address_that_is_not_found_is_held_until_it_ships_as_typed(asking: World, register: Register) -> None:
    register.finds = False
    order, code = await held(asking)
    assert (code, asking.matter_codes()) == ("address_undeliverable", ["address_undeliverable"])
    assert asking.carrier.created == []
    await asking.release(order.id)
    assert asking.parcel(order.id).state == "bought"
    assert asking.carrier.created[0].destination.street1 == BUYER.street1


async def test_a_click_on_what_is_held_ships_as_typed(asking: World, register: Register) -> None:
    register.proposes = RIGHT
    order, code = await held(asking)
    assert code == "address_corrected"
    await asking.click_buy(order.id)
    assert asking.carrier.created[0].destination.street1 == BUYER.street1


async def test_the_correction_is_proposed_and_used_by_one_act(any_asking: World, register: Register) -> None:
    asking = any_asking
    register.proposes = RIGHT
    order, _ = await held(asking)
    proposed = shown(asking, order).proposed
    assert proposed is not None
    assert (proposed.street1, proposed.name) == (RIGHT, BUYER.name)
    await use(asking, order)
    assert asking.parcel(order.id).state == "bought"
    assert asking.carrier.created[0].destination.street1 == RIGHT
    assert (len(register.asked), shown(asking, order).proposed, asking.matters()) == (1, None, [])
    with pytest.raises(NothingToCorrect):
        await use(asking, order)


async def test_a_used_correction_stays_until_the_store_has_another_address(asking: World, register: Register) -> None:
    await asking.set(buy="manual")
    register.proposes = RIGHT
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    await asking.click_buy(order.id)
    await use(asking, order)
    asking.change(order.id, tags=("looked at",))
    await asking.refresh(order.id)
    to = shown(asking, order).to
    assert to is not None
    assert to.street1 == RIGHT
    asking.clock.advance(seconds=3)
    asking.change_group(order.id, destination=replace(BUYER, street1="Graben 7"))
    await asking.refresh(order.id)
    to = shown(asking, order).to
    assert to is not None
    assert to.street1 == "Graben 7"


async def test_a_correction_leaves_a_label_alone_that_was_bought_as_typed_before(
    any_asking: World, register: Register
) -> None:
    """Parcels of one order share their recipient."""
    asking = any_asking
    register.proposes = RIGHT
    await asking.set(default_carton="500x400x300:500:1600", fulfil_when="handed_over")
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    asking.carrier.plays.extend(["sell", "refuse", "refuse"])
    await asking.click_buy(order.id)
    before = sorted(each.state for each in asking.live_parcels(order.id))
    assert before[0] == "bought"
    assert before[-1] == "refused"
    await use(asking, order)
    asking.clock.advance(seconds=2)
    asking.change(order.id, tags=("looked at",))
    await asking.refresh(order.id)
    assert sorted(each.state for each in asking.live_parcels(order.id)) == before
    assert asking.carrier.voids == []
    await asking.click_buy(order.id)
    assert asking.carrier.created[-1].destination.street1 == RIGHT


async def test_an_address_that_is_corrected_in_the_store_is_asked_about_anew(asking: World, register: Register) -> None:
    register.finds = False
    order, _ = await held(asking)
    register.finds = True
    asking.change_group(order.id, destination=replace(BUYER, street1=RIGHT))
    await asking.refresh(order.id)
    assert asking.parcel(order.id).state == "bought"
    assert [each.street1 for each in register.asked] == [BUYER.street1, RIGHT]


async def test_a_carrier_that_cannot_be_asked_blocks_nothing(asking: World, register: Register) -> None:
    """It is asked again by the purchase's own tries; then the label is bought, and what was said is kept."""
    register.errors = [Unavailable("Down.")] * 9
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    assert asking.parcel(order.id).state == "planned"
    await asking.pass_time(120)
    assert asking.parcel(order.id).state == "bought"
    kept = asking.act(lambda connection: connection.execute(parcels.select(asking.shop_id)).one()).verified
    assert (len(register.asked), kept["state"], kept["said"]) == (3, "unasked", "Down.")


# --- nothing by rule to an address that nobody confirmed


async def test_where_it_is_required_an_address_that_the_carrier_calls_good_is_bought(
    asking: World, register: Register
) -> None:
    await asking.set(verify_address="required")
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    assert (asking.parcel(order.id).state, len(register.asked)) == ("bought", 1)


@pytest.mark.parametrize("by", ["click", "release"])
async def test_where_it_is_required_nothing_is_bought_by_rule_while_the_carrier_cannot_be_asked(
    any_asking: World, register: Register, by: str
) -> None:
    """A person who looked at it has it bought."""
    asking = any_asking
    await asking.set(verify_address="required")
    register.errors = [Unavailable("Down.")] * 9
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    await asking.pass_time(120)
    assert (asking.parcel(order.id).state, asking.matter_codes()) == ("held", ["address_unverified"])
    assert (asking.carrier.created, len(register.asked)) == ([], 3)
    await (asking.click_buy if by == "click" else asking.release)(order.id)
    assert (asking.parcel(order.id).state, asking.matters()) == ("bought", [])


async def test_where_it_is_required_nothing_is_bought_by_rule_without_an_account_that_can_be_asked(
    world: World,
) -> None:
    await world.set(verify_address="required")
    order, code = await held(world)
    assert (code, world.matter_codes(), world.carrier.created) == ("address_unverified", ["address_unverified"], [])
    await world.click_buy(order.id)
    assert (world.parcel(order.id).state, world.matters()) == ("bought", [])


async def test_where_it_is_required_a_person_s_purchase_is_not_held_for_the_carrier_s_silence(world: World) -> None:
    await world.set(verify_address="required", buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"


@pytest.mark.parametrize(("finds", "code"), [(False, "address_undeliverable"), (True, "address_corrected")])
async def test_where_it_is_required_what_the_carrier_said_against_an_address_is_the_reason(
    asking: World, register: Register, finds: bool, code: str
) -> None:
    """A person who ships it as typed has answered for it."""
    await asking.set(verify_address="required")
    register.finds, register.proposes = finds, RIGHT
    order, said = await held(asking)
    assert said == code
    await asking.release(order.id)
    assert asking.parcel(order.id).state == "bought"


async def test_where_it_is_required_an_unverified_address_is_asked_about_again_once_it_is_another_one(
    asking: World, register: Register
) -> None:
    await asking.set(verify_address="required")
    register.errors = [Refused("Not today.")]
    order, code = await held(asking)
    assert code == "address_unverified"
    asking.change_group(order.id, destination=replace(BUYER, street1=RIGHT))
    await asking.refresh(order.id)
    assert (asking.parcel(order.id).state, asking.matters()) == ("bought", [])


async def test_a_carrier_that_refuses_the_question_is_not_asked_again(asking: World, register: Register) -> None:
    register.errors = [Refused("Not in your plan.")]
    order = await asking.buy_from_quote()
    await asking.refresh(order.id)
    assert (asking.parcel(order.id).state, len(register.asked)) == ("bought", 1)


async def test_nothing_of_an_address_is_in_reasons_matters_or_the_parcel_s_row(
    any_asking: World, register: Register
) -> None:
    asking = any_asking
    register.proposes = "Canary Lane 4"
    order, _ = await held(asking)
    row = asking.act(lambda connection: connection.execute(parcels.select(asking.shop_id)).one())
    said = f"{row.why} {row.verified} {asking.matters()}"
    assert "Canary" not in said
    assert "Stephansplatz" not in said
    await use(asking, order)
    gone = row.verified["proposal"]
    assert asking.act(persons.get, asking.house.keyring, asking.shop_id, gone) is None
    assert "order.address_corrected" in {each.action for each in asking.act(entries, asking.shop_id)}


async def test_a_proposal_is_erased_with_the_buyer(any_asking: World, register: Register) -> None:
    asking = any_asking
    register.proposes = RIGHT
    order, _ = await held(asking)
    await asking.deliver("erase", {"orders": [order.id]})
    await asking.drain()
    found = shown(asking, order)
    assert (found.to, found.proposed) == (None, None)


# --- what differs


@pytest.mark.parametrize(
    ("typed", "known", "fields"),
    [
        ({}, {"street1": "STEPHANSPL. 3"}, ()),
        ({}, {"street1": "STEPHANSPLATZ", "street2": "3"}, ()),
        ({}, {"street1": "Stephansplatz 4"}, ("street1",)),
        ({}, {"city": "WIEN"}, ()),
        ({"city": "Zürich"}, {"city": "ZURICH"}, ()),
        ({}, {"city": "Linz", "postal_code": "4020"}, ("postal_code", "city")),
        ({"country": "US", "postal_code": "94107"}, {"country": "US", "postal_code": "94107-1670"}, ()),
        ({"province": ""}, {"province": "9"}, ()),
        ({}, {"country": "DE"}, ("country",)),
    ],
)
def test_only_another_place_differs(typed: dict[str, str], known: dict[str, str], fields: tuple[str, ...]) -> None:
    asked = replace(BUYER, **typed)  # type: ignore[arg-type]  # Fields of an address are text.
    assert differing(asked, replace(asked, **known)) == fields  # type: ignore[arg-type]
