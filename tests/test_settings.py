"""Process settings are read from the environment, refused by name, and documented."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from connector.settings import (
    KEY_FILE,
    OTHER_VARIABLES,
    Settings,
    SettingsError,
    keep_first,
    read_keys,
    read_settings,
    setting_rows,
)

DOCS = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
KEY = "A" * 43 + "="
OLD_KEY = "B" * 42 + "A="


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees settings of the machine it runs on."""
    for variable, _, _ in setting_rows():
        monkeypatch.delenv(variable, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> str:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    return str(caught.value)


def test_an_empty_environment_gives_a_server_on_this_machine_with_sqlite() -> None:
    settings = read_settings()
    assert settings.database_url == "sqlite:///data/waybill.db"
    assert settings.label_dir == Path("data/labels")
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")


def test_files_follow_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAYBILL_DATA_DIR", str(tmp_path))
    settings = read_settings()
    assert settings.database_url == f"sqlite:///{tmp_path}/waybill.db"
    assert settings.label_dir == tmp_path / "labels"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_DATABASE_URL", "")
    assert read_settings().database_url == "sqlite:///data/waybill.db"


def test_keys_are_split_at_commas_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_KEYS", f"{KEY}, {OLD_KEY}")
    assert read_keys(read_settings()) == (KEY, OLD_KEY)


def test_the_public_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_PUBLIC_URL", "https://ship.example.com/waybill/")
    assert read_settings().public_url == "https://ship.example.com/waybill"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WAYBILL_PORT", "eighty"),
        ("WAYBILL_PORT", "70000"),
        ("WAYBILL_LEASE_S", "0"),
        ("WAYBILL_LEASE_S", "nan"),
        ("WAYBILL_LOG_FORMAT", "xml"),
        ("WAYBILL_PUBLIC_URL", "ship.example.com"),
        ("WAYBILL_PUBLIC_URL", "https://ship.example.com/?a=b"),
        ("WAYBILL_DATABASE_URL", "mysql://db/waybill"),
        ("WAYBILL_KEYS", "short"),
        ("WAYBILL_KEYS", f"{KEY},"),
        ("WAYBILL_METRICS_TOKEN", "short"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert refusal(monkeypatch, variable, value).startswith(f"{variable}: ")


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_PORT", "x")
    text = refusal(monkeypatch, "WAYBILL_HOOK_THREADS", "0")
    assert "WAYBILL_PORT" in text
    assert "WAYBILL_HOOK_THREADS" in text


@pytest.mark.parametrize("variable", ["WAYBILL_KEYS", "WAYBILL_DATABASE_URL", "WAYBILL_METRICS_TOKEN"])
def test_a_refusal_does_not_repeat_a_secret(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert "h.unter2" not in refusal(monkeypatch, variable, "h.unter2")


def test_a_misspelt_variable_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(monkeypatch, "WAYBILL_PUBLC_URL", "https://ship.example.com")
    assert text == "WAYBILL_PUBLC_URL is not a setting; did you mean WAYBILL_PUBLIC_URL?"


def test_the_command_line_s_own_variables_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in OTHER_VARIABLES:
        monkeypatch.setenv(variable, "x")
    read_settings()


def test_settings_do_not_change() -> None:
    settings = read_settings()
    with pytest.raises(ValidationError):
        settings.port = 1


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"colour": "blue"})


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_KEYS", KEY)
    monkeypatch.setenv("WAYBILL_DATABASE_URL", "postgresql://waybill:h.unter2@db/waybill")
    monkeypatch.setenv("WAYBILL_METRICS_TOKEN", "h.unter2-h.unter2")
    shown = repr(read_settings())
    assert KEY not in shown
    assert "h.unter2" not in shown


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    keys = read_keys(settings)
    path = settings.data_dir / KEY_FILE
    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(settings) == keys
    assert [entry.name for entry in settings.data_dir.iterdir()] == [KEY_FILE]


def test_a_key_file_may_hold_older_keys_below(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(f"{KEY}\n{OLD_KEY}\n")
    assert read_keys(Settings(data_dir=tmp_path)) == (KEY, OLD_KEY)


@pytest.mark.parametrize("text", ["", "not a key\n"])
def test_a_broken_key_file_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / KEY_FILE
    path.write_text(text)
    with pytest.raises(SettingsError, match=KEY_FILE):
        read_keys(Settings(data_dir=tmp_path))
    assert path.read_text() == text


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="WAYBILL_KEYS"):
        read_keys(Settings(data_dir=tmp_path / "file" / "below"))


def test_all_who_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = set(pool.map(lambda number: keep_first(tmp_path / "first", str(number)), range(40)))
    assert len(texts) == 1


def test_every_setting_is_documented() -> None:
    lines = DOCS.read_text().splitlines()
    missing = [
        variable
        for variable, default, meaning in setting_rows()
        if f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |" not in lines
    ]
    assert missing == []


def test_every_documented_variable_exists() -> None:
    documented = {line.split("`")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `WAYBILL_")}
    assert documented == {variable for variable, _, _ in setting_rows()} | OTHER_VARIABLES
