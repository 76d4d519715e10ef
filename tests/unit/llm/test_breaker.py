"""A server that keeps failing is left alone for a while, then tried by one call."""

from __future__ import annotations

from opsloop.core.clock import FakeClock
from opsloop.llm.breaker import FAILURES, FIRST_REST_S, LONGEST_REST_S, PROBE_S, Breaker


def opened(clock: FakeClock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.lets_in()
        breaker.failed()
    return breaker


def test_it_opens_after_some_failures_in_a_row_only(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    for _ in range(3 * FAILURES):
        breaker.failed()
        breaker.succeeded()
    assert breaker.lets_in()
    breaker = opened(clock)
    assert breaker.is_open
    assert not breaker.lets_in()


def test_after_its_rest_one_call_tries(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(FIRST_REST_S)
    assert [breaker.lets_in(), breaker.lets_in()] == [True, False]
    breaker.succeeded()
    assert [breaker.lets_in(), breaker.lets_in()] == [True, True]


def test_a_try_that_fails_makes_the_rest_longer_up_to_a_minute(clock: FakeClock) -> None:
    breaker, rests = opened(clock), []
    for _ in range(8):
        waited = 0
        while not breaker.lets_in():
            clock.advance(1.0)
            waited += 1
        rests.append(waited)
        breaker.failed()
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_S


def test_a_try_whose_caller_went_away_does_not_close_the_door_for_ever(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(FIRST_REST_S)
    assert breaker.lets_in()
    assert not breaker.lets_in()
    clock.advance(PROBE_S)
    assert breaker.lets_in()
