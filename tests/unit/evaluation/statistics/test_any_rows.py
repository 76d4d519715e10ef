"""Whatever the rows are, a decision is one: no crash, no certainty, no dependence on what does not matter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.cases import Case
from opsloop.evaluation.statistics.decide import decide, decide_cases
from opsloop.evaluation.verdicts import Decision, Verdict

VALUES = st.one_of(
    st.sampled_from([0.0, 1.0, None]),
    st.floats(0.0, 1.0),
    st.floats(-1e9, 1e9),
    st.sampled_from([1e90, -1e90, 1e-300, 5e-324]),
)
MODERATE = st.lists(st.tuples(*2 * [st.floats(-1e3, 1e3, width=16)], st.integers(0, 4)), max_size=40)
EIGHTHS = st.integers(0, 8).map(lambda eighths: eighths / 8)
SCORED = st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=1, max_size=60)
ROWS = st.lists(st.tuples(VALUES, VALUES, st.integers(0, 4)), min_size=0, max_size=40)
RULES = st.sampled_from(
    [
        Rule("x", at_least=0.5),
        Rule("x", at_most=0.0),
        Rule("x", at_least=1.0),
        Rule("x", margin=0.05),
        Rule("x", margin=0.0),
        Rule("x", margin=2.0, higher_is_better=False),
        Rule("x", better_by=0.1),
        Rule("x", quantile=0.95, at_most=100.0),
        Rule("x", quantile=0.5, at_least=0.5),
        Rule("x", no_flips=True, pass_at=0.5),
    ]
)
Given = list[tuple[float | None, float | None, int]]


def decided(rows: Given, rule: Rule, *, in_clusters: bool = False) -> Decision:
    candidate: Sequence[float | None] = [row[0] for row in rows]
    baseline: Sequence[float | None] = [row[1] for row in rows]
    clusters = [row[2] for row in rows] if in_clusters else None
    return decide(candidate, baseline, rule, clusters=clusters)


@given(rows=ROWS, rule=RULES, in_clusters=st.booleans())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_any_rows_give_a_decision(rows: Given, rule: Rule, in_clusters: bool) -> None:
    found = decided(rows, rule, in_clusters=in_clusters)
    assert 0.0 <= found.p_value <= 1.0
    assert 0.0 <= found.p_violated <= 1.0
    assert found.sentence
    if found.low is not None and found.high is not None:
        assert found.low <= found.high
        assert math.isfinite(found.low)
        assert math.isfinite(found.high)
    if found.verdict is not Verdict.INCONCLUSIVE:
        assert found.rows_that_would_decide is None


@given(rows=MODERATE, rule=RULES, in_clusters=st.booleans())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_the_order_of_rows_changes_nothing(rows: Given, rule: Rule, in_clusters: bool) -> None:
    ahead, back = (decided(each, rule, in_clusters=in_clusters) for each in (rows, rows[::-1]))
    assert ahead.p_value == pytest.approx(back.p_value, abs=1e-6)
    assert ahead.p_violated == pytest.approx(back.p_violated, abs=1e-6)


@given(
    rows=SCORED,
    margin=st.sampled_from([0.0, 0.02, 0.1]),
)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_a_metric_turned_round_is_judged_alike(rows: list[tuple[float, float]], margin: float) -> None:
    """Accuracy and error rate are one metric: `1 - x`, where lower is better, has the same verdict."""
    up = decide([row[0] for row in rows], [row[1] for row in rows], Rule("x", margin=margin))
    turned = Rule("x", margin=margin, higher_is_better=False)
    down = decide([1.0 - row[0] for row in rows], [1.0 - row[1] for row in rows], turned)
    assert up.p_value == pytest.approx(down.p_value, abs=1e-5)
    assert up.p_violated == pytest.approx(down.p_violated, abs=1e-5)


@given(rows=SCORED)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_more_margin_never_makes_a_verdict_worse(rows: list[tuple[float, float]]) -> None:
    order = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS]
    candidate, baseline = [row[0] for row in rows], [row[1] for row in rows]
    found = [decide(candidate, baseline, Rule("x", margin=margin)) for margin in (0.0, 0.02, 0.05, 0.1, 0.3)]
    assert [order.index(each.verdict) for each in found] == sorted(order.index(each.verdict) for each in found)


@given(rows=ROWS)
@settings(deadline=None, derandomize=True, max_examples=50)
def test_another_rule_makes_no_pass_and_no_fail_of_what_was_open(rows: Given) -> None:
    candidate = [row[0] for row in rows]
    case = Case(Rule("x", at_least=0.5), candidate)
    alone, beside = decide_cases([case])[0], decide_cases([case, case, Case(Rule("y", at_most=3.0), candidate)])[0]
    assert beside.p_value == alone.p_value
    assert beside.p_violated >= alone.p_violated
    assert alone.verdict is not Verdict.INCONCLUSIVE or beside.verdict is Verdict.INCONCLUSIVE
