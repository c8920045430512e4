"""The one outgoing HTTP client: pools, a total deadline, a private-address guard, a redacted trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from webhooks.ports import Fence


@dataclass(frozen=True, slots=True)
class HTTPAnswer:
    """A whole HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    elapsed_s: float


class Outgoing(Protocol):
    """Makes outgoing calls."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        fence: Fence | None = None,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> HTTPAnswer:
        """One call, never repeated, done with its body within `deadline_s` seconds in total.

        Any status is an answer; redirects are not followed. With a `fence` the first byte leaves only if it says yes.
        Raises NotSent if nothing left this process, NoAnswer if it left and no whole answer came.
        """
        ...
