"""Learn what healthy runs of a job print, and tell it to whoever looks at a failed one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.baselines._tables import BaselineRow
from opsloop.incidents.logs.lines import Line
from opsloop.incidents.logs.novelty import Baseline

RUNS_KEPT = 10
LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Learned:
    """Args: runs: healthy ones that are kept of the job; shapes: kinds of lines of the largest of them."""

    job: str
    runs: int
    shapes: int
    learned_at: datetime


def learn(uow: UnitOfWork, job: str, lines: Iterable[Line | str], *, run: str | None = None) -> Learned:
    """Keep what a healthy run printed; of a job the last ten runs are kept.

    Args:
        job: project, job and step, as `shop/build/test`.
        run: its name; a run of that name that was learned before is replaced. A new name when not given.
    Raises: InvalidInput naming the field.
    """
    uow.by.require(Role.OPERATOR)
    _check("job", job)
    if run is not None:
        _check("run", run)
    made = Baseline.of(lines)
    values = {
        "job": job,
        "run": run or uow.ids.new("healthy"),
        "learned_at": uow.clock.now(),
        "shapes": len(made),
        "content": zlib.compress(json.dumps(made.to_json(), separators=(",", ":")).encode()),
    }
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    changed = {name: values[name] for name in ("learned_at", "shapes", "content")}
    uow.session.execute(
        insert(BaselineRow).values(**values).on_conflict_do_update(index_elements=["job", "run"], set_=changed)
    )
    newest = select(BaselineRow.run).where(BaselineRow.job == job)
    newest = newest.order_by(BaselineRow.learned_at.desc(), BaselineRow.run.desc())
    over = uow.session.scalars(newest.offset(RUNS_KEPT)).all()
    if over:
        uow.session.execute(delete(BaselineRow).where(BaselineRow.job == job, BaselineRow.run.in_(over)))
    uow.audit("baseline.learned", f"job/{job}", run=values["run"], shapes=len(made))
    return _found(uow, job)[0]


def baseline(uow: UnitOfWork, job: str) -> Baseline | None:
    """What any of the kept healthy runs of a job printed; None when there is none."""
    uow.by.require(Role.VIEWER)
    newest = select(BaselineRow.content).where(BaselineRow.job == job)
    newest = newest.order_by(BaselineRow.learned_at.desc(), BaselineRow.run.desc()).limit(RUNS_KEPT)
    kept = [Baseline.from_json(json.loads(zlib.decompress(each))) for each in uow.session.scalars(newest)]
    return kept[0].merged(*kept[1:]) if kept else None


def listed(uow: UnitOfWork) -> list[Learned]:
    """Every job that healthy runs are known of, by name."""
    uow.by.require(Role.VIEWER)
    return _found(uow)


def forget(uow: UnitOfWork, job: str) -> int:
    """Let go of all healthy runs of a job, when what it prints has changed; returns how many there were."""
    uow.by.require(Role.OPERATOR)
    done = uow.session.scalars(delete(BaselineRow).where(BaselineRow.job == job).returning(BaselineRow.run)).all()
    if done:
        uow.audit("baseline.forgotten", f"job/{job}", runs=len(done))
    return len(done)


def _found(uow: UnitOfWork, job: str | None = None) -> list[Learned]:
    figures = (func.count(), func.max(BaselineRow.shapes), func.max(BaselineRow.learned_at))
    asked = select(BaselineRow.job, *figures).group_by(BaselineRow.job).order_by(BaselineRow.job)
    if job is not None:
        asked = asked.where(BaselineRow.job == job)
    return [Learned(name, runs, shapes, at) for name, runs, shapes, at in uow.session.execute(asked)]


def _check(field: str, name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(field=field, value=name, wanted=f"1 to {LONGEST_NAME} printable characters")
