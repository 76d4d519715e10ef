"""The gate's decision on each rule: pass, fail or inconclusive.

For each rule two hypotheses are tested, each on the rows' population (with a baseline: on the mean of the paired
differences, candidate minus baseline):

* "the rule is not met" at level alpha. Rejecting it PASSES the rule: the threshold, or non-inferiority within the
  margin, has been shown. A gate passes only when all its rules pass, so a gate that should not pass has to slip past
  at least one test of level alpha: nothing is divided among the rules (R. L. Berger, Multiparameter hypothesis testing
  and acceptance sampling, Technometrics 24 (1982), 295-300, intersection-union tests).
* "the rule is met" at level alpha over all rules and slices together, adjusted by Holm. Rejecting it FAILS the rule:
  the chance that any rule of a good candidate is called violated is alpha at most.

When neither is rejected the rule is INCONCLUSIVE, with the number of rows that would decide it. The default is thus to
deny: few rows never pass. Two demands are not questions of statistics and take no part in Holm's adjustment: pass or
fail metrics that allow no exception (`at_least: 1`, `at_most: 0`) and rows that must not flip are judged on the rows at
hand, since no number of rows could show them and a single row refutes them.

Which test: rows of 0 and 1 exactly (binomial), their paired differences by the exact unconditional test, quantiles by
order statistics, everything else, and all rows that share clusters, by the bootstrap; rows that are all alike by the
rule of three.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.cases import Case, Metric, Tested, mean, tested
from opsloop.evaluation.statistics.estimates import Interval
from opsloop.evaluation.statistics.multiple import holm
from opsloop.evaluation.statistics.noninferiority import verdict_of
from opsloop.evaluation.verdicts import Decision, Verdict

ALPHA = 0.05
FLIPS_NAMED = 5


def decide(
    candidate: Metric,
    baseline: Metric | None,
    rule: Rule,
    *,
    alpha: float = ALPHA,
    clusters: Sequence[Hashable] | None = None,
) -> Decision:
    """Decide one rule on its own; the arguments are those of a `Case`. Raises: InvalidInput, as `tested`."""
    return decide_cases([Case(rule, candidate, baseline, clusters)], alpha=alpha)[0]


def decide_all(
    rules: Sequence[Rule],
    candidate: Mapping[str, Metric],
    baseline: Mapping[str, Metric] | None = None,
    *,
    alpha: float = ALPHA,
    clusters: Sequence[Hashable] | None = None,
) -> list[Decision]:
    """Decide rules together that are all about the same rows.

    Args:
        candidate: per metric, its value on each row; the same for the baseline.

    Raises: as `decide`, and InvalidInput when a rule names a metric that was not measured.
    """
    for rule in rules:
        if rule.metric not in candidate:
            known = ", ".join(sorted(candidate))
            raise InvalidInput(field="metric of a rule", value=rule.metric, wanted=f"one that was measured: {known}")
    beside = baseline if baseline is not None else {}
    cases = [Case(rule, candidate[rule.metric], beside.get(rule.metric), clusters) for rule in rules]
    return decide_cases(cases, alpha=alpha)


def decide_cases(cases: Sequence[Case], *, alpha: float = ALPHA) -> list[Decision]:
    """Decide all rules of a gate together, each on its own rows, in their order. Raises: InvalidInput."""
    if not 0.0 < alpha < 0.5:
        raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 0.5")
    found = [tested(case) for case in cases]
    uncertain = [place for place, one in enumerate(found) if not one.is_certain]
    p_violated = [one.sides.p_violated for one in found]
    for place, adjusted in zip(uncertain, holm([p_violated[place] for place in uncertain]), strict=True):
        p_violated[place] = adjusted
    return [_decision(one, p, alpha, len(uncertain)) for one, p in zip(found, p_violated, strict=True)]


def _decision(one: Tested, p_violated: float, alpha: float, rules: int) -> Decision:
    verdict = verdict_of(replace(one.sides, p_violated=p_violated), alpha)
    held = one.case.held if verdict is Verdict.PASS else ""
    verdict = Verdict.INCONCLUSIVE if held else verdict
    rule, case = one.case.rule, one.case
    candidate, beside = mean(one.rows.candidate), None if one.rows.baseline is None else mean(one.rows.baseline)
    low, high = _ends(one, alpha)
    undecided = verdict is Verdict.INCONCLUSIVE and not held
    return Decision(
        rule=rule,
        verdict=verdict,
        estimate=one.estimate.value if rule.quantile is not None and one.estimate is not None else candidate,
        low=low,
        high=high,
        baseline_estimate=beside,
        difference=candidate - beside if candidate is not None and beside is not None else None,
        p_value=one.sides.p_met,
        p_violated=p_violated,
        rows=len(one.rows.candidate),
        rows_that_would_decide=_rows_needed(one, alpha, rules) if undecided else None,
        method=one.method,
        slice=rule.slice,
        failed_rows=case.failed_rows,
        not_measured=case.not_measured,
        flips=None if one.flips is None else len(one.flips),
        flipped=() if one.flips is None else tuple(_name(case, place) for place in one.flips[:FLIPS_NAMED]),
        held=held,
    )


def _name(case: Case, place: int) -> str:
    return case.names[place] if case.names else f"row {place + 1}"


def _ends(one: Tested, alpha: float) -> tuple[float | None, float | None]:
    """The interval of what the rule speaks of, in the metric's unit; None where an end is open."""
    if one.estimate is None:
        return None, None
    rule = one.case.rule
    found = one.estimate.interval(1.0 - 2.0 * alpha)
    if not one.is_certain:
        found = _agreeing(found, one, alpha)
    if rule.margin_pct is not None and one.rows.baseline is not None:
        base = float(one.rows.baseline.mean())
        found = replace(found, low=(found.low - 1.0) * base, high=(found.high - 1.0) * base)
    return (found.low if math.isfinite(found.low) else None, found.high if math.isfinite(found.high) else None)


def _agreeing(found: Interval, one: Tested, alpha: float) -> Interval:
    """The interval with an end moved out to the boundary where the test does not exclude the boundary."""
    boundary, above = one.case.rule.boundary, one.case.rule.wants_above
    p_above, p_below = (one.sides.p_met, one.sides.p_violated) if above else (one.sides.p_violated, one.sides.p_met)
    low = boundary if p_above > alpha and found.low > boundary else found.low
    high = boundary if p_below > alpha and found.high < boundary else found.high
    return replace(found, low=low, high=high)


def _rows_needed(one: Tested, alpha: float, rules: int) -> int | None:
    """Rows that would decide; on the way to a fail against the strictest level that Holm may ask."""
    if one.estimate is None:
        return None
    leans_to_fail = one.sides.p_violated < one.sides.p_met
    needed = one.estimate.rows_to_clear(one.case.rule.boundary, alpha / max(rules, 1) if leans_to_fail else alpha)
    return None if needed is None else max(needed, len(one.rows.candidate) + 1)
