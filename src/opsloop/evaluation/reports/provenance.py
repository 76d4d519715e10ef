"""Where a report's figures come from: what ran on what, measured by what, who asked, and where the record says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsloop._version import __version__
from opsloop.core.audit import service as audit
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation.models import Experiment, Run, RunDataset


@dataclass(frozen=True, slots=True)
class MeasureUsed:
    """An evaluator as the experiment asked for it."""

    evaluator: str
    metric: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What somebody needs who wants to make the run again, or to believe it.

    `recorded` is the hash of the newest audit event of the run, `audit_head` that of the whole trail when the report
    was made, `audit_events` its length then; None where there is none.
    """

    run: str
    experiment: str
    flow: str
    flow_digest: str
    datasets: tuple[RunDataset, ...]
    evaluators: tuple[MeasureUsed, ...]
    repeats: int
    seed: int
    started_at: datetime
    finished_at: datetime | None
    by: str
    opsloop: str
    made_at: datetime
    recorded: str | None
    audit_head: str | None
    audit_events: int


def provenance(uow: UnitOfWork, run: Run, experiment: Experiment) -> Provenance:
    newest = audit.listed(uow, limit=1)
    of_run = [event for event in audit.listed(uow, target=f"evaluation/{run.id}") if event.target.endswith(run.id)]
    return Provenance(
        run=run.id,
        experiment=run.experiment,
        flow=run.flow,
        flow_digest=run.flow_digest,
        datasets=run.datasets,
        evaluators=tuple(MeasureUsed(each.name, each.metric, dict(each.options)) for each in experiment.evaluators),
        repeats=experiment.repeats,
        seed=experiment.seed,
        started_at=run.created_at,
        finished_at=run.finished_at,
        by=run.created_by,
        opsloop=__version__,
        made_at=uow.clock.now(),
        recorded=of_run[0].hash if of_run else None,
        audit_head=newest[0].hash if newest else None,
        audit_events=newest[0].seq if newest else 0,
    )
