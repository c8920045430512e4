"""The commands about who may use the desk."""

from __future__ import annotations

import pytest

from connector.settings import Settings
from connector.storage.logins import links, people
from connector.wiring import open_house
from tests.cli.shell import Shell, shell_in, started
from tests.cli.worlds import DOMAIN, Shop
from tests.docs.test_cli_doc import holds


def use(shop: Shop, url: str, name: str) -> None:
    """Open a link, as a browser would."""
    house = open_house(Settings(data_dir=shop.folder))
    try:
        token, now = url.rpartition("/")[2], house.clock.now()
        given = {"email": "anna@example.com", "name": name, "password_hash": "x"}
        house.here(links.use, house.keyring, token, **given, now=now)
    finally:
        house.close()


def test_people_come_by_links_and_go_by_command(shop: Shop) -> None:
    shell = shop.shell
    first = shell.json("user", "link")
    assert (first["kind"], first["hours"]) == ("first", 24)
    assert first["url"].startswith("http://127.0.0.1:8080/welcome/")
    use(shop, first["url"], "Anna")
    assert "user already" in shell.refused("user", "link")
    assert "--role" in shell.refused("user", "link", "--email", "paul@example.com")
    invited = shell.json("user", "link", "--email", "paul@example.com", "--role", "packer", "--shop", DOMAIN)
    assert invited["kind"] == "invite"
    use(shop, invited["url"], "Paul")
    listed = shell.json("user", "list")
    assert [(each["email"], each["roles"]) for each in listed["users"]] == [
        ("anna@example.com", [{"shop_id": None, "role": "owner"}]),
        ("paul@example.com", [{"shop_id": shop.id, "role": "packer"}]),
    ]
    known = shell.json("user", "link", "--email", "Paul@example.com")
    reset = shell.json("user", "reset", "paul@example.com")
    assert known["kind"] == reset["kind"] == "reset"
    removed = shell.json("user", "remove", "paul@example.com")
    assert removed["user_id"] == listed["users"][1]["id"]
    assert "only owner" in shell.refused("user", "remove", "anna@example.com")
    assert "no such person" in shell.refused("user", "reset", "nobody@example.com")
    holds("waybill user link", first)
    holds("waybill user list", listed)
    holds("waybill user reset", reset)
    holds("waybill user remove", removed)


def test_a_login_is_found_after_the_keys_were_rotated(shop: Shop) -> None:
    """The hash by which an address is found depends on the newest key."""
    use(shop, shop.shell.json("user", "link")["url"], "Anna")
    old = (shop.folder / "waybill.key").read_text().strip()
    new = shop.shell.json("keys", "new")["key"]
    both = shell_in(shop.folder, keys=f"{new},{old}")
    both.ok("keys", "rotate")
    assert both.json("user", "reset", "anna@example.com")["kind"] == "reset"
    house = open_house(Settings(data_dir=shop.folder, keys=(new,)))
    try:
        assert house.here(people.find_login, house.keyring, "anna@example.com") is not None
    finally:
        house.close()


@pytest.mark.slow
def test_the_first_start_says_how_to_get_in_and_shows_no_link(shell: Shell) -> None:
    with started(shell, "up", "--port", "0") as process:
        assert process.line().startswith("Waybill listens")
        assert process.line().endswith("`waybill user link` prints a link for the first person.")
        assert not any("/welcome/" in line for line in process.log)
