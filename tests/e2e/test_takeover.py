"""Two workers on PostgreSQL: the survivor takes over, and who lost its lease spends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.work.lease import EXIT_LEASE_LOST
from tests.cable import NoNetwork, cable
from tests.e2e.takeover import catch, freeze_in_purchase, kill, take_over_s, two_workers
from tests.postgres import discard, launch_server

pytestmark = [pytest.mark.slow, pytest.mark.complaint(10)]

NOTICED_S = 20
"""Generous for a busy machine, and far less than the lease of 60 s: death was noticed, not waited for.
`scripts/faults takeover` measures how long it takes."""


def test_the_survivor_takes_over_from_a_killed_worker_and_a_thawed_one_spends_nothing(
    reference: Path, tmp_path: Path, postgres_url: str
) -> None:
    with two_workers(tmp_path, postgres_url, lease_s=60) as (house, lost, stays):
        order_id, key = catch(house, lost, stays, "store.order", "OrderForShipping")
        killed_at = kill(lost)
        assert take_over_s(killed_at, stays, key) < NOTICED_S
        house.wait_shipped(order_id)
        assert len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1


def test_a_worker_frozen_past_its_lease_before_a_purchase_spends_nothing_once_thawed(
    reference: Path, tmp_path: Path, postgres_url: str
) -> None:
    with two_workers(tmp_path, postgres_url, lease_s=3) as (house, lost, stays):
        order_id, crossed, code = freeze_in_purchase(house, lost, stays)
        assert code == EXIT_LEASE_LOST
        assert not any(each["event"] == "crossed" and each["boundary"] == "after" for each in crossed)
        state = house.easypost.state()
        assert state["calls"]["buy"] == 1
        assert len(state["purchases"]) == len(house.fulfilments(order_id)) == 1


def test_the_survivor_takes_over_from_a_worker_whose_cable_is_cut(reference: Path, tmp_path: Path) -> None:
    try:
        with cable() as line:
            server = launch_server(address=line.here)
            try:
                url = server.create_database()
                with two_workers(tmp_path, url, lease_s=4, cable=line, far_database_url=url) as (house, lost, stays):
                    order_id, key = catch(house, lost, stays, "store.order", "OrderForShipping")
                    line.cut()
                    stays.hear("crossed", key=key)
                    house.wait_shipped(order_id)
                    assert int(lost.hear("ended")["code"]) == EXIT_LEASE_LOST
                    assert len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1
            finally:
                discard(server)
    except NoNetwork as reason:
        pytest.skip(str(reason))
