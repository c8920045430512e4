"""Every golden case has the price that was worked out by hand-written rules."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest
from carriers.rate_table import read_table
from carriers.rate_table.client import Table
from tests.carriers.rate_table.golden.rules import CASES, write_cases

ROWS = list(csv.DictReader(CASES.read_text(encoding="utf-8").splitlines()))


@cache
def table(name: str) -> Table:
    return read_table(CASES.with_name(f"{name}.csv").read_bytes())


def asked(row: dict[str, str]) -> RateRequest:
    parcels = []
    for each in row["parcels"].split("+"):
        grams, _, sides = each.partition("@")
        size = Size(*(int(side) for side in sides.split("x"))) if sides else None
        parcels.append(Parcel(Weight(int(grams)), size))
    return RateRequest(
        Address("SK", "811 01"),
        Address(row["country"], row["postal"], row["province"]),
        tuple(parcels),
        row["currency"],
        goods=Money.parse(row["subtotal"], row["currency"]) if row["subtotal"] else None,
        units=int(row["items"]) if row["items"] else None,
    )


def answer(row: dict[str, str]) -> str:
    """As the file writes it: services in the table's order, then why there is none."""
    prices = table(row["table"])
    priced, missing = prices.price(asked(row), date.fromisoformat(row["day"]))
    said = {
        each.service: f"{each.service} {each.price}{'' if each.days is None else f' {each.days}'}" for each in priced
    }
    said |= {each.service: f"{each.service} !{each.code}".strip() for each in missing}
    return "; ".join(said[name] for name in (*prices.services, "") if name in said)


@pytest.mark.complaint(19)
def test_there_are_at_least_200_cases_over_every_kind_of_zone_and_band() -> None:
    assert len(ROWS) >= 200
    assert {row["table"] for row in ROWS} == {"europe", "america", "crown", "counts"}


@pytest.mark.need(79)
@pytest.mark.complaint(19)
@pytest.mark.parametrize("name", ["europe", "america", "crown", "counts"])
def test_each_price_is_the_one_of_the_hand_written_rules(name: str) -> None:
    wrong = [
        f"{number}: {row['expected']!r}, and the table says {answer(row)!r}: {row}"
        for number, row in enumerate(ROWS, 2)
        if row["table"] == name and answer(row) != row["expected"]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_file_of_cases_is_what_the_rules_say(tmp_path: Path) -> None:
    again = tmp_path / "cases.csv"
    write_cases(again)
    assert again.read_bytes() == CASES.read_bytes()
