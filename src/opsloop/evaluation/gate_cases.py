"""From runs to the cases that a gate's statistics decide: slices, matching rows, and what was not measured."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.measured import MeasuredRow, by_identity, measured
from opsloop.evaluation.models import GateSpec, RowRecord, Run
from opsloop.evaluation.rules import EACH, Rule
from opsloop.evaluation.slices import condition

if TYPE_CHECKING:
    from opsloop.evaluation.statistics.cases import Case

MAX_LACKING = 0.2
"""As `MAX_FAILED`, of rows whose figure could not be taken, or stands on one side only."""

MAX_ABSENT = 0.5
"""From here on a metric speaks of so few rows that a pass says little of all of them."""

Pair = tuple[MeasuredRow, MeasuredRow | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """A run's rows beside those of a baseline, None without one. `notes` says which rows were compared."""

    rows: Sequence[MeasuredRow]
    beside: dict[Hashable, MeasuredRow] | None
    notes: tuple[str, ...] = ()

    def pairs(self, rule: Rule) -> list[Pair]:
        """The rows that a rule can be about, with the baseline's where the rule compares."""
        if not rule.compares or self.beside is None:
            return [(row, None) for row in self.rows]
        if not self.notes:  # the same data on both sides: a row that the baseline lacks was not measured there
            return [(row, self.beside.get(row.identity)) for row in self.rows]
        return [(row, self.beside[row.identity]) for row in self.rows if row.identity in self.beside]


def compared(
    spec: GateSpec,
    candidate: Run,
    records: Sequence[RowRecord],
    baseline: Run | None,
    theirs: Sequence[RowRecord],
) -> Compared:
    """Match the rows of two runs. Raises: NotComparable."""
    if baseline is None:
        return Compared(measured(candidate, records), None)
    if [each.digest for each in candidate.datasets] == [each.digest for each in baseline.datasets]:
        return Compared(measured(candidate, records), by_identity(measured(baseline, theirs)))
    if spec.key is None:
        reason = (
            f"it ran on {candidate.dataset}, the baseline on {baseline.dataset}; evaluate the baseline on the same "
            "rows, or name the column by which rows can be matched as `key` of the gate"
        )
        raise NotComparable(run=candidate.id, baseline=baseline.id, reason=reason)
    ours, others = measured(candidate, records, key=spec.key), by_identity(measured(baseline, theirs, key=spec.key))
    common = sum(row.identity in others for row in ours)
    if not common:
        reason = f"no row of {candidate.dataset} has the same {spec.key} as one of {baseline.dataset}"
        raise NotComparable(run=candidate.id, baseline=baseline.id, reason=reason)
    return Compared(ours, others, (_matched(spec.key, common, len(ours) - common, len(others) - common),))


def spread_over_slices(
    rules: Sequence[Rule], spec: GateSpec, compared: Compared, rows_of: Callable[[Rule], str] = lambda rule: rule.metric
) -> tuple[list[Rule], list[str]]:
    """Rules for `each` slice become one for every slice with rows enough; the sentences name those left out.

    Args:
        rows_of: the metric whose rows a rule is about: of a figure of all rows, the one that it is computed from.
    """
    found: list[Rule] = []
    left_out: list[str] = []
    for rule in rules:
        for name in spec.slices if rule.slice == EACH else ():
            rows = len(_of_slice(replace(rule, slice=name, metric=rows_of(rule)), spec, compared))
            if rows >= rule.min_rows:
                found.append(replace(rule, slice=name))
            else:
                counted = f"{rows} row{'' if rows == 1 else 's'}, fewer than {rule.min_rows}"
                left_out.append(f"slice {name} has {counted}: {rule.metric} is not judged on it")
        if rule.slice != EACH:
            found.append(rule)
    return found, left_out


def case_of(rule: Rule, spec: GateSpec, compared: Compared, *, is_alone: bool = False) -> Case:
    """The rows of one rule, and why a pass would be withheld; `is_alone`: without a baseline although it compares.

    Raises: InvalidInput.
    """
    from opsloop.evaluation.statistics.cases import Case  # numpy, an extra

    pairs = _of_slice(rule, spec, compared)
    metric = rule.metric
    if rule.no_flips and rule.pass_at is None and any(metric in row.graded for row, _ in pairs):
        raise InvalidInput(field=f"rule for {metric}, pass_at", value=None, wanted="the value at which a row passes")
    candidate = [row.values.get(metric) for row, _ in pairs]
    baseline = [None if beside is None else beside.values.get(metric) for _, beside in pairs]
    return Case(
        rule=rule,
        candidate=candidate,
        baseline=baseline if rule.compares and not is_alone else None,
        clusters=None if spec.cluster_by is None else [_cluster(row, spec.cluster_by) for row, _ in pairs],
        failed_rows=sum(metric in row.failed for row, _ in pairs),
        not_measured=sum(None in values for values in _values(candidate, baseline if rule.compares else None)),
        held=_held(rule, spec, pairs),
        names=[row.name for row, _ in pairs],
    )


def _of_slice(rule: Rule, spec: GateSpec, compared: Compared) -> list[Pair]:
    """The rows of the rule's slice on which its metric is taken."""
    pairs = compared.pairs(rule)
    if rule.slice is not None:
        wanted = condition(spec.slices[rule.slice], field=f"gate.slices.{rule.slice}")
        pairs = [pair for pair in pairs if wanted.holds(pair[0].data, dataset=pair[0].version)]
    return [(row, beside) for row, beside in pairs if row.is_skipped or rule.metric in row.values]


def _values(candidate: Sequence[float | None], baseline: Sequence[float | None] | None) -> Iterator[tuple[Any, ...]]:
    return zip(candidate, strict=True) if baseline is None else zip(candidate, baseline, strict=True)


def _held(rule: Rule, spec: GateSpec, pairs: Sequence[Pair]) -> str:
    """Why these rows do not let a pass stand: too many failed, or were not measured; "" when they do."""
    rows, metric = len(pairs), rule.metric
    for who, failed in (
        ("it", sum(metric in row.failed for row, _ in pairs)),
        ("the baseline", sum(beside is not None and metric in beside.failed for _, beside in pairs)),
    ):
        if failed > spec.max_failed * rows:
            return f"{who} failed on {failed:,} of {rows:,} rows; at most {spec.max_failed:.0%} may, see max_failed"
    absent = sum(_is_absent(rule, pair) for pair in pairs)
    lacking = sum(_is_lacking(rule, pair) for pair in pairs)
    if spec.max_missing is not None:
        if absent > spec.max_missing * rows:
            return f"{absent:,} of {rows:,} rows have no figure; at most {spec.max_missing:.0%} may, see max_missing"
    elif lacking > MAX_LACKING * rows:
        return f"{lacking:,} of {rows:,} rows were not measured; at most {MAX_LACKING:.0%} may, see max_missing"
    elif rows and absent >= MAX_ABSENT * rows:
        return f"{absent:,} of {rows:,} rows have no figure; fewer than half may, see max_missing"
    return ""


def _is_absent(rule: Rule, pair: Pair) -> bool:
    row, beside = pair
    return row.values.get(rule.metric) is None or (
        rule.compares and (beside is None or beside.values.get(rule.metric) is None)
    )


def _is_lacking(rule: Rule, pair: Pair) -> bool:
    row, beside = pair
    if row.lacks(rule.metric):
        return True
    if not rule.compares:
        return False
    if beside is None or beside.lacks(rule.metric):
        return True
    return (row.values.get(rule.metric) is None) != (beside.values.get(rule.metric) is None)


def _cluster(row: MeasuredRow, column: str) -> str:
    value = row.data.get(column)
    return f"row {row.name}" if value is None else f"value {value!r}"


def _matched(key: str, common: int, ours: int, theirs: int) -> str:
    return (
        f"compared on the {common:,} rows that have the same {key} in both runs; {ours:,} of this run's rows and "
        f"{theirs:,} of the baseline's are not common"
    )
