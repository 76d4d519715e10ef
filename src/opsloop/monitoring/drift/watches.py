"""What is stored of a watch: which generation it is in, and where its detectors stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.drift._tables import CheckpointRow, WatchRow


@dataclass(frozen=True, slots=True)
class StoredWatch:
    endpoint: str
    release: str
    model: str
    digest: str
    generation: int
    baseline: str | None
    about: dict[str, Any]
    started_at: datetime
    restarted_at: datetime
    told_to: list[Any] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Args: figures: of the features, for pages; broken: how often each expectation was, by its name."""

    replica: str
    generation: int
    state: bytes
    rows: int
    score: float
    figures: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    updated_at: datetime | None = None


def held(
    uow: UnitOfWork,
    endpoint: str,
    release: str,
    *,
    model: str,
    digest: str,
    about: Mapping[str, Any],
    told_to: Sequence[Mapping[str, Any]] = (),
) -> StoredWatch:
    """The watch of a release, begun if there is none; other transactions that hold it wait for this one to end."""
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    now = uow.clock.now()
    new = insert(WatchRow).values(
        endpoint=endpoint,
        release=release,
        model=model,
        digest=digest,
        generation=1,
        about=dict(about),
        told_to=list(told_to),
        started_at=now,
        restarted_at=now,
    )
    uow.session.execute(new.on_conflict_do_nothing(index_elements=["endpoint", "release"]))
    row = _locked(uow, endpoint, release)
    assert row is not None
    if about and row.about != about:
        row.about = dict(about)
    if about and row.told_to != list(told_to):
        row.told_to = list(told_to)
    return _watch(row)


def begin_anew(uow: UnitOfWork, endpoint: str, release: str, *, baseline: str | None = None) -> None:
    """Let every replica's detector start again, against other rows if `baseline` names their artifact."""
    row = _locked(uow, endpoint, release)
    if row is None:
        return
    row.generation += 1
    row.restarted_at = uow.clock.now()
    if baseline is not None:
        row.baseline = baseline
    uow.session.execute(
        delete(CheckpointRow).where(CheckpointRow.endpoint == endpoint, CheckpointRow.release == release)
    )


def hold(uow: UnitOfWork, endpoint: str, release: str) -> None:
    """Wait for whoever reports for this release, and let others wait for this transaction."""
    _locked(uow, endpoint, release)


def get(uow: UnitOfWork, endpoint: str, release: str) -> StoredWatch | None:
    uow.by.require(Role.VIEWER)
    row = uow.session.get(WatchRow, (endpoint, release))
    return None if row is None else _watch(row)


def of_endpoint(uow: UnitOfWork, endpoint: str) -> list[StoredWatch]:
    """The watches of its releases, the newest first."""
    uow.by.require(Role.VIEWER)
    query = select(WatchRow).where(WatchRow.endpoint == endpoint)
    return [_watch(row) for row in uow.session.scalars(query.order_by(WatchRow.started_at.desc(), WatchRow.release))]


def keep(
    uow: UnitOfWork, endpoint: str, release: str, checkpoint: Checkpoint, *, gone_after: timedelta = timedelta(hours=1)
) -> None:
    """Store where a replica's detector stands; forget those that did not report for so long, with their evidence."""
    key = {"endpoint": endpoint, "release": release, "replica": checkpoint.replica}
    values = {
        "generation": checkpoint.generation,
        "state": checkpoint.state,
        "rows": checkpoint.rows,
        "score": checkpoint.score,
        "figures": checkpoint.figures,
        "broken": checkpoint.broken,
        "updated_at": uow.clock.now(),
    }
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    statement = insert(CheckpointRow).values(**key, **values)
    uow.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    uow.session.execute(
        delete(CheckpointRow).where(
            CheckpointRow.endpoint == endpoint,
            CheckpointRow.release == release,
            CheckpointRow.updated_at < uow.clock.now() - gone_after,
        )
    )


def checkpoints(uow: UnitOfWork, endpoint: str, release: str, generation: int) -> Sequence[Checkpoint]:
    """Of every replica, in the order of their names."""
    query = select(CheckpointRow).where(
        CheckpointRow.endpoint == endpoint, CheckpointRow.release == release, CheckpointRow.generation == generation
    )
    return [_checkpoint(row) for row in uow.session.scalars(query.order_by(CheckpointRow.replica))]


def taken_over(
    uow: UnitOfWork, endpoint: str, release: str, generation: int, *, replica: str, idle: timedelta
) -> Checkpoint | None:
    """The checkpoint of this replica, or that of one that has been idle for so long, which is this replica's then."""
    found = checkpoints(uow, endpoint, release, generation)
    mine = next((each for each in found if each.replica == replica), None)
    if mine is not None:
        return mine
    before = uow.clock.now() - idle
    orphan = next((each for each in found if each.updated_at is not None and each.updated_at < before), None)
    if orphan is None:
        return None
    row = uow.session.get_one(CheckpointRow, (endpoint, release, orphan.replica))
    uow.session.delete(row)
    uow.session.flush()
    return orphan


def _locked(uow: UnitOfWork, endpoint: str, release: str) -> WatchRow | None:
    query = select(WatchRow).where(WatchRow.endpoint == endpoint, WatchRow.release == release).with_for_update()
    return uow.session.scalar(query.execution_options(populate_existing=True))


def _watch(row: WatchRow) -> StoredWatch:
    return StoredWatch(
        endpoint=row.endpoint,
        release=row.release,
        model=row.model,
        digest=row.digest,
        generation=row.generation,
        baseline=row.baseline,
        about=row.about,
        started_at=row.started_at,
        restarted_at=row.restarted_at,
        told_to=row.told_to or [],
    )


def _checkpoint(row: CheckpointRow) -> Checkpoint:
    return Checkpoint(
        replica=row.replica,
        generation=row.generation,
        state=row.state,
        rows=row.rows,
        score=row.score,
        figures=row.figures,
        broken=row.broken,
        updated_at=row.updated_at,
    )
