"""`waybill shop check` names causes and cures, is short about a healthy shop, and ends with 1 if prices are stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from connector.settings import Settings
from connector.wiring import open_house
from tests.checkup.world import _worker
from tests.cli.shell import Shell, shell_in
from tests.cli.worlds import DOMAIN
from tests.docs.test_cli_doc import holds


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A sandbox shop that was connected a moment ago, and a worker that seems to run."""
    found = shell_in(tmp_path / "data")
    found.json("shop", "add", "sandbox", "--domain", DOMAIN)
    house = open_house(Settings(data_dir=tmp_path / "data"))

    def work(connection: Connection) -> None:
        _worker(connection, alive=True)

    house.here(work)
    house.close()
    return found


def test_a_new_shop_is_told_what_is_left_to_do_until_nothing_is(shell: Shell) -> None:
    result = shell.run("shop", "check", DOMAIN)
    assert result.exit_code == 1
    assert "Stops prices: Waybill's prices are switched off in this shop" in result.stdout
    assert "Stops prices: No carrier is connected to this shop" in result.stdout
    assert result.stdout.endswith(f"{DOMAIN}: buyers do not see all prices. 5 other checks passed.\n")
    shell.json("carrier", "add", DOMAIN, "sandbox")
    shell.json("shop", "on", DOMAIN)
    assert shell.ok("shop", "check", DOMAIN) == f"{DOMAIN}: All 8 checks passed, rates will show.\n"
    assert shell.ok("shop", "check", "--all") == f"{DOMAIN}: All 8 checks passed, rates will show.\n"


def test_the_fields_are_documented(shell: Shell) -> None:
    nowhere = ("--api-base", "http://127.0.0.1:9")
    shell.json("carrier", "add", DOMAIN, "easypost", *nowhere, api_key="EZTK1")
    said = shell.json("shop", "check", DOMAIN, code=1)
    (shop,) = said["shops"]
    assert [each["check"] for each in shop["not_made"]] == [f"account {_account(shell)}"]
    holds("waybill shop check", said)


def test_a_shop_or_all_has_to_be_named(shell: Shell) -> None:
    assert "--all" in shell.refused("shop", "check")
    assert "--all" in shell.refused("shop", "check", DOMAIN, "--all")
    assert shell.refused("shop", "check", "nope") == "There is no such shop. (nope)"


def test_there_is_nothing_to_check_before_the_first_shop(tmp_path: Path) -> None:
    assert shell_in(tmp_path / "data").ok("shop", "check", "--all") == "No shop is connected yet.\n"


def _account(shell: Shell) -> str:
    (shop,) = shell.json("shop", "list")["shops"]
    (account,) = shop["accounts"]
    return str(account["id"])
