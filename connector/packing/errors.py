"""What packing refuses.

WaybillError
└── PackingError      a size, weight, carton or rule that cannot be; `detail` names the field
    └── TableError    the same in a file: names the line too
"""

from __future__ import annotations

from webhooks.errors import WaybillError


class PackingError(WaybillError, ValueError):
    """A size, a weight, a carton or a rule that cannot be."""


class TableError(PackingError):
    """A line of a file that cannot be read as goods, cartons or containers."""

    def __init__(self, line: int, field: str, message: str) -> None:
        super().__init__(f"Line {line}, {field}: {message}", detail=f"line {line}, {field}")
        self.line = line
        self.field = field
