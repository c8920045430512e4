"""Past orders from an export of the store's admin."""

from __future__ import annotations

import pytest

from carriers.address import Address
from carriers.money import Money
from connector.insight.order_csv import OrderTableError, read_orders

HEAD = (
    "Name,Email,Currency,Subtotal,Shipping,Created at,Cancelled at,Shipping Method,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem sku,Lineitem requires shipping,Shipping Name,Shipping Zip,Shipping Province,"
    "Shipping City,Shipping Country"
)
FIRST = "#1001,a@b.example,EUR,40.00,4.90,2026-10-02 10:00:00 +0200,,Standard,2,Mug,12.90,MUG,true,Ada,'1010,9,Wien,AT"
MORE = "#1001,a@b.example,,,,,,,1,Pot,24.50,POT,true,,,,,"


def test_lines_of_one_name_are_one_order_and_nobody_is_named_in_it() -> None:
    (order,) = read_orders([HEAD, FIRST, MORE])
    assert [(line.quantity, line.price, line.sku) for line in order.cart.lines] == [
        (2, Money(1290, "EUR"), "MUG"),
        (1, Money(2450, "EUR"), "POT"),
    ]
    assert order.charged == Money(490, "EUR")
    assert order.shipping_title == "Standard"
    assert order.cart.destination == Address("AT", "1010", "9", "Wien")
    totals = order.cart.totals
    assert totals is not None
    assert (totals.subtotal, totals.discount, totals.total) == (
        Money(5030, "EUR"),
        Money(1030, "EUR"),
        Money(4000, "EUR"),
    )
    assert order.placed_at.isoformat() == "2026-10-02T10:00:00+02:00"
    assert "Ada" not in repr(order)
    assert "a@b" not in repr(order)


def test_cancelled_orders_and_those_that_need_no_shipping_are_left_out() -> None:
    cancelled = FIRST.replace("#1001", "#1").replace(",,Standard", ",2026-10-03 10:00:00 +0200,Standard")
    digital = FIRST.replace("#1001", "#2").replace("true", "false")
    assert [order.name for order in read_orders([HEAD, cancelled, digital, FIRST])] == ["#1001"]


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        (",2,Mug", ",two,Mug", "line 2: Lineitem quantity"),
        (",2,Mug", ",0,Mug", "line 2: Lineitem quantity"),
        ("12.90", "12,90x", "line 2: Lineitem price"),
        ("4.90", "-4.90", "line 2: Shipping"),
        ("2026-10-02", "yesterday", "line 2: Created at"),
    ],
)
def test_a_wrong_field_is_named_by_line_and_column(before: str, after: str, detail: str) -> None:
    broken = FIRST.replace(before, f'"{after}"' if before == "12.90" else after)
    with pytest.raises(OrderTableError) as refused:
        list(read_orders([HEAD, broken]))
    assert refused.value.detail == detail


def test_a_file_without_a_needed_column_is_refused_by_its_name() -> None:
    with pytest.raises(OrderTableError) as refused:
        list(read_orders(["Name,Total", "#1,5"]))
    assert refused.value.detail == "Currency"
