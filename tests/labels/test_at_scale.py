"""The fault run, the year and the shuffled answers, each in small: what `scripts/faults labels` does at scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from bench._label_rates import shuffled_answers
from bench._label_storm import storm
from bench._label_year import live_a_year
from connector.insight.ledger_check import check
from connector.labels.amounts import entries
from connector.storage.database import Database


@pytest.mark.usefixtures("reference")
def test_what_is_bought_is_what_was_intended_among_equal_names_in_any_order() -> None:
    found = shuffled_answers(20, seed=5)
    assert found["violations"] == []
    assert found["bought_as_intended"] == found["equal_names_at_other_prices"] == 20


@pytest.mark.usefixtures("reference")
def test_a_sale_by_name_and_not_by_the_posted_id_is_found_out() -> None:
    def by_name(shipment: dict[str, Any], posted: str) -> str:
        names: dict[str, tuple[str, str]] = {
            rate["id"]: (rate["carrier"], rate["service"]) for rate in shipment["rates"]
        }
        return next(each for each in names if names[each] == names[posted])

    found = shuffled_answers(20, seed=5, sell=by_name)
    assert found["bought_as_intended"] < 20
    assert "instead of" in found["violations"][0]


@pytest.mark.complaint(1, 10)
def test_purchases_with_a_fault_each_are_charged_once_and_end(tmp_path: Path) -> None:
    found = anyio.run(storm, "sqlite", 12, 4, tmp_path, 10.0)
    assert found.violations == []
    assert sum(found.ends.values()) == 12


@pytest.mark.need(50)
def test_the_ledger_of_a_random_time_ties_to_the_cent(database: Database) -> None:
    year = live_a_year(database, 120, seed=9)
    found = database.run_here(check, year.shop_id)
    assert found.gaps == ()
    assert year.compare(found) == []


def test_an_amount_that_was_changed_does_not_tie(database: Database) -> None:
    year = live_a_year(database, 30, seed=2)
    change = entries.update(year.shop_id).where(entries.c.kind == "bought").values(minor=entries.c.minor + 1)
    database.run_here(lambda connection: connection.execute(change))
    assert {gap.what.code for gap in database.run_here(check, year.shop_id).gaps} == {"ledger_bought"}
