"""Where an interval stands on its line."""

from __future__ import annotations

from typing import Any

from opsloop.evaluation.intervals import of_decision, of_metric
from opsloop.evaluation.models import MetricSummary
from opsloop.evaluation.verdicts import Decision, Rule, Verdict


def metric(value: float | None, low: float | None, high: float | None) -> MetricSummary:
    return MetricSummary(value, low, high, 10, 0, 0, value, value, higher_is_better=True, unit="")


def decision(rule: Rule, **found: Any) -> Decision:
    values: dict[str, Any] = {
        "estimate": 0.5,
        "low": 0.4,
        "high": 0.6,
        "baseline_estimate": None,
        "difference": None,
        "p_value": 0.5,
        "p_violated": 0.5,
        "rows": 10,
        "rows_that_would_decide": None,
        "method": "",
    }
    return Decision(rule=rule, verdict=Verdict.PASS, **{**values, **found})


def test_shares_stand_between_nothing_and_all() -> None:
    drawn = of_metric(metric(0.5, 0.25, 0.75))
    assert drawn is not None
    assert (drawn.low, drawn.estimate, drawn.high, drawn.needed) == (25.0, 50.0, 75.0, None)


def test_a_metric_without_rows_is_not_drawn() -> None:
    assert of_metric(metric(None, None, None)) is None


def test_a_difference_stands_around_zero_with_its_margin() -> None:
    rule = Rule("f1", margin=0.1)
    drawn = of_decision(decision(rule, difference=0.0, low=-0.2, high=0.2, baseline_estimate=0.5))
    assert drawn is not None
    assert drawn.estimate == 50.0
    assert drawn.needed is not None
    assert drawn.low < drawn.needed < 50.0


def test_an_absolute_rule_shows_its_boundary() -> None:
    drawn = of_decision(decision(Rule("f1", at_least=0.8)))
    assert drawn is not None
    assert drawn.needed == 80.0
