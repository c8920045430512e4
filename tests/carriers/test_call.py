"""How a carrier is called: tries, deadline, breaker, limits; on an outgoing client of a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from carriers.breaker import BreakerPolicy
from carriers.call import Caller, CallLimits, Fenced
from carriers.errors import Overloaded, Refused, Retryable, TooSlow, Unavailable
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import HTTPAnswer
from webhooks.ports import Fence

pytestmark = pytest.mark.anyio


@dataclass
class Script:
    """An outgoing client that does what a list says, one line a call: an answer, an error, or a wait in seconds."""

    lines: list[int | Exception | float]
    deadlines: list[float] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

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
        max_bytes: int = 0,
    ) -> HTTPAnswer:
        self.deadlines.append(deadline_s)
        line = self.lines.pop(0)
        if fence is not None and not fence():
            raise NotSent("fenced")
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if isinstance(line, float):
                with anyio.move_on_after(deadline_s):
                    await anyio.sleep(line)
                    line = 200
        finally:
            self.under_way -= 1
        if isinstance(line, float):
            raise NoAnswer("slow", detail="deadline")
        if isinstance(line, Exception):
            raise line
        return HTTPAnswer(line, {}, b"", 0.0)


def understand(answer: HTTPAnswer) -> int:
    match answer.status:
        case 500:
            raise Retryable("broken")
        case 422:
            raise Refused("no")
        case 429:
            raise Overloaded("later")
        case 430:
            raise Overloaded("soon", retry_after_s=0.05)
        case 431:
            raise Overloaded("much later", retry_after_s=60)
        case _:
            return answer.status


async def _ask(script: Script, deadline_s: float = 1.0, **options: Any) -> int:
    return await Caller("Test", script).read("GET", "http://x", understand, deadline_s=deadline_s, **options)


async def test_a_read_that_fails_is_tried_a_second_time() -> None:
    for failure in (500, NotSent("refused"), NoAnswer("cut"), 430):
        script = Script([failure, 200])
        assert await _ask(script) == 200
        assert script.deadlines[1] < script.deadlines[0]


async def test_a_read_is_tried_twice_at_most() -> None:
    script = Script([500, 500, 200])
    with pytest.raises(Retryable):
        await _ask(script)
    assert len(script.deadlines) == 2


@pytest.mark.parametrize(("status", "error"), [(422, Refused), (429, Overloaded), (431, Overloaded)])
async def test_what_another_try_does_not_help_is_not_tried_again(status: int, error: type[Exception]) -> None:
    script = Script([status, 200])
    with pytest.raises(error):
        await _ask(script)
    assert len(script.deadlines) == 1


async def test_a_read_that_used_up_its_time_was_too_slow() -> None:
    script = Script([5.0, 200])
    with pytest.raises(TooSlow):
        await _ask(script, deadline_s=0.05)
    assert len(script.deadlines) == 1


async def test_who_cannot_be_reached_is_unavailable() -> None:
    with pytest.raises(Unavailable) as raised:
        await _ask(Script([NotSent("x"), NotSent("x")]))
    assert raised.value.code == "unreachable"


@pytest.mark.parametrize("failure", [NotSent("x"), NoAnswer("x")])
async def test_a_write_is_never_repeated(failure: Exception) -> None:
    script = Script([failure, 200])
    with pytest.raises(type(failure)):
        await Caller("Test", script).write("POST", "http://x", deadline_s=1, fence=lambda: True)
    assert len(script.lines) == 1


async def test_a_write_whose_fence_says_no_says_so() -> None:
    with pytest.raises(Fenced):
        await Caller("Test", Script([200])).write("POST", "http://x", deadline_s=1, fence=lambda: False)


def _guarded(script: Script, clock_s: Callable[[], float]) -> Caller:
    return Caller("Test", script, CallLimits(breaker=BreakerPolicy(failures=2, rest_s=10)), clock_s)


async def test_a_failing_party_is_left_alone_and_then_probed() -> None:
    now = [0.0]
    script = Script([500, 500, 200, 200])
    caller = _guarded(script, lambda: now[0])

    async def ask() -> int:
        return await caller.read("GET", "http://x", understand, deadline_s=1, tries=1, guarded=True)

    for _ in range(2):
        with pytest.raises(Retryable):
            await ask()
    with pytest.raises(Unavailable) as raised:
        await ask()
    assert raised.value.retry_after_s == 10
    assert len(script.lines) == 2
    now[0] = 10.0
    assert [await ask(), await ask()] == [200, 200]


async def test_refusals_and_unguarded_calls_open_no_breaker() -> None:
    caller = _guarded(Script([422, 422, 422, 500, 500, 500, 200]), lambda: 0.0)
    for error in (Refused, Refused, Refused):
        with pytest.raises(error):
            await caller.read("GET", "http://x", understand, deadline_s=1, tries=1, guarded=True)
    for _ in range(3):
        with pytest.raises(Retryable):
            await caller.read("GET", "http://x", understand, deadline_s=1, tries=1)
    assert await caller.read("GET", "http://x", understand, deadline_s=1, tries=1, guarded=True) == 200


async def test_a_caller_that_gives_up_at_its_deadline_counts_against_the_party() -> None:
    caller = Caller("Test", Script([5.0, 5.0]), CallLimits(breaker=BreakerPolicy(failures=1)))
    with anyio.move_on_after(0.05):
        await caller.read("GET", "http://x", understand, deadline_s=5, guarded=True)
    assert caller.breaker.failures == 0
    with anyio.move_on_after(0.05):
        await caller.read("GET", "http://x", understand, deadline_s=0.06, guarded=True)
    assert caller.breaker.failures == 1


async def test_calls_beyond_the_limit_wait_and_writes_have_places_of_their_own() -> None:
    script = Script([0.01] * 7)
    caller = Caller("Test", script, CallLimits(reads=2, writes=1))

    async def read() -> None:
        await caller.read("GET", "http://x", understand, deadline_s=5)

    async def write() -> None:
        await caller.write("POST", "http://x", deadline_s=5, fence=lambda: True)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(read)
        for _ in range(3):
            group.start_soon(write)
    assert script.most == 3


async def test_a_call_that_finds_no_place_in_time_did_not_leave() -> None:
    script = Script([1.0, 200])
    caller = Caller("Test", script, CallLimits(writes=1))

    async def write(deadline_s: float) -> None:
        await caller.write("POST", "http://x", deadline_s=deadline_s, fence=lambda: True)

    async with anyio.create_task_group() as group:
        group.start_soon(write, 5)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(NotSent):
            await write(0.05)
        group.cancel_scope.cancel()
    assert script.lines == [200]
