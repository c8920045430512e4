"""What each carrier client calls through: outgoing HTTP with carrier errors, a breaker, limits and tries.

Reads are tried at most twice inside the caller's deadline. Writes go out once, whatever happens: their callers look
up what became of them.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random

from carriers.breaker import Breaker, BreakerPolicy, Phase, admit, forget_probe, record
from carriers.errors import CarrierError, Overloaded, Retryable, TooSlow, Unavailable
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import HTTPAnswer, Outgoing
from webhooks.ports import Fence

T = TypeVar("T")
LEAST_S = 0.1  # With less time left than this, another try is not worth its request.


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How many calls of one connection may be under way at once; quotes and purchases do not wait for each other."""

    reads: int = 40
    writes: int = 16
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


class Fenced(NotSent):
    """The fence said no: this process may not act any more."""


class Caller:
    """The outgoing calls of one carrier connection. `clock_s` is a monotonic time in seconds."""

    def __init__(
        self,
        carrier: str,
        outgoing: Outgoing,
        limits: CallLimits | None = None,
        clock_s: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._carrier = carrier
        self._outgoing = outgoing
        self._limits = limits or CallLimits()
        self._clock_s = clock_s
        self._reads = anyio.Semaphore(self._limits.reads)
        self._writes = anyio.Semaphore(self._limits.writes)
        self.breaker = Breaker()

    @property
    def breaker_phase(self) -> Phase:
        """How the breaker stands now."""
        return self.breaker.phase(self._clock_s())

    async def read(
        self,
        method: str,
        url: str,
        understand: Callable[[HTTPAnswer], T],
        *,
        deadline_s: float,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        tries: int = 2,
        guarded: bool = False,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> T:
        """Ask for something, and again if that is of use, within `deadline_s` in total.

        `understand` makes a value of an answer, or raises CarrierError. With `guarded` the breaker counts this call,
        and refuses it while open. Raises CarrierError.
        """

        async def once(left_s: float) -> T:
            answer = await self._exchange(
                method, url, left_s, self._reads, headers=headers, json=json, max_bytes=max_bytes
            )
            return understand(answer)

        return await self._guard(lambda: self._try(once, deadline_s, tries), deadline_s, guarded=guarded)

    async def write(
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,
        fence: Fence,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> HTTPAnswer:
        """Do something, once. Any status is an answer.

        Raises NotSent if nothing left (Fenced if the fence said no), NoAnswer if its outcome is not known.
        """
        said_no = False

        def asked() -> bool:
            nonlocal said_no
            said_no = not fence()
            return not said_no

        started = self._clock_s()
        try:
            async with self._slot(self._writes, deadline_s):
                left_s = deadline_s - (self._clock_s() - started)
                return await self._outgoing.request(
                    method, url, deadline_s=left_s, headers=headers, json=json, fence=asked
                )
        except NotSent as error:
            if said_no:
                raise Fenced(error.message, detail=error.detail) from error
            raise

    async def _try(self, once: Callable[[float], Awaitable[T]], deadline_s: float, tries: int) -> T:
        ends_at = self._clock_s() + deadline_s

        def left_s() -> float:
            return ends_at - self._clock_s()

        def is_worth_it(error: BaseException) -> bool:
            if not isinstance(error, Retryable | Unavailable) or isinstance(error, TooSlow):
                return False
            if isinstance(error, Overloaded) and error.retry_after_s is None:
                return False
            return left_s() > (error.retry_after_s or 0) + LEAST_S

        def wait_s(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked_s = error.retry_after_s or 0 if isinstance(error, CarrierError) else 0
            jitter_s: float = wait_random(0.02, 0.1)(state)
            return asked_s + min(jitter_s, max(left_s() / 4, 0))

        trying = AsyncRetrying(
            stop=stop_after_attempt(tries),
            retry=retry_if_exception(is_worth_it),
            wait=wait_s,
            sleep=anyio.sleep,
            reraise=True,
        )

        async def attempt() -> T:
            return await once(left_s())

        return await trying(attempt)

    async def _exchange(
        self, method: str, url: str, deadline_s: float, slots: anyio.Semaphore, **request: Any
    ) -> HTTPAnswer:
        started = self._clock_s()
        try:
            async with self._slot(slots, deadline_s):
                left_s = deadline_s - (self._clock_s() - started)
                return await self._outgoing.request(method, url, deadline_s=left_s, **request)
        except (NotSent, NoAnswer) as error:
            if self._clock_s() - started >= deadline_s - 0.01:
                raise TooSlow(f"{self._carrier} did not answer in time.", detail=error.detail) from error
            raise Unavailable(f"{self._carrier} could not be reached.", detail=error.detail) from error

    @asynccontextmanager
    async def _slot(self, slots: anyio.Semaphore, deadline_s: float) -> AsyncIterator[None]:
        with anyio.move_on_after(max(deadline_s, 0)) as waiting:
            await slots.acquire()
        if waiting.cancelled_caught:
            raise NotSent(f"Too many calls to {self._carrier} are under way.", detail="limit")
        try:
            yield
        finally:
            slots.release()

    async def _guard(self, call: Callable[[], Awaitable[T]], deadline_s: float, *, guarded: bool) -> T:
        if not guarded:
            return await call()
        started = self._clock_s()
        self.breaker, may_go = admit(self.breaker, self._limits.breaker, started)
        if not may_go:
            wait_s = math.ceil(self.breaker.retry_after(started))
            message = f"{self._carrier} failed several times in a row and is left alone for a while."
            raise Unavailable(message, detail="breaker", retry_after_s=wait_s)
        try:
            value = await call()
        except CarrierError as error:
            self._record(worked=not _speaks_against(error))
            raise
        except anyio.get_cancelled_exc_class():
            # A caller who gave up at about the deadline was kept waiting; one who left early tells nothing.
            if self._clock_s() - started >= 0.8 * deadline_s:
                self._record(worked=False)
            else:
                self.breaker = forget_probe(self.breaker)
            raise
        self._record(worked=True)
        return value

    def _record(self, *, worked: bool) -> None:
        self.breaker = record(self.breaker, self._limits.breaker, self._clock_s(), worked=worked)


def _speaks_against(error: CarrierError) -> bool:
    """Whether the carrier is unwell. One that refuses, or asks for patience, is not."""
    return isinstance(error, Retryable | Unavailable) and not isinstance(error, Overloaded)
