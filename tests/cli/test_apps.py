"""Registering an app, and writing what Shopify must know of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from connector.stores.shopify.app_config import COMPLIANCE, REASONS, app_config
from connector.stores.shopify.queries import SCOPES
from tests.cli.shell import Shell

SECRET = "shpss_canary0123456789canary0123456789"
URL = "https://ship.example.com"


def add(shell: Shell, client_id: str = "abc") -> dict[str, object]:
    return shell.json("app", "add", "shopify", "--client-id", client_id, client_secret=SECRET, public_url=URL)


def test_an_app_is_registered_once_and_keeps_its_id(shell: Shell) -> None:
    first = add(shell)
    assert first["page_url"] == f"{URL}/shopify/app"
    assert first["hook_url"] == f"{URL}/apps/shopify/hooks"
    assert add(shell) == first
    assert shell.json("app", "list", public_url=URL)["apps"] == [first]
    add(shell, "second")
    assert len(shell.json("app", "list")["apps"]) == 2


def test_without_an_app_the_list_says_what_to_do(shell: Shell) -> None:
    assert "waybill app add shopify" in shell.ok("app", "list")


def test_the_secret_is_read_from_standard_input_and_never_echoed(shell: Shell) -> None:
    given = ("app", "add", "shopify", "--client-id", "abc", "--client-secret", "-")
    for result in (shell.run(*given, stdin=SECRET), shell.run("app", "list"), shell.run("app", "list", "--json")):
        assert result.exit_code == 0
        assert SECRET not in result.output
    short = shell.run("app", "add", "shopify", "--client-id", "abc", "--client-secret", "canary")
    assert short.exit_code == 1
    assert "canary" not in short.output


def test_an_api_base_that_is_no_address_is_named(shell: Shell) -> None:
    given = ("app", "add", "shopify", "--client-id", "abc", "--client-secret", SECRET, "--api-base", "nonsense")
    assert "--api-base" in shell.refused(*given)


def test_the_configuration_holds_everything_that_shopify_asks_for(shell: Shell, tmp_path: Path) -> None:
    add(shell)
    file = tmp_path / "shopify.app.toml"
    made = shell.json("shop", "app-config", "--url", f"{URL}/", "--out", str(file))
    config = tomllib.loads(file.read_text(encoding="utf-8"))
    assert made["toml"] == file.read_text(encoding="utf-8")
    assert config["client_id"] == "abc"
    assert config["application_url"] == f"{URL}/shopify/app"
    assert config["auth"]["redirect_urls"] == [f"{URL}/shopify/app/granted"]
    assert config["access_scopes"]["scopes"].split(",") == list(SCOPES)
    assert config["webhooks"]["api_version"] == "2026-10"
    subscriptions = config["webhooks"]["subscriptions"]
    topics = {topic for each in subscriptions for topic in each.get("compliance_topics", [])}
    assert topics == set(COMPLIANCE)
    assert {each["uri"] for each in subscriptions} == {f"{URL}/apps/shopify/hooks"}
    assert config["app_proxy"]["url"].startswith(URL)
    fields = {field["name"]: field["value"] for field in made["fields"]}
    assert fields["App URL"] == config["application_url"]
    assert fields["Scopes"] == config["access_scopes"]["scopes"]


def test_each_scope_has_its_reason_in_the_file(shell: Shell, tmp_path: Path) -> None:
    assert set(REASONS) == set(SCOPES)
    made = shell.json("shop", "app-config", "--url", URL, "--out", str(tmp_path / "app.toml"))
    for scope in SCOPES:
        assert f"# {scope}: {REASONS[scope]}" in made["toml"]


def test_writing_it_again_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    given = ("shop", "app-config", "--url", URL, "--out", str(tmp_path / "app.toml"))
    assert [shell.json(*given)["changed"] for _ in range(2)] == [True, False]
    assert shell.json(*given, "--name", 'Tea "and" more')["changed"] is True
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".toml" and each.is_file()] == []


def test_a_file_of_somebody_else_is_left_alone(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "app.toml"
    file.write_text("mine = true\n")
    assert "--force" in shell.refused("shop", "app-config", "--url", URL, "--out", str(file))
    assert file.read_text() == "mine = true\n"
    assert shell.json("shop", "app-config", "--url", URL, "--out", str(file), "--force")["changed"] is True


def test_which_of_several_apps_must_be_said(shell: Shell, tmp_path: Path) -> None:
    add(shell, "one")
    add(shell, "two")
    given = ("shop", "app-config", "--url", URL, "--out", str(tmp_path / "app.toml"))
    assert "--client-id" in shell.refused(*given)
    assert 'client_id = "two"' in shell.json(*given, "--client-id", "two")["toml"]


def test_an_address_that_shopify_cannot_reach_is_told(shell: Shell, tmp_path: Path) -> None:
    notes = shell.json("shop", "app-config", "--out", str(tmp_path / "app.toml"))["notes"]
    assert any("public https" in note for note in notes)
    assert any("waybill app add" in note for note in notes)
    assert "--url" in shell.refused("shop", "app-config", "--url", "nonsense", "--out", str(tmp_path / "b.toml"))


@pytest.mark.parametrize("name", ['Tea "and" more', "Čaj \\ more", "tab\tand\nline", "\x7f"])
def test_any_name_gives_a_file_that_can_be_read(name: str) -> None:
    assert tomllib.loads(app_config(URL, "id", name).toml)["name"] == name
