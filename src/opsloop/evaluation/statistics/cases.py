"""One rule with the rows it is about, and the test that answers it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.bootstrap import BootstrappedMean, mean_of
from opsloop.evaluation.statistics.estimates import Estimate
from opsloop.evaluation.statistics.intervals import ExactProportion
from opsloop.evaluation.statistics.noninferiority import Sides, sides
from opsloop.evaluation.statistics.paired import difference_of
from opsloop.evaluation.statistics.quantiles import Quantile
from opsloop.evaluation.statistics.resampled import Resampled, difference
from opsloop.evaluation.statistics.rows import Floats, Rows, Span, checked, is_binary, span_of
from opsloop.evaluation.statistics.unseen import Guarded

Metric = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Case:
    """A rule and its rows, all sequences in the same order.

    Attributes:
        candidate, baseline: the metric on each row; None where it was not measured (a row on which a run broke down is
            measured: give it the worst value). A rule that compares needs the baseline.
        clusters: what rows share, such as a conversation, one per row; None when rows are independent.
        failed_rows, not_measured: what the decision says of them.
        held: why a pass is withheld, or "".
        names: of the rows, for those that flip.
        figure: what is judged in place of the rows' mean, where the rule speaks of a figure of all rows together; with
            `beside` the baseline's, of the same rows.
    """

    rule: Rule
    candidate: Metric
    baseline: Metric | None = None
    clusters: Sequence[Hashable] | None = None
    failed_rows: int = 0
    not_measured: int = 0
    held: str = ""
    names: Sequence[str] = ()
    figure: Resampled | None = None
    beside: Resampled | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """A case with what its rows say. `is_certain`: a matter of counting, in which no chance plays a part."""

    case: Case
    rows: Rows
    estimate: Estimate | None
    sides: Sides
    method: str
    is_certain: bool = False
    flips: tuple[int, ...] | None = None


def tested(case: Case) -> Tested:
    """Raises: InvalidInput naming the metric when a value is not a finite number, lengths differ, the baseline that the
    rule needs is missing, or a row has no clear pass or fail for a rule on flips."""
    rule = case.rule
    if case.figure is not None:
        return _of_figure(case, case.figure)
    if rule.compares and case.baseline is None:
        raise InvalidInput(
            field=f"baseline of metric {rule.metric}",
            value=None,
            wanted="a run to compare with, because the rule is about a difference; name one or use at_least / at_most",
        )
    if rule.no_flips:
        return _flips(case)
    rows = checked(rule.metric, case.candidate, case.baseline if rule.compares else None, case.clusters)
    if not len(rows.candidate):
        return Tested(case, rows, None, Sides(1.0, 1.0), "no rows")
    estimate = _estimate(rule, rows)
    if rule.quantile is None and _allows_no_exception(rule, rows):
        is_met = estimate.value == rule.boundary
        return Tested(case, rows, estimate, Sides(float(not is_met), float(is_met)), "every row", is_certain=True)
    return Tested(case, rows, estimate, sides(estimate, rule.boundary, wants_above=rule.wants_above), estimate.method)


def _of_figure(case: Case, figure: Resampled) -> Tested:
    """A figure of all rows; not defined, or of too few rows for an interval, it shows nothing."""
    rule = case.rule
    if rule.no_flips or rule.quantile is not None or rule.margin_pct is not None:
        wanted = "at_least, at_most or margin: it is a figure of all rows together"
        raise InvalidInput(field=f"rule for {rule.metric}", value=rule.demand, wanted=wanted)
    if rule.compares and case.beside is None:
        wanted = "a run to compare with that has this figure"
        raise InvalidInput(field=f"baseline of metric {rule.metric}", value=None, wanted=wanted)
    estimate = figure.estimate if case.beside is None else difference(figure, case.beside)
    if estimate is None:
        return Tested(case, checked(rule.metric, []), None, Sides(1.0, 1.0), "too few rows for an interval")
    rows = Rows(_standing_for(figure), None if case.beside is None else _standing_for(case.beside), None)
    return Tested(case, rows, estimate, sides(estimate, rule.boundary, wants_above=rule.wants_above), estimate.method)


def _standing_for(figure: Resampled) -> Floats:
    """So many rows as the figure speaks of, each with its value: what their mean is."""
    return np.full(figure.rows, np.nan if figure.value is None else figure.value)


def _estimate(rule: Rule, rows: Rows) -> Estimate:
    if rule.quantile is not None:
        return Quantile(rows.candidate, rows.clusters, rule.quantile, with_equal=rule.at_most is not None)
    if rule.margin_pct is not None:
        return _ratio(rule, rows)
    if rule.compares:
        return _guarded(difference_of(rows))
    if rows.clusters is None and is_binary(rows.candidate):
        return ExactProportion(int(rows.candidate.sum()), len(rows.candidate))
    return _guarded(mean_of(rows.candidate, rows.clusters, span=span_of(rows.candidate)))


def _guarded(estimate: Estimate) -> Estimate:
    """A bootstrap knows nothing of what it has not seen; exact tests do."""
    if isinstance(estimate, BootstrappedMean) and estimate.unseen.span.is_known:
        return Guarded(estimate, estimate.unseen)
    return estimate


def _ratio(rule: Rule, rows: Rows) -> Estimate:
    """The candidate's mean over the baseline's: the bootstrap of a ratio of sums over the same rows."""
    assert rows.baseline is not None
    lowest, total = float(min(rows.candidate.min(), rows.baseline.min())), float(rows.baseline.sum())
    if lowest < 0.0 or total <= 0.0:
        raise InvalidInput(
            field=f"metric {rule.metric}",
            value=lowest if lowest < 0.0 else total,
            wanted="values of 0 or more and a baseline above 0 for margin_pct; use margin for others",
        )
    return mean_of(rows.candidate, rows.clusters, span=Span(0.0, 2.0, is_known=False), weights=rows.baseline)


def _allows_no_exception(rule: Rule, rows: Rows) -> bool:
    return is_binary(rows.candidate) and (rule.at_least == 1.0 or rule.at_most == 0.0)


def _flips(case: Case) -> Tested:
    """Counting rows that the baseline passed and the candidate failed; what it was not measured on may be one too."""
    rule = case.rule
    assert case.baseline is not None
    measured = checked(rule.metric, case.candidate, case.baseline)
    passed = [value is not None and _passes(rule, value) for value in case.baseline]
    flipped = tuple(
        place
        for place, value in enumerate(case.candidate)
        if passed[place] and value is not None and not _passes(rule, value)
    )
    unknown = sum(passed[place] and value is None for place, value in enumerate(case.candidate))
    is_broken, could_break = len(flipped) > rule.most_flips, len(flipped) + unknown > rule.most_flips
    shown = Sides(float(could_break or not any(passed)), float(not is_broken))
    return Tested(case, measured, None, shown, "every row", is_certain=True, flips=flipped)


def _passes(rule: Rule, value: float) -> bool:
    if rule.pass_at is None:
        if not 0.0 <= value <= 1.0:
            raise InvalidInput(
                field=f"metric {rule.metric}", value=value, wanted="0 or 1 for no_flips, or pass_at in the rule"
            )
        return value >= 0.5 if rule.higher_is_better else value < 0.5
    return value >= rule.pass_at if rule.higher_is_better else value <= rule.pass_at


def mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
