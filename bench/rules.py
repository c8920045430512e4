"""Rules: 200 of them on a cart of 50 lines, and 50 of them for twelve services as a quote evaluates them.

Times are CPU time of this process (`time.process_time`), the median of several rounds, because other work may share the
cores. Each is also given as a ratio to a floor of the same run: a million additions in a loop. JSON lines: name, value,
unit, bar (what it must stay below), holds, ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from carriers.money import Money
from connector.rules.compiled import compile_rules
from connector.rules.engine import evaluate
from connector.rules.facts import CallFacts, CartSums, Destination, LineFacts, ParcelFacts, Priced
from connector.rules.ruleset import RuleSet

_ROUNDS, _TIMES = 7, 40
_NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    given = parser.parse_args(arguments)
    floor = _measured(lambda: _loop(), 1)
    for name, rules, lines, bar in (("rules_200_on_50_lines", 200, 50, 2.0), ("rules_50_in_a_quote", 50, 5, 0.2)):
        for kind, making in (("some apply", _mixed), ("all apply", _applying)):
            ready, call, services = compile_rules(_rules(rules, making)), _call(lines), _services()
            took = _measured(lambda each=(ready, call, services): evaluate(*each), _TIMES)
            _say(given.json, f"{name}, {kind}", took, bar, took / floor)
    body = _rules(200, _mixed).model_dump(mode="json")
    took = _measured(lambda: compile_rules(RuleSet.model_validate(body)), 1)
    _say(given.json, "reading and compiling 200 rules", took, 200.0, took / floor)


def _say(as_json: bool, name: str, value: float, bar: float, ratio: float) -> None:
    said = {
        "name": name,
        "value": round(value, 4),
        "unit": "ms",
        "bar": bar,
        "holds": value < bar,
        "ratio": round(ratio, 4),
    }
    print(json.dumps(said) if as_json else f"{name}: {value:.3f} ms (bar {bar} ms, {ratio:.4f} of the floor)")


def _measured(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU that it takes once."""
    work()
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - began) * 1000 / times)
    return median(found)


def _loop() -> int:
    total = 0
    for number in range(1_000_000):
        total += number
    return total


def _rules(count: int, making: Callable[[int], dict[str, Any]]) -> RuleSet:
    rules = [{"name": f"rule {number}", **making(number)} for number in range(count)]
    return RuleSet.model_validate({"rules": rules})


def _mixed(number: int) -> dict[str, Any]:
    """As shops have them: by place, goods, value, weight, carrier, class and time; most do not apply to one call."""
    conditions: list[list[dict[str, Any]]] = [
        [{"kind": "country_in", "countries": ["AT", "DE"] if number % 2 else ["FR"]}],
        [{"kind": "items", "items": {"tags": [f"tag{number % 40}"]}}, {"kind": "carrier_in", "carriers": ["Post"]}],
        [
            {
                "kind": "subtotal_at_least",
                "amount": str(number),
                "currency": "EUR",
                "items": {"vendors": [f"v{number % 7}"]},
            }
        ],
        [{"kind": "weight", "at_least_g": number * 100}, {"kind": "service_class_in", "classes": ["express"]}],
        [{"kind": "postal_code_in", "country": "AT", "patterns": [f"{number % 90 + 10}*", "9000..9999"]}],
        [{"kind": "quantity", "at_most": number}, {"kind": "transit_days", "at_most": 3}],
        [
            {"kind": "weekday_in", "days": ["mon", "tue"]},
            {"kind": "price", "below": str(number + 1), "currency": "EUR"},
        ],
        [
            {
                "kind": "any",
                "conditions": [{"kind": "po_box"}, {"kind": "items", "items": {"skus": [f"SKU-{number}", "X*"]}}],
            }
        ],
    ]
    return {"when": conditions[number % len(conditions)], "then": [_action(number)]}


def _applying(number: int) -> dict[str, Any]:
    return {"then": [_action(number)]} if number % 2 else {"when": [_OF_POST], "then": [_action(number)]}


_OF_POST = {"kind": "carrier_in", "carriers": ["Post"]}


def _action(number: int) -> dict[str, Any]:
    actions: list[dict[str, Any]] = [
        {"kind": "percent_change", "percent": "1.5"},
        {"kind": "fixed_change", "amount": "0.10", "currency": "EUR"},
        {"kind": "round", "ending": "0.90"},
        {"kind": "percent_change", "percent": "-1", "floor": "1.00", "currency": "EUR"},
    ]
    return actions[number % len(actions)]


def _call(lines: int) -> CallFacts:
    cart = tuple(
        LineFacts(
            number % 3 + 1, 995, 300, f"SKU-{number}", "Thing", str(number), str(number // 2), f"v{number % 9}",
            frozenset({f"tag{number % 60}", "all"}), frozenset({f"c{number % 5}"}),
        )
        for number in range(lines)
    )  # fmt: skip
    whole = sum(line.value for line in cart)
    place = Destination("AT", "9", "Wien", "1010")
    return CallFacts("EUR", cart, CartSums(whole, 500), place, "loc_1", now=_NOW, parcels=(ParcelFacts(9000),))


def _services() -> list[Priced]:
    classes = ("economy", "standard", "express")
    return [
        Priced(
            code=f"s{number}",
            price=Money(500 + 150 * number, "EUR"),
            carrier="Post" if number % 2 else "Wing",
            service=f"S{number}",
            account_id="acc",
            service_class=classes[number % 3],
            transit_days=number % 6 + 1,
        )
        for number in range(12)
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
