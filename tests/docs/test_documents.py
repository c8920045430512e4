"""Shop settings, jobs, matters for a person, states and retention times are documented as they are, and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast, get_args

import pytest

from connector import wiring
from connector.labels import kept
from connector.labels.tables import LABEL_STATES, PARCEL_STATES
from connector.orders.addresses import KEEP_PERSON
from connector.settings import Settings
from connector.shop_settings import ShopSettings, show
from connector.wiring import jobs
from connector.words.reason import codes
from connector.work.port import Job, Work
from connector.work.retention import KEEP_KEYS as KEEP_WORK_KEYS
from tests.cli.shell import ROOT
from webhooks.inbox import KEEP_KEYS as KEEP_DELIVERY_KEYS


def read(name: str) -> str:
    """A document."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """The text below a heading of a document."""
    match = re.search(rf"^## {re.escape(heading)}$(.+?)(?=^## |\Z)", read(name), re.MULTILINE | re.DOTALL)
    assert match, f"docs/{name} has no section {heading!r}"
    return match[1]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of a table: the first cell's code, then the others."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and (code := re.fullmatch(r"`([^`]+)`", cells[0])):
            found[code[1]] = cells[1:]
    return found


def test_each_setting_of_a_shop_is_documented_as_it_is_shown() -> None:
    shown = {s.key: [s.form, f"`{s.default}`" if s.default else "", s.reason] for s in show(ShopSettings())}
    assert rows(read("shop-settings.md")) == shown


def test_the_examples_of_shop_settings_are_settings() -> None:
    """Each example's changes are taken, all in a row."""
    import shlex

    from connector.shop_settings import change

    for line in re.findall(r"^waybill settings \S+ (.+)$", read("shop-settings.md"), re.MULTILINE):
        pairs = dict(part.split("=", 1) for part in shlex.split(line, comments=True))
        assert change(ShopSettings(), pairs, "EUR") != ShopSettings()


class _Names:
    """Work that only notes which jobs are registered."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def register(self, name: str, _job: Job) -> None:
        self.names.append(name)


def test_each_job_is_documented_and_no_other(tmp_path: Path) -> None:
    house = wiring.open_house(Settings(data_dir=tmp_path))
    try:
        names = _Names()
        wiring.register_jobs(house, cast("Work", names))
    finally:
        house.close()
    assert set(rows(section("architecture.md", "Jobs"))) == set(names.names)


def test_each_matter_that_needs_a_person_is_documented_with_its_cure() -> None:
    cured = {code.removesuffix("_cure") for code in codes() if code.endswith("_cure")}
    documented = rows(section("operations.md", "What needs a person"))
    assert set(documented) == cured
    assert all(len(cells) == 2 and all(cells) for cells in documented.values())


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("States of a parcel", PARCEL_STATES),
        ("States of a label", LABEL_STATES),
        ("States of a label's file", [f"file_{each}" for each in get_args(kept.FileState) if each != "kept"]),
    ],
)
def test_each_state_is_documented_and_no_other(heading: str, states: Sequence[str]) -> None:
    assert set(rows(section("labels.md", heading))) == set(states)


@pytest.mark.parametrize(
    ("what", "kept"),
    [
        ("recipient of a parcel", KEEP_PERSON),
        ("bodies of webhooks", jobs._KEEP_BODIES),
        ("that a webhook came", KEEP_DELIVERY_KEYS),
        ("rate calls", jobs._KEEP_QUOTES),
        ("parcels that are not ours", jobs._KEEP_STRAYS),
        ("keys of work", KEEP_WORK_KEYS),
    ],
)
def test_what_is_kept_is_kept_as_long_as_the_privacy_page_says(what: str, kept: timedelta) -> None:
    (line,) = [line for line in read("privacy.md").splitlines() if line.startswith("|") and what in line]
    assert f"{kept.days} days" in line.split("|")[3]


def test_the_rooms_of_the_architecture_are_those_that_there_are() -> None:
    table = section("architecture.md", "Three packages, arrows one way")
    named = {
        room for cells in re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE) for room in re.findall(r"`(\w+)`", cells)
    }
    rooms = {path.name for path in (ROOT / "connector").iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= named
    assert named - rooms <= {path.stem for path in (ROOT / "connector").glob("*.py")}
