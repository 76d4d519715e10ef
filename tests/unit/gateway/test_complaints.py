from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from opsloop.core.clock import FakeClock
from opsloop.gateway.complaints import Complaints


def tell(complaints: Complaints, times: int = 1, release: str = "release_1") -> None:
    for _ in range(times):
        complaints.tell("candidate_failed", endpoint="chat", release=release, error=KeyError("what a caller wrote"))


def warnings_of(logged: list[Any]) -> list[Any]:
    return [line for line in logged if line["log_level"] == "warning"]


def test_the_first_failure_is_told_at_once_and_the_others_once_a_minute(clock: FakeClock) -> None:
    complaints = Complaints(clock)
    with capture_logs() as logged:
        tell(complaints, times=50)
        clock.advance(61)
        tell(complaints)
    lines = warnings_of(logged)
    assert [line.get("since_last_line") for line in lines] == [None, 49]


def test_each_release_has_its_own_first_line(clock: FakeClock) -> None:
    complaints = Complaints(clock)
    with capture_logs() as logged:
        tell(complaints, release="release_1")
        tell(complaints, release="release_2")
    lines = warnings_of(logged)
    assert [line["release"] for line in lines] == ["release_1", "release_2"]


def test_an_error_is_quoted_for_debugging_only(clock: FakeClock) -> None:
    with capture_logs() as logged:
        tell(Complaints(clock))
    lines = warnings_of(logged)
    assert lines[0]["error"] == "KeyError"
    assert "what a caller wrote" not in str(lines)
