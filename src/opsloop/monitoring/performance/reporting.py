"""Tell how well the releases of an endpoint do, by the labels of a window, beside what they promised in validation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmKind
from opsloop.monitoring.drift import watches
from opsloop.monitoring.drift.watches import StoredWatch
from opsloop.monitoring.labels import window
from opsloop.monitoring.labels.models import Labelled
from opsloop.monitoring.performance import falling, testing
from opsloop.monitoring.performance.estimate import estimate
from opsloop.monitoring.performance.figures import FIRST, figures
from opsloop.monitoring.performance.reports import PerformancePoint, PerformanceReport, ReleasePerformance
from opsloop.monitoring.predictions import service as predictions

MOST_LABELS = 10_000


def report(
    uow: UnitOfWork, endpoint: str, *, window_s: int = 7 * 86_400, points: int = 20, release: str | None = None
) -> PerformanceReport:
    """Raises: NotFound when the endpoint serves no model."""
    since = uow.clock.now() - timedelta(seconds=window_s)
    found = watches.of_endpoint(uow, endpoint)
    if release is not None:
        found = [each for each in found if each.release == release]
    if not found:
        raise NotFound(f"endpoint {endpoint!r} serves no model that is watched", name=endpoint)
    every = [_release(uow, each, since, points) for each in found]
    shown = [each for place, each in enumerate(every) if place == 0 or each.served or each.alarm is not None]
    shown.sort(key=lambda each: (each.alarm is None, -each.labelled))
    return PerformanceReport(
        endpoint=endpoint,
        window_s=window_s,
        worse=any(each.alarm is not None for each in shown),
        sentence=shown[0].sentence,
        releases=tuple(shown),
    )


def _release(uow: UnitOfWork, watch: StoredWatch, since: datetime, points: int) -> ReleasePerformance:
    model = watch.about.get("model", {})
    task = str(model.get("task", "classification"))
    rows = window.labelled(uow, watch.endpoint, release=watch.release, since=since, limit=MOST_LABELS)[::-1]
    validated = testing.validated_of(watch)
    standing = testing.standing_of(uow, watch.endpoint, watch.release)
    measured = figures(task, [each.label for each in rows], [each.predicted for each in rows])
    return ReleasePerformance(
        release=watch.release,
        model=watch.model,
        task=task,
        figures=tuple(measured),
        points=_points(task, rows, points),
        validated={name: float(value) for name, value in dict(model.get("metrics", {})).items()},
        tested=None if validated is None else validated.metric,
        score=0.0 if validated is None else falling.score(standing, validated),
        labels_tested=standing.labels,
        alarm=alarms.of_release(uow, AlarmKind.PERFORMANCE, watch.endpoint, watch.release),
        labelled=len(rows),
        served=predictions.count_rows(uow, watch.endpoint, release=watch.release, since=since),
        estimate=estimate(uow, watch, task, since, measured),
    )


def _points(task: str, rows: Sequence[Labelled], points: int) -> tuple[PerformancePoint, ...]:
    """Stretches of equally many rows, so that each says about as much."""
    size = max(1, -(-len(rows) // points))
    found = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        measured = figures(task, [each.label for each in part], [each.predicted for each in part])
        first = next(each for each in measured if each.name == FIRST[task])
        found.append(PerformancePoint(part[0].predicted_at, first))
    return tuple(found)
