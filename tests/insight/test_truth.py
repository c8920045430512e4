"""What shipping really cost: the report's figures from a handful of orders, counted by hand. Pure."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from connector.insight import cost_csv, cost_picture
from connector.insight.gaps import Attribution
from connector.insight.truth import OrderCost, quantile, report

DAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def order(
    name: str, charged: int, bought: int | None, invoiced: int | None = None, *gaps: Attribution, days: int = 0
) -> OrderCost:
    cost, billed = (None if minor is None else eur(minor) for minor in (bought, invoiced))
    return OrderCost(f"ord_{name}", name, DAY - timedelta(days=days), eur(charged), eur(500), cost, billed, gaps)


ORDERS = [
    order("#1", 700, 650, 650),
    order("#2", 700, 700, 1000, Attribution((("dimensions", 250), ("surcharge", 50)))),
    order("#3", 0, 600, None, Attribution((("stand_in", 100),)), days=8),
    order("#4", 900, None),
]


@pytest.mark.complaint(48, 49)
def test_the_report_adds_up_what_is_known() -> None:
    found = report(ORDERS, "EUR", eur(200))
    assert (found.known, found.invoiced) == (3, 2)
    assert (found.charged, found.bought, found.billed) == (eur(1400), eur(1950), eur(2250))
    assert (found.losing, found.losing_permille) == (2, 666)
    assert (found.median_loss, found.p90_loss) == (eur(-50), eur(300))
    assert found.causes == (("dimensions", 1, eur(250)), ("surcharge", 1, eur(50)), ("stand_in", 1, eur(100)))
    assert [(each.since, each.orders, each.cost) for each in found.periods] == [
        (date(2026, 11, 9), 1, eur(600)),
        (date(2026, 11, 23), 2, eur(1650)),
    ]


def test_an_order_is_lost_for_its_largest_cause() -> None:
    assert ORDERS[1].main_cause == "dimensions"
    assert ORDERS[0].main_cause is None


def test_half_a_year_and_more_is_shown_by_months() -> None:
    found = report([order("#1", 1, 1), order("#2", 1, 1, days=200)], "EUR", eur(0))
    assert [each.since.day for each in found.periods] == [1, 1]


def test_of_nothing_nothing_is_said() -> None:
    found = report([], "EUR", eur(0))
    assert (found.median_loss, found.losing_permille, found.periods) == (None, 0, ())


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(1, 1000))
def test_so_many_of_a_thousand_do_not_pass_the_quantile(losses: list[int], permille: int) -> None:
    at = quantile(sorted(losses), permille, "EUR")
    assert at is not None
    assert sum(loss <= at.minor for loss in losses) * 1000 >= len(losses) * permille
    assert sum(loss < at.minor for loss in losses) * 1000 < len(losses) * permille


def test_the_table_has_a_line_for_each_order() -> None:
    out = io.StringIO()
    csv.writer(out).writerows(cost_csv.rows(report(ORDERS, "EUR", eur(0))))
    lines = list(csv.reader(io.StringIO(out.getvalue())))
    assert ["#2", "2026-11-23", "EUR", "5.00", "7.00", "7.00", "10.00", "3.00", "dimensions"] in [
        row[:9] for row in lines
    ]
    assert [row[5:8] for row in lines if row[0] == "#4"] == [["", "", ""]]


def test_the_picture_is_an_image_that_can_be_read_aloud() -> None:
    drawn = ET.fromstring(cost_picture.draw(report(ORDERS, "EUR", eur(0)).periods, "Paid & cost"))  # noqa: S314
    assert drawn.attrib["role"] == "img"
    assert drawn[0].text == "Paid & cost"
    assert len([each for each in drawn if each.tag.endswith("rect")]) == 4
