"""What a gate asks of one metric."""

from __future__ import annotations

import math
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput

EACH = "each"
"""As a rule's slice: every slice of the gate by itself."""

LEAST_ROWS = 30
"""Rows below which a rule on each slice leaves a slice out, unless it says how many."""

_DEMANDS = ("at_least", "at_most", "margin", "margin_pct", "better_by", "no_flips")


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on one metric; exactly one of the first six below is given.

    Attributes:
        at_least, at_most: absolute, in the metric's unit; of the mean, or of a quantile where `quantile` names one.
        margin: the candidate may be worse than the baseline by less than this, on the same rows, in the metric's unit.
        margin_pct: the same in percent of the baseline's mean, for metrics that are never negative, such as a cost.
        better_by: the candidate is better than the baseline by more than this, 0 or more.
        no_flips: no row that the baseline passed is failed by the candidate.
        most_flips: as many rows may flip all the same.
        pass_at: the value at which a row passes, for a metric that is not 0 or 1 by itself.
        quantile: the share of rows that do not exceed the value that is judged, such as 0.95.
        slice: the named slice whose rows are judged; `each`: every slice by itself; None: all rows.
        min_rows: rows below which `each` leaves a slice out.
        higher_is_better: which way worse is.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    margin: float | None = None
    higher_is_better: bool = True
    margin_pct: float | None = None
    better_by: float | None = None
    no_flips: bool = False
    most_flips: int = 0
    pass_at: float | None = None
    quantile: float | None = None
    slice: str | None = None
    min_rows: int = LEAST_ROWS

    def __post_init__(self) -> None:
        given = {name: value for name in _DEMANDS if (value := getattr(self, name)) is not None and value is not False}
        if len(given) != 1:
            raise InvalidInput(
                field=f"rule for {self.metric}",
                value=sorted(given),
                wanted=f"exactly one of {', '.join(_DEMANDS[:-1])} and no_flips (write two rules for two demands)",
            )
        for name, value in given.items():
            self._check(name, value, zero_or_more=name in ("margin", "margin_pct", "better_by"))
        if self.pass_at is not None:
            self._check("pass_at", self.pass_at, zero_or_more=False)
        self._check_companions()

    def _check(self, name: str, value: float, *, zero_or_more: bool) -> None:
        if not math.isfinite(value) or (zero_or_more and value < 0):
            wanted = "a finite number" + (" of 0 or more" if zero_or_more else "")
            raise InvalidInput(field=f"rule for {self.metric}, {name}", value=value, wanted=wanted)

    def _check_companions(self) -> None:
        if self.quantile is not None and not (0.0 < self.quantile < 1.0 and not self.compares):
            wanted = "a share above 0 and below 1, with at_least or at_most"
            raise InvalidInput(field=f"rule for {self.metric}, quantile", value=self.quantile, wanted=wanted)
        if not self.no_flips and (self.most_flips or self.pass_at is not None):
            field = f"rule for {self.metric}, {'most_flips' if self.most_flips else 'pass_at'}"
            raise InvalidInput(field=field, value=self.most_flips or self.pass_at, wanted="to stand beside no_flips")
        for name in ("most_flips", "min_rows"):
            if getattr(self, name) < 0:
                field = f"rule for {self.metric}, {name}"
                raise InvalidInput(field=field, value=getattr(self, name), wanted="a count of 0 or more")

    @property
    def compares(self) -> bool:
        """Whether it needs a baseline."""
        return self.at_least is None and self.at_most is None

    @property
    def boundary(self) -> float:
        """The value on whose right side the rule is met: of the mean or quantile, with a baseline of the difference.

        With `margin_pct` it is that of the ratio of candidate and baseline, with `no_flips` that of the flips.
        """
        worse = -1.0 if self.higher_is_better else 1.0
        if self.margin is not None:
            return worse * self.margin
        if self.margin_pct is not None:
            return 1.0 + worse * self.margin_pct / 100.0
        if self.better_by is not None:
            return -worse * self.better_by
        if self.no_flips:
            return float(self.most_flips)
        threshold = self.at_least if self.at_least is not None else self.at_most
        assert threshold is not None
        return threshold

    @property
    def wants_above(self) -> bool:
        """Whether the right side of the boundary is above it."""
        if self.no_flips:
            return False
        return self.at_least is not None or (self.compares and self.higher_is_better)

    @property
    def name(self) -> str:
        """The metric, the quantile and the slice, e.g. `p95 of latency in long`."""
        metric = self.metric if self.quantile is None else f"p{100 * self.quantile:g} of {self.metric}"
        return metric if self.slice is None else f"{metric} in {self.slice}"

    @property
    def demand(self) -> str:
        """The rule as a clause, e.g. `at least 0.8`."""
        worse, better = ("below", "above") if self.higher_is_better else ("above", "below")
        if self.margin is not None:
            return f"less than {self.margin:g} {worse} the baseline"
        if self.margin_pct is not None:
            return f"less than {self.margin_pct:g} % {worse} the baseline"
        if self.better_by is not None:
            return f"{f'more than {self.better_by:g} ' if self.better_by else ''}{better} the baseline"
        if self.no_flips:
            rows = "no row" if not self.most_flips else f"at most {self.most_flips} row{'s' * (self.most_flips > 1)}"
            return f"{rows} failed that the baseline passed"
        return f"at {'least' if self.at_least is not None else 'most'} {self.boundary:g}"
