"""How often visitors may ask, and how they are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.storefront.pressing import Pace, client_of


def test_a_quarter_of_a_minutes_questions_may_come_at_once_and_then_they_flow_evenly() -> None:
    pace = Pace(60)
    assert [pace.take(b"a", 0.0) for _ in range(16)] == [0] * 15 + [1]
    assert (pace.take(b"a", 1.0), pace.take(b"a", 1.0), pace.take(b"b", 1.0)) == (0, 1, 0)


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60), st.integers(1, 120))
def test_never_more_pass_than_the_first_ones_and_what_has_flowed_since(gaps: list[float], per_minute: int) -> None:
    pace, now, passed = Pace(per_minute), 0.0, 0
    for gap in gaps:
        now += gap
        passed += pace.take(b"a", now) == 0
    assert passed <= max(1.0, per_minute / 4) + now * per_minute / 60 + 1e-6


def test_visitors_are_forgotten_rather_than_kept_without_end() -> None:
    pace = Pace(4, most_keys=10)
    for number in range(100):
        pace.take(str(number).encode(), 0.0)
    assert len(pace) == 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("203.0.113.9", "198.51.100.1", 1, "198.51.100.1"),
        ("8.8.8.8", "198.51.100.1", 1, "8.8.8.8"),
        ("127.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.2", "192.0.2.66, 198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.2", "192.0.2.66, 198.51.100.1", 2, "192.0.2.66"),
        ("10.0.0.2", "198.51.100.1", 5, "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1", 0, "10.0.0.2"),
        ("::1", "2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"),
        ("::1", "::ffff:198.51.100.1", 1, "198.51.100.1"),
        ("127.0.0.1", "", 1, "127.0.0.1"),
        ("127.0.0.1", "unknown", 1, "unknown"),
        ("", "198.51.100.1", 1, ""),
    ],
)
def test_a_proxy_is_believed_only_where_it_stands_on_our_own_network(
    peer: str, forwarded: str, proxies: int, client: str
) -> None:
    assert client_of(peer, {"x-forwarded-for": forwarded} if forwarded else {}, proxies) == client
