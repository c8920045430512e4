"""What the storefront's doors work with; wiring hands the real things over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connector.quotes.estimate import Asked, Estimate, Fault


@dataclass(frozen=True, slots=True)
class Shopfront:
    """A shop whose storefront is switched on. `origins` are the pages that may ask, its own domain among them."""

    id: str
    currency: str
    origins: frozenset[str]
    places_a_day: int


class Estimating(Protocol):
    """Finds shops and answers pages, without a database in between."""

    def by_key(self, key: str) -> Shopfront | None:
        """The shop whose public address has this key; None where there is none or its storefront is off."""
        ...

    def by_domain(self, domain: str) -> Shopfront | None:
        """The shop that Shopify calls by this name, on the same terms."""
        ...

    def proxy_secrets(self, domain: str) -> tuple[str, ...]:
        """The client secrets of the app through which that shop is connected, newest first; none where unknown."""
        ...

    async def estimate(self, shop_id: str, asked: Asked, received_at: float) -> Estimate | Fault | None:
        """The answer; None for a shop that left meanwhile. `received_at` in seconds of `time.monotonic()`."""
        ...


@dataclass(frozen=True, slots=True)
class StorefrontHouse:
    """Everything that the doors need. `proxies` is how many proxies stand before this server and add their client."""

    estimating: Estimating
    now: Callable[[], datetime]
    per_minute: int = 60
    shop_per_minute: int = 1200
    proxies: int = 1
