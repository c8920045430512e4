"""`waybill pack`: tables in, a line an order out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell, shell_in

CARTONS = "small,105,105,105,50,100,100,100,5000\nlarge,210,210,210,150,200,200,200,9000\n"
ITEMS = "o1,2,cube,90,90,90,400\no2,1,rod,10,10,500,100\no1,1,die,9,9,9,5\no2,1,cube,90,90,90,400\n"
THPACK = "2\n 1 5\n 10 10 10\n 1\n 1 5 1 5 1 5 1 9\n 2 6\n 10 10 10\n 1\n 4 10 0 10 0 4 1 3\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_in(tmp_path)


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, ...]:
    """The options that name a table of cartons and one of items."""
    (tmp_path / "cartons.csv").write_text(CARTONS)
    (tmp_path / "items.csv").write_text(ITEMS)
    return ("pack", "--cartons", str(tmp_path / "cartons.csv"), "--items", str(tmp_path / "items.csv"))


def objects(shell: Shell, *args: str) -> list[dict[str, Any]]:
    """One object a line."""
    return [json.loads(line) for line in shell.ok(*args, "--json").splitlines()]


def test_each_order_is_one_line_with_the_place_of_every_unit(shell: Shell, tables: tuple[str, ...]) -> None:
    first, second = objects(shell, *tables)
    assert (first["order"], second["order"]) == ("o1", "o2")
    assert first["unpacked"] == []
    (carton,) = first["cartons"]
    assert (carton["carton"], carton["gross_weight"], carton["billed_weight"]) == ("large", 955, 1853)
    assert sorted(item["sku"] for item in carton["items"]) == ["cube", "cube", "die"]
    assert set(carton["items"][0]) == {"sku", "x", "y", "z", "width", "length", "depth"}
    assert first["steps"] > 0
    assert first["ms"] > 0


def test_what_fits_nothing_is_named_with_the_reason(shell: Shell, tables: tuple[str, ...]) -> None:
    _, second = objects(shell, *tables)
    assert len(second["cartons"]) == 1
    (unpacked,) = second["unpacked"]
    assert unpacked["sku"] == "rod"
    assert "300 mm too large" in unpacked["reason"]
    assert "Not packed, 1: rod fits no carton" in shell.ok(*tables)


def test_the_least_billed_weight_may_take_more_cartons(shell: Shell, tables: tuple[str, ...]) -> None:
    first, _ = objects(shell, *tables, "--objective", "billed", "--divisor", "5000")
    assert sum(carton["billed_weight"] for carton in first["cartons"]) == 905
    assert [carton["carton"] for carton in first["cartons"]] == ["small", "small"]


def test_a_compressed_table_is_read_too(shell: Shell, tables: tuple[str, ...], tmp_path: Path) -> None:
    packed = tmp_path / "items.csv.gz"
    packed.write_bytes(gzip.compress(ITEMS.encode()))
    same = [{**line, "ms": 0} for line in objects(shell, *tables)]
    assert [{**line, "ms": 0} for line in objects(shell, *tables[:-1], str(packed))] == same
    packed.write_bytes(gzip.compress(ITEMS.encode())[:-9])
    assert shell.refused(*tables[:-1], str(packed)) == "items.csv.gz is not a whole gzip file."


def test_pictures_and_reasons_are_given_on_request(shell: Shell, tables: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    text = shell.ok(*tables, "--svg", str(folder), "--why")
    assert "Not small: " in text
    assert "1. 2 x cube on the floor" in text
    assert sorted(file.name for file in folder.iterdir()) == ["o1-1.svg", "o2-1.svg"]
    assert "why" in objects(shell, *tables, "--why")[0]["cartons"][0]


def test_an_orders_name_cannot_lead_out_of_the_folder(shell: Shell, tables: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("../../evil,1,cube,9,9,9,5\n")
    shell.ok(*tables, "--svg", str(tmp_path / "svg"))
    (file,) = (tmp_path / "svg").iterdir()
    assert file.name.endswith("evil-1.svg")


def test_a_container_is_loaded_for_each_instance(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(THPACK)
    first, second = objects(shell, "pack", "--thpack", str(tmp_path / "t.txt"), "--support", "1")
    assert (first["instance"], first["fill"], len(first["items"])) == (1, 1.0, 8)
    assert (second["instance"], second["fill"], len(second["items"])) == (2, 0.8, 2)
    assert {(item["width"], item["length"], item["depth"]) for item in second["items"]} == {(10, 10, 4)}
    assert "80.00% full with 2 units" in shell.ok("pack", "--thpack", str(tmp_path / "t.txt"))


def test_a_table_that_cannot_be_is_refused_by_line_and_field(
    shell: Shell, tables: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "items.csv").write_text(ITEMS + "o3,1,x,10,0,10,5\n")
    said = shell.json(*tables, code=1)
    assert said["error"]["message"] == "Line 5, length: The length must be 1 to 20000 mm, not 0."
    (tmp_path / "items.csv").write_bytes(b"\xff\xfe\xfa")
    assert shell.refused(*tables) == "items.csv is not text in UTF-8."


def test_options_that_do_not_go_together_are_misuse(shell: Shell, tables: tuple[str, ...]) -> None:
    shell.refused("pack", code=2)
    shell.refused(*tables, "--thpack", "x", code=2)
    shell.refused(*tables, "--divisor", "0", code=2)
    shell.refused(*tables[:-1], "nowhere.csv")
