"""Carriers' answers, asked once and held: equal questions share a call, and a price shown holds for half an hour.

A call that is slower than its rate request goes on in the background and serves the next one. What is held is the
carrier's answer, so that dates, rules and settings are always decided afresh. Prices that this process computes itself
(`Capabilities.local`) are computed every time: they need no holding and hold nobody up.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from carriers.carrier import Carrier
from carriers.parcel import RateRequest
from connector.quotes.answers import PASSING, AccountAnswer, KeptRate, UsualService
from connector.quotes.ask import Account, Question, ask_one, late, request_for, too_many
from connector.quotes.learning.lane import Asked, asked_of
from connector.quotes.learning.model import ServiceKey, Told
from connector.quotes.lru import Bounded

HOLD_S = 30 * 60.0
"""How long a carrier's answer serves the same question."""

STALE_S = 24 * 3600.0
"""How long it may stand in for one that does not come."""

PATIENCE_S = 10.0
"""How long a call may go on after the request that began it."""

_ASK_AGAIN_S = 60.0  # An answer without prices, or with a gap that may close, is asked for again soon.
_MOST_UNDER_WAY = 200  # To one account; more are not begun while it hangs.
_MOST_BYTES = 32 * 1024 * 1024
_ENTRY_BYTES = 1500
_RATE_BYTES = 900

Key = tuple[str, Carrier, RateRequest]
StandIns = Callable[[Account, Asked], Told]
"""What is learned of an account: prices that may stand in, and what it usually offers there."""


def no_stand_ins(_account: Account, _asked: Asked) -> Told:
    """Nothing is known."""
    return Told()


@dataclass(frozen=True, slots=True)
class _Held:
    """What was answered: its prices hold `until` then; from `ask_again_at` on it is asked for what is missing."""

    answer: AccountAnswer
    ask_again_at: float
    until: float


@dataclass(frozen=True, slots=True)
class Asking:
    """How a question is asked: for `soft_s` every price is waited for, until `hard_s` those that nothing stands in for.

    `shown` are the accounts whose prices were shown already and hold: they are asked, but not waited for. With `now`,
    the answers say until when they hold.
    """

    hard_s: float
    soft_s: float | None = None
    shown: Collection[str] = ()
    stand_ins: StandIns = no_stand_ins
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answers in the accounts' order, and the calls that still go on."""

    answers: tuple[AccountAnswer, ...]
    under_way: Mapping[str, asyncio.Task[AccountAnswer]] = field(default_factory=dict)


class CarrierAnswers:
    """What carriers answered, in this process's memory, bounded in bytes and time.

    `on_live` hears of every live answer: whose, what was asked, and what came.
    """

    def __init__(
        self,
        seconds: Callable[[], float] = time.monotonic,
        on_live: Callable[[Account, Asked | None, AccountAnswer], None] = lambda *_: None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._seconds = seconds
        self.on_live = on_live
        self._held: Bounded[Key, _Held] = Bounded(most_bytes)
        self._under_way: dict[Key, asyncio.Task[AccountAnswer]] = {}
        self._calls: Counter[str] = Counter()

    async def ask(
        self, accounts: Sequence[Account], question: Question, deadline_s: float
    ) -> tuple[AccountAnswer, ...]:
        """Every account's answer, in the accounts' order: held, or live until the deadline, else `late`."""
        return (await self.find(accounts, question, Asking(deadline_s))).answers

    async def find(self, accounts: Sequence[Account], question: Question, asking: Asking) -> Found:
        """Every account's answer: held, or live until the deadlines say; known prices stand in for missing ones."""
        began = self._seconds()
        answers: dict[str, AccountAnswer] = {}
        keys: dict[str, Key] = {}
        waiting: dict[str, asyncio.Task[AccountAnswer]] = {}
        holds: dict[str, float] = {}
        for account in accounts:
            request = request_for(account, question)
            if account.connection.capabilities.local:
                answers[account.id] = await ask_one(account, request, asking.hard_s)
                continue
            key = keys[account.id] = (account.id, account.connection, request)
            held = self._fresh(key, began)
            if held is not None:
                answers[account.id] = held.answer
                holds[account.id] = held.ask_again_at - began
            elif (task := self._call(key, account)) is not None:
                waiting[account.id] = task
            else:
                answers[account.id] = too_many(account)
        if waiting:
            await self._wait(accounts, waiting, keys, asking)
        for account in accounts:
            task = waiting.get(account.id)
            if task is not None:
                done = _is_answered(task)
                answers[account.id] = task.result() if done else late(account, asking.hard_s)
                holds[account.id] = HOLD_S
            if account.id in keys and answers[account.id].has_gap:
                answers[account.id] = self._stand_in(account, keys[account.id], answers[account.id], asking.stand_ins)
        return Found(
            tuple(_until(answers[account.id], asking.now, holds.get(account.id)) for account in accounts),
            {name: task for name, task in waiting.items() if not task.done()},
        )

    async def aclose(self) -> None:
        """End the calls that are under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(
        self,
        accounts: Sequence[Account],
        waiting: Mapping[str, asyncio.Task[AccountAnswer]],
        keys: Mapping[str, Key],
        asking: Asking,
    ) -> None:
        """Until the soft deadline for every answer; then for those that nothing known can stand in for."""
        open_tasks = {name: task for name, task in waiting.items() if name not in asking.shown}
        ends_at = self._seconds() + asking.hard_s
        if not open_tasks:
            await asyncio.sleep(0)  # Calls begin before their request is answered.
            return
        soft_s = asking.hard_s if asking.soft_s is None else min(asking.soft_s, asking.hard_s)
        await asyncio.wait(open_tasks.values(), timeout=max(0.0, soft_s))
        unknown = [
            open_tasks[account.id]
            for account in accounts
            if account.id in open_tasks
            and not open_tasks[account.id].done()
            and not self._is_known(account, keys[account.id], asking.stand_ins)
        ]
        left_s = ends_at - self._seconds()
        if unknown and left_s > 0:
            await asyncio.wait(unknown, timeout=left_s)

    def _is_known(self, account: Account, key: Key, stand_ins: StandIns) -> bool:
        asked = asked_of(key[2])
        return asked is not None and stand_ins(account, asked).whole

    def _stand_in(self, account: Account, key: Key, answer: AccountAnswer, stand_ins: StandIns) -> AccountAnswer:
        """The answer with what is known of the prices that may be missing: an older answer's, else learned ones."""
        missing = _gap(answer)
        known = {rate.key for rate in answer.rates}
        added: list[KeptRate] = []
        covered = False
        older = self._held.get(key)
        if older is not None and self._seconds() < older.until - HOLD_S + STALE_S:
            covered = older.answer.is_whole
            for rate in older.answer.rates:
                if rate.key not in known and missing(rate):
                    added.append(rate.but(stand_in=rate.stand_in or "cached"))
                    known.add(rate.key)
        asked = asked_of(key[2])
        if asked is not None:
            told = stand_ins(account, asked)
            covered = covered or told.whole
            for rate in told.rates:
                if rate.key not in known and missing(rate):
                    added.append(rate)
                    known.add(rate.key)
            answer = answer.but(missing=() if covered else _missing(answer, told, known))
        return answer.but(rates=(*answer.rates, *added), covered=covered) if added else answer

    def _fresh(self, key: Key, now: float) -> _Held | None:
        held = self._held.get(key)
        return held if held is not None and now < held.ask_again_at else None

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
            answer = await ask_one(account, key[2], PATIENCE_S)
            self.on_live(account, asked_of(key[2]), answer)
            return self._hold(key, answer)
        finally:
            self._under_way.pop(key, None)
            self._calls[account.id] -= 1
            if not self._calls[account.id]:
                del self._calls[account.id]

    def _hold(self, key: Key, answer: AccountAnswer) -> AccountAnswer:
        """Hold an answer, and give it with the prices that were shown before and still hold."""
        now, before = self._seconds(), self._held.get(key)
        until = now + HOLD_S
        if before is not None and now < before.until:
            answer, until = _with_shown(answer, before.answer), before.until
        if answer.state != "answered":
            return answer
        ask_again_at = until if answer.is_whole else min(until, now + _ASK_AGAIN_S)
        as_held = answer.but(source="held", elapsed_ms=0)
        self._held.put(key, _Held(as_held, ask_again_at, until), _ENTRY_BYTES + _RATE_BYTES * len(answer.rates))
        return answer


def _with_shown(answer: AccountAnswer, before: AccountAnswer) -> AccountAnswer:
    """A later answer, with what was shown before at the price that was shown."""
    shown = {rate.key for rate in before.rates}
    added = tuple(rate for rate in answer.rates if rate.key not in shown)
    state = "answered" if shown or answer.state == "answered" else answer.state
    return answer.but(rates=(*before.rates, *added), state=state)


def _until(answer: AccountAnswer, now: datetime | None, holds_s: float | None) -> AccountAnswer:
    if now is None or holds_s is None or not answer.rates:
        return answer
    return answer.but(until=now + timedelta(seconds=int(holds_s)))


def _missing(answer: AccountAnswer, told: Told, known: Collection[ServiceKey]) -> tuple[UsualService, ...] | None:
    """What is usually offered and has no price; None where it is not known of each silent account of the carrier's."""
    everywhere = answer.state != "answered" or answer.partial
    silent = {"" if everywhere else problem.account for problem in answer.problems if problem.code in PASSING} or {""}
    usual = [(key, service) for key, service in told.usual if "" in silent or key[0] in silent]
    if not usual or ("" not in silent and silent - {key[0] for key, _ in usual}):
        return None
    return tuple([service for key, service in usual if key not in known])


def _gap(answer: AccountAnswer) -> Callable[[KeptRate], bool]:
    """Which prices may be missing: those of the carrier's accounts that had a passing fault, else any."""
    if answer.state != "answered" or answer.partial:
        return lambda _rate: True
    silent = {problem.account for problem in answer.problems if problem.code in PASSING}
    return (lambda _rate: True) if "" in silent else (lambda rate: rate.account in silent)


def _is_answered(task: asyncio.Task[AccountAnswer]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
