"""Keep pipelines, start runs of them, look what the runs came to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import schedules
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import JobStatus
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.training import code as codes
from opsloop.training import declaration, learning
from opsloop.training import window as windows
from opsloop.training._tables import PipelineRow, PipelineVersionRow, TrainingRunRow
from opsloop.training.events import TrainingFailed
from opsloop.training.models import Pipeline, TrainingRun, TrainingRunId, TrainingStatus, TrainingStep, Trigger
from opsloop.training.run_errors import OperationInvalid, PipelineMissing, TrainingRunIsOver, TrainingRunMissing

KIND = "training.run"
_encode = msgspec.json.Encoder(order="sorted").encode


def put(uow: UnitOfWork, name: str, declared: Mapping[str, Any], *, code: Mapping[str, str] | None = None) -> Pipeline:
    """Keep a pipeline and set its schedule; one of that name is replaced, and has a new version when it learns anew.

    Args:
        code: the files of Python that it names, by their paths in the project.
    Raises: OperationInvalid, InvalidInput.
    """
    uow.by.require(Role.DEVELOPER)
    datasets.check_name(name)
    operation, kept = _checked(uow, declared, code or {})
    row = uow.session.get(PipelineRow, name, with_for_update=True) or PipelineRow(name=name, version=0)
    version = _version(uow, name, _digest(declared, kept), kept)
    if (row.declared, row.version) != (dict(declared), version):
        row.declared, row.version = dict(declared), version
        row.updated_at, row.updated_by = uow.clock.now(), uow.by.name
        uow.session.add(row)
        uow.audit("pipeline.set", f"pipeline/{name}@{version}", schedule=operation.schedule)
    if operation.schedule is not None:
        schedules.put(uow, _schedule(name), cron=operation.schedule, kind=KIND, payload={"pipeline": name})
    else:
        schedules.remove(uow, _schedule(name))
    uow.session.flush()
    return _pipeline(uow, row)


def remove(uow: UnitOfWork, name: str) -> None:
    """Forget a pipeline and its schedule; its runs and the models they made stay. Raises: PipelineMissing."""
    uow.by.require(Role.DEVELOPER)
    uow.session.delete(row_of(uow, name))
    schedules.remove(uow, _schedule(name))
    uow.audit("pipeline.removed", f"pipeline/{name}")


def get(uow: UnitOfWork, name: str) -> Pipeline:
    """Raises: PipelineMissing naming the nearest known name."""
    uow.by.require(Role.VIEWER)
    return _pipeline(uow, row_of(uow, name))


def pipelines(uow: UnitOfWork) -> list[Pipeline]:
    """All of them, by name."""
    uow.by.require(Role.VIEWER)
    return [_pipeline(uow, row) for row in uow.session.scalars(select(PipelineRow).order_by(PipelineRow.name))]


def start(
    uow: UnitOfWork,
    pipeline: str,
    *,
    trigger: str = Trigger.DEMAND,
    reason: str = "",
    dataset: str | None = None,
    window: Mapping[str, Any] | None = None,
    force: bool = False,
    endpoint: str | None = None,
    job: str | None = None,
) -> TrainingRun:
    """Start a run as a durable job.

    Args:
        trigger: what set it off: `demand`, `schedule`, `webhook` or `drift`.
        dataset: another dataset or version than the pipeline declares.
        window: other rows of it, as a pipeline declares them; `{}` for all.
        force: train though neither data nor pipeline have changed since the last good run.
        endpoint: the one that the new version is for; told with the event.
        job: an id of the caller's choice for the job; the run that exists under it is returned as it is.
    Raises: PipelineMissing, DatasetMissing, InvalidInput.
    """
    uow.by.require(Role.DEVELOPER)
    if job is not None and (existing := row_of_job(uow, job)) is not None:
        return _run(uow, existing)
    row = row_of(uow, pipeline)
    learns_from = dataset or learning.dataset_of(row.declared)
    datasets.get(uow, learns_from)
    wanted = windows.parse(row.declared.get("window") if window is None else dict(window)).values()
    made = _started(
        uow, row, trigger=trigger, reason=reason, dataset=learns_from, window=wanted, force=force, endpoint=endpoint
    )
    made.job = jobs.enqueue(uow, KIND, {"training_run": made.id}, id=job).id
    uow.session.flush()
    return _run(uow, made)


def scheduled(uow: UnitOfWork, pipeline: str, *, job: str, reason: str) -> TrainingRun:
    """The run of a job that a schedule asked for; made when the job begins. Raises: PipelineMissing."""
    if (existing := row_of_job(uow, job)) is not None:
        return _run(uow, existing)
    row = row_of(uow, pipeline)
    made = _started(
        uow,
        row,
        trigger=Trigger.SCHEDULE,
        reason=reason,
        dataset=learning.dataset_of(row.declared),
        window=windows.parse(row.declared.get("window")).values(),
    )
    made.job = job
    uow.session.flush()
    return _run(uow, made)


def run(uow: UnitOfWork, run_id: str) -> TrainingRun:
    """Raises: TrainingRunMissing."""
    uow.by.require(Role.VIEWER)
    return _run(uow, run_row(uow, run_id))


def runs(uow: UnitOfWork, *, pipeline: str | None = None, limit: int = 100) -> list[TrainingRun]:
    """The newest first."""
    uow.by.require(Role.VIEWER)
    query = select(TrainingRunRow).order_by(TrainingRunRow.created_at.desc(), TrainingRunRow.id.desc())
    if pipeline is not None:
        query = query.where(TrainingRunRow.pipeline == pipeline)
    return [_run(uow, row) for row in uow.session.scalars(query.limit(min(limit, 1_000)))]


def cancel(uow: UnitOfWork, run_id: str) -> TrainingRun:
    """Stop a run: one that waits never starts, one under way stops at its next step and makes no version.

    Raises: TrainingRunMissing, TrainingRunIsOver.
    """
    uow.by.require(Role.OPERATOR)
    row = run_row(uow, run_id)
    if TrainingStatus(row.status).is_final:
        raise TrainingRunIsOver(run=run_id, status=row.status)
    jobs.cancel(uow, row.job)
    end_badly(uow, row, TrainingStatus.CANCELLED, f"cancelled by {uow.by.name}")
    return _run(uow, row)


def end_badly(uow: UnitOfWork, row: TrainingRunRow, status: TrainingStatus, reason: str) -> None:
    """Keep that a run made no version, and tell of it."""
    row.status, row.error, row.finished_at = status, reason, uow.clock.now()
    uow.audit(f"training.{status}", f"training_run/{row.id}", pipeline=row.pipeline, reason=reason)
    uow.emit(
        TrainingFailed(run=row.id, pipeline=row.pipeline, endpoint=row.endpoint, trigger=row.trigger, reason=reason)
    )


def same_run(uow: UnitOfWork, pipeline: str, fingerprint: str) -> TrainingRunRow | None:
    """The last good run of a pipeline, when it learned just this in just this way."""
    query = (
        select(TrainingRunRow)
        .where(TrainingRunRow.pipeline == pipeline, TrainingRunRow.status == TrainingStatus.DONE)
        .order_by(TrainingRunRow.finished_at.desc(), TrainingRunRow.id.desc())
    )
    row = uow.session.scalar(query.limit(1))
    return row if row is not None and row.fingerprint == fingerprint else None


def row_of(uow: UnitOfWork, name: str) -> PipelineRow:
    """Raises: PipelineMissing naming the nearest known name."""
    row = uow.session.get(PipelineRow, name) if "\0" not in name else None
    if row is None:
        known = uow.session.scalars(select(PipelineRow.name).limit(1_000)).all()
        close = get_close_matches(name, known, n=1)
        raise PipelineMissing(noun="pipeline", name=name, near=f"; did you mean {close[0]!r}?" if close else "")
    return row


def run_row(uow: UnitOfWork, run_id: str) -> TrainingRunRow:
    """Raises: TrainingRunMissing."""
    row = uow.session.get(TrainingRunRow, run_id) if "\0" not in run_id else None
    if row is None:
        raise TrainingRunMissing(noun="training run", name=run_id)
    return row


def row_of_job(uow: UnitOfWork, job: str) -> TrainingRunRow | None:
    return uow.session.scalar(select(TrainingRunRow).where(TrainingRunRow.job == job))


def _checked(
    uow: UnitOfWork, declared: Mapping[str, Any], code: Mapping[str, str]
) -> tuple[declaration.Operation, str]:
    if b"\\u0000" in msgspec.json.encode([declared, code]):
        raise OperationInvalid(
            "pipeline: wanted text without zero characters, which cannot be stored", field="pipeline"
        )
    operation = declaration.parse(declared)
    codes.check(code)
    kept = codes.keep(uow.artifacts, code)
    learning.check(declared, codes.laid_out(uow.artifacts, uow.workspace.data_dir, kept))
    return operation, kept


def _digest(declared: Mapping[str, Any], code: str) -> str:
    """Names what is learned and how; when it runs and whom it tells are no part of it."""
    made = {name: value for name, value in declared.items() if name not in ("schedule", "notify", "webhook")}
    return hashlib.sha256(_encode([made, code])).hexdigest()


def _version(uow: UnitOfWork, name: str, digest: str, code: str) -> int:
    """The number of the version with this digest; a new one where the pipeline never was this."""
    rows = uow.session.scalars(select(PipelineVersionRow).where(PipelineVersionRow.name == name)).all()
    for row in rows:
        if row.digest == digest:
            return row.version
    number = max((row.version for row in rows), default=0) + 1
    made = PipelineVersionRow(
        name=name, version=number, digest=digest, artifact=code, created_at=uow.clock.now(), created_by=uow.by.name
    )
    uow.session.add(made)
    return number


def _started(
    uow: UnitOfWork,
    row: PipelineRow,
    *,
    trigger: str,
    reason: str,
    dataset: str,
    window: dict[str, Any],
    force: bool = False,
    endpoint: str | None = None,
) -> TrainingRunRow:
    made = TrainingRunRow(
        id=uow.ids.new("training"),
        pipeline=row.name,
        pipeline_version=row.version,
        declared=row.declared,
        code=uow.session.get_one(PipelineVersionRow, (row.name, row.version)).artifact,
        trigger=_trigger(trigger),
        reason=reason,
        endpoint=endpoint,
        dataset=dataset,
        window=window,
        force=force,
        status=TrainingStatus.QUEUED,
        fingerprint="",
        artifacts={},
        metrics={},
        report={},
        steps=[],
        job="",
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    uow.session.add(made)
    uow.audit("training.started", f"training_run/{made.id}", pipeline=row.name, trigger=trigger, reason=reason)
    return made


def _trigger(value: str) -> str:
    if value not in set(Trigger):
        raise InvalidInput(field="trigger", value=value, wanted=f"one of {', '.join(Trigger)}")
    return value


def _schedule(name: str) -> str:
    return f"training:{name}"


def _pipeline(uow: UnitOfWork, row: PipelineRow) -> Pipeline:
    schedule = schedules.get(uow, _schedule(row.name))
    version = uow.session.get_one(PipelineVersionRow, (row.name, row.version))
    return Pipeline(
        name=row.name,
        declared=row.declared,
        version=row.version,
        digest=version.digest,
        code=codes.digest(version.artifact),
        schedule=schedule.cron if schedule is not None else None,
        next_at=schedule.next_at if schedule is not None else None,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


def _run(uow: UnitOfWork, row: TrainingRunRow) -> TrainingRun:
    status = TrainingStatus(row.status)
    job = jobs.get(uow, row.job) if row.job and not status.is_final else None
    if job is not None and job.status is JobStatus.CANCELLED:  # as a job, by somebody who did not know its run
        status = TrainingStatus.CANCELLED
    return TrainingRun(
        id=TrainingRunId(row.id),
        pipeline=row.pipeline,
        pipeline_version=row.pipeline_version,
        trigger=row.trigger,
        reason=row.reason,
        endpoint=row.endpoint,
        status=status,
        dataset=row.dataset,
        window=row.window,
        force=row.force,
        data=row.data,
        rows=row.rows,
        model=row.model,
        artifacts=row.artifacts,
        metrics=row.metrics,
        report=row.report,
        steps=msgspec.convert(row.steps, tuple[TrainingStep, ...]),
        same_as=row.same_as,
        error=row.error,
        job=row.job,
        done=job.done if job is not None else 0,
        total=job.total if job is not None else 0,
        message=job.message if job is not None else "",
        created_at=row.created_at,
        created_by=row.created_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
