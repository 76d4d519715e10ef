"""Tell how the watched releases of an endpoint stand: what was seen, by feature, and the alarm when there is one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmKind
from opsloop.monitoring.drift import watches
from opsloop.monitoring.drift.reports import DriftReport, FeatureScore, WatchReport
from opsloop.monitoring.drift.watches import Checkpoint, StoredWatch

RECENT = timedelta(hours=1)


def report(uow: UnitOfWork, endpoint: str, *, release: str | None = None) -> DriftReport:
    """The watches that have an alarm, saw rows within the hour, or began last. Raises: NotFound."""
    found = watches.of_endpoint(uow, endpoint)
    if release is not None:
        found = [each for each in found if each.release == release]
    if not found:
        raise NotFound(f"endpoint {endpoint!r} serves no model that is watched", name=endpoint)
    every = [_watch(uow, each) for each in found]
    newest = uow.clock.now() - RECENT
    shown = [
        each
        for place, each in enumerate(every)
        if place == 0 or each.alarm is not None or (each.updated_at is not None and each.updated_at >= newest)
    ]
    shown.sort(key=lambda each: (each.alarm is None, -each.score))
    return DriftReport(
        endpoint=endpoint,
        detected=any(each.alarm is not None for each in shown),
        sentence=shown[0].sentence,
        watches=tuple(shown),
    )


def _watch(uow: UnitOfWork, watch: StoredWatch) -> WatchReport:
    found = watches.checkpoints(uow, watch.endpoint, watch.release, watch.generation)
    updated = [each.updated_at for each in found if each.updated_at is not None]
    return WatchReport(
        release=watch.release,
        model=watch.model,
        rows=sum(each.rows for each in found),
        score=max((each.score for each in found), default=0.0),
        features=_features(found),
        broken=_broken(found),
        alarm=alarms.of_release(uow, AlarmKind.DRIFT, watch.endpoint, watch.release),
        about=watch.about,
        replicas=len(found),
        restarted_at=watch.restarted_at,
        updated_at=max(updated, default=None),
    )


def _features(found: Sequence[Checkpoint]) -> tuple[FeatureScore, ...]:
    scores: dict[str, float] = {}
    for each in found:
        for feature, score in each.figures.items():
            scores[feature] = max(score, scores.get(feature, 0.0))
    ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FeatureScore(feature, score) for feature, score in ordered)


def _broken(found: Sequence[Checkpoint]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in found:
        for rule, count in each.broken.items():
            counts[rule] = counts.get(rule, 0) + count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
