"""Whatever is done to the wall clock, nobody gets more time for a question, and no watch is cut short."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.clock import FakeClock, SystemClock
from opsloop.remediation import elapsed
from opsloop.remediation._tables import RemediationRow

APPROVAL_S = 900.0
MOVES = st.lists(
    st.tuples(
        st.floats(0, 2_000),  # seconds that pass
        st.sampled_from((0, 0, -86_400, -3_600, -600, -1, 1, 600, 3_600, 86_400)),  # then somebody sets the clock
    ),
    max_size=8,
)


@given(MOVES)
def test_a_question_lapses_when_its_seconds_are_over_however_the_clock_is_set(moves: list[tuple[float, int]]) -> None:
    clock, row, passed = FakeClock(), RemediationRow(), 0.0
    elapsed.ask(row, clock, APPROVAL_S)
    for seconds, by in moves:
        clock.advance(seconds)
        clock.jump_to(clock.now() + timedelta(seconds=by))
        passed += seconds
        if passed >= APPROVAL_S + 1e-6:
            assert elapsed.is_lapsed(row, clock)


@given(MOVES)
def test_a_watch_is_as_long_as_the_seconds_that_passed(moves: list[tuple[float, int]]) -> None:
    clock, row, passed, moved = FakeClock(), RemediationRow(), 0.0, 0
    elapsed.act(row, clock)
    for seconds, by in moves:
        clock.advance(seconds)
        clock.jump_to(clock.now() + timedelta(seconds=by))
        passed, moved = passed + seconds, moved + by
        watched = elapsed.watched_s(row, clock)
        assert watched is not None
        assert abs(watched - passed) < 1e-6
        assert moved == -1 or abs(elapsed.set_back_s(row, clock) - max(0, -moved)) < 1e-3


def test_a_question_is_good_for_its_time_and_not_a_second_longer() -> None:
    clock, row = FakeClock(), RemediationRow()
    elapsed.ask(row, clock, APPROVAL_S)
    clock.advance(APPROVAL_S - 1)
    assert not elapsed.is_lapsed(row, clock)
    clock.advance(1)
    assert elapsed.is_lapsed(row, clock)
    assert not elapsed.is_lapsed(row, clock, grace_s=1)


def test_after_a_start_of_the_machine_the_wall_clock_counts_and_the_watch_begins_anew() -> None:
    clock, row = FakeClock(), RemediationRow()
    elapsed.ask(row, clock, APPROVAL_S)
    elapsed.act(row, clock)
    clock.advance(100)
    clock.reboot()
    assert not elapsed.is_lapsed(row, clock)
    assert elapsed.watched_s(row, clock) is None
    elapsed.watch_anew(row, clock)
    assert elapsed.watched_s(row, clock) == 0
    clock.jump_to(row.asked_at - timedelta(seconds=10))
    assert elapsed.is_lapsed(row, clock)  # a question from the future was asked before a clock was set
    clock.jump_to(row.expires_at)
    assert elapsed.is_lapsed(row, clock)


def test_the_count_of_this_machine_has_one_name() -> None:
    assert SystemClock().counter() == SystemClock().counter() != ""
