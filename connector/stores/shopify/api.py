"""One shop's calls: the right token, waits while Shopify throttles, and for reads at most two tries in the deadline."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import anyio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from connector.store import StoreRetryable
from connector.stores.shopify.client import AdminClient, Data, ShopTarget
from connector.stores.shopify.errors import Throttled, TokenRejected
from connector.stores.shopify.tokens import Tokens
from webhooks.ports import Fence

Sleep = Callable[[float], Awaitable[None]]

_PAUSE_S = 0.3  # Before the second try of a read, where Shopify said nothing of its own.
_THROTTLE_S = 1.0  # When throttled, where Shopify does not say how long.
_LEAST_S = 0.05  # A call with less time than this is not begun.
_MOST_PAGES = 250
_NO_FENCE: Fence | None = None


class ShopAPI:
    """The Admin API as one shop's connection uses it."""

    def __init__(
        self,
        client: AdminClient,
        target: ShopTarget,
        tokens: Tokens,
        *,
        read_timeout_s: float,
        write_timeout_s: float,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._client = client
        self._target = target
        self._tokens = tokens
        self._read_timeout_s = read_timeout_s
        self._write_timeout_s = write_timeout_s
        self._sleep = sleep

    async def read(self, operation: str, variables: Mapping[str, Any], *, spare: frozenset[str] = frozenset()) -> Data:
        """Run a query. A passing fault is tried once more, if the deadline leaves time for it. Raises StoreError."""
        deadline = anyio.current_time() + self._read_timeout_s

        def worth_it(error: BaseException) -> bool:
            passing = isinstance(error, StoreRetryable) and not isinstance(error, Throttled)
            return passing and anyio.current_time() + _pause_s(error) + _LEAST_S < deadline

        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(2),
            retry=retry_if_exception(worth_it),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                return await self._run(operation, variables, deadline, _NO_FENCE, spare)
        raise AssertionError  # pragma: no cover  The loop above returns or raises.

    async def write(self, operation: str, variables: Mapping[str, Any], fence: Fence) -> Data:
        """Run a mutation once. After StoreRetryable its effect is not known, unless the error is a Throttled."""
        deadline = anyio.current_time() + self._write_timeout_s
        return await self._run(operation, variables, deadline, fence, frozenset())

    async def pages(
        self,
        operation: str,
        variables: Mapping[str, Any],
        connection: Callable[[Data], Data | None],
        *,
        after: str | None = None,
        spare: frozenset[str] = frozenset(),
    ) -> AsyncGenerator[Data]:
        """Every node of a connection, page by page; `connection` finds it in the data (None: there is none)."""
        for _ in range(_MOST_PAGES):
            page = connection(await self.read(operation, {**variables, "after": after}, spare=spare))
            if page is None:
                return
            for node in page["nodes"]:
                yield node
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]
        raise StoreRetryable("There is more to read than can be read at once.", detail=f"over {_MOST_PAGES} pages")

    async def _run(
        self, operation: str, variables: Mapping[str, Any], deadline: float, fence: Fence | None, spare: frozenset[str]
    ) -> Data:
        """One operation. What Shopify refused before it ran (throttled, a dead token) is made good and sent again."""
        token = await self._tokens.current()
        renewed = False
        while True:
            left = deadline - anyio.current_time()
            if left < _LEAST_S:
                raise StoreRetryable("Shopify did not answer.", detail="not sent: deadline")
            try:
                answer = await self._client.execute(
                    self._target, token, operation, variables, deadline_s=left, fence=fence, spare=spare
                )
            except Throttled as error:
                wait = _THROTTLE_S if error.retry_after_s is None else max(error.retry_after_s, _LEAST_S)
                if anyio.current_time() + wait + _LEAST_S >= deadline:
                    raise
                await self._sleep(wait)
            except TokenRejected:
                if renewed:
                    raise
                renewed = True
                token = await self._tokens.after_rejection(token)
            else:
                return answer.data


def _pause_s(error: BaseException | None) -> float:
    said = error.retry_after_s if isinstance(error, StoreRetryable) else None
    return _PAUSE_S if said is None else said


def _wait(state: RetryCallState) -> float:
    return _pause_s(state.outcome.exception() if state.outcome else None)
