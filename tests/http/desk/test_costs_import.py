"""Invoices given to the desk: looked at before anything is booked, booked once, for owners."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from carriers.money import Money
from connector.labels import amounts
from connector.labels.invoice_layouts import load_layout
from connector.labels.invoices import leftovers
from connector.storage import audit
from connector.storage.audit import Actor
from tests.http.desk.counter import Counter, counter_at
from tests.http.desk.world import Browser

pytestmark = pytest.mark.anyio
HEAD = "Tracking Number;Net Amount;Currency;Invoice Number;Charge Description\n"


@pytest.fixture
async def counter(
    steady_data: Path, tmp_path: Path, house_settings: Callable[[Path], dict[str, Any]]
) -> AsyncIterator[Counter]:
    """A counter where labels are bought by themselves."""
    async with counter_at(steady_data, tmp_path / "data", **house_settings(steady_data)) as found:
        yield found


async def bought(counter: Counter) -> tuple[str, str, Money]:
    """An order's id, the number of its label, and what that cost."""
    order = await counter.order()
    await counter.drain()
    label = counter.see(order.id).parcels[0].label
    assert label is not None
    assert label.booked_minor is not None
    return order.id, label.tracking_code, Money(label.booked_minor, "EUR")


def adjusted(counter: Counter, order_id: str) -> list[int]:
    entries = counter.house.here(amounts.of_order, counter.desk.shop_id, order_id)
    return [each.money.minor for each in entries if each.kind == "adjusted"]


async def look(browser: Browser, path: str, content: bytes, **fields: str) -> Any:
    """Give a file to be looked at; the page that answers."""
    await browser.open(path)
    typed = {"do": "check", "carrier": "", "amounts": ""} | fields
    browser.page = await browser.send(typed, path, files={"file": ("invoice.csv", content)})
    return browser.page


def form(page: str, do: str) -> dict[str, str]:
    """The hidden fields of the form that does it."""
    mine = next(each for each in page.split("<form ") if f'name="do" value="{do}"' in each)
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', mine)
    return {name: unescape(value) for name, value in found}


async def book(browser: Browser, path: str, **changes: str) -> Any:
    fields = form(browser.page.text, "book") | changes
    return await browser.send(fields, path, token=fields["_form"])


@pytest.mark.complaint(48)
async def test_a_file_is_looked_at_first_and_then_booked_once(counter: Counter) -> None:
    order_id, number, cost = await bought(counter)
    dearer = f"{(cost + Money(4321, 'EUR')).amount:f}"
    text = f"{HEAD}{number};{dearer};EUR;I-1;Weight\nNOBODY1;1.00;EUR;I-1;\nNOBODY2;ten;EUR;I-1;\n"
    path = f"{counter.desk.base}/costs/invoices"
    anna = counter.desk.add_user("anna@example.com", "owner")

    def done() -> list[audit.AuditEntry]:
        found = counter.house.here(audit.entries, counter.desk.shop_id)
        return [each for each in found if each.action == "invoice.imported"]

    async with counter.desk.signed_in(anna) as browser:
        assert path in (await browser.open(f"{counter.desk.base}/costs")).text
        page = (await look(browser, path, text.encode(), carrier="Parcel Co")).text
        for part in (number, "43.21 EUR", "NOBODY1", "No label has this number", "is not an amount", "NOBODY2"):
            assert (part in page) == (part != "NOBODY2"), part
        assert (adjusted(counter, order_id), counter.house.here(leftovers, counter.desk.shop_id)) == ([], [])
        assert done() == []
        first = form(page, "book")
        one = await browser.follow(await book(browser, path))
        assert adjusted(counter, order_id) == [4321]
        for part in ("43.21 EUR", "NOBODY1", "Lines that could not be read"):
            assert part in one.text, part
        again = await browser.send(first, path, token=first["_form"])
        assert (await browser.follow(again)).request.url.path == one.request.url.path
        await look(browser, path, text.encode(), carrier="Parcel Co")
        await browser.follow(await book(browser, path))
        assert adjusted(counter, order_id) == [4321]
        (later, earlier) = done()
        assert (earlier.actor, earlier.detail["booked"]) == (Actor("person", anna.id), 1)
        assert (later.subject, later.detail["known"], later.detail["left"]) == (earlier.subject, 1, 1)
        only = (await look(browser, path, f"{HEAD}{number};{dearer};EUR;I-1;Weight\n".encode())).text
        assert "Nothing in this file is new" in only
        history = (await browser.open(f"{counter.desk.base}/history")).text
        assert "Took in a carrier" in history
    kept = counter.house.here(load_layout, counter.desk.shop_id, "Parcel Co")
    assert kept is not None
    assert (kept.columns["amount"], kept.amounts) == ("Net Amount", "total")


async def test_columns_are_named_by_hand_and_kept_for_the_carriers_next_file(counter: Counter) -> None:
    order_id, number, cost = await bought(counter)
    path = f"{counter.desk.base}/costs/invoices"
    text = f"Parcel,Cents extra,Cause\n{number},2.50,Zone\n"
    anna = counter.desk.add_user("anna@example.com", "owner")
    async with counter.desk.signed_in(anna) as browser:
        answer = await look(browser, path, text.encode(), carrier="Odd", amounts="adjustment")
        assert answer.status_code == 422
        assert "Say which column holds the amount." in answer.text
        fields = form(answer.text, "check") | {"c_tracking": "Parcel", "c_amount": "Cents extra", "c_reason": "Cause"}
        fields |= {"amounts": "adjustment", "weight_unit": "lb", "size_unit": "in"}
        browser.page = await browser.send(fields, path, token=fields["_form"])
        assert browser.page.status_code == 200
        assert "2.50 EUR" in browser.page.text
        await browser.follow(await book(browser, path))
        assert adjusted(counter, order_id) == [250]
        whole = f"Parcel,Cents extra,Cause\n{number},{cost.amount:f},Fuel\n".encode()
        page = (await look(browser, path, whole, carrier="Odd")).text
        assert "Are they whole prices?" in page
        page = (await look(browser, path, whole.replace(number.encode(), b"T-9"), carrier="Odd")).text
        assert form(page, "book")["c_amount"] == "Cents extra"
        assert form(page, "book")["weight_unit"] == "lb"


async def test_a_file_that_is_no_table_changes_nothing_and_says_why(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    path = f"{counter.desk.base}/costs/invoices"
    cases = (
        (b"PK\x03\x04rest", "save it as CSV"),
        (b"%PDF-1.7", "no CSV file"),
        (b"tracking,amount\nT\x00,1\n", "no CSV file"),
        (b"", "Choose a file."),
        (b"tracking,amount\n" + b'"' + b"9" * 200_000, "no CSV table"),
    )
    async with counter.desk.signed_in(anna) as browser:
        for content, said in cases:
            answer = await look(browser, path, content)
            assert (answer.status_code, said in answer.text) == (422, True), said
        assert (await look(browser, path, b"tracking,amount\nT,1\n")).status_code == 200
        broken = await book(browser, path, held="AAAA")
        assert (broken.status_code, "Choose the file again." in broken.text) == (422, True)
        await browser.open(path)
        strange = await browser.send({"do": "check"}, path, headers={"origin": "https://evil.example"})
        assert strange.status_code == 403
        assert (await browser.send({"do": "steal"}, path)).status_code == 404
        files = {"file": ("x.csv", b"x" * 600_000)}
        assert (await browser.send({"do": "check"}, path, files=files)).status_code == 413
        await browser.open(f"{path}/invoice_unknown", 404)


async def test_a_packer_takes_no_invoice_in(counter: Counter) -> None:
    paul = counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")
    path = f"{counter.desk.base}/costs/invoices"
    async with counter.desk.signed_in(paul) as browser:
        assert (await browser.client.get(path)).status_code == 403
        assert (await browser.client.get(f"{path}/invoice_any")).status_code == 403
        sent = await browser.send({"do": "book"}, path, token="none")
        assert sent.status_code == 403
