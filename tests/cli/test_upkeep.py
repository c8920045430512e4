"""Upkeep by the command line: failed work, what needs a person, keys, the schema."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from connector.attention.board import need_person
from connector.settings import Settings
from connector.wiring import House, open_house
from connector.words.reason import Reason
from connector.work import failures
from connector.work.port import Task
from tests.cli.shell import Shell
from tests.cli.worlds import DOMAIN, Shop


def _in(shop: Shop) -> House:
    return open_house(Settings(data_dir=shop.folder))


def _fail(shop: Shop, state: failures.FailureState) -> str:
    house = _in(shop)
    try:
        task = Task("tracking.push", f"push:lab_1:{state}", shop.id, ("lab_1",), attempt=4)
        message = "Sandbox shop could not be reached."
        return house.here(failures.note, task, state, "StoreRetryable", message, house.clock.now()).id
    finally:
        house.close()


@pytest.mark.parametrize("state", ["waiting", "failed", "parked"])
def test_work_that_did_not_succeed_is_listed_and_tried_again(shop: Shop, state: failures.FailureState) -> None:
    failure_id = _fail(shop, state)
    (row,) = shop.shell.json("failed", "list")["failed"]
    assert (row["id"], row["state"], row["job"], row["args"]) == (failure_id, state, "tracking.push", ["lab_1"])
    assert (row["attempts"], row["error"]) == (4, "StoreRetryable")
    again = shop.shell.json("failed", "retry", failure_id)
    assert (again["state"], again["worker"]) == ("retried", False)
    assert shop.shell.json("failed", "list") == {"failed": []}


def test_a_retry_without_a_worker_says_so(shop: Shop) -> None:
    assert "once a worker runs; none does now" in shop.shell.ok("failed", "retry", _fail(shop, "failed"))


def test_unknown_failed_work_is_refused(steady_shop: Shop) -> None:
    said = steady_shop.shell.refused("failed", "retry", "fail_none")
    assert said == "There is no failed work with this id. (fail_none)"


def test_nothing_is_said_calmly(steady_shop: Shop) -> None:
    assert steady_shop.shell.ok("failed", "list") == "No work has failed.\n"
    assert steady_shop.shell.ok("attention", DOMAIN) == "Nothing needs a person.\n"


def test_what_needs_a_person_is_listed_with_cause_and_cure(shop: Shop) -> None:
    house = _in(shop)
    try:
        house.here(need_person, shop.id, "par_1", Reason("quote_lost"), house.clock.now())
    finally:
        house.close()
    (matter,) = shop.shell.json("attention", DOMAIN)["matters"]
    assert (matter["subject"], matter["why"]["code"]) == ("par_1", "quote_lost")
    assert matter["cure"]
    assert matter["order"] is None  # There is no such parcel.
    text = shop.shell.ok("attention", shop.id)
    assert matter["why"]["text"] in text
    assert matter["cure"] in text


def test_a_new_key_seals_everything_and_the_old_one_is_not_needed_any_more(shop: Shop) -> None:
    old = (shop.folder / "waybill.key").read_text().strip()
    new = shop.shell.json("keys", "new")["key"]
    assert len(base64.urlsafe_b64decode(new)) == 32
    assert "does not open" in shop.shell.refused("shop", "list", keys=new)
    counted = shop.shell.json("keys", "rotate", keys=f"{new},{old}")
    assert counted["values"] > 0
    assert len(shop.shell.json("shop", "list", keys=new)["shops"]) == 1
    assert "does not open" in shop.shell.refused("shop", "list", keys=old)


def test_each_new_key_is_another(steady_shop: Shop) -> None:
    assert steady_shop.shell.json("keys", "new") != steady_shop.shell.json("keys", "new")


def test_the_schema_is_made_once_and_then_left_alone(shell: Shell) -> None:
    assert [shell.json("migrate") for _ in range(2)] == [{"schema": "current"}] * 2


def test_commands_make_the_schema_of_a_fresh_database_themselves(shell: Shell) -> None:
    assert shell.json("failed", "list") == {"failed": []}


@pytest.mark.parametrize("args", [("shop", "list"), ("failed", "list"), ("serve",), ("work",)])
def test_a_newer_release_s_schema_is_refused_by_name(shell: Shell, tmp_path: Path, args: tuple[str, ...]) -> None:
    shell.ok("migrate")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "waybill.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    result = shell.run(*args)
    assert result.exit_code == (1 if len(args) == 2 else 78), result.output
    assert "belongs to a newer release" in result.output


@pytest.mark.parametrize("args", [("shop", "list"), ("failed", "list"), ("migrate",), ("order", "show", "s", "1")])
def test_a_database_that_does_not_answer_is_one_line_without_its_password(shell: Shell, args: tuple[str, ...]) -> None:
    said = shell.refused(*args, database_url="postgresql://waybill:canary@127.0.0.1:1/waybill")
    assert said.startswith("The database does not answer; see WAYBILL_DATABASE_URL")
    assert "canary" not in said


@pytest.mark.parametrize(
    ("variable", "value"),
    [("port", "no port"), ("keys", "canary"), ("prt", "8080"), ("database_url", "mysql://canary@x/y")],
)
@pytest.mark.parametrize(("args", "code"), [(("up",), 78), (("migrate",), 78), (("shop", "list"), 1)])
def test_a_wrong_variable_is_named_and_not_repeated(
    shell: Shell, variable: str, value: str, args: tuple[str, ...], code: int
) -> None:
    said = shell.refused(*args, code=code, **{variable: value})
    assert f"WAYBILL_{variable.upper()}" in said
    assert "canary" not in said
    assert shell.json(*args, code=code, **{variable: value})["error"]["message"]


def test_misuse_is_one_line_that_names_the_help(shell: Shell) -> None:
    assert (
        shell.refused("label", "bye", code=2)
        == "No such command 'bye'. Did you mean 'buy'? See `waybill label --help`."
    )
    assert "See `waybill order show --help`." in shell.refused("order", "show", code=2)
    assert json.loads(shell.run("order", "show", "--json").stdout)["error"]["detail"] == "shop"


def test_a_group_without_a_command_shows_its_help(shell: Shell) -> None:
    result = shell.run("label")
    assert result.exit_code == 2
    assert "Usage: waybill label" in result.stdout
