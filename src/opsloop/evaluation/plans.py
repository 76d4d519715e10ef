"""How many rows a gate needs: the nouns that every surface shows."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.evaluation.models import RunId
from opsloop.evaluation.rules import Rule


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """What one rule asks of the number of rows, as far as an earlier run can tell.

    Attributes:
        rows: rows that the run measured.
        rows_needed: about how many rows show the rule in 8 of 10 repetitions, for a candidate that is as good as the
            baseline, or, without one, as the run was; None when no number does, or the rule is judged on every row.
        spread: the standard deviation of what a row contributes (with a baseline, of its difference), in the metric's
            unit, counting what rows of one cluster share.
        correlation: of the two runs over the rows; None without a baseline or spread. The nearer to 1, the fewer rows.
        smallest_margin: the smallest margin that this many rows can show; None for other rules.
        says: what the figures rest on, as a clause.
    """

    rule: Rule
    rows: int
    rows_needed: int | None
    spread: float | None
    correlation: float | None
    smallest_margin: float | None
    says: str

    @property
    def sentence(self) -> str:
        """E.g. `token_f1: less than 0.03 below the baseline takes about 410 rows (125 now, which can show 0.055)`."""
        rule = self.rule
        if self.rows_needed is None:
            return f"{rule.name}: {rule.demand}: {self.says}"
        shown = f", which can show {self.smallest_margin:.2g}" if self.smallest_margin is not None else ""
        rows = f"{self.rows_needed:,} row{'' if self.rows_needed == 1 else 's'}"
        return f"{rule.name}: {rule.demand} takes about {rows} ({self.rows:,} now{shown}; {self.says})"


@dataclass(frozen=True, slots=True)
class GatePlan:
    """How many rows the rules of a gate need, from a run and, where there is one, a baseline."""

    run: RunId
    baseline: RunId | None
    alpha: float
    rules: tuple[PlannedRule, ...]

    @property
    def rows_needed(self) -> int | None:
        """Rows that show every rule that any number of rows shows."""
        return max((each.rows_needed for each in self.rules if each.rows_needed is not None), default=None)
