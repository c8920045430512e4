"""`waybill doctor` says it in words and in JSON, with the exit code that a script waits for."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import shell_in
from tests.docs.test_cli_doc import holds


def test_a_broken_installation_is_told_with_cures_and_ends_with_1(tmp_path: Path) -> None:
    shell = shell_in(tmp_path / "data", port="0")
    shell.json("shop", "add", "sandbox")
    (tmp_path / "data" / "waybill.key").unlink()
    result = shell.run("doctor")
    assert result.exit_code == 1
    assert "BROKEN       What the key opens: The key is lost" in result.stdout
    assert "Put the key file back" in result.stdout
    said = shell.json("doctor", code=1)
    assert said["healthy"] is False
    holds("waybill doctor", said | {"checks": [each for each in said["checks"] if each["why"]]})
    assert not (tmp_path / "data" / "waybill.key").exists()


def test_a_fresh_installation_is_not_broken(tmp_path: Path) -> None:
    said = shell_in(tmp_path / "data", port="0").json("doctor")
    assert said["healthy"] is True
    assert not (tmp_path / "data").exists()


def test_a_wrong_setting_is_told_by_the_doctor_too(tmp_path: Path) -> None:
    shell = shell_in(tmp_path / "data", prot="8080")
    result = shell.run("doctor")
    assert result.exit_code == 1
    assert "WAYBILL_PROT is not a setting; did you mean WAYBILL_PORT?" in result.stdout
