"""A database of each release that was: this release brings it to its schema, reads all of it, and ends its work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, types

from connector.storage.database import open_database
from connector.storage.migrate import building, import_rooms, schema_state
from tests.kept.kept import Kept, on_postgres, unpack

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """What 0.1.0 left behind, on each database in turn."""
    found = unpack(tmp_path / "kept")
    return found if request.param == "sqlite" else on_postgres(found, request.getfixturevalue("postgres_url"))


def test_what_0_1_0_left_is_read_and_its_work_ends_once(kept: Kept) -> None:
    """Quotes are explained and replayed; orders that were on their way get one label; the unclear purchase is found."""
    with kept.here() as shell:
        assert shell.json("migrate")["schema"] == "current"
        for outcome, quote_id in kept.rows("SELECT outcome, min(id) FROM quotes GROUP BY shop_id, outcome"):
            assert shell.json("quote", "explain", quote_id)["outcome"] == outcome
            again = json.loads(shell.run("quote", "replay", quote_id, "--json").stdout)
            assert again["same"] or any("version 3 of the decision" in each for each in again["changes"]), again
        for name in ("delivered", "travels", "bought", "refused", "risky", "cancelled"):
            order = shell.json("order", "show", kept.tea, kept.notes["orders"][name])
            assert order["parcels"], name
        (label,) = order_parcels(shell.json("order", "show", kept.tea, kept.notes["orders"]["bought"]))
        saved = shell.json("label", "save", label["id"], "--out", str(kept.folder))
        assert Path(saved["files"][0]).read_bytes().startswith(b"%PDF-")
        assert {each["state"] for each in shell.json("failed", "list")["failed"]} >= {"failed", "parked"}
    wanted = {order: ["bought"] for order in (*kept.in_flight, kept.notes["orders"]["unclear"])}
    before = kept.sold()
    with kept.running("work"):
        kept.until(lambda: kept.states(*wanted) == wanted, "every order that was on its way to have its label")
        told = "SELECT count(*) FROM trackings WHERE fulfil_state <> 'done' AND fulfil_state <> 'cancelled'"
        kept.until(lambda: kept.rows(told) == [(0,)], "the store to hear of all")
    sold = kept.sold()
    assert {town: sold[town] for town in before} == before
    assert {town: count for town, count in sold.items() if town.startswith("Kept")} == {
        **{f"Kept Town {number}": 1 for number in range(6)},
        "Kept Village": 1,
    }
    assert sold["SANDBOX-LOST-ANSWER"] == 1
    assert kept.fulfilments(*wanted) == [1] * len(wanted)


def order_parcels(order: dict[str, Any]) -> list[dict[str, Any]]:
    """The parcels of an order as the command line shows it."""
    found: list[dict[str, Any]] = order["parcels"]
    return found


def test_the_release_before_goes_on_beside_the_new_schema(database_url: str) -> None:
    """Expand only: every column of 0001 is there as it was, and what is new may be left out of an insert."""
    import_rooms()
    database = open_database(database_url, pool_size=2)
    try:
        with building(database) as made:
            made.upgrade("0001")
            before = _columns(made.connection)
            made.upgrade()
            after = _columns(made.connection)
    finally:
        database.close()
    assert schema_is_current(database_url)
    for table, columns in before.items():
        assert table in after, f"{table} is gone"
        for name, (kind, nullable) in columns.items():
            assert name in after[table], f"{table}.{name} is gone"
            now, now_nullable = after[table][name][:2]
            assert now_nullable or not nullable, f"{table}.{name} does not take null any more"
            assert _takes(now, kind), f"{table}.{name} was {kind}, is {now}"
        for name in after[table].keys() - columns.keys():
            _, nullable = after[table][name]
            assert nullable, f"{table}.{name} is new, and the release before does not fill it"


def schema_is_current(url: str) -> bool:
    database = open_database(url, pool_size=1)
    try:
        return schema_state(database) == "current"
    finally:
        database.close()


def _columns(connection: Connection) -> dict[str, dict[str, tuple[types.TypeEngine[Any], bool]]]:
    """Each table's columns: type, and whether an insert may leave it out."""
    inspector = inspect(connection)
    inspector.clear_cache()
    return {
        table: {
            column["name"]: (column["type"], column["nullable"] or column["default"] is not None)
            for column in inspector.get_columns(table)
        }
        for table in inspector.get_table_names()
    }


def _takes(now: types.TypeEngine[Any], before: types.TypeEngine[Any]) -> bool:
    """The same kind of value, and none that was short enough is too long."""
    length, old = getattr(now, "length", None), getattr(before, "length", None)
    wide_enough = length is None or (old is not None and length >= old)
    return wide_enough and (now._type_affinity is before._type_affinity)
