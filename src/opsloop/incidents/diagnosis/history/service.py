"""Keep what was diagnosed, and say what is like it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, or_, select, update

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.diagnosis.history import flakiness
from opsloop.incidents.diagnosis.history._tables import DiagnosisRow
from opsloop.incidents.diagnosis.history.flakiness import Run
from opsloop.incidents.diagnosis.history.models import Remembered, Told
from opsloop.incidents.diagnosis.models import Past
from opsloop.incidents.diagnosis.settings import DiagnosisSettings

LEAST_SHARE = 0.3
MOST, LOOKED_AT, RUNS = 5, 500, 100
# At one time no more are deleted, so that nobody waits for it.
DELETED = 200


def recall(uow: UnitOfWork, told: Told) -> Remembered:
    """What the past says of a run; writes nothing. Raises: InvalidInput."""
    uow.by.require(Role.VIEWER)
    _check(told)
    if not told.has_failed:
        return Remembered()
    return Remembered(tuple(_similar(uow, told)), flakiness.because([Run(True, told.commit), *_runs(uow, told)]))


def keep(uow: UnitOfWork, told: Told) -> None:
    """Keep a run, and let go of those that are too old or too many. Raises: InvalidInput."""
    uow.by.require(Role.DEVELOPER)
    _check(told)
    row = DiagnosisRow(
        id=uow.ids.new("diagnosis"),
        at=uow.clock.now(),
        by=uow.by.name,
        has_failed=told.has_failed,
        job=told.job,
        step=told.step,
        commit=told.commit,
        region=list(told.region),
        signature=told.signature,
        category=told.category,
        root_cause=told.root_cause,
        incident=told.incident,
        closed_as=None,
        turned_out="",
    )
    uow.session.add(row)
    uow.session.flush()
    _prune(uow)


def label(uow: UnitOfWork, incident: str, *, closed_as: str, cause: str) -> None:
    """An incident was closed: that is what its diagnoses turned out to be."""
    changed = {"closed_as": closed_as, "turned_out": cause}
    uow.session.execute(update(DiagnosisRow).where(DiagnosisRow.incident == incident).values(**changed))


def _similar(uow: UnitOfWork, told: Told) -> list[Past]:
    """The likest of the last 500 failures. Likeness is the Jaccard index of the lines' fingerprints: of those that
    either failure prints, the share that both do."""
    ours = set(told.region)
    query = select(DiagnosisRow).where(DiagnosisRow.has_failed.is_(True))
    query = query.order_by(DiagnosisRow.at.desc(), DiagnosisRow.id.desc()).limit(LOOKED_AT)
    found = [_past(row, ours) for row in uow.session.scalars(query)] if ours else []
    near = [each for each in found if each.share >= LEAST_SHARE]
    # Of equals one that somebody said something of tells more than one that is only newer.
    return sorted(near, key=lambda each: (-each.share, each.closed_as is None, -each.at.timestamp()))[:MOST]


def _past(row: DiagnosisRow, ours: set[str]) -> Past:
    theirs = set(row.region)
    return Past(
        at=row.at,
        job=row.job,
        root_cause=row.root_cause,
        category=row.category,
        share=round(len(ours & theirs) / len(ours | theirs), 2),
        incident=row.incident,
        closed_as=row.closed_as,
        turned_out=row.turned_out,
    )


def _runs(uow: UnitOfWork, told: Told) -> Sequence[Run]:
    """Of the same step, those that failed; of its job, those that passed. None when the job is not known."""
    if not told.job:
        return []
    of_step = or_(DiagnosisRow.has_failed.is_(False), DiagnosisRow.step == told.step)
    query = select(DiagnosisRow.has_failed, DiagnosisRow.commit).where(DiagnosisRow.job == told.job, of_step)
    query = query.order_by(DiagnosisRow.at.desc(), DiagnosisRow.id.desc()).limit(RUNS)
    return [Run(has_failed, commit) for has_failed, commit in uow.session.execute(query)]


def _prune(uow: UnitOfWork) -> None:
    settings = uow.workspace.section(DiagnosisSettings)
    before = uow.clock.now() - timedelta(days=settings.diagnosis_kept_days)
    old = list(uow.session.scalars(select(DiagnosisRow.id).where(DiagnosisRow.at < before).limit(DELETED)))
    newest = select(DiagnosisRow.id).order_by(DiagnosisRow.at.desc(), DiagnosisRow.id.desc())
    old += uow.session.scalars(newest.offset(settings.diagnosis_kept_count).limit(DELETED))
    if old:
        uow.session.execute(delete(DiagnosisRow).where(DiagnosisRow.id.in_(old)))


def _check(told: Told) -> None:
    for field in ("job", "step", "commit", "signature", "category", "root_cause"):
        value = getattr(told, field)
        if len(value) > 1_000 or not value.isprintable():
            raise InvalidInput(field=field, value=value, wanted="at most 1,000 printable characters")
