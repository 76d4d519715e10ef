"""A rollout's evidence in words, also when parts of it are missing."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.console import evidence

WHOLE: dict[str, Any] = {
    "candidate": {"requests": 23, "users": 18, "failed": 5, "shielded": 5, "callers_saw_error": 0},
    "bad_for_s": 2.4,
    "analysis": {
        "sentence": "candidate fails",
        "kind": "error",
        "e_value": 791.0,
        "threshold": 200.0,
        "kinds": {"error": {"candidate": {"subjects": 18, "adverse": 5}, "stable": {"subjects": 150, "adverse": 0}}},
    },
}


def test_who_saw_the_candidate_is_counted() -> None:
    assert [each.figure for each in evidence.facts(WHOLE)] == ["23", "18", "5", "5", "0", "2 s"]


def test_trouble_is_told_for_both_sides_with_its_weight() -> None:
    assert evidence.trouble(WHOLE, "error") == (
        "5 of 18 candidate users had an error, 0 of 150 of stable; e = 791 of 200 needed to take it back"
    )


@pytest.mark.parametrize("stored", [{}, {"analysis": None}, {"analysis": {"kinds": "?"}}, {"candidate": 3}])
def test_what_is_missing_is_left_out(stored: dict[str, Any]) -> None:
    assert evidence.facts(stored) == ()
    assert evidence.sentence(stored) == ""
    assert evidence.trouble(stored, "error") == ""


def test_each_judge_of_answers_is_told_with_its_scores_and_one_that_judged_nobody_is_not() -> None:
    scored = {"candidate": {"subjects": 40, "adverse": 0}, "stable": {"subjects": 41, "adverse": 0}}
    unscored = {"candidate": {"subjects": 0, "adverse": 0}, "stable": {"subjects": 0, "adverse": 0}}
    kinds = {
        "quality by Helpful": {**scored, "claim": "quality by Helpful is 0.61 on the candidate and 0.84 on stable"},
        "quality": {**unscored, "claim": "no quality scores on both sides yet"},
        **WHOLE["analysis"]["kinds"],
    }
    told = evidence.troubles({"analysis": {**WHOLE["analysis"], "kind": "quality by Helpful", "kinds": kinds}})
    assert told == [
        "5 of 18 candidate users had an error, 0 of 150 of stable",
        "Quality by Helpful is 0.61 on the candidate and 0.84 on stable; e = 791 of 200 needed to take it back",
    ]
