"""The circuit breaker's states, on a clock of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carriers.breaker import Breaker, BreakerPolicy, admit, forget_probe, record

POLICY = BreakerPolicy(failures=3, rest_s=10, longest_rest_s=40, probe_s=5)


def _failed(state: Breaker, *times: float) -> Breaker:
    for now in times:
        state = record(state, POLICY, now, worked=False)
    return state


def test_single_failures_open_nothing() -> None:
    state = record(_failed(Breaker(), 0, 1), POLICY, 2, worked=True)
    assert _failed(state, 3, 4).phase(5) == "closed"


def test_failures_in_a_row_open_it_until_the_rest_is_over() -> None:
    state = _failed(Breaker(), 0, 1, 2)
    assert state.phase(3) == "open"
    assert admit(state, POLICY, 11.9) == (state, False)
    assert state.retry_after(3) == 9
    assert state.phase(12) == "half_open"


def test_half_open_lets_one_probe_go_at_a_time() -> None:
    state, first = admit(_failed(Breaker(), 0, 0, 0), POLICY, 10)
    state, second = admit(state, POLICY, 11)
    assert (first, second) == (True, False)


def test_a_probe_that_never_reports_is_replaced() -> None:
    state, _ = admit(_failed(Breaker(), 0, 0, 0), POLICY, 10)
    assert admit(state, POLICY, 15)[1] is True
    assert admit(forget_probe(state), POLICY, 10)[1] is True


def test_a_probe_that_works_closes_it() -> None:
    state, _ = admit(_failed(Breaker(), 0, 0, 0), POLICY, 10)
    assert record(state, POLICY, 11, worked=True) == Breaker()


def test_each_probe_that_fails_doubles_the_rest_up_to_a_limit() -> None:
    state, now, rests = _failed(Breaker(), 0, 0, 0), 0.0, []
    for _ in range(5):
        rests.append(state.retry_after(now))
        now += rests[-1]
        state, may_go = admit(state, POLICY, now)
        assert may_go
        state = record(state, POLICY, now, worked=False)
    assert rests == [10, 20, 40, 40, 40]


def test_a_late_failure_of_a_call_from_before_does_not_lengthen_the_rest() -> None:
    state = _failed(Breaker(), 0, 0, 0)
    assert _failed(state, 5).retry_after(5) == state.retry_after(5)


@given(st.lists(st.tuples(st.sampled_from(["admit", "work", "fail", "forget"]), st.floats(0, 30)), max_size=60))
def test_whatever_happens_a_call_is_let_through_in_the_end(steps: list[tuple[str, float]]) -> None:
    state, now = Breaker(), 0.0
    for step, passed in steps:
        now += passed
        match step:
            case "admit":
                state, _ = admit(state, POLICY, now)
            case "forget":
                state = forget_probe(state)
            case _:
                state = record(state, POLICY, now, worked=step == "work")
    assert admit(state, POLICY, now + POLICY.longest_rest_s + POLICY.probe_s)[1] is True


def test_a_party_that_answers_most_calls_is_not_left_alone_for_a_few_failures_at_once() -> None:
    """Of a hundred calls at once, five fail in a row now and then."""
    policy = BreakerPolicy(failures=5, quiet_s=2.0)
    state = record(Breaker(), policy, 10.0, worked=True)
    for _ in range(20):
        state = record(state, policy, 11.9, worked=False)
    assert state.phase(11.9) == "closed"
    assert record(state, policy, 12.0, worked=False).phase(12.0) == "open"
