"""Batches, prints and scan-to-pack at the desk: few clicks, nothing twice, no label for a parcel with a wrong item."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from carriers.measure import Weight
from carriers.money import Money
from connector.attention.board import need_person
from connector.labels.scan import code_of
from connector.labels.tables import label_files
from connector.labels.voids import request_void
from connector.orders.about import About, orders_of
from connector.orders.view import OrderView
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.logins.people import User
from connector.store import CartLine
from connector.words.reason import Reason
from tests.http.desk.counter import BUYER, POT, Counter, counter_at
from tests.http.desk.world import Browser
from tests.simulators.easypost_labels import label

pytestmark = pytest.mark.anyio

CUP = CartLine(2, Money(700, "EUR"), Weight(300), "CUP-1", "Tea cup", "cup-1")


@pytest.fixture
async def counter(
    steady_data: Path, tmp_path: Path, house_settings: Callable[[Path], dict[str, Any]]
) -> AsyncIterator[Counter]:
    """A counter whose labels are bought by clicks."""
    async with counter_at(steady_data, tmp_path / "data", **house_settings(steady_data)) as found:
        await found.settle({"buy": "manual"})
        yield found


def pages_of(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


async def bought_batch(counter: Counter, browser: Browser) -> str:
    """All waiting orders as a batch, bought; its path."""
    base = counter.desk.base
    await browser.open(f"{base}/batches/new")
    draft = await browser.follow(await browser.send({"all": "yes"}))
    path = draft.request.url.path
    await browser.follow(await browser.send({"do": "buy"}))
    await counter.drain()
    await browser.open(path)
    return path


@pytest.mark.need(21)
async def test_a_batch_shows_its_cost_buys_and_prints_in_order(counter: Counter, paul: User) -> None:
    orders = [await counter.order(), await counter.order(POT, CUP), await counter.order()]
    async with counter.desk.signed_in(paul) as browser:
        base = counter.desk.base
        page = await browser.open(f"{base}/batches/new")
        assert "3 orders wait for labels" in page.text
        draft = await browser.follow(await browser.send({"all": "yes"}))
        path = draft.request.url.path
        assert "3 labels for 3 orders" in draft.text
        assert "EUR" in draft.text
        assert not any(each.label for order in orders for each in counter.see(order.id).parcels)
        token = browser.token(path)
        asked = await browser.send({"do": "buy"})
        again = await browser.send({"do": "buy"}, path, token=token)
        assert asked.headers["location"] == again.headers["location"]
        await counter.drain()
        done = await browser.open(path)
        assert "All 3 orders have their labels" in done.text
        printed = await browser.client.get(f"{base}/print?batch={path.rpartition('/')[2]}&what=labels")
        assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
        texts = pages_of(printed.content)
        assert [order.name in text for order, text in zip(orders, texts, strict=True)] == [True] * 3
        assert "2 / 3" in texts[1]
        whole = await browser.client.get(f"{base}/print?batch={path.rpartition('/')[2]}")
        assert len(pages_of(whole.content)) == 6
        sheet = await browser.client.get(f"{path}?format=csv")
        rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"))))
        assert [(row["order"], row["state"]) for row in rows] == [(order.name, "bought") for order in orders]
        assert all(row["tracking"] and row["cost"] for row in rows)
        assert {row["carrier"] for row in rows} == {"Sandbox"}, "who carries it, by the name that buyers read"


@pytest.mark.complaint(13)
async def test_a_selection_is_printed_again_on_the_sheet_that_was_asked_for(counter: Counter, paul: User) -> None:
    first, second = await counter.order(), await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        await bought_batch(counter, browser)
        parcel = counter.see(second.id).parcels[0].id
        fields = {"parcel": parcel, "what": "labels", "sheet": "a4"}
        printed = await browser.send(fields, f"{counter.desk.base}/print")
        (text,) = pages_of(printed.content)
        assert second.name in text
        assert first.name not in text
        page = PdfReader(io.BytesIO(printed.content)).pages[0]
        assert round(float(page.mediabox.width)) == 595


@pytest.mark.complaint(12)
async def test_an_order_that_is_not_bought_says_why_and_is_tried_again(counter: Counter, paul: User) -> None:
    order = await counter.order()
    held = await counter.order(risky=True)
    async with counter.desk.signed_in(paul) as browser:
        await counter.settle({"buy": "manual", "daily_cap": "0.01"})
        path = await bought_batch(counter, browser)
        assert "0 of 1 orders have their labels" in browser.page.text, "what is held is on no batch"
        assert "The daily cap" in browser.page.text
        sheet = await browser.client.get(f"{path}?format=csv")
        rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"))))
        assert [row["order"] for row in rows] == [order.name]
        assert all(row["state"] != "bought" and row["reason"] for row in rows)
        page = f"{counter.house.settings.public_url}{counter.desk.base}/orders"
        assert [row["fix"] for row in rows] == [f"{page}/{order.id}"]
        await counter.settle({"buy": "manual", "daily_cap": "1000.00"})
        counter.queue("labels.probe", "cap")
        await counter.drain()
        await browser.open(path)
        if "tried again" not in browser.page.text and "Try the" in browser.page.text:
            await browser.follow(await browser.send({"do": "again"}))
            await counter.drain()
        done = await browser.open(path)
        assert "Try the" not in done.text
        assert [counter.see(each.id).parcels[0].state for each in (order, held)] == ["bought", "held"]


async def with_papers(counter: Counter, order: OrderView) -> None:
    """The order's label has customs papers and a return label besides, kept in another order than they are printed."""
    (parcel,) = counter.see(order.id).parcels
    assert parcel.label is not None
    house = counter.house
    for kind in ("customs", "return"):
        content = label("PDF", f"{kind} of {order.name}")
        values: dict[str, object] = {
            "kind": kind,
            "media_type": "application/pdf",
            "url": "",
            "sha256": house.shelf.put(content),
        }
        values |= {"id": f"fil_0{kind}{order.id[-6:]}", "label_id": parcel.label.id, "bytes": len(content)}
        row = label_files.insert(counter.desk.shop_id, **values, fetched_at=house.clock.now())
        house.here(lambda connection, row=row: connection.execute(row))


@pytest.mark.complaint(2)
async def test_return_labels_and_customs_papers_are_in_the_same_print_in_order(counter: Counter, paul: User) -> None:
    first, second = await counter.order(), await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        path = await bought_batch(counter, browser)
        await with_papers(counter, first)
        batch = path.rpartition("/")[2]
        whole = pages_of((await browser.client.get(f"{counter.desk.base}/print?batch={batch}")).content)
        assert len(whole) == 6
        assert f"Order {first.name}" in whole[0]
        assert f"return of {first.name}" in whole[2]
        assert f"customs of {first.name}" in whole[3]
        assert f"Order {second.name}" in whole[4]
        assert all(f"{number} / 6  {first.name}" in text for number, text in enumerate(whole[:4], 1))
        bare = await browser.client.get(f"{counter.desk.base}/print?batch={batch}&what=labels")
        assert len(pages_of(bare.content)) == 2


@pytest.mark.need(20)
async def test_the_label_itself_is_what_print_opens_whatever_else_is_kept(counter: Counter, paul: User) -> None:
    order = await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        await bought_batch(counter, browser)
        await with_papers(counter, order)
        (parcel,) = counter.see(order.id).parcels
        assert parcel.label is not None
        page = await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert [each in page.text for each in ("Print label", "Print return label", "Print customs papers")] == [
            True
        ] * 3
        assert page.text.count("Print label<") == 1
        file = f"{counter.desk.base}/labels/{parcel.label.id}/file"
        plain = (await browser.client.get(file)).content
        first, second, third = [(await browser.client.get(f"{file}?n={n}")).content for n in (1, 2, 3)]
        assert plain == first
        assert "return of" in pages_of(second)[0]
        assert "customs of" in pages_of(third)[0]
        asked = await browser.client.get(f"{counter.desk.base}/orders/bought?ids={order.id}&print=1")
        assert asked.headers["location"].endswith(f"/print?ids={order.id}&what=papers"), "nothing is forgotten"
        assert len(pages_of((await browser.client.get(asked.headers["location"])).content)) == 3
        await counter.settle({"buy": "manual", "paper": {"slips": False}})
        usual = await browser.client.get(f"{counter.desk.base}/print?ids={order.id}")
        assert len(pages_of(usual.content)) == 3, "a shop without slips still prints its papers"
        own = label_files.update(counter.desk.shop_id).where(label_files.c.kind == "label")
        now = counter.house.clock.now()
        for fetched_at, said in ((None, "on its way"), (now, "not kept any more")):
            gone = own.values(sha256=None, fetched_at=fetched_at)
            counter.house.here(lambda connection, gone=gone: connection.execute(gone))
            waits = await browser.client.get(file)
            assert (waits.status_code, said in waits.text) == (404, True)
            assert said in (await browser.open(f"{counter.desk.base}/orders/{order.id}")).text


@pytest.mark.complaint(7)
async def test_every_page_says_that_a_labels_file_is_missing(counter: Counter, paul: User) -> None:
    """The carrier's file was no label: no page calls the label bought, and each says why."""
    good, bad = await counter.order(), await counter.order()
    base, shop_id, now = counter.desk.base, counter.desk.shop_id, counter.house.clock.now()
    async with counter.desk.signed_in(paul) as browser:
        path = await bought_batch(counter, browser)
        (parcel,) = counter.see(bad.id).parcels
        assert parcel.label is not None
        why = Reason("label_file_bad", {"number": parcel.label.tracking_code, "carrier": parcel.label.carrier})
        never = label_files.update(shop_id).where(label_files.c.label_id == parcel.label.id)
        counter.house.here(lambda connection: connection.execute(never.values(sha256=None, fetched_at=None)))
        counter.house.here(need_person, shop_id, parcel.label.id, why, now)
        bought = f"{base}/orders/bought?ids={bad.id}"
        for page in (f"{base}/orders", f"{base}/orders/{bad.id}", path, f"{path}?show=failed", bought):
            shown = (await browser.open(page)).text
            assert "label file missing" in shown, page
            assert "is no label: half of it, or an error page" in shown, page
            if page not in (f"{base}/orders", path):
                assert "label bought" not in shown, page
        assert "1 of 2 orders have their labels" in (await browser.open(path)).text
        assert "1 without its label file" in (await browser.open(f"{base}/batches")).text
        rows = list(csv.DictReader(io.StringIO((await browser.client.get(f"{path}?format=csv")).text.lstrip("\ufeff"))))
        assert [(row["state"], bool(row["reason"]), bool(row["fix"])) for row in rows] == [
            ("bought", False, False),
            ("file_missing", True, True),
        ]
        listed = list(csv.DictReader(io.StringIO((await browser.client.get(f"{base}/orders?format=csv")).text)))
        assert {row["states"] for row in listed} == {"bought", "file_missing"}
        printed = await browser.client.get(f"{base}/print?ids={good.id},{bad.id}&what=labels")
        assert "is no label: half of it" in printed.text


@pytest.mark.need(26)
async def test_a_first_order_gets_its_card_and_the_next_one_does_not(counter: Counter, paul: User) -> None:
    inserts = [{"card": "Welcome card", "first_order": True}, {"card": "Paid well", "over": "20", "currency": "EUR"}]
    await counter.settle({"buy": "manual", "paper": {"brand": "Tea & Pots", "inserts": inserts}})
    first, second = await counter.order(), await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        answer = await browser.client.get(f"{counter.desk.base}/print?ids={first.id},{second.id}&what=slips")
        one, two = pages_of(answer.content)
        assert "Tea & Pots" in one
        assert "Welcome card" in one
        assert "Welcome card" not in two
        assert "Paid well" in one
        assert "Paid well" in two


async def test_a_batch_is_shown_by_parts_and_printed_whole_on_a_sheet(counter: Counter, paul: User) -> None:
    good, bad = await counter.order(), await counter.order(to=replace(BUYER, city="SANDBOX-REFUSE"))
    async with counter.desk.signed_in(paul) as browser:
        path = await bought_batch(counter, browser)
        home = await browser.open(counter.desk.base)
        assert f"Order {bad.name}" in home.text
        assert f'aria-label="Look at order {bad.name}"' in home.text
        listed = await browser.open(f"{counter.desk.base}/batches")
        assert "1 bought" in listed.text
        assert "1 refused" in listed.text
        assert " EUR" in listed.text
        failed = await browser.open(f"{path}?show=failed&page=9")
        assert bad.name in failed.text
        assert f">{good.name}<" not in failed.text
        assert "refused" in failed.text
        assert f">{good.name}<" in (await browser.open(f"{path}?show=bought")).text
        await browser.open(path)
        nothing = await browser.send({"batch": path.rpartition("/")[2]}, f"{counter.desk.base}/print")
        assert nothing.status_code == 422
        assert f'href="{path}"' in nothing.text
        fields = {"batch": path.rpartition("/")[2], "whole": "yes", "what": "labels", "sheet": "letter"}
        printed = await browser.send(fields, f"{counter.desk.base}/print")
        (page,) = PdfReader(io.BytesIO(printed.content)).pages
        assert round(float(page.mediabox.width)) == 612
        assert good.name in page.extract_text()


async def test_what_is_unticked_is_left_out_of_all(counter: Counter, paul: User) -> None:
    """All that match are chosen, less those that were shown and are not ticked any more."""
    first, second, third = [await counter.order() for _ in range(3)]
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/batches/new")
        fields = {"all": "yes", "shown": f"{first.id},{second.id}", "order": first.id}
        draft = await browser.follow(await browser.send(fields))
        assert "2 labels for 2 orders" in draft.text
        await browser.open(f"{counter.desk.base}/batches/new")
        one = await browser.follow(await browser.send({"order": third.id}))
        assert "1 label for 1 order" in one.text
        assert "Buy 1 label<" in one.text
        assert [each.name in draft.text for each in (first, second, third)] == [True, False, True]


async def test_a_matter_leads_to_the_order_of_what_it_is_about(counter: Counter, paul: User) -> None:
    """An order, a parcel or a label has one; what is not here any more, and other matters, have none."""
    order = await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        await bought_batch(counter, browser)
    (parcel,) = counter.see(order.id).parcels
    assert parcel.label is not None
    subjects = [order.id, parcel.id, parcel.label.id, "par_gone", "lab_gone", "ord_gone", "checkup:zones", "pick_1"]
    house, about = counter.house, About(order.id, order.name)
    assert house.here(orders_of, counter.desk.shop_id, subjects) == dict.fromkeys(subjects[:3], about)
    assert house.here(orders_of, "shop_other", subjects) == {}


async def test_who_voided_a_label_of_a_batch_is_shown_by_name(counter: Counter, paul: User) -> None:
    order = await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        path = await bought_batch(counter, browser)
        parcel, now = counter.see(order.id).parcels[0], counter.house.clock.now()
        by = Actor("person", paul.id)
        counter.house.here(request_void, counter.work, counter.desk.shop_id, parcel.id, "torn", by, now)
        page = await browser.open(path)
        assert "voided by Paul" in page.text
        assert paul.id not in page.text
        sheet = (await browser.client.get(f"{path}?format=csv")).text
        missing = (await browser.client.get(f"{counter.desk.base}/print?ids={order.id}")).text
        for text in (sheet, missing):
            assert "voided by Paul" in text
            assert paul.id not in text


@pytest.mark.need(17)
async def test_the_pick_list_sums_what_the_orders_hold(counter: Counter, paul: User) -> None:
    orders = [await counter.order(POT, CUP), await counter.order(CUP)]
    async with counter.desk.signed_in(paul) as browser:
        ids = ",".join(order.id for order in orders)
        answer = await browser.client.get(f"{counter.desk.base}/print?ids={ids}&what=picks")
        (text,) = pages_of(answer.content)
        assert "5 units of 2 goods for 2 parcels" in text
        assert "CUP-1" in text


async def test_what_is_not_there_has_no_print(counter: Counter, paul: User) -> None:
    async with counter.desk.signed_in(paul) as browser:
        for query in ("?batch=bat_0", "?ids=ord_0", "?parcel=par_0"):
            assert (await browser.client.get(f"{counter.desk.base}/print{query}")).status_code == 404
        assert (await browser.client.get(f"{counter.desk.base}/batches/bat_0")).status_code == 404
        assert (await browser.client.get(f"{counter.desk.base}/scan/par_0")).status_code == 404


@pytest.mark.need(18)
@pytest.mark.need(19)
async def test_a_wrong_or_missing_item_keeps_the_label_back(counter: Counter, paul: User) -> None:
    await counter.settle({"buy": "manual", "paper": {"scan": "required"}})
    order = await counter.order(POT, CUP)
    parcel = counter.see(order.id).parcels[0].id
    async with counter.desk.signed_in(paul) as browser:
        await bought_batch(counter, browser)
        label = counter.see(order.id).parcels[0].label
        assert label is not None
        file = f"{counter.desk.base}/labels/{label.id}/file"
        assert "/scan/" in (await browser.client.get(file)).headers["location"]
        blocked = await browser.client.get(f"{counter.desk.base}/print?ids={order.id}&what=labels")
        assert "were not scanned yet" in blocked.text
        assert f"Scan order {order.name}" in blocked.text
        whole = await browser.client.get(f"{counter.desk.base}/print?ids={order.id}&what=all")
        assert "No label of these can be printed" in whole.text
        slip = await browser.client.get(f"{counter.desk.base}/print?ids={order.id}&what=slips")
        assert code_of(parcel) in pages_of(slip.content)[0]
        await browser.open(f"{counter.desk.base}/scan")
        page = await browser.follow(await browser.send({"code": code_of(parcel)}))
        assert "3 to scan" in page.text
        assert "autofocus" in page.text
        for scanned, said in (
            ("pot-1", "Tea pot: counted"),
            ("TEA-9", "Does not belong in this parcel: TEA-9"),
            ("POT-1", "One too many: Tea pot"),
            ("2*CUP-1", "Tea cup: counted"),
        ):
            page = await browser.follow(await browser.send({"do": "scan", "code": scanned}))
            assert said in page.text
        assert (await browser.client.get(file)).status_code == 303
        page = await browser.follow(await browser.send({"do": "scan", "code": "TEA-9"}))
        assert "Taken out: TEA-9" in page.text
        page = await browser.follow(await browser.send({"do": "scan", "code": "POT-1"}))
        assert f"Order {order.name} is complete" in page.text
        assert (await browser.client.get(file)).headers["content-type"] == "application/pdf"
        again = await browser.send({"code": code_of(parcel), "last": parcel})
        assert again.headers["location"] == file, "its slip once more prints its label"
        await browser.open(f"{counter.desk.base}/scan/{parcel}")
        assert (await browser.send({"do": "scan", "code": code_of(parcel)})).headers["location"] == file


@pytest.mark.need(18)
async def test_an_override_needs_a_reason_and_is_logged_with_the_person(counter: Counter, paul: User) -> None:
    await counter.settle({"buy": "manual", "paper": {"scan": "required"}})
    order = await counter.order(CUP)
    parcel = counter.see(order.id).parcels[0].id
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/scan/{parcel}")
        refused = await browser.send({"do": "override", "reason": " "})
        assert refused.status_code == 422
        await browser.open(f"{counter.desk.base}/scan/{parcel}")
        page = await browser.follow(await browser.send({"do": "override", "reason": "no barcode on the cups"}))
        assert "Released by hand" in page.text
        entries = counter.house.here(audit.entries, counter.desk.shop_id, subject=parcel)
        found = next(each for each in entries if each.action == "packing.override")
        assert found.actor == Actor("person", paul.id)
        assert found.detail["reason"] == "no barcode on the cups"


async def test_goods_without_a_code_are_counted_by_a_button(counter: Counter, paul: User) -> None:
    bare = replace(POT, sku="", variant_id="")
    order = await counter.order(bare)
    parcel = counter.see(order.id).parcels[0]
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/scan/{parcel.id}")
        assert "Count one Tea pot" in page.text
