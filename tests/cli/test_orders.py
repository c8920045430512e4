"""Orders and labels by the command line, with a worker beside it and without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.stores.sandbox.shopkeeper import Shopkeeper
from tests.cli.shell import started, until
from tests.cli.worlds import BUYER, DOMAIN, Demo, Shop
from tests.docs.test_cli_doc import holds

pytestmark = pytest.mark.slow


def _seen(shop: Shop, order: str) -> bool:
    return shop.shell.run("order", "show", DOMAIN, order).exit_code == 0


def test_a_delivered_order_is_shown_with_label_tracking_and_amounts(demo: Demo) -> None:
    order = demo.shell.json("order", "show", demo.shop_id, demo.order)
    (parcel,) = order["parcels"]
    assert (order["paid"], parcel["state"], parcel["tracking"]["status"]) == (True, "bought", "delivered")
    assert parcel["label"]["bought"] == parcel["label"]["intended"]
    assert [step["status"] for step in parcel["told_store"]][-1] == "delivered"
    assert {entry["kind"] for entry in order["amounts"]} == {"charged", "quoted", "bought"}


def test_an_order_is_found_by_name_number_and_id(demo: Demo) -> None:
    order = demo.shell.json("order", "show", demo.shop_id, demo.order)
    for reference in (demo.order.lstrip("#"), order["external_id"], order["id"]):
        assert demo.shell.json("order", "show", demo.shop_id, reference)["id"] == order["id"]


def test_nobody_is_named_when_an_order_is_shown(demo: Demo) -> None:
    for form in ((), ("--json",)):
        text = demo.shell.ok("order", "show", demo.shop_id, demo.order, *form)
        assert not re.search("Sample Buyer|Stephansplatz|buyer@|1 234567", text)


def test_labels_are_saved_as_what_they_are(demo: Demo, tmp_path: Path) -> None:
    (parcel,) = demo.shell.json("order", "show", demo.shop_id, demo.order)["parcels"]
    (path,) = demo.shell.json("label", "save", parcel["id"], "--out", str(tmp_path / "new" / "labels"))["files"]
    assert Path(path).read_bytes().startswith(b"%PDF-")
    assert parcel["label"]["tracking_code"] in path


def test_a_label_is_not_bought_twice_by_a_second_command(demo: Demo) -> None:
    assert demo.shell.refused("label", "buy", demo.shop_id, demo.order.lstrip("#")).startswith(
        "No parcel of this order"
    )


def test_unknown_orders_and_parcels_are_refused(steady_shop: Shop) -> None:
    shell = steady_shop.shell
    assert shell.refused("order", "show", DOMAIN, "9999") == "There is no such order here. (9999)"
    assert shell.refused("label", "void", "par_none", "--reason", "x").startswith("There is no such parcel")
    assert shell.refused("label", "save", "par_none").startswith("There is no such parcel")
    assert "--reason" in shell.refused("label", "void", "par_none", code=2)


def test_without_a_worker_a_purchase_says_that_it_waits(shop: Shop) -> None:
    """An order that nobody has read yet, then one that was read: both say what to start."""
    order = shop.order()
    shop.shell.ok("settings", DOMAIN, "buy=manual")
    said = shop.shell.refused("label", "buy", DOMAIN, order, "--wait", "1")
    assert "no worker is running" in said
    with started(shop.shell, "work"):
        until(lambda: _seen(shop, order), "the worker to read the order")
    waiting = shop.shell.json("label", "buy", DOMAIN, order, "--wait", "1", code=1)
    assert (waiting["bought"], waiting["under_way"], waiting["worker"]) == (0, 1, False)
    assert "No worker is running" in waiting["text"]
    queued = shop.shell.json("label", "buy", DOMAIN, order, "--wait", "0")
    assert queued["under_way"] == 1
    with started(shop.shell, "work"):
        until(lambda: shop.shell.json("order", "show", DOMAIN, order)["parcels"][0]["label"], "the label")
    (parcel,) = shop.shell.json("order", "show", DOMAIN, order)["parcels"]
    assert parcel["label"]["asked_by"] == "command:waybill"


def test_a_label_is_bought_saved_voided_and_bought_again(shop: Shop, tmp_path: Path) -> None:
    """The order was never told of: the command fetches it from the store, and the buyer's name is nowhere shown."""
    order = shop.order()
    shop.shell.ok("settings", DOMAIN, "buy=manual")
    shop.shell.run("label", "buy", DOMAIN, order, "--wait", "0")  # Has the order read.
    with started(shop.shell, "work") as worker:
        until(lambda: _seen(shop, order), "the worker to read the order")
        bought = shop.shell.json("label", "buy", DOMAIN, order, "--wait", "60")
        assert (bought["bought"], bought["under_way"], bought["worker"]) == (1, 0, True)
        (parcel,) = bought["parcels"]
        assert parcel["label"]["asked_by"] == "command:waybill"
        assert parcel["label"]["why"]["code"] == "cheapest_without_quote"
        shown = shop.shell.ok("order", "show", DOMAIN, order)
        assert parcel["label"]["why"]["text"] in shown, "why this label"
        assert shop.shell.run("label", "save", parcel["id"], "--out", str(tmp_path)).exit_code in {0, 1}
        voided = shop.shell.json("label", "void", parcel["id"], "--reason", "wrong carton")
        assert (voided["state"], voided["worker"]) == ("void_requested", True)
        assert shop.shell.refused("label", "void", parcel["id"], "--reason", "again").startswith(
            "This parcel has no label"
        )
        assert "had a label before" in shop.shell.refused("label", "buy", DOMAIN, order, "--wait", "60")
        again = shop.shell.json("label", "buy", DOMAIN, order, "--another", "wrong carton", "--wait", "60")
        assert again["bought"] == 1
        assert again["parcels"][0]["label"]["tracking_code"] != parcel["label"]["tracking_code"]

        def refunded() -> bool:
            entries = shop.shell.json("order", "show", DOMAIN, order)["amounts"]
            return "refunded" in {entry["kind"] for entry in entries}

        until(refunded, "the refund")
        assert worker.stop() == 0
    shown = shop.shell.ok("order", "show", DOMAIN, order)
    assert BUYER.name not in shown + "".join(worker.log)


@pytest.mark.complaint(1)
def test_what_waits_for_a_person_is_listed_with_its_cure_and_can_be_bought_by_hand(shop: Shop) -> None:
    """A risky order is held although the shop buys by itself; a person's command buys it and closes the matter."""
    order = shop.order(risky=True)
    shop.shell.run("label", "buy", DOMAIN, order, "--wait", "0")  # Has the order read.
    with started(shop.shell, "work"):
        until(lambda: _seen(shop, order), "the worker to read the order")
        shop.shell.run("label", "buy", DOMAIN, order, "--wait", "60")
        until(lambda: _state(shop, order) == "bought", "the label")
    assert shop.shell.json("attention", DOMAIN) == {"matters": []}


def _state(shop: Shop, order: str) -> str:
    parcels = shop.shell.json("order", "show", DOMAIN, order)["parcels"]
    return str(parcels[0]["state"]) if parcels else ""


def test_a_cancelled_order_is_not_bought_by_hand(shop: Shop) -> None:
    order = shop.order()
    shop.shell.ok("settings", DOMAIN, "buy=manual")
    with started(shop.shell, "work"):
        shop.shell.run("label", "buy", DOMAIN, order, "--wait", "0")
        until(lambda: _seen(shop, order), "the order")

        async def cancel(keeper: Shopkeeper) -> None:
            await keeper.cancel(order)

        shop.at_the_store(cancel)
        answer = shop.shell.run("label", "buy", DOMAIN, order, "--wait", "60", "--json")
    assert answer.exit_code == 1, answer.output
    (parcel,) = shop.shell.json("order", "show", DOMAIN, order)["parcels"]
    assert (parcel["state"], parcel["label"]) == ("cancelled", None)


def test_a_held_order_is_released_with_a_reason_and_waits_for_its_click(shop: Shop) -> None:
    order = shop.order(risky=True)
    shop.shell.ok("settings", DOMAIN, "buy=manual")
    with started(shop.shell, "work"):
        until(lambda: _seen(shop, order) and _state(shop, order) == "held", "the hold")
    done = shop.shell.json("order", "release", DOMAIN, order, "--reason", "Called the buyer")
    holds("waybill order release", done)
    assert done["buys"] is False
    assert len(done["released"]) == 1
    assert _state(shop, order) == "planned"
    assert shop.shell.json("attention", DOMAIN) == {"matters": []}
    again = shop.shell.run("order", "release", DOMAIN, order, "--reason", "Again")
    assert again.exit_code == 1
    assert "No parcel of this order is held" in again.output
