"""What came of a gate's rules: the nouns that every surface shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsloop.evaluation.rules import Rule as Rule

ASSUMPTION = "if rate and spread stay as they are, in 8 of 10 repetitions"
"""What the number of rows that would decide rests on."""


class Verdict(StrEnum):
    """The answer of a gate. `inconclusive` is not a pass: the rows do not show enough."""

    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one rule, with its evidence.

    Attributes:
        estimate: the candidate's mean or quantile; None without rows.
        low, high: the interval of what the rule speaks of (the mean, the quantile, or with a baseline the difference),
            with confidence 1 - 2 alpha, so that each end is a bound at level alpha; None where an end is open, and for
            figures that have no interval.
        baseline_estimate, difference: the baseline's mean and candidate minus baseline, where there is a baseline.
        p_value: chance of rows at least this good if the rule were just not met; small speaks for a pass.
        p_violated: chance of rows at least this bad if the rule were just met; small speaks for a fail. Adjusted when
            several rules were decided together.
        rows: rows that were measured (on both sides, with a baseline).
        rows_that_would_decide: when inconclusive, about how many rows would decide it (see ASSUMPTION); None when no
            number would, because the estimate sits on the boundary or there are no rows.
        method: the statistical method, in words.
        slice: the named slice whose rows were judged; None for all rows.
        failed_rows: rows on which the candidate's flow or measure failed; those with a worst value count with it.
        not_measured: rows of the slice that have no figure, or only on one side.
        flips: rows that the baseline passed and the candidate failed, for a rule on flips.
        flipped: the first of those rows, such as `golden@3 row 17`.
        held: why a pass was withheld although the figures would allow it, or "".
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
    slice: str | None = None
    failed_rows: int = 0
    not_measured: int = 0
    flips: int | None = None
    flipped: tuple[str, ...] = ()
    held: str = ""

    @property
    def speaks_of_difference(self) -> bool:
        """Whether `low`, `high` and `boundary` are those of candidate minus baseline."""
        return self.rule.compares and not self.rule.no_flips

    @property
    def boundary(self) -> float:
        """The rule's boundary in the unit of `low` and `high`."""
        if self.rule.margin_pct is not None:
            return (self.rule.boundary - 1.0) * (self.baseline_estimate or 0.0)
        return self.rule.boundary

    @property
    def sentence(self) -> str:
        """The decision for a person, e.g. `accuracy 0.86 [0.79, 0.92] meets at least 0.75 (120 rows)`."""
        rule = self.rule
        if self.estimate is None:
            return f"{rule.name}: no rows were measured, so nothing shows that it is {rule.demand}{self._missing('; ')}"
        claim = "; wanted:" if rule.no_flips else f" {self._claim}"
        said = f"{self._figures}{claim} {rule.demand} ({self._rows}"
        return f"{said}{self._missing('; ')}{'; ' if self._more else ''}{self._more})"

    @property
    def _figures(self) -> str:
        rule = self.rule
        if rule.no_flips:
            return f"{rule.name} flipped on {self.flips:,} row{'' if self.flips == 1 else 's'}{self._which}"
        figures = f"{rule.name} {self.estimate:.3g}"
        if rule.compares and self.difference is not None:
            figures += f" against {self.baseline_estimate:.3g}, difference {self.difference:+.3g}"
        return figures if self.low is None and self.high is None else f"{figures} [{_end(self.low)}, {_end(self.high)}]"

    @property
    def _which(self) -> str:
        if not self.flipped or self.flips is None:
            return ""
        return f" ({', '.join(self.flipped)}{', …' if self.flips > len(self.flipped) else ''})"

    @property
    def _claim(self) -> str:
        claims = {Verdict.PASS: "meets", Verdict.FAIL: "breaks"}
        return claims.get(self.verdict, "does not show yet whether it is")

    @property
    def _rows(self) -> str:
        if not self.rows and not self.speaks_of_difference:
            return self.method
        return f"{self.rows:,} row{'' if self.rows == 1 else 's'}"

    def _missing(self, before: str) -> str:
        said = [f"{self.failed_rows:,} failed"] if self.failed_rows else []
        said += [f"{self.not_measured:,} not measured"] if self.not_measured else []
        return before + ", ".join(said) if said else ""

    @property
    def _more(self) -> str:
        if self.held:
            return self.held
        if self.verdict is not Verdict.INCONCLUSIVE or self.flips is not None:
            return ""
        needed = self.rows_that_would_decide
        return f"about {needed:,} would decide it {ASSUMPTION}" if needed else "it sits on the boundary"


def overall(decisions: Sequence[Decision]) -> Verdict:
    """Fail if any rule fails, pass if all pass; with nothing to decide yet nothing speaks against a first release."""
    verdicts = {decision.verdict for decision in decisions}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Verdict.PASS


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:.3g}"
