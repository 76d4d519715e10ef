from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.verdicts import Decision, Rule, Verdict


def decision(rule: Rule, verdict: Verdict, *, rows_that_would_decide: int | None = None) -> Decision:
    return Decision(
        rule=rule,
        verdict=verdict,
        estimate=0.86,
        low=0.79,
        high=0.92,
        baseline_estimate=0.88,
        difference=-0.02,
        p_value=0.01,
        p_violated=0.99,
        rows=120,
        rows_that_would_decide=rows_that_would_decide,
        method="exact binomial",
    )


@pytest.mark.parametrize("conditions", [{}, {"at_least": 0.5, "at_most": 0.9}, {"at_least": 0.5, "margin": 0.1}])
def test_a_rule_makes_exactly_one_demand(conditions: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"rule for accuracy: .* exactly one of"):
        Rule("accuracy", **conditions)


@pytest.mark.parametrize("conditions", [{"margin": -0.1}, {"margin": math.nan}, {"at_least": math.inf}])
def test_a_demand_is_a_finite_number(conditions: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="rule for accuracy, "):
        Rule("accuracy", **conditions)


@pytest.mark.parametrize(
    ("rule", "boundary", "wants_above", "demand"),
    [
        (Rule("accuracy", at_least=0.8), 0.8, True, "at least 0.8"),
        (Rule("latency_ms", at_most=250.0), 250.0, False, "at most 250"),
        (Rule("accuracy", margin=0.02), -0.02, True, "less than 0.02 below the baseline"),
        (
            Rule("latency_ms", margin=20.0, higher_is_better=False),
            20.0,
            False,
            "less than 20 above the baseline",
        ),
    ],
)
def test_a_rule_knows_its_boundary(rule: Rule, boundary: float, wants_above: bool, demand: str) -> None:
    assert (rule.boundary, rule.wants_above, rule.demand) == (boundary, wants_above, demand)


def test_a_decision_says_what_was_found() -> None:
    rule = Rule("accuracy", at_least=0.75)
    assert decision(rule, Verdict.PASS).sentence == "accuracy 0.86 [0.79, 0.92] meets at least 0.75 (120 rows)"
    open_ = decision(Rule("accuracy", at_least=0.8), Verdict.INCONCLUSIVE, rows_that_would_decide=1_260)
    assert open_.sentence == (
        "accuracy 0.86 [0.79, 0.92] does not show yet whether it is at least 0.8 (120 rows; about 1,260 would decide "
        "it if rate and spread stay as they are, in 8 of 10 repetitions)"
    )
    assert decision(rule, Verdict.INCONCLUSIVE).sentence.endswith("(120 rows; it sits on the boundary)")


def test_the_nouns_come_without_numpy() -> None:
    code = (
        "import opsloop.evaluation.verdicts, opsloop.releases.analysis.stepping, sys; sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
