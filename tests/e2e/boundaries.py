"""Every boundary between steps that the product's jobs have, read from its source, so that none is forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.e2e.processes import ROOT

Boundary = tuple[str, str]
"""before or after, and the step's name."""


DESK = (
    "address.verify",
    "batch.ask",
    "hold.find",
    "hold.release",
    "hold.set",
    "manifest.fetch",
    "manifest.look_up",
    "manifest.make",
    "pickup.book",
    "pickup.cancel",
    "pickup.look_up",
    "pickup.offer",
    "store.correct",
)
"""Steps of the packing table, which `desk_stories` comes to."""

ELSEWHERE = {
    "label.look_late": "a read, after a refusal; tests/labels/test_late.py covers what follows",
    "shop.check": "reads only, once a day",
    "store.products": "reads only, every six hours; tests/catalogue resumes it",
    "store.variants": "reads only, after a product's webhook",
}
"""Steps that neither the played orders nor the packing table come to, and why that is borne."""


def step_names() -> list[str]:
    """The names that `run.step(name, …)` is called with anywhere in the product."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "connector").rglob("*.py")]
    return sorted({name for source in sources for name in _names_in(source)})


def all_boundaries() -> list[Boundary]:
    """Before and after each step that an order comes to by itself."""
    return _around(name for name in step_names() if name not in ELSEWHERE and name not in DESK)


def desk_boundaries() -> list[Boundary]:
    """Before and after each step of the packing table."""
    return _around(DESK)


def _around(names: Iterable[str]) -> list[Boundary]:
    return [(side, name) for name in names for side in ("before", "after")]


def _names_in(source: str) -> Iterator[str]:
    if ".step(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="step"), args=[ast.Constant(value=str(name)), _]):
                yield name
            case _:
                pass
