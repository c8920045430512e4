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

_ASK_AGAIN_S = 60.0  # An answer without prices, or with a gap that may close, is asked for again soon.
_PATIENCE_S = 10.0  # How long a call may go on after the request that began it.
_MOST_HELD = 20_000
_MOST_UNDER_WAY = 200  # To one account; more are not begun while it hangs.

Key = tuple[str, Carrier, RateRequest]


@dataclass(frozen=True, slots=True)
class _Held:
    """What was shown: its prices hold `until` then; from `ask_again_at` on the carrier is asked for what is missing."""

    answer: AccountAnswer
    ask_again_at: float
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
        if held is None or self._seconds() >= held.ask_again_at:
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
            return self._hold(key, await ask_one(account, key[2], _PATIENCE_S))
        finally:
            self._under_way.pop(key, None)
            self._calls[account.id] -= 1

    def _hold(self, key: Key, answer: AccountAnswer) -> AccountAnswer:
        """Hold an answer, and give it with the prices that were shown before and still hold."""
        now, before = self._seconds(), self._held.get(key)
        until = now + HOLD_S
        if before is not None and now < before.until:
            answer, until = _with_shown(answer, before.answer), before.until
        if answer.state != "answered":
            return answer
        ask_again_at = until if answer.is_whole else min(until, now + _ASK_AGAIN_S)
        as_held = answer.model_copy(update={"source": "held", "elapsed_ms": 0})
        self._held[key] = _Held(as_held, ask_again_at, until)
        self._held.move_to_end(key)
        while len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)
        return answer


def _with_shown(answer: AccountAnswer, before: AccountAnswer) -> AccountAnswer:
    """A later answer, with what was shown before at the price that was shown."""
    shown = {(rate.account, rate.carrier, rate.service): rate for rate in before.rates}
    added = tuple(rate for rate in answer.rates if (rate.account, rate.carrier, rate.service) not in shown)
    state = "answered" if shown or answer.state == "answered" else answer.state
    return answer.model_copy(update={"rates": (*before.rates, *added), "state": state})


def _is_answered(task: asyncio.Task[AccountAnswer]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
