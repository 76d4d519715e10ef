"""A run of a pipeline as a durable job: it may begin again after a crash, and makes one version or none.

What is decided is stored before it is used: the data it learns from, then the names of its files. So a run that begins
again learns from the same rows, writes the same files, and registers in the one transaction that ends it.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from opsloop.core.caller import system
from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import lineage, policies
from opsloop.datasets import service as datasets
from opsloop.datasets.version_file import parquet_of
from opsloop.training import cancelling as cancelling  # registers what ends a run with its job
from opsloop.training import code as codes
from opsloop.training import declaration, learning, naming, service, telling
from opsloop.training import window as windows
from opsloop.training._tables import PipelineVersionRow, TrainingRunRow
from opsloop.training.events import TrainingFinished, TrainingSkipped
from opsloop.training.learning import Learned
from opsloop.training.models import TrainingStatus, TrainingStep

_BY = system("training")
_OCCURRENCE = re.compile(r".*:(?P<at>\d{8}T\d{6}Z)")
LATE_S = 120.0


@job(service.KIND)
def train(context: JobContext, payload: dict[str, Any]) -> None:
    """Run a pipeline to its end."""
    run_id = _begun(context, payload)
    if run_id is None:
        return
    try:
        _train(context, run_id)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the run too; the job's rim logs it
        ended = error
        context.patiently(lambda: _fail(context.workspace, run_id, ended))
        raise


def _begun(context: JobContext, payload: dict[str, Any]) -> str | None:
    """The run of this job, under way; None when it is over."""
    with context.workspace.writing(_BY) as uow:
        run_id = payload.get("training_run")
        if run_id is None:
            reason = _schedule_said(context.job_id, uow.clock.now())
            run_id = service.scheduled(uow, payload["pipeline"], job=context.job_id, reason=reason).id
        row = service.run_row(uow, run_id)
        if TrainingStatus(row.status).is_final:
            return None
        row.status = TrainingStatus.RUNNING
        row.started_at = row.started_at or uow.clock.now()
        return row.id


def _schedule_said(job_id: str, now: datetime) -> str:
    """When the schedule wanted the run, and that it is late when nothing ran then."""
    found = _OCCURRENCE.fullmatch(job_id)
    if found is None:
        return "the schedule"
    due = datetime.strptime(found["at"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    late_s = (now - due).total_seconds()
    said = f"due at {due:%Y-%m-%d %H:%M} UTC"
    return said if late_s < LATE_S else f"{said}; caught up {late_s / 60:,.0f} minutes later"


@dataclass(slots=True)
class _Course:
    """A run under way: what it is, and the lines of what it did so far."""

    context: JobContext
    row: TrainingRunRow
    steps: list[TrainingStep]

    @property
    def workspace(self) -> Workspace:
        return self.context.workspace

    def did(self, name: str, says: str) -> None:
        self.context.yield_back()
        assert self.row.started_at is not None
        after_s = (self.workspace.clock.now() - self.row.started_at).total_seconds()
        self.steps.append(TrainingStep(name, says, round(after_s, 3)))
        with self.workspace.writing(_BY) as uow:
            service.run_row(uow, self.row.id).steps = [asdict(each) for each in self.steps]


def _train(context: JobContext, run_id: str) -> None:
    context.progress(0, learning.STAGES, "look at the data")
    same = _pinned(context, run_id)
    with context.workspace.reading(_BY) as uow:
        row = service.run_row(uow, run_id)
    if same is not None:
        context.patiently(lambda: _skip(context.workspace, run_id, same))
        return
    course = _Course(context, row, [TrainingStep(**each) for each in row.steps if each["name"] == "data"])
    learned = _learned(course)
    context.yield_back()
    meanwhile = _same(context.workspace, run_id)
    if meanwhile is not None:  # another run learned the same
        context.patiently(lambda: _skip(context.workspace, run_id, meanwhile))
        return
    keys = context.patiently(lambda: _named(context.workspace, run_id))
    _write(course, learned, keys)
    context.progress(learning.STAGES - 1, learning.STAGES, "register the version")
    context.patiently(lambda: _finish(context.workspace, run_id, learned, course.steps))


def _pinned(context: JobContext, run_id: str) -> str | None:
    """Decide what to learn from, once; the id of the run after which nothing has changed, if there is one."""
    with context.workspace.writing(_BY) as uow:
        row = service.run_row(uow, run_id)
        if row.data is None:
            version = datasets.get(uow, row.dataset)
            row.data = version.ref
            row.window = windows.parse(row.window).pinned(uow.clock.now()).values()
            row.fingerprint = _fingerprint(uow, row, version.digest)
            row.steps = [asdict(TrainingStep("data", f"{version.ref}, {windows.parse(row.window)}", 0.0))]
        return _same_as(uow, row)


def _same(workspace: Workspace, run_id: str) -> str | None:
    with workspace.reading(_BY) as uow:
        return _same_as(uow, service.run_row(uow, run_id))


def _same_as(uow: UnitOfWork, row: TrainingRunRow) -> str | None:
    same = service.same_run(uow, row.pipeline, row.fingerprint)
    return None if row.force or same is None else same.id


def _fingerprint(uow: UnitOfWork, row: TrainingRunRow, data: str) -> str:
    """Names what is learned from what, with which libraries: the same again would make the same model."""
    version = uow.session.get_one(PipelineVersionRow, (row.pipeline, row.pipeline_version))
    parts = [version.digest, data, row.window, learning.libraries()]
    return hashlib.sha256(msgspec.json.Encoder(order="sorted").encode(parts)).hexdigest()


def _learned(course: _Course) -> Learned:
    row, workspace = course.row, course.workspace
    assert row.data is not None
    with workspace.reading(_BY) as uow:
        version = datasets.get(uow, row.data)
        expectations = policies.get(uow, version.name).expectations
    with tempfile.TemporaryDirectory(prefix="opsloop-training-") as folder:
        order = learning.order_of(
            row.declared,
            folder=codes.laid_out(workspace.artifacts, workspace.data_dir, row.code),
            parquet=parquet_of(workspace, version, _BY, Path(folder)),
            schema=version.schema,
            window=windows.parse(row.window),
            data={"data": version.ref, "data_digest": version.digest},
            compute=workspace.section(ComputeSettings),
            workspace=workspace,
        )
        name = declaration.parse(row.declared).model or row.pipeline
        learned = learning.learn(order, name=name, expectations=expectations, progress=_telling(course))
    for step, says in learned.steps:
        course.did(step, says)
    return learned


def _telling(course: _Course) -> Callable[[int, int, str], None]:
    """Progress of the training, as stages between the data and the registration."""

    def tell(done: int, total: int, message: str) -> None:
        course.context.yield_back()
        share = min(max(done / total, 0.0), 1.0) if total else 0.0
        course.context.progress(1 + int(share * (learning.STAGES - 3)), learning.STAGES, message)

    return tell


def _named(workspace: Workspace, run_id: str) -> dict[str, str]:
    """The keys of the run's files, decided once; no two runs have the same."""
    with workspace.writing(_BY) as uow:
        row = service.run_row(uow, run_id)
        while row.stamp is None:
            wanted = naming.stamp(uow.clock.now(), lambda name: _is_taken(uow, name))
            try:
                with uow.session.begin_nested():
                    row.stamp = wanted
                    uow.session.flush()
            except IntegrityError:  # PostgreSQL: another run took it meanwhile
                uow.session.refresh(row)
        return naming.keys(row.stamp)


def _is_taken(uow: UnitOfWork, stamp: str) -> bool:
    if uow.session.scalar(select(TrainingRunRow.id).where(TrainingRunRow.stamp == stamp)) is not None:
        return True
    return any(uow.artifacts.exists(key) for key in naming.keys(stamp).values())


def _write(course: _Course, learned: Learned, keys: dict[str, str]) -> None:
    store, row = course.workspace.artifacts, course.row
    facts = {
        "pipeline": f"{row.pipeline}@{row.pipeline_version}",
        "run": row.id,
        "data": row.data,
        "rows": learned.rows,
    }
    store.put(keys["model"], learned.onnx)
    store.put(keys["metrics"], naming.metrics_text(facts, learned.metrics).encode())
    store.put(keys["metrics_json"], msgspec.json.encode({**facts, "metrics": learned.metrics, **learned.report}))
    course.did("files", ", ".join(keys.values()))


def _finish(workspace: Workspace, run_id: str, learned: Learned, steps: list[TrainingStep]) -> None:
    """The one transaction in which a version is there and the run is done."""
    with workspace.writing(_BY) as uow:
        row = service.run_row(uow, run_id)
        if TrainingStatus(row.status).is_final:  # it was cancelled while it ended
            return
        assert row.data is not None
        assert row.stamp is not None
        model = learning.register(uow, learned, run=run_id, dataset=row.data)
        lineage.note_use(uow, datasets.get(uow, row.data), "training", run_id)
        lineage.note_use(uow, datasets.get(uow, row.data), "model", model.ref)
        row.status, row.model, row.rows = TrainingStatus.DONE, model.ref, learned.rows
        row.artifacts, row.metrics, row.report = naming.keys(row.stamp), learned.metrics, learned.report
        row.finished_at = now = uow.clock.now()
        after_s = (now - row.started_at).total_seconds() if row.started_at is not None else 0.0
        registered = TrainingStep("version", f"{model.ref} is registered, as challenger", round(after_s, 3))
        row.steps = [asdict(each) for each in (*steps, registered)]
        uow.audit("training.finished", f"training_run/{run_id}", pipeline=row.pipeline, model=model.ref, data=row.data)
        uow.emit(
            TrainingFinished(
                run=run_id,
                pipeline=row.pipeline,
                model=model.name,
                version=model.version,
                endpoint=row.endpoint,
                trigger=row.trigger,
            )
        )
        _tell(uow, row)


def _skip(workspace: Workspace, run_id: str, same_as: str) -> None:
    with workspace.writing(_BY) as uow:
        row, same = service.run_row(uow, run_id), service.run_row(uow, same_as)
        if TrainingStatus(row.status).is_final:
            return
        assert same.model is not None
        reason = f"neither data nor pipeline have changed since run {same.id}, which made {same.model}"
        row.status, row.same_as, row.model = TrainingStatus.SKIPPED, same.id, same.model
        row.rows, row.error, row.finished_at = same.rows, reason, uow.clock.now()
        uow.audit("training.skipped", f"training_run/{run_id}", pipeline=row.pipeline, same_as=same.id)
        model, _, version = same.model.partition("@")
        uow.emit(
            TrainingSkipped(
                run=run_id,
                pipeline=row.pipeline,
                model=model,
                version=int(version),
                endpoint=row.endpoint,
                trigger=row.trigger,
                reason=reason,
                same_as=same.id,
            )
        )
        _tell(uow, row)


def _fail(workspace: Workspace, run_id: str, error: Exception) -> None:
    with workspace.writing(_BY) as uow:
        row = service.run_row(uow, run_id)
        if TrainingStatus(row.status).is_final:
            return
        was_cancelled = jobs.get(uow, row.job).status is JobStatus.CANCELLED
        status = TrainingStatus.CANCELLED if was_cancelled else TrainingStatus.FAILED
        service.end_badly(uow, row, status, jobs.why_ended(uow, row.job, error))
        _tell(uow, row)


def _tell(uow: UnitOfWork, row: TrainingRunRow) -> None:
    uow.session.flush()
    telling.tell(uow, service.run(uow, row.id), row.declared)
