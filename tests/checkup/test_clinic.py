"""A check-up is kept, its grave causes go before a person until they are gone, and one that fails hides no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from connector.attention.board import Matter, open_matters
from connector.checkup.clinic import NOT_BEFORE
from connector.checkup.finding import Check, Finding
from connector.checkup.kept import latest
from connector.checkup.run import run_checks
from connector.storage.shops import NoSuchShop
from connector.words.reason import Reason
from connector.work.port import Task
from connector.working import _fresh_spans
from tests.checkup import plants
from tests.checkup.world import Patient
from webhooks.errors import WaybillError

pytestmark = pytest.mark.anyio
T = TypeVar("T")


async def matters(patient: Patient) -> list[Matter]:
    return await patient.house.database.run(open_matters, patient.shop_id)


async def test_what_stops_prices_is_before_a_person_once_until_it_is_gone(patient: Patient) -> None:
    await plants.zone_missing(patient)
    for _ in range(2):
        await patient.check()
    (matter,) = await matters(patient)
    assert matter.reason.code == "check_zone_without_us"
    assert "Europe" in matter.reason.say()
    assert "https://admin.shopify.com/store/waybill-test/settings/shipping/profiles/1" in matter.cure
    assert "…" not in matter.cure
    await patient.at_store("set_up", profiles=[plants.GENERAL])
    await patient.check()
    assert await matters(patient) == []


async def test_what_costs_money_only_is_kept_and_calls_nobody(patient: Patient) -> None:
    await plants.subscription_gone(patient)
    await patient.check()
    kept = await patient.house.database.run(latest, patient.shop_id)
    assert kept is not None
    assert [finding.reason.code for finding in kept.findings] == ["check_webhook_missing"]
    assert not kept.stops_rates
    assert await matters(patient) == []


async def test_a_matter_stays_open_while_its_check_cannot_be_made(patient: Patient) -> None:
    await plants.zone_missing(patient)
    await patient.check()
    await patient.at_store("set_up", profiles=[plants.GENERAL])
    await patient.at_store("fault", "CheckProfiles", "internal", times=10)
    checkup = await patient.check()
    assert {each.name for each in checkup.not_made} >= {"zones"}
    assert [matter.reason.code for matter in await matters(patient)] == ["check_zone_without_us"]
    await patient.at_store("forget_faults")
    await patient.check()
    assert await matters(patient) == []


async def test_nobody_is_called_for_what_somebody_switched_off(patient: Patient) -> None:
    from connector.installing.switch import switch_off
    from tests.checkup.world import BY_TEST

    await switch_off(patient.house.installer, patient.shop, BY_TEST)
    checkup = await patient.check()
    assert [finding.reason.code for finding in checkup.findings] == ["check_service_off"]
    assert checkup.stops_rates
    assert await matters(patient) == []


async def test_a_store_that_does_not_answer_hides_none_of_our_own_causes(patient: Patient) -> None:
    await patient.at_store("fault", "*", "status", times=500, status=503)
    await patient.no_account()
    checkup = await patient.check()
    assert {finding.reason.code for finding in checkup.findings} == {"check_no_account"}
    assert {"permissions", "service", "zones", "weights", "webhooks"} <= {each.name for each in checkup.not_made}
    assert all(each.why.say() for each in checkup.not_made)


async def test_a_carrier_that_cannot_be_reached_is_said_to_be_not_checked(patient: Patient) -> None:
    await patient.at_carrier("fault", "*", "status", times=50, status=500)
    checkup = await patient.check()
    assert [each.name for each in checkup.not_made] == [f"account {each}" for each in patient.shop.accounts]
    assert checkup.findings == ()


async def test_each_check_has_a_deadline_and_says_which_one_it_missed(patient: Patient) -> None:
    async def slow() -> list[Finding]:
        import anyio

        await anyio.sleep(3600)
        return []

    async def broken() -> list[Finding]:
        raise WaybillError("The store is closed today.")

    async def well() -> list[Finding]:
        return [Finding(Reason("check_no_worker"), "look"), Finding(Reason("check_no_account"), "stops_rates")]

    what = Reason("checked_zones")
    checks = [Check("slow", what, slow), Check("broken", what, broken), Check("well", what, well)]
    checkup = await run_checks(checks, "shop_1", patient.house.clock.now(), deadline_s=0.05)
    assert {each.name: each.why.code for each in checkup.not_made} == {
        "slow": "not_made_slow",
        "broken": "not_made_said",
    }
    assert [finding.level for finding in checkup.findings] == ["stops_rates", "look"]
    assert {finding.check for finding in checkup.findings} == {"well"}


async def test_a_shop_that_is_not_there_is_refused(patient: Patient) -> None:
    with pytest.raises(NoSuchShop):
        await patient.house.clinic.check("shop_nobody")


class _Run:
    """A running job."""

    def __init__(self, shop_id: str) -> None:
        self.task = Task("shops.check", "k", shop_id)
        self.steps: list[str] = []

    async def step(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        self.steps.append(name)
        return await call()

    def fence(self) -> bool:
        return True


async def test_the_daily_round_leaves_a_shop_alone_that_is_being_set_up(patient: Patient) -> None:
    run = _Run(patient.shop_id)
    await patient.house.clinic.sweep(run)
    assert await patient.house.database.run(latest, patient.shop_id) is None
    age = patient.house.clock.now() - patient.shop.record.created_at
    assert age < NOT_BEFORE
    assert timedelta() <= age


async def test_the_daily_round_checks_an_older_shop_and_keeps_the_result(patient: Patient) -> None:
    from dataclasses import replace

    class Later:
        def now(self) -> datetime:
            return patient.house.clock.now() + NOT_BEFORE

    run = _Run(patient.shop_id)
    await replace(patient.house.clinic, clock=Later()).sweep(run)
    assert run.steps == ["shop.check"]
    kept = await patient.house.database.run(latest, patient.shop_id)
    assert kept is not None
    assert kept.passed


async def test_a_worker_starts_the_round_once_a_day_for_each_shop(patient: Patient) -> None:
    house = patient.house
    first = _fresh_spans(house, {})
    assert ("shops.check", patient.shop_id) in first
    assert ("shops.check", patient.shop_id) not in _fresh_spans(house, first)
