"""What a report tells, whatever its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service
from opsloop.evaluation.comparison.models import Comparison, RowChange
from opsloop.evaluation.comparison.service import compare_rows, done
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.judges.in_runs import JudgeOfRun, judges_of
from opsloop.evaluation.models import GateReport, RowRecord, Run, RunId
from opsloop.evaluation.reports.figures import (
    MetricSpread,
    RunSlice,
    Spending,
    run_slices,
    spending,
    spreads,
)
from opsloop.evaluation.reports.provenance import Provenance, provenance
from opsloop.evaluation.reports.reasons import Reason, reasons

WORST = 10


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """A run, its gate, and all that is known of its rows.

    Attributes:
        worst: the rows to look at first: those that failed, then those with the lowest scores.
        comparison: with the baseline, where there is one; `changes` then holds every shared row, worse first.
        base_spending: what the baseline took.
        judges: the judges that measured, with their calibration, and whether a gate may count on them.
    """

    run: Run
    gate: GateReport | None
    worst: tuple[RowRecord, ...]
    comparison: Comparison | None
    changes: tuple[RowChange, ...]
    reasons: tuple[Reason, ...]
    slices: tuple[RunSlice, ...]
    spending: Spending
    base_spending: Spending | None
    spreads: tuple[MetricSpread, ...]
    provenance: Provenance
    rows: tuple[RowRecord, ...]
    judges: tuple[JudgeOfRun, ...] = ()

    @property
    def broken(self) -> tuple[RowChange, ...]:
        """Rows that passed in the baseline and do not now."""
        return tuple(each for each in self.changes if each.broke)


def document(uow: UnitOfWork, run_id: str, *, baseline: str | None = None, worst: int = WORST) -> ReportDocument:
    """Everything about a run.

    Args:
        baseline: the run to put it beside; unset: the one that its gate was checked against, if any.
        worst: how many rows to look at first.
    Raises: RunMissing; with a baseline RunNotDone, NotComparable, ExtraNeeded.
    """
    run = service.get(uow, run_id)
    gate = service.gate_report(uow, run_id)
    experiment = service.experiment_of(uow, run_id)
    rows = service.rows(uow, run_id)
    beside = baseline if baseline is not None else gate.baseline if gate is not None else None
    base_rows: list[RowRecord] = []
    compared = None
    if beside is not None:
        before = done(uow, beside)
        base_rows = service.rows(uow, before.id)
        try:
            compared = compare_rows(before, done(uow, run.id), base_rows, rows, experiment)
        except NotComparable:
            if baseline is not None:
                raise
            base_rows = []  # the gate's own baseline: what can be said without it is said
    return ReportDocument(
        run=run,
        gate=gate,
        worst=tuple(_worst_first(run, rows)[:worst]),
        comparison=compared.comparison if compared else None,
        changes=tuple(compared.rows) if compared else (),
        reasons=reasons(rows),
        slices=run_slices(run, rows, experiment.gate.slices if experiment.gate else {}),
        spending=spending(rows),
        base_spending=spending(base_rows) if compared else None,
        spreads=spreads(run, rows, base_rows),
        provenance=provenance(uow, run, experiment),
        rows=tuple(rows),
        judges=tuple(judges_of(uow, experiment, rows)),
    )


def fits_gate(report: ReportDocument) -> bool:
    """Whether the gate's verdict speaks of the baseline that the report shows."""
    shown: RunId | None = report.comparison.base.id if report.comparison else None
    return report.gate is not None and report.gate.baseline == shown


def _worst_first(run: Run, rows: Sequence[RowRecord]) -> list[RowRecord]:
    ran = [row for row in rows if row.skipped is None]
    return sorted(ran, key=lambda row: (row.error is None, _goodness(run, row)))


def _goodness(run: Run, row: RowRecord) -> float:
    """Sum of the scores of metrics for which more is better."""
    return sum(
        score
        for metric, score in row.scores.items()
        if score is not None and metric in run.metrics and run.metrics[metric].higher_is_better
    )
