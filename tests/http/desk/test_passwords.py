"""Passwords: what is taken, how guesses are counted in bounded memory, whose address counts, and what a form proves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.desk import guard
from connector.http.desk.passwords import LONGEST, Passwords, Throttle, TooBusy, complain
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("eleven char", "password.short"),
        ("twelve chars", ""),
        ("x" * 257, "password.long"),
        ("aaaaaaaaaaaaaaaa", "password.easy"),
        ("abababababababab", "password.easy"),
        ("anna@example.com", "password.easy"),
        ("ANNA@example.com ", "password.easy"),
        ("correct horse battery", ""),
        ("žluťoučký kůň", ""),
    ],
)
async def test_a_password_is_taken_or_the_reason_is_named(password: str, code: str) -> None:
    assert complain(password, "anna@example.com") == code


async def test_a_password_is_known_again_in_whatever_form_its_letters_come() -> None:
    passwords = Passwords()
    try:
        kept = await passwords.hash("cafe\u0301 au lait \ufb01n")
        assert "argon2id" in kept
        assert not passwords.is_dated(kept)
        assert await passwords.check(kept, "caf\u00e9 au lait fin")
        assert not await passwords.check(kept, "cafe au lait fin")
        assert not await passwords.check(None, "caf\u00e9 au lait fin")
        assert not await passwords.check("no hash at all", "anything")
        assert not await passwords.check(kept, "x" * 100_000)
        assert len(kept) <= 255
        assert await passwords.check(await passwords.hash("\U0001f511" * LONGEST), "\U0001f511" * LONGEST)
    finally:
        passwords.close()


async def test_a_flood_of_logins_is_turned_away_and_does_not_stop_the_loop() -> None:
    passwords = Passwords()
    try:
        results = await asyncio.gather(
            *(passwords.check(None, f"guess {number}") for number in range(40)), return_exceptions=True
        )
        assert results.count(False) == 18
        assert sum(isinstance(each, TooBusy) for each in results) == 22
        assert await passwords.check(None, "again") is False
    finally:
        passwords.close()


async def test_failures_are_forgotten_after_their_time(clock: FrozenClock) -> None:
    throttle = Throttle(clock.now)
    for _ in range(5):
        assert throttle.wait_s("anna", "a") == 0
        throttle.failed("anna", "a")
    assert throttle.wait_s("anna", "a") == 900
    assert throttle.wait_s("anna", "b") == 0, "the owner elsewhere"
    assert throttle.wait_s("paul", "a") == 0, "a colleague behind the same address"
    clock.advance(minutes=15)
    assert throttle.wait_s("anna", "a") == 0


async def test_an_address_and_an_account_have_their_limits_too(clock: FrozenClock) -> None:
    throttle = Throttle(clock.now)
    for number in range(30):
        throttle.failed(f"account {number}", "a")
    assert throttle.wait_s("another", "a") > 0, "one address, many accounts"
    for number in range(50):
        throttle.failed("anna", f"address {number}")
    assert throttle.wait_s("anna", "another") > 0, "one account, many addresses"
    throttle.succeeded("anna", "b")


async def test_the_count_is_bounded(clock: FrozenClock) -> None:
    throttle = Throttle(clock.now, most_keys=300)
    for number in range(1000):
        throttle.failed(f"account {number}", f"address {number}")
    assert len(throttle) == 300
    assert throttle.wait_s("account 999", "address 999") == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("8.8.8.8", "", "8.8.8.8"),
        ("8.8.8.8", "198.51.100.1", "8.8.8.8"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("testclient", "203.0.113.9", "testclient"),
    ],
)
async def test_only_a_proxy_beside_us_is_believed_about_addresses(peer: str, forwarded: str, counted: str) -> None:
    scope = {"client": (peer, 1)}
    assert guard.caller(scope, {"x-forwarded-for": forwarded} if forwarded else {}) == counted
    assert guard.caller({"client": None}, {}) == "unknown"


@given(st.text(), st.text(), st.text())
async def test_a_form_holds_for_its_session_and_address_alone(session: str, action: str, other: str) -> None:
    made = guard.new_form(session, action)
    assert guard.form_is_ours(session, action, made)
    assert not guard.form_is_ours(session, action, made + "0")
    assert not guard.form_is_ours(session, action, other)
    if other not in {session, action}:
        assert not guard.form_is_ours(other, action, made)
        assert not guard.form_is_ours(session, other, made)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": "https://desk.example"}, True),
        ({"origin": "https://desk.example", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://10.0.0.5:8080", "host": "10.0.0.5:8080", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://evil.example", "host": "desk.example"}, False),
        ({"origin": "https://desk.example.evil.example", "host": "desk.example"}, False),
        ({"origin": "https://desk.example", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"host": "desk.example"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
    ],
)
async def test_a_form_comes_from_our_own_site(headers: dict[str, str], ours: bool) -> None:
    assert guard.is_ours(headers, "https://desk.example") is ours


async def test_cookies_that_cannot_be_read_are_none() -> None:
    cookie = guard.Cookie("http://x")
    assert cookie.read({"cookie": "waybill=abc; other=1"}) == "abc"
    for odd in ("", "waybill", "=;=", "\x00\xff", "waybill=a, waybill=b; ;;"):
        assert isinstance(cookie.read({"cookie": odd}), str)
    assert timedelta(days=7).total_seconds() == guard._AGE_S
