"""An installation that is brought to this release, and a backup of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.kept.kept import Kept, unpack


@pytest.fixture(scope="session")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What 0.1.0 left behind, migrated; nobody changes it."""
    kept = unpack(tmp_path_factory.mktemp("steady") / "kept")
    with kept.here() as shell:
        shell.ok("migrate")
    return kept


@pytest.fixture
def kept(steady: Kept, tmp_path: Path) -> Kept:
    """The same, to work on: jobs are in flight, and nobody runs."""
    folder = tmp_path / "kept"
    shutil.copytree(steady.folder, folder)
    return Kept(folder, steady.notes)


@pytest.fixture(scope="session")
def backup(steady: Kept) -> Path:
    """A backup of it, without the key."""
    path = steady.folder / "steady.tar.gz"
    with steady.here() as shell:
        shell.ok("backup", str(path))
    return path
