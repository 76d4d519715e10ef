"""Count labels into the tests of releases, each once, and raise the alarm that they are the evidence for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, Evidence
from opsloop.monitoring.drift import hooks, watches
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.monitoring.drift.watches import StoredWatch
from opsloop.monitoring.labels import counting
from opsloop.monitoring.labels.models import Labelled
from opsloop.monitoring.performance import falling
from opsloop.monitoring.performance._tables import StandingRow
from opsloop.monitoring.performance.falling import Standing, Validated

_AT_ONCE = 5_000


def validated_of(watch: StoredWatch | None) -> Validated | None:
    """What the model behind a release promised; None when it brought no figure that can be tested."""
    declared = (watch.about if watch is not None else {}).get("performance")
    return Validated(**declared) if declared else None


def advance(uow: UnitOfWork) -> int:
    """Count the labels that were joined since; returns how many. One transaction counts, however many processes try."""
    batch = counting.uncounted(uow, limit=_AT_ONCE)
    for endpoint, release in sorted({(each.endpoint, each.labelled.release) for each in batch}):
        mine = [each.labelled for each in batch if (each.endpoint, each.labelled.release) == (endpoint, release)]
        _counted(uow, endpoint, release, mine)
    counting.note_counted(uow, batch)
    return len(batch)


def standing_of(uow: UnitOfWork, endpoint: str, release: str) -> Standing:
    row = uow.session.get(StandingRow, (endpoint, release))
    return Standing() if row is None else Standing.restored(row.standing)


def begin_anew(uow: UnitOfWork, endpoint: str, release: str) -> None:
    """Forget the evidence so far."""
    row = uow.session.get(StandingRow, (endpoint, release))
    if row is not None:
        uow.session.delete(row)
        uow.session.flush()


def _counted(uow: UnitOfWork, endpoint: str, release: str, labels: Sequence[Labelled]) -> None:
    watches.hold(uow, endpoint, release)
    watch = watches.get(uow, endpoint, release)
    validated = validated_of(watch)
    if watch is None or validated is None:
        return
    before = standing_of(uow, endpoint, release)
    now = falling.after(before, validated, [(each.label, each.predicted) for each in labels])
    _keep(uow, endpoint, release, now, validated)
    if now.alarmed_at is not None:
        _raise(uow, watch, now, validated, labels[max(0, min(now.since_label - before.labels, len(labels) - 1))])


def _keep(uow: UnitOfWork, endpoint: str, release: str, standing: Standing, validated: Validated) -> None:
    row = uow.session.get(StandingRow, (endpoint, release))
    if row is None:
        row = StandingRow(endpoint=endpoint, release=release)
        uow.session.add(row)
    row.standing, row.score = standing.stored(), falling.score(standing, validated)
    row.updated_at = uow.clock.now()
    uow.session.flush()


def _raise(uow: UnitOfWork, watch: StoredWatch, now: Standing, validated: Validated, first: Labelled) -> Alarm | None:
    evidence = _evidence(now, validated, first.predicted_at, str(watch.about.get("model", {}).get("output", "")))
    raised = alarms.raise_alarm(
        uow,
        AlarmKind.PERFORMANCE,
        endpoint=watch.endpoint,
        release=watch.release,
        model=watch.model,
        evidence=evidence,
    )
    if raised is not None:
        hooks.tell(uow, raised, (*hooks.of_platform(uow.workspace), *hooks.parse(watch.told_to)))
        uow.emit(
            DriftDetected(
                alarm=raised.id,
                endpoint=raised.endpoint,
                release=raised.release,
                model=raised.model,
                feature=raised.feature,
                sentence=raised.sentence,
                score=raised.score,
                kind=AlarmKind.PERFORMANCE,
            )
        )
    return raised


def _evidence(now: Standing, validated: Validated, since_at: datetime, output: str) -> Evidence:
    name = {"accuracy": "accuracy", "mse": "mean squared error"}[validated.metric]
    worse = "below" if validated.metric == "accuracy" else "above"
    sentence = (
        f"labels show {name} {worse} the validated {validated.figure:.4g} "
        f"since about label {now.since_label + 1:,} of {now.labels:,}"
    )
    detail: dict[str, Any] = {
        "metric": validated.metric,
        "validated": validated.figure,
        "margin": validated.margin,
        "labels": now.labels,
        "since_label": now.since_label,
        "false_alarms_every": validated.false_alarms_every,
    }
    return Evidence(output, sentence, falling.score(now, validated), since_at=since_at, detail=detail)
