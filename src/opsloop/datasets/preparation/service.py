"""Keep preparations, start runs of them, look what the runs did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import schedules
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.preparation import declaration
from opsloop.datasets.preparation._tables import PreparationRow, PreparationRunRow
from opsloop.datasets.preparation.declaration import Declared
from opsloop.datasets.preparation.errors import PreparationMissing, PreparationRunMissing
from opsloop.datasets.preparation.models import (
    MadeVersion,
    Preparation,
    PreparationRun,
    PreparationRunId,
    PreparationStatus,
    StepReport,
)

KIND = "dataset.prepare"
IMPORT = "import"


def put(uow: UnitOfWork, name: str, declared: Mapping[str, Any]) -> Preparation:
    """Keep a preparation and set its schedule; one of that name is replaced.

    Raises: PreparationInvalid, InvalidInput.
    """
    uow.by.require(Role.DEVELOPER)
    datasets.check_name(name)
    checked = _checked(declared)
    row = uow.session.get(PreparationRow, name)
    if row is None:
        row = PreparationRow(name=name)
        uow.session.add(row)
    if row.declared != dict(declared):
        row.declared = dict(declared)
        row.updated_at, row.updated_by = uow.clock.now(), uow.by.name
        uow.audit("preparation.set", f"preparation/{name}", schedule=checked.schedule)
    if checked.schedule is not None:
        schedules.put(uow, _schedule(name), cron=checked.schedule, kind=KIND, payload={"preparation": name})
    else:
        schedules.remove(uow, _schedule(name))
    uow.session.flush()
    return _preparation(uow, row)


def remove(uow: UnitOfWork, name: str) -> None:
    """Forget a preparation and its schedule; its runs and their versions stay. Raises: PreparationMissing."""
    uow.by.require(Role.DEVELOPER)
    uow.session.delete(_row(uow, name))
    schedules.remove(uow, _schedule(name))
    uow.audit("preparation.removed", f"preparation/{name}")


def get(uow: UnitOfWork, name: str) -> Preparation:
    """Raises: PreparationMissing naming the nearest known name."""
    uow.by.require(Role.VIEWER)
    return _preparation(uow, _row(uow, name))


def listed(uow: UnitOfWork) -> list[Preparation]:
    uow.by.require(Role.VIEWER)
    return [_preparation(uow, row) for row in uow.session.scalars(select(PreparationRow).order_by(PreparationRow.name))]


def start(uow: UnitOfWork, name: str) -> PreparationRun:
    """Start a run as a durable job. Raises: PreparationMissing."""
    uow.by.require(Role.DEVELOPER)
    return _started(uow, name, _row(uow, name).declared)


def start_import(uow: UnitOfWork, name: str, source: Any, *, tags: Sequence[str] = ()) -> PreparationRun:
    """Register what stands elsewhere as a version of a dataset: a run that reads and registers, and no more.

    Args:
        source: an address as text, or as a mapping with its kind.
    Raises: PreparationInvalid, InvalidInput.
    """
    uow.by.require(Role.DEVELOPER)
    datasets.check_name(name, tags)
    return _started(uow, f"{IMPORT} {name}", imported(name, source, tags=tags))


def imported(name: str, source: Any, *, tags: Sequence[str] = ()) -> dict[str, Any]:
    """What is declared of rows that are registered as they are."""
    return {"read": {"source": source}, "register": {"as": name, "tags": list(tags)}}


def of_job(uow: UnitOfWork, job: str, name: str) -> PreparationRun:
    """The run of a job that a schedule asked for; made when the job begins. Raises: PreparationMissing."""
    found = uow.session.scalar(select(PreparationRunRow).where(PreparationRunRow.job == job))
    return _run(uow, found) if found is not None else _started(uow, name, _row(uow, name).declared, job=job)


def run(uow: UnitOfWork, run_id: str) -> PreparationRun:
    """Raises: PreparationRunMissing."""
    uow.by.require(Role.VIEWER)
    return _run(uow, row_of(uow, run_id))


def runs(uow: UnitOfWork, *, preparation: str | None = None, limit: int = 100) -> list[PreparationRun]:
    """The newest first."""
    uow.by.require(Role.VIEWER)
    query = select(PreparationRunRow).order_by(PreparationRunRow.created_at.desc(), PreparationRunRow.id.desc())
    if preparation is not None:
        query = query.where(PreparationRunRow.preparation == preparation)
    return [_run(uow, row) for row in uow.session.scalars(query.limit(min(limit, 1_000)))]


def same_run(uow: UnitOfWork, preparation: str, fingerprint: str) -> PreparationRun | None:
    """The newest finished run of a preparation, when it did just this and its versions are still the current ones."""
    query = (
        select(PreparationRunRow)
        .where(PreparationRunRow.preparation == preparation, PreparationRunRow.status == PreparationStatus.DONE)
        .order_by(PreparationRunRow.finished_at.desc(), PreparationRunRow.id.desc())
    )
    row = uow.session.scalar(query.limit(1))
    if row is None or row.fingerprint != fingerprint:
        return None
    found = _run(uow, row)
    return found if are_current(uow, found) else None


def are_current(uow: UnitOfWork, found: PreparationRun) -> bool:
    """Whether the versions of a run are what the bare names of their datasets stand for."""
    return all(datasets.get(uow, each.ref.partition("@")[0]).ref == each.ref for each in found.versions)


def row_of(uow: UnitOfWork, run_id: str) -> PreparationRunRow:
    """Raises: PreparationRunMissing."""
    row = uow.session.get(PreparationRunRow, run_id) if "\0" not in run_id else None
    if row is None:
        raise PreparationRunMissing(noun="run", name=run_id)
    return row


def _checked(declared: Mapping[str, Any]) -> Declared:
    if b"\\u0000" in msgspec.json.encode(declared):
        raise InvalidInput("preparation: wanted text without zero characters, which cannot be stored", field="clean")
    checked = declaration.parse(dict(declared))
    for name, _ in checked.made():
        datasets.check_name(name, checked.tags)
    return checked


def _started(uow: UnitOfWork, name: str, declared: Mapping[str, Any], *, job: str | None = None) -> PreparationRun:
    _checked(declared)
    run_id = uow.ids.new("preparation")
    row = PreparationRunRow(
        id=run_id,
        preparation=name,
        declared=dict(declared),
        fingerprint="",
        status=PreparationStatus.QUEUED,
        sources=[],
        steps=[],
        versions=[],
        same_as=None,
        error=None,
        job=job or jobs.enqueue(uow, KIND, {"preparation_run": run_id}).id,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
        finished_at=None,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("preparation.started", f"preparation_run/{run_id}", preparation=name)
    return _run(uow, row)


def _row(uow: UnitOfWork, name: str) -> PreparationRow:
    row = uow.session.get(PreparationRow, name) if "\0" not in name else None
    if row is None:
        known = uow.session.scalars(select(PreparationRow.name).limit(1_000)).all()
        close = get_close_matches(name, known, n=1)
        near = f"; did you mean {close[0]!r}?" if close else ""
        raise PreparationMissing(noun="preparation", name=name, near=near)
    return row


def _schedule(name: str) -> str:
    return f"preparation:{name}"


def _preparation(uow: UnitOfWork, row: PreparationRow) -> Preparation:
    schedule = schedules.get(uow, _schedule(row.name))
    return Preparation(
        name=row.name,
        declared=row.declared,
        schedule=schedule.cron if schedule is not None else None,
        next_at=schedule.next_at if schedule is not None else None,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


def _run(uow: UnitOfWork, row: PreparationRunRow) -> PreparationRun:
    status = PreparationStatus(row.status)
    job = jobs.get(uow, row.job) if not status.is_final else None
    return PreparationRun(
        id=PreparationRunId(row.id),
        preparation=row.preparation,
        declared=row.declared,
        status=status,
        sources=tuple(row.sources),
        steps=msgspec.convert(row.steps, tuple[StepReport, ...]),
        versions=msgspec.convert(row.versions, tuple[MadeVersion, ...]),
        same_as=row.same_as,
        error=row.error,
        job=row.job,
        done=job.done if job is not None else 0,
        total=job.total if job is not None else 0,
        message=job.message if job is not None else "",
        created_at=row.created_at,
        created_by=row.created_by,
        finished_at=row.finished_at,
    )
