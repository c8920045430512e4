"""Carriers' answers, asked once and held: equal questions share a call, and a price shown holds for half an hour.

A call that is slower than its rate request goes on in the background and serves the next one. What is held is the
carrier's answer, so that dates, rules and settings are always decided afresh.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from carriers.carrier import Carrier
from carriers.parcel import RateRequest
from connector.quotes.answers import AccountAnswer
from connector.quotes.ask import Account, Question, ask_one, late, request_for, too_many

HOLD_S = 30 * 60.0
"""How long a price that was shown holds for the same cart."""

_REFUSAL_S = 60.0  # An answer without any price is asked for again soon.
_PATIENCE_S = 10.0  # How long a call may go on after the request that began it.
_MOST_HELD = 20_000
_MOST_UNDER_WAY = 200  # To one account; more are not begun while it hangs.

Key = tuple[str, Carrier, RateRequest]


@dataclass(frozen=True, slots=True)
class _Held:
    answer: AccountAnswer
    until: float


class CarrierAnswers:
    """What carriers answered, in this process's memory, bounded in number and time."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self._under_way: dict[Key, asyncio.Task[AccountAnswer]] = {}
        self._calls: Counter[str] = Counter()

    async def ask(
        self, accounts: Sequence[Account], question: Question, deadline_s: float
    ) -> tuple[AccountAnswer, ...]:
        """Every account's answer, in the accounts' order: held, or live until the deadline, else `late`."""
        answers: dict[str, AccountAnswer] = {}
        waiting: dict[str, asyncio.Task[AccountAnswer]] = {}
        for account in accounts:
            key = (account.id, account.connection, request_for(account, question))
            held = self._fresh(key)
            if held is not None:
                answers[account.id] = held
            elif (task := self._call(key, account)) is not None:
                waiting[account.id] = task
            else:
                answers[account.id] = too_many(account)
        if waiting:
            await asyncio.wait(waiting.values(), timeout=deadline_s)
        for account in accounts:
            task = waiting.get(account.id)
            if task is not None:
                answers[account.id] = task.result() if _is_answered(task) else late(account, deadline_s)
        return tuple(answers[account.id] for account in accounts)

    async def aclose(self) -> None:
        """End the calls that are under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fresh(self, key: Key) -> AccountAnswer | None:
        held = self._held.get(key)
        if held is None:
            return None
        if self._seconds() >= held.until:
            del self._held[key]
            return None
        self._held.move_to_end(key)
        return held.answer

    def _call(self, key: Key, account: Account) -> asyncio.Task[AccountAnswer] | None:
        """The call for this question, begun if none is under way; None where too many are."""
        task = self._under_way.get(key)
        if task is None:
            if self._calls[account.id] >= _MOST_UNDER_WAY:
                return None
            task = asyncio.create_task(self._ask(key, account), name=f"rates {account.carrier}")
            self._under_way[key] = task
            self._calls[account.id] += 1
        return task

    async def _ask(self, key: Key, account: Account) -> AccountAnswer:
        try:
            answer = await ask_one(account, key[2], _PATIENCE_S)
            if answer.state == "answered":
                self._hold(key, answer)
            return answer
        finally:
            self._under_way.pop(key, None)
            self._calls[account.id] -= 1

    def _hold(self, key: Key, answer: AccountAnswer) -> None:
        seconds = HOLD_S if answer.rates else _REFUSAL_S
        as_held = answer.model_copy(update={"source": "held", "elapsed_ms": 0})
        self._held[key] = _Held(as_held, self._seconds() + seconds)
        while len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)


def _is_answered(task: asyncio.Task[AccountAnswer]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
