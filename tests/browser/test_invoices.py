"""An invoice before the browser: a file is chosen, looked at, and booked; each page in every width and light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from carriers.money import Money
from connector.labels.amounts import book, entries
from connector.orders.tables import orders
from connector.storage.logins.people import User
from tests.browser import rig
from tests.browser.rig import Site, Visitor
from tests.cli.worlds import make_shop
from tests.labels.test_invoices import label

pytestmark = pytest.mark.slow
CSV = """\
Invoice Number;Tracking Number;Charge Description;Net Amount;Currency;Billed Weight
INV-2026-11;T1;Shipping charge correction dimensions;14,50;EUR;2,4
INV-2026-11;T2;;10,00;EUR;
INV-2026-11;T3;Residential adjustment;11,95;EUR;
INV-2026-11;T7;Shipping charge;9,20;EUR;1
INV-2026-11;;Weekly service charge;23,00;EUR;
INV-2026-11;T8;Shipping charge;ten;EUR;
"""


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A house of this test alone: it fills it with orders."""
    steady = make_shop(tmp_path_factory.mktemp("invoices")).folder
    with rig.site(steady, tmp_path_factory.mktemp("invoices-site")) as served:
        yield served


@pytest.fixture(scope="module")
def owner(site: Site) -> User:
    return site.world.add_user("anna@example.com", "owner")


def three_labels(connection: Any, site: Site) -> None:
    now, shop_id = site.house.clock.now(), site.world.shop_id
    for number in (1, 2, 3):
        label(connection, number, shop_id=shop_id)
        about = {"external_id": f"x{number}", "name": f"#{number}", "currency": "EUR", "charged_minor": 900}
        moments = {"placed_at": now, "updated_at": now, "seen_at": now}
        row = orders.insert(shop_id, id=f"ord_{number}", paid=True, cancelled=False, **about, **moments)
        connection.execute(row)
        known: dict[str, Any] = {"order_id": f"ord_{number}", "parcel_id": f"par_{number}", "now": now}
        known["label_id"] = f"lab_{number}"
        book(connection, shop_id, "quoted", Money(980, "EUR"), cause=f"q{number}", **known)
        book(connection, shop_id, "bought", Money(1000, "EUR"), cause=f"lab_{number}", **known)


@pytest.mark.complaint(48)
def test_an_invoice_is_chosen_looked_at_and_booked(visitor: Visitor, site: Site) -> None:
    site.house.here(three_labels, site)
    page = visitor.open("/costs")
    page.get_by_role("link", name="Invoice from a file").click()
    visitor.looked_at("invoices")
    page.get_by_label("CSV file").set_input_files(
        {"name": "november.csv", "mimeType": "text/csv", "buffer": CSV.encode()}
    )
    page.get_by_label("Whose invoice it is").fill("Parcel Co")
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("heading", name="What would be booked").wait_for()
    assert page.get_by_text("A charge without a parcel").count() == 1
    visitor.looked_at("invoices-check")
    adjusted = entries.select(site.world.shop_id).where(entries.c.kind == "adjusted")
    assert site.house.here(lambda connection: connection.execute(adjusted).all()) == []
    page.get_by_role("button", name="Book it without the lines").click()
    page.get_by_role("heading", name="The invoice is taken in").wait_for()
    visitor.looked_at("invoices-done")
    booked = site.house.here(lambda connection: connection.execute(adjusted).all())
    assert sorted(each.minor for each in booked) == [195, 450]
    page = visitor.open("/costs")
    assert page.get_by_role("heading", name="Orders that carriers billed dearer than bought").count() == 1
    visitor.looked_at("costs")
    visitor.open("/costs/par_1/claim")
    visitor.looked_at("claim")
    page.get_by_label("Amount (EUR)").fill("4.50")
    page.get_by_label("Why").fill("The carton is smaller")
    page.get_by_role("button", name="Note it").click()
    page.get_by_text("Noted.").wait_for()
    page.get_by_role("link", name="Order #1").click()
    visitor.looked_at("order-costs")
