"""Strategies for goods, cartons and rules, and the reference orders."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from hypothesis import strategies as st

from connector.packing.carton import NO_LIMITS, Carton, Limits, Oversize
from connector.packing.goods import UPRIGHT, Extents, Goods, Handling
from connector.packing.rules import Rules

EDGES = st.integers(5, 200)
SIZES = st.builds(Extents, EDGES, EDGES, EDGES)
PLAIN = st.builds(Handling)
HANDLINGS = st.builds(
    Handling,
    may_stand=st.sampled_from([(True, True, True), UPRIGHT, (True, False, True)]),
    bears=st.sampled_from([True, True, False]),
    alone=st.sampled_from([False, False, False, True]),
    own_box=st.sampled_from([False, False, False, True]),
    group=st.sampled_from(["", "", "food", "paint"]),
    nests_by=st.sampled_from([None, None, 1, 4]),
)


def goods(handlings: st.SearchStrategy[Handling] = HANDLINGS, most: int = 6) -> st.SearchStrategy[list[Goods]]:
    """Up to `most` sorts of goods."""
    one = st.tuples(st.integers(1, 12), SIZES, st.integers(0, 3000), handlings)
    return st.lists(one, min_size=1, max_size=most).map(
        lambda rows: [Goods(f"s{number}", *row) for number, row in enumerate(rows)]
    )


@st.composite
def _carton(draw: st.DrawFn) -> Carton:
    inner = Extents(*(draw(st.integers(60, 400)) for _ in range(3)))
    wall = draw(st.integers(0, 6))
    return Carton(
        draw(st.sampled_from("abcdef")),
        Extents(*(edge + wall for edge in inner)),
        inner,
        tare=draw(st.integers(0, 300)),
        max_gross=draw(st.sampled_from([None, 1000, 5000, 20_000])),
        padding=draw(st.sampled_from([0, 0, 5])),
        bulge=draw(st.sampled_from([None, None, 40])),
        in_stock=draw(st.sampled_from([True, True, True, False])),
    )


CARTONS = st.lists(_carton(), min_size=1, max_size=4)
RULES = st.builds(
    Rules,
    objective=st.sampled_from(["count", "billed"]),
    divisor=st.sampled_from([None, 4000, 5000]),
    rounding=st.sampled_from([1, 500]),
    support=st.sampled_from([0.0, 0.7, 1.0]),
    limits=st.sampled_from([NO_LIMITS, Limits(10_000, 500, 1500, (Oversize(300, least_billed=5000),))]),
    effort=st.sampled_from([1, 300, 3000]),
)


def reference_orders(folder: Path) -> dict[str, list[Goods]]:
    """The reference orders, one line an item: order, quantity, sku, width, length, depth, weight."""
    orders: dict[str, list[Goods]] = {}
    with gzip.open(folder / "packing" / "orders.csv.gz", "rt") as lines:
        for order, quantity, sku, width, length, depth, weight in csv.reader(lines):
            size = Extents(int(width), int(length), int(depth))
            orders.setdefault(order, []).append(Goods(sku, int(quantity), size, int(weight)))
    return orders


def reference_cartons(folder: Path) -> list[Carton]:
    """The four cartons of the reference orders."""
    with (folder / "packing" / "cartons.csv").open() as lines:
        return [
            Carton(row[0], Extents(*map(int, row[1:4])), Extents(*map(int, row[5:8])), int(row[4]), int(row[8]))
            for row in csv.reader(lines)
        ]
