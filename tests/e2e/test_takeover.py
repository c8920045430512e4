"""Two workers on PostgreSQL: the survivor takes over, and who lost its lease spends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connector.work.lease import EXIT_LEASE_LOST
from tests.cable import Cable, NoNetwork, cable
from tests.e2e.takeover import catch, freeze_in_purchase, kill, place, take_over_s, two_workers
from tests.e2e.world import World
from tests.postgres import discard, launch_server

pytestmark = [pytest.mark.slow, pytest.mark.complaint(10)]

NOTICED_S = 20
"""Generous for a busy machine, and far less than the lease of 60 s: death was noticed, not waited for.
`scripts/faults takeover` measures how long it takes."""


@pytest.fixture(scope="module")
def line() -> Iterator[Cable | None]:
    """A cable to a network of its own; None where the machine does not give us one."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(cable())
        except NoNetwork:
            yield None
        else:
            yield made


@pytest.fixture(scope="module")
def house(reference: Path, tmp_path_factory: pytest.TempPathFactory, line: Cable | None) -> Iterator[World]:
    """A house on a PostgreSQL that both ends of the cable reach."""
    server = launch_server(address=line.here) if line else launch_server()
    try:
        with place(tmp_path_factory.mktemp("takeover"), server.create_database(), line) as made:
            yield made
    finally:
        discard(server)


def test_the_survivor_takes_over_from_a_killed_worker_long_before_its_lease_ends(house: World) -> None:
    with two_workers(house, lease_s=60) as (lost, stays):
        order_id, key = catch(house, lost, stays, "store.order", "OrderForShipping")
        killed_at = kill(lost)
        assert take_over_s(killed_at, stays, key) < NOTICED_S
        house.wait_shipped(order_id)
        assert len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1


def test_a_worker_frozen_past_its_lease_before_a_purchase_spends_nothing_once_thawed(house: World) -> None:
    with two_workers(house, lease_s=3) as (lost, stays):
        order_id, purchases_sent, code = freeze_in_purchase(house, lost, stays)
        assert code == EXIT_LEASE_LOST
        assert purchases_sent == 1
        assert len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1


def test_the_survivor_takes_over_from_a_worker_whose_cable_is_cut(house: World, line: Cable | None) -> None:
    if line is None:
        pytest.skip("A network of its own needs root, the program ip and network namespaces.")
    with two_workers(house, lease_s=4, cable=line) as (lost, stays):
        order_id, key = catch(house, lost, stays, "store.order", "OrderForShipping")
        line.cut()
        try:
            stays.hear("crossed", key=key)
            house.wait_shipped(order_id)
            assert int(lost.hear("ended")["code"]) == EXIT_LEASE_LOST
        finally:
            line.mend()
        assert len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1
