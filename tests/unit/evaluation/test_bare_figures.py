"""Rules on what an evaluation flow made of all rows: compared as they are, and said to be so."""

from __future__ import annotations

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.bare_figures import bare_decision
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.verdict_sentence import clause
from opsloop.evaluation.verdicts import Verdict


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (Rule("grading.accuracy", at_least=0.8), Verdict.PASS),
        (Rule("grading.accuracy", at_least=0.85), Verdict.PASS),
        (Rule("grading.accuracy", at_least=0.86), Verdict.FAIL),
        (Rule("grading.accuracy", at_most=0.5), Verdict.FAIL),
    ],
)
def test_the_figure_is_compared_as_it_is(rule: Rule, verdict: Verdict) -> None:
    assert bare_decision(rule, 0.85).verdict is verdict


def test_it_says_that_there_is_no_interval() -> None:
    found = bare_decision(Rule("grading.accuracy", at_least=0.8), 0.85)
    assert found.sentence == "grading.accuracy 0.85 meets at least 0.8 (one figure over all rows, without interval)"
    assert clause(found, alpha=0.05) == "grading.accuracy is 0.85 (no interval; wanted at least 0.8)"


@pytest.mark.parametrize(
    "rule",
    [
        Rule("a", margin=0.1),
        Rule("a", no_flips=True),
        Rule("a", quantile=0.9, at_most=1),
        Rule("a", at_least=1, slice="b"),
    ],
)
def test_what_needs_rows_is_refused(rule: Rule) -> None:
    with pytest.raises(InvalidInput, match="it is one figure of an evaluation flow, which has no rows"):
        bare_decision(rule, 0.85)
