"""The gate's verdict in words."""

from __future__ import annotations

from dataclasses import replace

from opsloop.evaluation.verdict_sentence import sentence
from opsloop.evaluation.verdicts import Decision, Rule, Verdict

FELL = Decision(
    rule=Rule("answer_f1", margin=0.05),
    verdict=Verdict.FAIL,
    estimate=0.25,
    low=-0.27,
    high=-0.15,
    baseline_estimate=0.46,
    difference=-0.21,
    p_value=1.0,
    p_violated=0.001,
    rows=125,
    rows_that_would_decide=None,
    method="bootstrap",
)
HELD = replace(
    FELL,
    rule=Rule("support", at_least=0.95),
    verdict=Verdict.PASS,
    estimate=0.99,
    low=0.97,
    high=1.0,
    baseline_estimate=None,
    difference=None,
)
UNSURE = replace(HELD, verdict=Verdict.INCONCLUSIVE, estimate=0.94, low=0.90, high=0.97, rows_that_would_decide=1_240)


def test_a_failed_gate_names_the_rules_that_failed_with_their_figures() -> None:
    assert sentence(Verdict.FAIL, [FELL, HELD], [], alpha=0.05) == (
        "Gate failed: 1 of 2 rules. answer_f1 fell 0.21 (0.46 to 0.25; 90 % interval -0.27 to -0.15, margin 0.05)."
    )


def test_an_undecided_gate_says_how_many_rows_would_decide() -> None:
    assert sentence(Verdict.INCONCLUSIVE, [HELD, UNSURE], [], alpha=0.025) == (
        "Gate undecided: 1 of 2 rules needs more rows. support is 0.94 (95 % interval 0.90 to 0.97; wanted at least "
        "0.95; about 1,240 rows would decide it)."
    )


def test_a_passed_gate_tells_what_it_could_not_compare() -> None:
    said = sentence(Verdict.PASS, [HELD], [FELL.rule], alpha=0.05)
    assert said.startswith("Gate passed: 1 of 1 rule. support is 0.99")
    assert said.endswith("Nothing to compare answer_f1 with yet: this run can be the first baseline.")
