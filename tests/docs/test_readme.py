"""The blocks of README.md that say so are run, in one shell on a fresh data folder, and print what the README shows."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from connector.cli.root import waybill
from tests.cli.shell import ROOT, run_in_shell, shell_in

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_blocks_of_the_readme_do_what_it_shows(tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- run -->\n```sh\n(.+?)\n```", README, re.DOTALL)
    assert blocks
    done = run_in_shell("\n".join(blocks), shell_in(tmp_path / "data"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    for shown in re.findall(r"```text\n(.+?)\n```", README, re.DOTALL):
        missing = [line for line in shown.splitlines() if line.strip() != "…" and line not in done.stdout.splitlines()]
        assert not missing, done.stdout


def test_the_readme_names_only_commands_that_there_are() -> None:
    for words in re.findall(r"waybill ((?:[a-z]+ ?)+)", README):
        group: click.Command = waybill
        for word in words.split():
            if not isinstance(group, click.Group) or word not in group.commands:
                break
            group = group.commands[word]
        else:
            continue
        assert group is not waybill, f"there is no command `waybill {words}`"
