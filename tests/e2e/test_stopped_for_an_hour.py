"""Everything of ours stands still for an hour of business time: the shop sells on, nothing is lost or told twice."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from connector.labels.tables import parcels
from tests.e2e.world import RATE_CALL, World, shipped, world
from tests.simulators.mailbox import Mailbox, a_mailbox

pytestmark = pytest.mark.slow

SPEED = 10
HOUR_S = 3600
PICKED_UP_WITHIN = timedelta(minutes=10)
BACKUP = {"code": "Standard", "title": "Standard", "price": "5.00"}


def jump(house: World, seconds: int) -> None:
    """Let business time go by at once, for ours and for the store; nothing of ours may run."""
    _, _, rest = house.env["WAYBILL_TEST_CLOCK"].partition(":")
    house.env["WAYBILL_TEST_CLOCK"] = f"{seconds}:{rest}"
    house.shopify.settings(offset_s=float(seconds))


def planned(house: World, order_id: str) -> bool:
    """Whether Waybill has read the order and packed it."""
    known = house.order(order_id)
    return known is not None and bool(known.parcels)


def subjects(mailbox: Mailbox) -> list[str]:
    return [subject.removeprefix("[Waybill] ") for subject in mailbox.subjects]


@pytest.mark.complaint(50)
def test_an_hour_without_us_costs_no_order_and_is_told_once(reference: object, tmp_path: Path) -> None:
    """At the return every paid order is picked up within ten minutes, with one alert and one that it is over."""
    with a_mailbox() as mailbox, world(tmp_path, f"sqlite:///{tmp_path / 'waybill.db'}", speed=SPEED) as house:
        house.env |= {"WAYBILL_SMTP_URL": mailbox.url, "WAYBILL_ALERT_MAIL_TO": "desk@example.com"}
        up = house.start("up")
        house.set_up("default_item_weight_g=500")
        house.wait_known()
        before = house.place(name="#before")
        house.shopify.deliver()
        house.wait_shipped(before)
        up.end()
        assert mailbox.tries == 0

        missed = []
        for minute in range(10, 60, 10):
            jump(house, minute * 60)
            shown = house.shopify.checkout(RATE_CALL)["shown"]
            assert shown == "backup", "the checkout sells at the platform's own rates"
            missed.append(house.place(name=f"#missed-{minute}", shipping=BACKUP if minute == 30 else house.shipping))
            assert set(house.shopify.deliver()) <= {0}, "no message of the store reaches us"
        jump(house, HOUR_S)

        up = house.start("up", name="again")
        house.wait_ready()
        returned = house.now()
        house.until(lambda: all(planned(house, each) for each in missed), "every missed order to be picked up")
        house.until(lambda: len(mailbox.arrived) >= 2, "the mail that it is over", timeout_s=120)
        assert house.shopify.checkout(RATE_CALL)["shown"] == "rates"
        house.wait_shipped(*(each for number, each in enumerate(missed) if number != 2))
        up.end()

        with house.database.engine.connect() as connection:
            chosen = parcels.select(house.shop_id, parcels.c.created_at)
            picked_up = connection.execute(chosen.where(parcels.c.order_external_id.in_(missed))).scalars().all()
        assert len(picked_up) == len(missed) == 5
        assert max(picked_up) - returned <= PICKED_UP_WITHIN
        assert all(shipped(house.order(each)) for number, each in enumerate(missed) if number != 2)
        alert, over = mailbox.arrived
        assert subjects(mailbox)[0].startswith("Waybill did not run from ")
        assert subjects(mailbox)[1].startswith("Over: Waybill did not run from ")
        assert "Nothing needs to be done for the orders." in alert.get_content()
        # What came in the last minute before the stop may count as missed: a sign of life is given once a minute.
        assert re.search(r"meanwhile, all read now: [56]\b", over.get_content())
