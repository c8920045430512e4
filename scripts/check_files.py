"""Check the tracked files: no address of a machine or a package registry, and lock files that fit pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent

# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.*-])/(?:work|root|home)/[a-z]")
REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs)[.](?:org|com)|--(?:extra-)?index-url|--find-links")

PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def tracked() -> list[Path]:
    """Every file that git knows and that still exists."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def addresses(files: list[Path]) -> Iterator[str]:
    """Lines that name a place of one machine, or a package registry."""
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for what, pattern in (("a path of one machine", MACHINE_PATH), ("a package registry", REGISTRY)):
                if pattern.search(line):
                    yield f"{file.relative_to(ROOT)}:{number}: names {what}: {line.strip()[:100]}"


def lock_faults() -> Iterator[str]:
    """Where the lock files and pyproject.toml do not say the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = project["project"]["dependencies"] + groups["build"]
    run = dict(PIN.findall((ROOT / "requirements.lock").read_text()))
    dev = dict(PIN.findall((ROOT / "requirements-dev.lock").read_text()))
    for lock, pins, needs in (
        ("requirements.lock", run, wanted),
        ("requirements-dev.lock", dev, wanted + groups["dev"]),
    ):
        for requirement in map(Requirement, needs):
            pin = pins.get(canonicalize_name(requirement.name))
            if pin is None:
                yield f"{lock}: {requirement.name} is missing; run scripts/lock"
            elif not requirement.specifier.contains(Version(pin), prereleases=True):
                yield f"{lock}: {requirement.name}=={pin} is not {requirement.specifier}; run scripts/lock"
    for name, pin in run.items():
        if dev.get(name) != pin:
            yield f"requirements-dev.lock: {name} is {dev.get(name)}, requirements.lock has {pin}; run scripts/lock"


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    # This file names both in order to keep them out.
    spared = {Path(__file__).resolve()}
    faults = [*addresses([file for file in tracked() if file not in spared]), *lock_faults()]
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
