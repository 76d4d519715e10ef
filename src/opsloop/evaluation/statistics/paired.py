"""Two runs on the same rows: is the candidate different from the baseline?"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.bootstrap import mean_of
from opsloop.evaluation.statistics.distributions import binomial_at_least, crossing, normal_cdf, normal_quantile
from opsloop.evaluation.statistics.estimates import Estimate, Interval
from opsloop.evaluation.statistics.power import rows_for_gap
from opsloop.evaluation.statistics.rows import Rows, Span, checked, is_binary, span_of
from opsloop.evaluation.statistics.unconditional import MOST_ROWS, exact_p, paired_score
from opsloop.evaluation.statistics.unseen import NoSpread, Unseen


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate against baseline on one metric.

    Attributes:
        difference, low, high: mean of candidate minus baseline, and its interval.
        p_value: two-sided, of no difference.
        higher, lower, same: rows on which the candidate's value is higher, lower or the same.
    """

    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    higher: int
    lower: int
    same: int
    method: str


def compare(
    metric: str,
    candidate: Sequence[float | None],
    baseline: Sequence[float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare two runs on the same rows, in the same order.

    Pass or fail metrics without clusters are tested exactly (McNemar); all others by the bootstrap of the differences.

    Args:
        seed: asks for nothing today: no way of comparing draws at random.
    Raises: InvalidInput naming the metric when no row was measured on both sides or a value is not a finite number.
    """
    rows = checked(metric, candidate, baseline, clusters)
    if rows.baseline is None or not len(rows.candidate):
        raise InvalidInput(field=f"metric {metric}", value=[], wanted="at least one row that both runs measured")
    difference = difference_of(rows)
    interval = difference.interval(confidence)
    higher, lower = int((rows.candidate > rows.baseline).sum()), int((rows.candidate < rows.baseline).sum())
    p_value = min(1.0, 2.0 * min(difference.p_at_most(0.0), difference.p_at_least(0.0)))
    method = interval.method
    if _is_pass_or_fail(rows):
        p_value, method = mcnemar_exact(higher, lower), f"exact McNemar, {interval.method}"
    return Comparison(
        metric=metric,
        difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        higher=higher,
        lower=lower,
        same=len(rows.candidate) - higher - lower,
        method=method,
    )


def mcnemar_exact(higher: int, lower: int) -> float:
    """The two-sided exact p-value that rows change in either direction equally often.

    Args:
        higher: rows on which only the candidate is right; lower: rows on which only the baseline is.

    Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12
    (1947), 153-157; exact as the sign test of the discordant rows.
    """
    if higher < 0 or lower < 0:
        raise InvalidInput(field="discordant rows", value=min(higher, lower), wanted="counts of 0 or more")
    return min(1.0, 2.0 * binomial_at_least(max(higher, lower), higher + lower, 0.5))


def mcnemar_mid_p(higher: int, lower: int) -> float:
    """As `mcnemar_exact`, with the outcome seen counted half: closer to its level on average, and at times above it.

    Source: M. W. Fagerland, S. Lydersen, P. Laake, The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional, BMC Medical Research Methodology 13 (2013), 91.
    """
    changed = higher + lower
    if not changed:
        return mcnemar_exact(higher, lower)
    seen = math.exp(
        math.lgamma(changed + 1) - math.lgamma(higher + 1) - math.lgamma(lower + 1) - changed * math.log(2.0)
    )
    return 1.0 if higher == lower else mcnemar_exact(higher, lower) - seen


def sign_test(differences: Sequence[float]) -> float:
    """The two-sided exact p-value that scores rise and fall equally often; equal rows say nothing.

    Source: J. Arbuthnott, Philosophical Transactions 27 (1710), 186-190; W. J. Dixon, A. M. Mood, The statistical
    sign test, JASA 41 (1946), 557-566.
    """
    values = checked("difference", differences).candidate
    return mcnemar_exact(int((values > 0).sum()), int((values < 0).sum()))


def difference_of(rows: Rows, *, seed: int = 0) -> Estimate:
    """The mean difference of candidate and baseline, as something that can be tested; `seed` as in `compare`."""
    assert rows.baseline is not None
    differences = rows.candidate - rows.baseline
    if not _is_pass_or_fail(rows):
        return mean_of(differences, rows.clusters, span=_difference_span(rows))
    higher, lower = int((differences > 0).sum()), int((differences < 0).sum())
    if higher == lower == 0:
        return NoSpread(len(differences), Unseen(0.0, len(differences), Span(-1.0, 1.0)))
    return PairedProportions(higher, lower, len(differences))


def _difference_span(rows: Rows) -> Span:
    assert rows.baseline is not None
    span = span_of(rows.candidate, rows.baseline)
    return Span(span.low - span.high, span.high - span.low, is_known=span.is_known)


def _is_pass_or_fail(rows: Rows) -> bool:
    assert rows.baseline is not None
    return rows.clusters is None and is_binary(rows.candidate) and is_binary(rows.baseline)


@dataclass(frozen=True, slots=True)
class PairedProportions:
    """The difference of two proportions on the same rows: decided exactly, its interval by the score test.

    The interval's ends may lie nearer than the exact test allows, by little; `decide` moves them out to agree.

    Args:
        higher: rows on which only the candidate is 1; lower: rows on which only the baseline is; not both 0.

    Source: T. Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design, Statistics in Medicine 17 (1998), 891-908; for the exact test see `unconditional`.
    """

    higher: int
    lower: int
    rows: int

    @property
    def method(self) -> str:
        return "exact paired test" if self.rows <= MOST_ROWS else "paired score test (Tango)"

    @property
    def value(self) -> float:
        return (self.higher - self.lower) / self.rows

    @property
    def row_deviation(self) -> float:
        return math.sqrt((self.higher + self.lower) / self.rows - self.value**2)

    def interval(self, confidence: float) -> Interval:
        z = normal_quantile(0.5 + confidence / 2.0)
        low = crossing(lambda difference: z - self._score(difference), -1.0, self.value)
        high = crossing(lambda difference: -z - self._score(difference), self.value, 1.0)
        return Interval(self.value, low, high, self.method)

    def p_at_most(self, boundary: float) -> float:
        if self.rows <= MOST_ROWS:
            return exact_p(self.higher, self.lower, self.rows, boundary)
        return 1.0 - normal_cdf(self._score(boundary))

    def p_at_least(self, boundary: float) -> float:
        if self.rows <= MOST_ROWS:
            return exact_p(self.lower, self.higher, self.rows, -boundary)
        return normal_cdf(self._score(boundary))

    def _score(self, difference: float) -> float:
        if not -1.0 < difference < 1.0:
            return math.copysign(math.inf, -difference)
        return float(paired_score(np.float64(self.higher), np.float64(self.lower), self.rows, difference))

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        return rows_for_gap(self.value - boundary, self.row_deviation, alpha)
