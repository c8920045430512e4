"""Every boundary between steps that the product's jobs have, read from its source, so that none is forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.e2e.processes import ROOT

Boundary = tuple[str, str]
"""before or after, and the step's name."""


def step_names() -> list[str]:
    """The names that `run.step(name, …)` is called with anywhere in the product."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "connector").rglob("*.py")]
    return sorted({name for source in sources for name in _names_in(source)})


def all_boundaries() -> list[Boundary]:
    """Before and after each step."""
    return [(side, name) for name in step_names() for side in ("before", "after")]


def _names_in(source: str) -> Iterator[str]:
    if ".step(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="step"), args=[ast.Constant(value=str(name)), _]):
                yield name
            case _:
                pass
