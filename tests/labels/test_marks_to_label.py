"""What a rule asks for, from the checkout to the label: a hold, a signature, insurance, and the shop's own options."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from carriers.sandbox import SandboxCarrier, SandboxSettings
from carriers.sandbox.client import PretendCarrier
from connector import shop_settings
from connector.storage import settings_versions
from connector.storage.accounts import switch_account
from connector.store import Order
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import MUG, PERSON, World, a_world

pytestmark = pytest.mark.anyio

PICK_UP = {"kind": "add_rate", "code": "shop", "name": "Pick up", "amount": "0", "currency": "EUR"}


def settings_of(folder: Path) -> SandboxSettings:
    """The sandbox carrier whose books are in this folder."""
    return SandboxSettings(path=folder / "carrier.db", secret=SecretStr("of-the-tests-of-marks"))


@pytest.fixture
async def sandbox(tmp_path: Path, clock: FrozenClock) -> AsyncIterator[World]:
    """A whole house whose only carrier is the sandbox carrier, and which buys when an order is paid."""
    carrier = cast("FakeCarrier", SandboxCarrier(settings_of(tmp_path), clock))
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock, carrier=carrier) as world:
        await world.set(buy="on_paid", tolerance="5%:5.00")  # A signature costs something.
        yield world


async def publish(world: World, *actions: dict[str, Any]) -> None:
    """Let one rule do this to every offer."""
    body = {**shop_settings.dump(world.shop.settings), "rules": {"rules": [{"name": "Ask", "then": list(actions)}]}}
    world.act(settings_versions.publish, world.shop_id, body, PERSON, world.clock.now())
    await world.house.directory.refresh()


async def paid(world: World) -> Order:
    """The cheapest option of a checkout, ordered and paid; all that is due is done."""
    row = await world.quote(MUG)
    order = world.place(MUG, offer=row.decision.offers[0])
    await world.refresh(order.id)
    return order


async def shipped(world: World, order: Order) -> Any:
    """The shipment of the order's only label, as the carrier has it in its books."""
    (label,) = (each for each in world.labels_of(world.parcel(order.id).id) if each.state == "bought")
    books = PretendCarrier(settings_of(world.folder), world.clock)
    return (await books.look_up(label.handle)).shipment


@pytest.mark.parametrize(("who", "asked"), [("anyone", "any"), ("adult", "adult")])
async def test_a_signature_that_a_rule_asks_for_reaches_the_carrier(sandbox: World, who: str, asked: str) -> None:
    plain = await paid(sandbox)
    await publish(sandbox, {"kind": "require_signature", "who": who})
    signed = await paid(sandbox)
    assert (await shipped(sandbox, plain)).signature == "none"
    assert (await shipped(sandbox, signed)).signature == asked
    assert sandbox.parcel(signed.id).state == "bought"
    assert sandbox.matter_codes() == []


async def test_a_signature_that_costs_more_than_the_shop_tolerates_is_bought_by_a_person(sandbox: World) -> None:
    await sandbox.set(tolerance="5%:0.50")
    await publish(sandbox, {"kind": "require_signature"})
    order = await paid(sandbox)
    parcel = sandbox.parcel(order.id)
    assert (parcel.state, parcel.why and parcel.why.code) == ("held", "dearer_than_quoted")
    await sandbox.click_buy(order.id)
    assert sandbox.parcel(order.id).state == "bought"
    assert (await shipped(sandbox, order)).signature == "any"


async def test_an_order_that_a_rule_holds_gets_its_label_once_a_person_lets_go(sandbox: World) -> None:
    await publish(sandbox, {"kind": "hold_order", "reason": "Look at the address"}, {"kind": "require_signature"})
    order = await paid(sandbox)
    parcel = sandbox.parcel(order.id)
    assert parcel.state == "held"
    assert parcel.why is not None
    assert parcel.why.say() == "Your rules hold this order: Look at the address"
    assert sandbox.matter_codes() == ["rule_hold"]
    await sandbox.refresh(order.id)  # The store tells of it again.
    assert sandbox.labels_of(parcel.id) == []
    await sandbox.release(order.id)
    assert sandbox.parcel(order.id).state == "bought"
    assert (await shipped(sandbox, order)).signature == "any"
    assert sandbox.matter_codes() == []


async def test_insurance_is_bought_by_a_person_beside_the_label(sandbox: World) -> None:
    await publish(sandbox, {"kind": "require_insurance", "percent": "80"})
    order = await paid(sandbox)
    assert sandbox.parcel(order.id).state == "bought"
    (matter,) = sandbox.matters()
    assert matter.reason.code == "insurance_by_hand"
    assert "80 %" in matter.reason.say()


async def test_no_rule_buys_a_label_without_the_signature_that_was_asked_for(world: World) -> None:
    """This carrier takes no such wish: a person lets it go without one, or chooses another service."""
    await world.set(buy="on_paid")
    await publish(world, {"kind": "require_signature"})
    order = await paid(world)
    parcel = world.parcel(order.id)
    assert (parcel.state, parcel.why and parcel.why.code) == ("held", "signature_not_taken")
    assert world.matter_codes() == ["signature_not_taken"]
    assert world.carrier.sales == []
    world.clock.advance(seconds=60)
    await world.release(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.matter_codes() == []


async def test_an_own_option_of_a_shop_without_carriers_waits_for_a_person(world: World) -> None:
    """The buyer fetches it, or the shop brings it: no carrier account is needed, and none is missed."""
    await publish(world, PICK_UP)
    world.act(switch_account, world.shop_id, world.account_id, False, PERSON, world.clock.now())
    await world.house.directory.refresh()
    await world.set(buy="on_paid")
    assert world.shop.accounts == {}
    order = await paid(world)
    parcel = world.parcel(order.id)
    assert (parcel.state, parcel.why and parcel.why.code) == ("held", "by_hand")
    await world.click_buy(order.id)
    parcel = world.parcel(order.id)
    assert (parcel.state, parcel.why and parcel.why.code) == ("held", "by_hand")
    assert (world.carrier.created, world.carrier.sales) == ([], [])
