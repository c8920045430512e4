"""Passwords: rules, argon2 in few threads, and patience with who guesses."""

from __future__ import annotations

import asyncio
import functools
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

SHORTEST, LONGEST = 12, 256

# What OWASP's password storage cheat sheet names for argon2id: 19 MiB, two passes, one lane. Two at once are 38 MiB.
_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1
_AT_ONCE, _WAITING = 2, 16


class TooBusy(Exception):
    """Too many passwords wait to be checked."""


def complain(password: str, email: str = "") -> str:
    """The code of what is wrong with a new password, or nothing."""
    if len(password) < SHORTEST:
        return "password.short"
    if len(password) > LONGEST:
        return "password.long"
    if len(set(password)) < 5 or password.strip().lower() in {email.lower(), email.partition("@")[0].lower()} - {""}:
        return "password.easy"
    return ""


class Passwords:
    """Hashes and checks in two threads of its own, so that the checkout never waits for a login."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._places = _AT_ONCE + _WAITING

    async def hash(self, password: str) -> str:
        """The hash to keep. Raises TooBusy."""
        return await self._run(lambda: _hasher().hash(_plain(password)))

    async def check(self, kept: str | None, password: str) -> bool:
        """Whether the password is the kept one; without a kept one the same work is done for nothing."""
        return await self._run(_check, kept, password)

    def is_dated(self, kept: str) -> bool:
        """Whether the kept hash has other parameters than today's."""
        return _hasher().check_needs_rehash(kept)

    def close(self) -> None:
        """Let go of the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    async def _run(self, work: Callable[..., T], *args: str | None) -> T:
        if self._places <= 0:
            raise TooBusy
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._places += 1


def _check(kept: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(kept or _nobodys_hash(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@functools.cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@functools.cache
def _nobodys_hash() -> str:
    import secrets

    return _hasher().hash(secrets.token_hex(16))


def _plain(password: str) -> str:
    """One form for letters that keyboards write in several ways."""
    return unicodedata.normalize("NFKC", password[: LONGEST * 4])


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many failures within so long."""

    most: int
    within: timedelta


FROM_ADDRESS = Allowance(30, timedelta(minutes=15))
OF_ACCOUNT = Allowance(50, timedelta(hours=1))
OF_PAIR = Allowance(5, timedelta(minutes=15))


class Throttle:
    """Counts failed logins by account, by address and by both, in bounded memory: the least recent are let go.

    A stranger who fails for an account closes it to themselves long before they close it to its owner.
    """

    def __init__(self, now: Callable[[], datetime], most_keys: int = 20_000) -> None:
        self._now = now
        self._most = most_keys
        self._failures: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def wait_s(self, account: str, address: str) -> int:
        """Seconds until this account may be tried from this address again; 0 now."""
        return max(self._wait_s(key, allowance) for key, allowance in _keys(account, address))

    def failed(self, account: str, address: str) -> None:
        """Note a failure."""
        for key, allowance in _keys(account, address):
            times = self._failures.pop(key, None) or deque(maxlen=allowance.most)
            times.append(self._now())
            self._failures[key] = times
        while len(self._failures) > self._most:
            self._failures.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """The owner was here: what they mistyped from this address is forgotten."""
        self._failures.pop(("pair", f"{account} {address}"), None)

    def _wait_s(self, key: tuple[str, str], allowance: Allowance) -> int:
        times = self._failures.get(key)
        if times is None or len(times) < allowance.most:
            return 0
        left = times[0] + allowance.within - self._now()
        return max(0, -int(-left.total_seconds() // 1))


def _keys(account: str, address: str) -> tuple[tuple[tuple[str, str], Allowance], ...]:
    return (
        (("pair", f"{account} {address}"), OF_PAIR),
        (("account", account), OF_ACCOUNT),
        (("address", address), FROM_ADDRESS),
    )
