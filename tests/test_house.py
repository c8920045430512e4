"""The house rules of modules, tests and documents; docs/protocols.md knows every field and call."""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("webhooks", "carriers", "connector")
LONGEST = {"webhooks": 400, "carriers": 400, "connector": 400, "tests": 600}

LONG_WITH_REASON = {
    "connector/storage/migrations/versions/0001_first_release.py": "written by alembic, table by table",
    "connector/storage/migrations/versions/0002_second_release.py": "written by alembic, table by table",
    "connector/storage/migrations/versions/0003_buyer_and_label_desk.py": "written by alembic, table by table",
    "connector/store.py": "one Protocol and its values, read together by whoever writes an adapter",
}
"""Modules that may be longer, and why they are not better split."""

BANNED_NAMES = frozenset({"utils", "util", "helpers", "helper", "manager", "base", "common", "data", "misc"})

DESCRIBED = (
    "connector.store",
    "carriers.address",
    "carriers.carrier",
    "carriers.customs",
    "carriers.label",
    "carriers.parcel",
    "carriers.rate",
    "carriers.tracking",
)
"""The modules whose values and Protocols docs/protocols.md describes field by field."""


def modules(*folders: str) -> list[Path]:
    """Every Python file below these folders of the project."""
    return sorted(
        file for folder in folders for file in (ROOT / folder).rglob("*.py") if "__pycache__" not in file.parts
    )


def name_of(file: Path) -> str:
    """The file's path as the project names it."""
    return file.relative_to(ROOT).as_posix()


def none_of(faults: Sequence[object], advice: str) -> None:
    """Fail with one fault a line."""
    if faults:
        pytest.fail("\n".join([f"{advice}:", *map(str, faults)]), pytrace=False)


def documents() -> list[Path]:
    """Every document of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


# --- modules ------------------------------------------------------------------------------------------------------


def test_the_first_line_of_every_module_says_what_it_is_for() -> None:
    silent = []
    for file in modules(*PACKAGES, "tests", "bench", "scripts"):
        if file.name == "__init__.py" and file.is_relative_to(ROOT / "tests"):
            continue
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        if not text or len(text.splitlines()[0]) < 10:
            silent.append(name_of(file))
    none_of(silent, "say in the first line what the module is for")


def test_every_folder_of_the_packages_is_a_package_with_a_sentence() -> None:
    folders = {file.parent for file in modules(*PACKAGES, "tests")}
    none_of(
        [name_of(f) for f in sorted(folders) if not (f / "__init__.py").is_file()], "give the folder an __init__.py"
    )


def test_no_module_is_longer_than_one_sitting() -> None:
    long = []
    for folder, longest in LONGEST.items():
        for file in modules(folder):
            lines = len(file.read_text(encoding="utf-8").splitlines())
            if lines > longest and name_of(file) not in LONG_WITH_REASON:
                long.append(f"{name_of(file)}: {lines} lines")
    none_of(long, "split it, or give the reason in LONG_WITH_REASON")


def test_no_module_hides_behind_a_name_that_says_nothing() -> None:
    files = modules(*PACKAGES, "tests", "bench", "scripts")
    parts = {name_of(file): {*file.relative_to(ROOT).with_suffix("").parts} for file in files}
    none_of([name for name, words in parts.items() if words & BANNED_NAMES], "find the word that says what it is")


def test_nothing_is_left_for_later() -> None:
    """No open ends in the code: what is not there is an issue, not a comment."""
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b|NotImplemented" + r"Error")
    found = [
        f"{name_of(file)}:{number}"
        for file in modules(*PACKAGES, "tests", "bench", "scripts")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    none_of(found, "finish it, or open an issue")


def test_each_package_says_that_it_is_typed() -> None:
    none_of([package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()], "add py.typed")


def test_every_test_states_a_behaviour_by_its_name_or_its_docstring() -> None:
    mute = []
    for file in modules("tests"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
                continue
            if len(node.name.split("_")) < 4 and not ast.get_docstring(node):
                mute.append(f"{name_of(file)}::{node.name}")
    none_of(mute, "name the behaviour, or add a docstring of one line")


# --- documents ----------------------------------------------------------------------------------------------------


def test_links_in_documents_lead_somewhere() -> None:
    broken = []
    for document in documents():
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
            path, _, anchor = unquote(target).partition("#")
            if re.match(r"[a-z]+:", path):
                continue
            there = (document.parent / path) if path else document
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                broken.append(f"{name_of(document)} -> {target}")
    none_of(broken, "mend these links")


def anchors(document: Path) -> set[str]:
    """The anchors that headings of a document get."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_command_block_of_the_readme_says_whether_it_is_run() -> None:
    """A shell block stands under `<!-- run -->`, or under `<!-- not run: REASON -->`."""
    readme = ROOT / "README.md"
    if not readme.is_file():
        pytest.skip("No README.md yet.")
    lines = ["", *readme.read_text(encoding="utf-8").splitlines()]
    blocks = [number for number, line in enumerate(lines) if re.match(r"```(sh|bash|shell|console)\b", line)]
    said = re.compile(r"<!-- (run|not run: .+) -->")
    none_of([f"line {n}" for n in blocks if not said.fullmatch(lines[n - 1].strip())], "mark these blocks")


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# --- docs/protocols.md --------------------------------------------------------------------------------------------


def described_members(module: ModuleType) -> Iterator[tuple[str, frozenset[str]]]:
    """Each value, state set and Protocol that a module defines, with the names that need a row."""
    for name, thing in inspect.getmembers(module, inspect.isclass):
        if thing.__module__ != module.__name__ or issubclass(thing, Exception):
            continue
        if issubclass(thing, enum.Enum):
            yield name, frozenset(thing.__members__)
        elif dataclasses.is_dataclass(thing):
            yield name, frozenset(field.name for field in dataclasses.fields(thing))
        elif getattr(thing, "_is_protocol", False):
            yield name, frozenset(member for member in vars(thing) if not member.startswith("_"))


def documented_rows() -> dict[str, set[str]]:
    """The first cells of each section's table in docs/protocols.md."""
    text = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    return {
        section.splitlines()[0].strip(): set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
        for section in sections
    }


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_field_and_call_of_the_protocols_is_held_against_each_platform(name: str) -> None:
    rows = documented_rows()
    missing = {
        f"{owner}.{member}" if member else owner
        for owner, members in described_members(importlib.import_module(name))
        for member in ({""} if owner not in rows else members - rows[owner])
    }
    none_of(sorted(missing), "add a row for each to docs/protocols.md")


@pytest.mark.parametrize("name", DESCRIBED)
def test_no_row_describes_a_field_or_call_that_is_gone(name: str) -> None:
    rows = documented_rows()
    gone = {
        f"{owner}.{row}"
        for owner, members in described_members(importlib.import_module(name))
        for row in rows.get(owner, set()) - members
    }
    none_of(sorted(gone), "take these rows out of docs/protocols.md")


def test_each_row_has_a_cell_for_each_platform() -> None:
    """A Markdown table drops or shifts cells without a word; every row is as wide as its head."""
    uneven, width = [], 0
    for number, line in enumerate((ROOT / "docs" / "protocols.md").read_text(encoding="utf-8").splitlines(), 1):
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        if width and cells and cells != width:
            uneven.append(number)
        width = cells and (width or cells)
    none_of(uneven, "these lines have more or fewer cells than their head")
