"""The figures of a rehearsal."""

from __future__ import annotations

import pytest

from carriers.money import Money
from connector.insight.rehearsed import Rehearsed, band, report
from connector.words.reason import Reason


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def order(
    name: str = "#1",
    charged: int = 500,
    cost: int | None = 700,
    country: str = "SK",
    grams: int = 900,
    goods: int = 4500,
) -> Rehearsed:
    why = Reason("no_carrier_serves") if cost is None else None
    return Rehearsed(
        name, country, "811 01", grams, eur(goods), eur(charged), None if cost is None else eur(cost), why=why
    )


def test_what_was_paid_and_what_labels_cost_is_summed_over_priced_orders_alone() -> None:
    found = report([order(), order(charged=900), order(charged=10_000, cost=None)], "EUR", [])
    assert (found.orders, found.priced, found.losing) == (3, 2, 1)
    assert (found.charged, found.cost, found.left) == (eur(1400), eur(1400), eur(0))


def test_destinations_are_told_by_how_often_and_weights_from_light_to_heavy() -> None:
    found = report(
        [order(country="AT", grams=400), order(grams=31_000), order(charged=1000, grams=12_000), order(grams=500)],
        "EUR",
        [],
    )
    assert [(group.key, group.orders, group.left) for group in found.by_country] == [
        ("SK", 3, eur(-100)),
        ("AT", 1, eur(-200)),
    ]
    assert [group.key for group in found.by_weight] == ["0-0.5 kg", "10-20 kg", "over 30 kg"]


def test_the_ten_worst_orders_come_worst_first_and_none_that_lost_nothing() -> None:
    orders = [order(f"#{number}", charged=number * 100, cost=800) for number in range(15)]
    found = report(orders, "EUR", [])
    assert [each.name for each in found.worst] == [f"#{number}" for number in range(8)]
    assert len(report(orders * 2, "EUR", []).worst) == 10


def test_a_country_without_a_price_is_named_with_its_most_frequent_reason() -> None:
    other = Rehearsed("#9", "SK", "", 1, eur(1), eur(1), None, why=Reason("no_prices"))
    found = report([order(cost=None), order(cost=None), other, order(), order(country="AT")], "EUR", [])
    ((zone),) = found.dead_zones
    assert (zone.country, zone.orders, zone.of, zone.why.code) == ("SK", 3, 4, "no_carrier_serves")


@pytest.mark.parametrize(("limit", "free"), [(4499, 2), (4500, 2), (4501, 1), (9000, 1), (9001, 0)])
def test_a_threshold_counts_what_it_makes_free_from_the_amount_on(limit: int, free: int) -> None:
    found = report(
        [order(goods=4500), order(goods=9000, charged=300), order(goods=9000, cost=None)], "EUR", [eur(limit)]
    )
    (threshold,) = found.thresholds
    assert threshold.free_orders == free
    assert threshold.labels == eur(700 * free)
    assert threshold.income_lost == eur({2: 800, 1: 300, 0: 0}[free])


def test_an_order_in_another_currency_is_counted_and_left_out() -> None:
    other = Rehearsed("#9", "US", "", 1, Money(1, "USD"), Money(1, "USD"), None)
    found = report([order(), other], "EUR", [])
    assert (found.orders, found.other_currency, found.dead_zones) == (1, 1, ())


@pytest.mark.parametrize(
    ("grams", "name"),
    [(0, "0-0.5 kg"), (500, "0-0.5 kg"), (501, "0.5-1 kg"), (30_000, "20-30 kg"), (30_001, "over 30 kg")],
)
def test_weight_bands_hold_their_upper_end(grams: int, name: str) -> None:
    assert band(grams) == name
