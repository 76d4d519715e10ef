"""The gate's decision on each rule: pass, fail or inconclusive.

For each rule two hypotheses are tested, each on the mean of the rows' population (with a margin: on the mean of the
paired differences, candidate minus baseline):

* "the rule is not met" at level alpha. Rejecting it PASSES the rule: the threshold, or non-inferiority within the
  margin, has been shown. A gate passes only when all its rules pass, so a gate that should not pass has to slip past
  at least one test of level alpha: nothing is divided among the rules (R. L. Berger, Multiparameter hypothesis testing
  and acceptance sampling, Technometrics 24 (1982), 295-300, intersection-union tests).
* "the rule is met" at level alpha over all rules together, adjusted by Holm. Rejecting it FAILS the rule: the chance
  that any rule of a good candidate is called violated is alpha at most.

When neither is rejected the rule is INCONCLUSIVE, with the number of rows that would decide it. The default is thus to
deny: few rows never pass. One demand is not a question of statistics: pass or fail metrics that allow no exception
(`at_least: 1`, `at_most: 0`) are judged on the rows at hand, since no number of rows could show them and a single row
refutes them.

Which test: rows of 0 and 1 exactly (binomial), their paired differences by the score test, everything else, and all
rows that share clusters, by the bootstrap; rows that are all alike by the rule of three.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.bootstrap import mean_of
from opsloop.evaluation.statistics.estimates import Estimate, Interval
from opsloop.evaluation.statistics.intervals import ExactProportion
from opsloop.evaluation.statistics.multiple import holm
from opsloop.evaluation.statistics.noninferiority import Sides, sides, verdict_of
from opsloop.evaluation.statistics.paired import difference_of
from opsloop.evaluation.statistics.rows import Rows, checked, is_binary, span_of
from opsloop.evaluation.verdicts import Decision, Rule, Verdict

ALPHA = 0.05

Metric = Sequence[float | None]


def decide(
    candidate: Metric,
    baseline: Metric | None,
    rule: Rule,
    *,
    alpha: float = ALPHA,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Decision:
    """Decide one rule on its own.

    Args:
        candidate: the metric on each row; None where it was not measured (a row on which the candidate broke down is
            measured: give it the worst value).
        baseline: the same rows in the same order; needed for a margin, else only reported.
        clusters: what rows share, such as a conversation, one per row.
    Raises: InvalidInput naming the metric when a value is not a finite number, lengths differ, or the baseline that a
        margin needs is missing.
    """
    return decide_all(
        [rule],
        {rule.metric: candidate},
        None if baseline is None else {rule.metric: baseline},
        alpha=alpha,
        clusters=clusters,
        seed=seed,
    )[0]


def decide_all(
    rules: Sequence[Rule],
    candidate: Mapping[str, Metric],
    baseline: Mapping[str, Metric] | None = None,
    *,
    alpha: float = ALPHA,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> list[Decision]:
    """Decide all rules of a gate together, in their order.

    Args:
        candidate: per metric, its value on each row; the same for the baseline.

    Raises: as `decide`, and InvalidInput when a rule names a metric that was not measured.
    """
    if not 0.0 < alpha < 0.5:
        raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 0.5")
    tested = [_tested(rule, _rows(rule, candidate, baseline, clusters), seed) for rule in rules]
    adjusted = holm([one.sides.p_violated for one in tested])
    return [_decision(one, p_violated, alpha, len(rules)) for one, p_violated in zip(tested, adjusted, strict=True)]


@dataclass(frozen=True, slots=True)
class _Tested:
    rule: Rule
    rows: Rows
    estimate: Estimate | None
    sides: Sides
    method: str


def _rows(
    rule: Rule,
    candidate: Mapping[str, Metric],
    baseline: Mapping[str, Metric] | None,
    clusters: Sequence[Hashable] | None,
) -> Rows:
    if rule.metric not in candidate:
        raise InvalidInput(
            field="metric of a rule", value=rule.metric, wanted=f"one that was measured: {', '.join(sorted(candidate))}"
        )
    beside = None if baseline is None else baseline.get(rule.metric)
    if rule.margin is not None and beside is None:
        raise InvalidInput(
            field=f"baseline of metric {rule.metric}",
            value=None,
            wanted="a run to compare with, because the rule has a margin; name one or use at_least / at_most",
        )
    return checked(rule.metric, candidate[rule.metric], beside, clusters)


def _tested(rule: Rule, rows: Rows, seed: int) -> _Tested:
    if not len(rows.candidate):
        return _Tested(rule, rows, None, Sides(1.0, 1.0), "no rows")
    estimate = difference_of(rows, seed=seed) if rule.margin is not None else _mean(rows, seed)
    if _allows_no_exception(rule, rows):
        is_met = estimate.value == rule.boundary
        return _Tested(rule, rows, estimate, Sides(float(not is_met), float(is_met)), "every row")
    return _Tested(rule, rows, estimate, sides(estimate, rule.boundary, wants_above=rule.wants_above), estimate.method)


def _mean(rows: Rows, seed: int) -> Estimate:
    if rows.clusters is None and is_binary(rows.candidate):
        return ExactProportion(int(rows.candidate.sum()), len(rows.candidate))
    return mean_of(rows.candidate, rows.clusters, span=span_of(rows.candidate), seed=seed)


def _allows_no_exception(rule: Rule, rows: Rows) -> bool:
    return is_binary(rows.candidate) and (rule.at_least == 1.0 or rule.at_most == 0.0)


def _decision(tested: _Tested, p_violated: float, alpha: float, rules: int) -> Decision:
    verdict = verdict_of(replace(tested.sides, p_violated=p_violated), alpha)
    interval = _interval(tested.estimate, alpha)
    measured = len(tested.rows.candidate)
    beside = tested.rows.baseline
    mean = float(tested.rows.candidate.mean()) if measured else None
    other = float(beside.mean()) if beside is not None and measured else None
    return Decision(
        rule=tested.rule,
        verdict=verdict,
        estimate=mean,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        baseline_estimate=other,
        difference=mean - other if mean is not None and other is not None else None,
        p_value=tested.sides.p_met,
        p_violated=p_violated,
        rows=measured,
        rows_that_would_decide=_rows_needed(tested, alpha, rules) if verdict is Verdict.INCONCLUSIVE else None,
        method=tested.method,
    )


def _interval(estimate: Estimate | None, alpha: float) -> Interval | None:
    return estimate.interval(1.0 - 2.0 * alpha) if estimate is not None else None


def _rows_needed(tested: _Tested, alpha: float, rules: int) -> int | None:
    """Rows that would decide; on the way to a fail against the strictest level that Holm may ask."""
    if tested.estimate is None:
        return None
    leans_to_fail = tested.sides.p_violated < tested.sides.p_met
    needed = tested.estimate.rows_to_clear(tested.rule.boundary, alpha / rules if leans_to_fail else alpha)
    return None if needed is None else max(needed, len(tested.rows.candidate) + 1)
