"""The worlds that these tests work in."""

from __future__ import annotations

from tests.cli.worlds import demo, shell, shop, steady_shop

__all__ = ["demo", "shell", "shop", "steady_shop"]
