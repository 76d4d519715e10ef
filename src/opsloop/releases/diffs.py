"""What two releases differ in, and what happened to an endpoint's releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.models import Run
from opsloop.flows import contents
from opsloop.flows import versions as flows
from opsloop.models import service as models
from opsloop.models.models import ModelVersion
from opsloop.releases import service
from opsloop.releases._tables import EndpointRow, RolloutEventRow, RolloutRow
from opsloop.releases.diff_models import FigureChange, FileChange, HistoryEntry, ReleaseDiff, ValueChange
from opsloop.releases.models import Release

MOST_FILES = 100
MOST_LINES = 2_000


def diff(uow: UnitOfWork, endpoint: str, before: int, after: int) -> ReleaseDiff:
    """Compare two releases of an endpoint by their numbers. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    found = {each.number: each for each in service.releases(uow, endpoint)}
    for number in (before, after):
        if number not in found:
            raise NotFound(noun=f"release of {endpoint}", name=str(number))
    one, other = found[before], found[after]
    files = [] if one.serves_digest == other.serves_digest or one.kind != "flow" else _files(uow, one, other)
    sides = _behind(uow, one), _behind(uow, other)
    return ReleaseDiff(
        endpoint=endpoint,
        before=one,
        after=other,
        files=tuple(files[:MOST_FILES]),
        config=tuple(_changes(one.config, other.config)),
        lineage=tuple(_changes(*sides)),
        figures=tuple(_figures(uow, one, other)),
        cut=f"{len(files) - MOST_FILES:,} more files differ" if len(files) > MOST_FILES else "",
    )


def history(uow: UnitOfWork, endpoint: str, *, limit: int = 200) -> list[HistoryEntry]:
    """What happened in all rollouts of an endpoint, the newest first. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    if uow.session.get(EndpointRow, endpoint) is None:
        raise NotFound(noun="endpoint", name=endpoint)
    query = (
        select(RolloutEventRow, RolloutRow.number)
        .join(RolloutRow, RolloutRow.id == RolloutEventRow.rollout)
        .where(RolloutRow.endpoint == endpoint)
        .order_by(RolloutEventRow.seq.desc())
        .limit(max(1, min(limit, 1_000)))
    )
    return [
        HistoryEntry(row.at, number, row.rollout, row.kind, row.share, row.sentence, row.by)
        for row, number in uow.session.execute(query)
    ]


def _files(uow: UnitOfWork, before: Release, after: Release) -> list[FileChange]:
    one, other = flows.get(uow, before.serves), flows.get(uow, after.serves)
    return [
        FileChange(
            path=each.path,
            change=each.change.value,
            added=each.added,
            removed=each.removed,
            lines=each.lines[:MOST_LINES],
            missing=each.missing or (f"the first {MOST_LINES:,} lines" if len(each.lines) > MOST_LINES else ""),
        )
        for each in contents.diff(uow.workspace, one, other)
    ]


def _behind(uow: UnitOfWork, release: Release) -> dict[str, Any]:
    """What stands behind a release: content, data, the evaluation and its gate."""
    run = _run(uow, release)
    model = _model(uow, release)
    return {
        "serves": release.serves,
        "content": release.serves_digest,
        "evaluation": release.evaluation,
        "gate": release.gate,
        "evaluated_on": [each.ref for each in run.datasets] if run else None,
        **({"trained_on": model.dataset or None, "training_run": model.run or None} if model else {}),
        **({"framework": model.framework} if model else {}),
    }


def _figures(uow: UnitOfWork, before: Release, after: Release) -> Iterator[FigureChange]:
    runs = _run(uow, before), _run(uow, after)
    sides = [{name: each.value for name, each in run.metrics.items()} if run else {} for run in runs]
    if not any(sides):
        trained = _model(uow, before), _model(uow, after)
        sides = [dict(each.metrics) if each else {} for each in trained]
    one, other = sides
    for name in sorted({*one, *other}):
        yield FigureChange(name, one.get(name), other.get(name))


def _run(uow: UnitOfWork, release: Release) -> Run | None:
    return evaluations.get(uow, release.evaluation) if release.evaluation else None


def _model(uow: UnitOfWork, release: Release) -> ModelVersion | None:
    return models.get(uow, release.serves) if release.kind == "model" else None


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> Iterator[ValueChange]:
    """Values that differ, mappings entered."""
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        at = f"{path}.{key}" if path else key
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _changes(one, other, at)
        elif one != other:
            yield ValueChange(at, one, other)
