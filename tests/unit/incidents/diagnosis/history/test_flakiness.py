"""When a step is said to pass and fail in turn."""

from __future__ import annotations

import pytest

from opsloop.incidents.diagnosis.history.flakiness import Run, because


def runs(said: str) -> list[Run]:
    """`F1 P2`: failed at commit 1, before that passed at commit 2; `F` without a commit."""
    return [Run(each[0] == "F", each[1:]) for each in said.split()]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("F1", None),
        ("F1 F1 F1", None),
        ("F1 P2", None),
        ("P1 F2 P3", None),
        ("F1 P1", "at commit 1 it failed once and passed once"),
        ("F9 F1 P1 F1", "at commit 1 it failed twice and passed once".replace("twice", "2 times")),
        ("F4 P3 F2 P1", "its last 4 runs changed between failing and passing 3 times"),
        ("F P F P P", "its last 5 runs changed between failing and passing 3 times"),
        ("F F P P", None),
        ("F P " + "P " * 20 + "F P F", None),
        ("", None),
    ],
)
def test_a_step_is_flaky_at_one_commit_or_by_turns(said: str, why: str | None) -> None:
    assert because(runs(said)) == why
