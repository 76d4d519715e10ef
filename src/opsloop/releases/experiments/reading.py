"""What an experiment shows: each metric's standing, the users' ratio, and who won, in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from opsloop.releases.analysis.confidence import MeanSequence, difference
from opsloop.releases.analysis.ratio import log_mismatch
from opsloop.releases.experiments.measures import Measure
from opsloop.releases.experiments.models import ArmMean, MetricReport, Outcome, Standing, UserCounts
from opsloop.releases.plan import MetricPlan

RATIO_ALPHA = 0.01
"""The chance that users who were shared out as drawn are ever called a mismatch."""


def metric(measure: Measure, plan: MetricPlan, candidate: MeanSequence, stable: MeanSequence) -> MetricReport:
    """One metric in its own unit; the sequences are of shares of the cap."""
    told = difference(candidate, stable)
    low, high = told.low * plan.cap, told.high * plan.cap
    of_candidate, of_stable = _arm(candidate, plan.cap), _arm(stable, plan.cap)
    has_both = of_candidate.mean is not None and of_stable.mean is not None
    return MetricReport(
        name=measure.name,
        title=measure.title,
        unit=measure.unit,
        more_is_better=measure.more_is_better,
        cap=plan.cap,
        margin=plan.margin,
        candidate=of_candidate,
        stable=of_stable,
        difference=(of_candidate.mean or 0.0) - (of_stable.mean or 0.0) if has_both else None,
        low=low,
        high=high,
        standing=_standing(low, high, more_is_better=measure.more_is_better, margin=plan.margin),
    )


def users(candidate: int, stable: int, *, share: float) -> UserCounts:
    log_e = log_mismatch(candidate, stable, share=share)
    threshold = 1.0 / RATIO_ALPHA
    return UserCounts(
        candidate=candidate,
        stable=stable,
        drawn_share=share,
        e_value=math.exp(min(log_e, 690.0)),  # exp of more does not fit into a float
        threshold=threshold,
        is_mismatch=log_e >= math.log(threshold),
    )


def outcome(counts: UserCounts, metrics: Sequence[MetricReport]) -> Outcome:
    """Who won: the first metric decides, and no other may be worse, nor unclear where it has a margin."""
    if counts.is_mismatch:
        return Outcome.MISMATCH
    first, *others = metrics
    if any(each.standing is Standing.WORSE for each in metrics):
        return Outcome.LOST
    is_kept = all(each.margin is None or each.standing is not Standing.UNCLEAR for each in others)
    return Outcome.WON if first.standing is Standing.BETTER and is_kept else Outcome.INCONCLUSIVE


def sentence(
    number: int, stable_number: int | None, counts: UserCounts, metrics: Sequence[MetricReport], alpha: float
) -> str:
    """The result so far as one sentence."""
    found = outcome(counts, metrics)
    total = counts.candidate + counts.stable
    if found is Outcome.MISMATCH:
        got = counts.candidate / total
        return (
            f"not comparable: {got:.1%} of {total:,} users met release {number}, {counts.drawn_share:.1%} were drawn "
            "for it (sample ratio mismatch)"
        )
    sure = f"at every look with {100 * (1 - alpha):g} % confidence, {total:,} users"
    if found is Outcome.LOST:
        worst = next(each for each in metrics if each.standing is Standing.WORSE)
        return f"release {number} is worse than release {stable_number}: {interval_words(worst)} ({sure})"
    first = metrics[0]
    if found is Outcome.WON:
        return f"release {number} wins over release {stable_number}: {interval_words(first)} ({sure})"
    unclear = next(
        (each for each in metrics[1:] if each.margin is not None and each.standing is Standing.UNCLEAR), None
    )
    about = unclear if unclear is not None and first.standing is Standing.BETTER else first
    return f"inconclusive: of release {number} {interval_words(about)} ({sure})"


def interval_words(told: MetricReport) -> str:
    """`latency is 120 ms to 40 ms lower`."""
    if told.difference is None:
        return f"{told.title.lower()} is not known on both sides yet"
    low, high = told.low, told.high
    if low > 0.0 or high < 0.0:
        near, far = sorted((abs(low), abs(high)))
        way = "higher" if low > 0.0 else "lower"
        return f"{told.title.lower()} is {amount(told, near)} to {amount(told, far)} {way}"
    return f"{told.title.lower()} may be {amount(told, -low)} lower to {amount(told, high)} higher"


def level(told: MetricReport, value: float) -> str:
    """A mean of a metric with its unit."""
    return f"{100 * value:.3g} %" if told.unit == "share" else amount(told, value)


def amount(told: MetricReport, value: float) -> str:
    """A difference in a metric with its unit."""
    match told.unit:
        case "share":
            return f"{100 * value:.3g} points"
        case "score":
            return f"{value:.3f}"
        case unit:
            return f"{value:,.3g} {unit}" if abs(value) < 1_000 else f"{value:,.0f} {unit}"


def _arm(sequence: MeanSequence, cap: float) -> ArmMean:
    interval = sequence.interval
    mean = None if sequence.mean is None else sequence.mean * cap
    return ArmMean(sequence.count, mean, interval.low * cap, interval.high * cap)


def _standing(low: float, high: float, *, more_is_better: bool, margin: float | None) -> Standing:
    worst, best = (low, high) if more_is_better else (-high, -low)
    if worst > 0.0:
        return Standing.BETTER
    if best < -(margin or 0.0):
        return Standing.WORSE
    return Standing.WITHIN if margin is not None and worst >= -margin else Standing.UNCLEAR
