"""What a report tells, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service
from opsloop.evaluation.models import GateReport, RowRecord, Run

WORST = 10


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """A run, its gate, and the rows to look at first: those that failed, then those with the lowest scores."""

    run: Run
    gate: GateReport | None
    worst: tuple[RowRecord, ...]


def document(uow: UnitOfWork, run_id: str, *, worst: int = WORST) -> ReportDocument:
    """Raises: RunMissing."""
    run = service.get(uow, run_id)
    rows = sorted(service.rows(uow, run_id), key=lambda row: (row.error is None, _goodness(run, row)))
    return ReportDocument(run, service.gate_report(uow, run_id), tuple(rows[:worst]))


def _goodness(run: Run, row: RowRecord) -> float:
    """Sum of the scores of metrics for which more is better."""
    return sum(
        score
        for metric, score in row.scores.items()
        if score is not None and metric in run.metrics and run.metrics[metric].higher_is_better
    )
