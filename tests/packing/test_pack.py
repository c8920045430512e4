"""The packer, judged by the checker: every rule, for whatever goods, cartons and rules come."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from connector.packing.carton import Carton
from connector.packing.goods import Goods
from connector.packing.pack import pack
from connector.packing.rules import Rules
from tests.packing.checker import faults
from tests.packing.worlds import CARTONS, RULES, goods, reference_cartons, reference_orders


@pytest.mark.need(14)
@pytest.mark.need(15)
@given(goods(), CARTONS, RULES)
@settings(max_examples=150, deadline=None)
def test_no_rule_is_ever_broken(ordered: list[Goods], cartons: list[Carton], rules: Rules) -> None:
    assert faults(ordered, cartons, rules, pack(ordered, cartons, rules)) == []


@given(goods(), CARTONS, RULES)
@settings(max_examples=40, deadline=None)
def test_the_same_cart_is_packed_the_same_way(ordered: list[Goods], cartons: list[Carton], rules: Rules) -> None:
    assert pack(ordered, cartons, rules) == pack(list(ordered), list(cartons), rules)


@pytest.mark.need(13)
@pytest.mark.parametrize("objective", ["count", "billed"])
def test_real_orders_are_packed_soundly_and_no_worse_than_known(reference: Path, objective: str) -> None:
    cartons = reference_cartons(reference)
    rules = Rules(objective="count" if objective == "count" else "billed")
    for number, (order, ordered) in enumerate(reference_orders(reference).items()):
        if number % 12:
            continue
        packing = pack(ordered, cartons, rules)
        assert packing.left == ()
        assert faults(ordered, cartons, rules, packing) == [], order
