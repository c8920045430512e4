"""`waybill rehearse`: past orders priced, nothing bought, prices learned."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.worlds import DOMAIN, Shop
from tests.insight.test_order_csv import FIRST, HEAD, MORE


@pytest.mark.need(9)
def test_past_orders_are_priced_and_nothing_is_bought_or_quoted(shop: Shop) -> None:
    for _ in range(3):
        shop.order()
    found = shop.shell.json("rehearse", DOMAIN, "--thresholds", "20,24.50,30")
    assert (found["orders"], found["priced"], found["losing"]) == (3, 3, 3)
    assert found["charged"] == {"amount": "0.00", "currency": "EUR"}
    (group,) = found["by_country"]
    assert (group["key"], group["orders"]) == ("AT", 3)
    assert [each["free_orders"] for each in found["thresholds"]] == [3, 3, 0]
    assert len(found["worst"]) == 3
    text = shop.shell.ok("rehearse", DOMAIN)
    assert text.splitlines()[0].startswith("Buyers paid 0.00 EUR for shipping, ")
    with sqlite3.connect(shop.folder / "waybill.db") as books:
        assert books.execute("SELECT count(*) FROM quotes").fetchone() == (0,)
        assert books.execute("SELECT count(*) FROM labels").fetchone() == (0,)


def test_an_export_of_the_admin_is_priced_without_asking_the_store(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([HEAD, FIRST, MORE, FIRST.replace("#1001", "#1002").replace("Wien", "SANDBOX-NOWHERE")]))
    shop.shell.ok("settings", DOMAIN, "default_item_weight_g=400")
    found = shop.shell.json("rehearse", DOMAIN, "--orders", str(file))
    assert (found["orders"], found["priced"]) == (2, 1)
    (zone,) = found["dead_zones"]
    assert (zone["country"], zone["orders"], zone["of"], zone["why"]["code"]) == ("AT", 1, 2, "no_carrier_serves")


def test_a_wrong_line_of_an_export_is_named(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([HEAD, FIRST.replace(",2,Mug", ",x,Mug")]))
    assert "Line 2: Lineitem quantity" in shop.shell.refused("rehearse", DOMAIN, "--orders", str(file))
