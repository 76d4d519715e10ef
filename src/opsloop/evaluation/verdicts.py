"""What a gate asks of one metric and what came of it: the nouns that every surface shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsloop.core.errors import InvalidInput

ASSUMPTION = "if rate and spread stay as they are, in 8 of 10 repetitions"
"""What the number of rows that would decide rests on."""


class Verdict(StrEnum):
    """The answer of a gate. `inconclusive` is not a pass: the rows do not show enough."""

    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on the mean of one metric; exactly one of `at_least`, `at_most` and `margin` is given.

    `at_least` and `at_most` are absolute, in the metric's unit. `margin` compares with the baseline on the same rows:
    the candidate may be worse by less than it, in the metric's unit, 0 or more; `higher_is_better` says which way
    worse is.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    margin: float | None = None
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        given = {
            name: value
            for name, value in (("at_least", self.at_least), ("at_most", self.at_most), ("margin", self.margin))
            if value is not None
        }
        if len(given) != 1:
            raise InvalidInput(
                field=f"rule for {self.metric}",
                value=sorted(given),
                wanted="exactly one of at_least, at_most and margin (write two rules for two demands)",
            )
        for name, value in given.items():
            if not math.isfinite(value) or (name == "margin" and value < 0):
                wanted = "a finite number" + (" of 0 or more" if name == "margin" else "")
                raise InvalidInput(field=f"rule for {self.metric}, {name}", value=value, wanted=wanted)

    @property
    def boundary(self) -> float:
        """The value of the mean, or with a margin of the difference, on whose right side the rule is met."""
        if self.margin is not None:
            return -self.margin if self.higher_is_better else self.margin
        threshold = self.at_least if self.at_least is not None else self.at_most
        assert threshold is not None
        return threshold

    @property
    def wants_above(self) -> bool:
        """Whether the right side of the boundary is above it."""
        return self.at_least is not None or (self.margin is not None and self.higher_is_better)

    @property
    def demand(self) -> str:
        """The rule as a clause, e.g. `at least 0.8`."""
        if self.margin is not None:
            return f"less than {self.margin:g} {'below' if self.higher_is_better else 'above'} the baseline"
        return f"at {'least' if self.at_least is not None else 'most'} {self.boundary:g}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one rule, with its evidence.

    Attributes:
        estimate: the candidate's mean; None without rows.
        low, high: the interval of what the rule speaks of (the mean, or with a margin the difference), with confidence
            1 - 2 alpha, so that each end is a bound at level alpha.
        baseline_estimate, difference: the baseline's mean and candidate minus baseline, where there is a baseline.
        p_value: chance of rows at least this good if the rule were just not met; small speaks for a pass.
        p_violated: chance of rows at least this bad if the rule were just met; small speaks for a fail. Adjusted when
            several rules were decided together.
        rows: rows that were measured (on both sides, with a baseline).
        rows_that_would_decide: when inconclusive, about how many rows would decide it (see ASSUMPTION); None when no
            number would, because the estimate sits on the boundary or there are no rows.
        method: the statistical method, in words.
    """

    rule: Rule
    verdict: Verdict
    estimate: float | None
    low: float | None
    high: float | None
    baseline_estimate: float | None
    difference: float | None
    p_value: float
    p_violated: float
    rows: int
    rows_that_would_decide: int | None
    method: str

    @property
    def sentence(self) -> str:
        """The decision for a person, e.g. `accuracy 0.86 [0.79, 0.92] meets at least 0.75 (120 rows)`."""
        rule, rows = self.rule, f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        if self.estimate is None or self.low is None or self.high is None:
            return f"{rule.metric}: no rows were measured, so nothing shows that it is {rule.demand}"
        figures = f"{rule.metric} {self.estimate:.3g}"
        if rule.margin is not None and self.difference is not None:
            figures += f" against {self.baseline_estimate:.3g}, difference {self.difference:+.3g}"
        figures += f" [{self.low:.3g}, {self.high:.3g}]"
        if self.verdict is Verdict.PASS:
            return f"{figures} meets {rule.demand} ({rows})"
        if self.verdict is Verdict.FAIL:
            return f"{figures} breaks {rule.demand} ({rows})"
        needed = self.rows_that_would_decide
        more = f"about {needed:,} would decide it {ASSUMPTION}" if needed else "it sits on the boundary"
        return f"{figures} does not show yet whether it is {rule.demand} ({rows}; {more})"


def overall(decisions: Sequence[Decision]) -> Verdict:
    """Fail if any rule fails, pass if all pass; with nothing to decide yet nothing speaks against a first release."""
    verdicts = {decision.verdict for decision in decisions}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Verdict.PASS
