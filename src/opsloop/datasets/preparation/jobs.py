"""A run of a preparation as a durable job: nothing of it can be seen before all of it is there, in one transaction."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opsloop.core.caller import system
from opsloop.core.context import current_workspace
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.datasets.confined import confined
from opsloop.datasets.inspection import Inspection
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.preparation import declaration, reading, service
from opsloop.datasets.preparation.declaration import Declared
from opsloop.datasets.preparation.errors import StepFailed
from opsloop.datasets.preparation.models import MadeVersion, PreparationRun, PreparationStatus, StepReport
from opsloop.datasets.preparation.reading import Source
from opsloop.datasets.preparation.rows import Rows, none_left
from opsloop.datasets.preparation.steps.registry import Step
from opsloop.datasets.snapshot import Snapshot

_BY = system("preparation")
DROPPED = "preparations"


@job(service.KIND)
def prepare(context: JobContext, payload: dict[str, Any]) -> None:
    """Run a preparation to its end; called again after a crash it begins again, and nothing is there twice."""
    run_id = _begun(context, payload)
    if run_id is None:
        return
    try:
        _prepare(context, run_id)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the run too; the job's rim logs it
        ended = error
        context.patiently(lambda: _fail(context.workspace, run_id, ended))
        raise


def _begun(context: JobContext, payload: dict[str, Any]) -> str | None:
    """The run of this job, under way; None when it is over."""
    with context.workspace.writing(_BY) as uow:
        run_id = payload.get("preparation_run") or service.of_job(uow, context.job_id, payload["preparation"]).id
        row = service.row_of(uow, run_id)
        if PreparationStatus(row.status).is_final:
            return None
        row.status = PreparationStatus.RUNNING
        return row.id


@dataclass(frozen=True, slots=True)
class _Made:
    """A part of the rows, ready to be a version."""

    name: str
    part: str
    snapshot: Snapshot
    inspected: Inspection


def _prepare(context: JobContext, run_id: str) -> None:
    workspace = context.workspace
    with workspace.reading(_BY) as uow:
        run = service.run(uow, run_id)
    declared = declaration.parse(run.declared)
    total = len(declared.clean) + 3
    context.progress(0, total, "look at the source")
    source = reading.pinned(workspace, declared, _BY)
    fingerprint = hashlib.sha256(f"{declared.digest}\0{source}".encode()).hexdigest()
    with workspace.reading(_BY) as uow:
        same = service.same_run(uow, run.preparation, fingerprint)
    if same is not None:
        context.patiently(lambda: _finish_same(workspace, run_id, fingerprint, source, same))
        return
    with _scratch(workspace, run_id) as folder:
        steps, made = _made(context, run, declared, source, folder)
    context.yield_back()
    context.patiently(lambda: _finish(workspace, run_id, fingerprint, source, declared, steps, made))


def _made(
    context: JobContext, run: PreparationRun, declared: Declared, source: Source, folder: Path
) -> tuple[list[StepReport], list[_Made]]:
    total = len(declared.clean) + 3
    context.progress(1, total, f"read {source}")
    parquet = reading.read(context.workspace, source, folder, _BY)
    with confined(folder) as duck:
        rows = Rows(duck, folder)
        rows.load(parquet)
        parquet.unlink()
        reports = [StepReport("read", rows.count, rows.count)]
        for number, step in enumerate(declared.clean):
            context.progress(number + 2, total, f"{step.name}, {rows.count:,} rows")
            context.yield_back()
            reports.append(_taken(context, run, number, step, rows))
        context.progress(total - 1, total, f"register {rows.count:,} rows")
        if declared.split is not None:
            reports.append(_split_report(declared, rows))
        return reports, _parts(context, declared, rows)


def _taken(context: JobContext, run: PreparationRun, number: int, step: Step, rows: Rows) -> StepReport:
    """Take one step; what it dropped is kept beside the run."""
    before = rows.count
    token = current_workspace.set(context.workspace)  # a project's Python may read datasets
    try:
        with _told(step):
            step.apply(rows)
    finally:
        current_workspace.reset(token)
    dropped = 0
    if rows.are_same and rows.count < before:
        file = rows.folder / "dropped.parquet"
        dropped = rows.save_dropped(file)
        context.workspace.artifacts.put_file(dropped_key(run.id, number), file)
    if not rows.count:
        raise none_left(step.at)
    return StepReport(step.name, before, rows.count, dropped, are_kept=dropped > 0)


def dropped_key(run_id: str, number: int) -> str:
    """Where the rows that a step dropped are kept; steps of `clean` are counted from 0."""
    return f"{DROPPED}/{run_id}/{number}.parquet"


@contextmanager
def _told(step: Step) -> Iterator[None]:
    """What DuckDB says of a user's SQL, with the step it stands in."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise StepFailed(step=step.at, reason=str(error).splitlines()[0]) from error


def _split_report(declared: Declared, rows: Rows) -> StepReport:
    assert declared.split is not None
    rows.need("split.by", declared.split.by)
    counts = rows.counts(declared.split.part_of(list(rows.columns)))
    for number, name in enumerate(declared.split.names):
        if not counts.get(number):
            reason = f"part {name!r} got none of {rows.count} rows; give it a larger share, or another seed"
            raise StepFailed(step="split", reason=reason)
    says = ", ".join(f"{name} {counts[number]:,}" for number, name in enumerate(declared.split.names))
    return StepReport("split", rows.count, rows.count, says=says)


def _parts(context: JobContext, declared: Declared, rows: Rows) -> list[_Made]:
    snapshots: dict[str, Snapshot] = {}
    found = []
    for name, part in declared.made():
        if part not in snapshots:
            context.yield_back()
            snapshots[part] = _snapshot(context.workspace, declared, rows, part)
        inspected = datasets.inspect(context.workspace, _BY, name, snapshots[part])
        found.append(_Made(name, part, snapshots[part], inspected))
    return found


def _snapshot(workspace: Workspace, declared: Declared, rows: Rows, part: str) -> Snapshot:
    where = "true"
    if declared.split is not None:
        number = declared.split.names.index(part)
        where = f"{declared.split.part_of(list(rows.columns))} = {number}"
    file = rows.folder / "part.parquet"
    rows.save(file, where=where)
    return datasets.prepare_file(workspace, file, "prepared.parquet")


def _finish(
    workspace: Workspace,
    run_id: str,
    fingerprint: str,
    source: Source,
    declared: Declared,
    steps: list[StepReport],
    made: list[_Made],
) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, run_id)
        said = (
            str(source)
            if row.preparation.startswith(service.IMPORT + " ")
            else f"preparation:{row.preparation}/{run_id}"
        )
        versions = []
        for each in made:
            known = {version.digest for version in datasets.listed(uow, name=each.name, limit=1_000)}
            version = datasets.register_snapshot(
                uow,
                each.name,
                "prepared.parquet",
                each.snapshot,
                tags=declared.tags,
                source=said,
                inspected=each.inspected,
            )
            _note_sources(uow, version, source, run_id)
            is_new = each.snapshot.digest not in known
            versions.append(MadeVersion(version.ref, version.rows, is_new, each.part))
        if source.version is not None:
            lineage.note_use(uow, source.version, "preparation", run_id)
        _end(uow, run_id, fingerprint, source, versions)
        row.steps = [asdict(each) for each in steps]


def _note_sources(uow: UnitOfWork, version: DatasetVersion, source: Source, run_id: str) -> None:
    lineage.note_source(uow, version, "preparation", run_id)
    if source.version is not None:
        lineage.note_source(uow, version, "dataset", source.version.ref)
    elif source.address is not None:
        lineage.note_source(uow, version, source.address.kind.value, str(source.address))


def _finish_same(workspace: Workspace, run_id: str, fingerprint: str, source: Source, same: PreparationRun) -> None:
    with workspace.writing(_BY) as uow:
        versions = [MadeVersion(each.ref, each.rows, is_new=False, split=each.split) for each in same.versions]
        _end(uow, run_id, fingerprint, source, versions)
        service.row_of(uow, run_id).same_as = same.same_as or same.id


def _end(uow: UnitOfWork, run_id: str, fingerprint: str, source: Source, versions: list[MadeVersion]) -> None:
    row = service.row_of(uow, run_id)
    row.status = PreparationStatus.DONE
    row.fingerprint = fingerprint
    row.sources = [str(source)]
    row.versions = [asdict(each) for each in versions]
    row.finished_at = uow.clock.now()
    new = [each.ref for each in versions if each.is_new]
    uow.audit("preparation.finished", f"preparation_run/{run_id}", source=str(source), new=new)


def _fail(workspace: Workspace, run_id: str, error: Exception) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, run_id)
        if PreparationStatus(row.status).is_final:
            return
        row.status = PreparationStatus.FAILED
        row.finished_at = uow.clock.now()
        row.error = jobs.why_ended(uow, row.job, error)


@contextmanager
def _scratch(workspace: Workspace, run_id: str) -> Iterator[Path]:
    """A folder of this run's own; what a run that was killed left there goes."""
    folder = workspace.data_dir / "preparations" / run_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
