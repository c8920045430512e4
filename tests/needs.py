"""Lists which needs and complaints of the market notes have passing tests; loaded by `scripts/test --needs`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

KINDS = ("need", "complaint")


class Tally:
    """Collects the marked tests of one run: a number counts only if none of its tests failed."""

    def __init__(self) -> None:
        self.marks: dict[str, list[tuple[str, int]]] = {}
        self.passed: dict[str, set[int]] = defaultdict(set)
        self.failed: dict[str, set[int]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember each test's numbers."""
        for item in items:
            self.marks[item.nodeid] = [
                (mark.name, n) for kind in KINDS for mark in item.iter_markers(kind) for n in mark.args
            ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Sort a test's numbers by how it ended; a skipped one shows nothing."""
        for kind, number in self.marks.get(report.nodeid, ()):
            if report.failed:
                self.failed[kind].add(number)
            elif report.when == "call" and report.passed:
                self.passed[kind].add(number)

    def lines(self) -> Iterator[str]:
        """One line for each kind, and one more for what failed."""
        for kind in KINDS:
            shown = sorted(self.passed[kind] - self.failed[kind])
            yield f"{kind}s with passing tests ({len(shown)}): {_join(shown)}"
            if self.failed[kind]:
                yield f"{kind}s with failing tests: {_join(sorted(self.failed[kind]))}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the lists above pytest's closing line."""
        for line in self.lines():
            terminalreporter.write_line(line)


def _join(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def pytest_configure(config: pytest.Config) -> None:
    """Take part in this run."""
    config.pluginmanager.register(Tally(), "waybill-needs")
