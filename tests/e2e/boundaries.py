"""Every boundary between steps that the product's jobs have, read from its source, so that none is forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.e2e.processes import ROOT

Boundary = tuple[str, str]
"""before or after, and the step's name."""


ELSEWHERE = {
    "manifest.look_up": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "manifest.make": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "manifest.fetch": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "pickup.offer": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "pickup.book": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "pickup.look_up": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "pickup.cancel": "needs a list or a driver; tests/labels/test_collect.py covers what follows each",
    "address.verify": "a read, where the shop wants it; tests/labels/test_verifying.py covers what follows",
    "hold.find": "needs a held order; tests/labels/test_store_holds.py dies at each of its boundaries",
    "hold.release": "needs a held order; tests/labels/test_store_holds.py dies at each of its boundaries",
    "hold.set": "needs a held order; tests/labels/test_store_holds.py dies at each of its boundaries",
    "batch.ask": "needs a batch; tests/orders/test_batches.py dies at each of its boundaries",
    "shop.check": "reads only, once a day",
    "store.products": "reads only, every six hours; tests/catalogue resumes it",
    "store.variants": "reads only, after a product's webhook",
    "store.correct": "needs a number typed by hand; tests/labels/test_typed_numbers.py dies at each of its boundaries",
}
"""Steps that the played orders do not come to, and why that is borne."""


def step_names() -> list[str]:
    """The names that `run.step(name, …)` is called with anywhere in the product."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "connector").rglob("*.py")]
    return sorted({name for source in sources for name in _names_in(source)})


def all_boundaries() -> list[Boundary]:
    """Before and after each step that an order comes to."""
    return [(side, name) for name in step_names() if name not in ELSEWHERE for side in ("before", "after")]


def _names_in(source: str) -> Iterator[str]:
    if ".step(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="step"), args=[ast.Constant(value=str(name)), _]):
                yield name
            case _:
                pass
