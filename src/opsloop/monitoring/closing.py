"""End an alarm, and let what raised it begin anew: against the same reference, or against what comes now."""

from __future__ import annotations

from typing import Any

from opsloop.core.artifacts.store import put_by_content
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, Outcome
from opsloop.monitoring.drift import baselines, watches
from opsloop.monitoring.drift.events import DriftClosed
from opsloop.monitoring.performance import testing
from opsloop.monitoring.predictions import service as predictions

LEAST_ROWS = 200
MOST_ROWS = 10_000


def close(workspace: Workspace, by: Caller, alarm: str, *, reason: str, accept: bool = False) -> Alarm:
    """End an alarm by a person's word.

    Args:
        accept: what came since the change is the new normal, the reference from now on.
    Raises: NotFound, AlarmIsClosed, InvalidInput when there are too few rows to be a reference.
    """
    by.require(Role.OPERATOR)
    baseline = None
    with workspace.reading(by) as uow:
        found = alarms.get(uow, alarm)
        if accept:
            rows = _rows_since(uow, found)
    if accept:
        baseline = put_by_content(workspace.artifacts, baselines.PREFIX, rows)
    with workspace.writing(by) as uow:
        outcome = Outcome.ACCEPTED if accept else Outcome.RESET
        return end(uow, found, outcome=outcome, reason=reason, baseline=baseline)


def end(uow: UnitOfWork, alarm: Alarm, *, outcome: Outcome, reason: str, baseline: str | None = None) -> Alarm:
    """End an alarm in a transaction of the caller's. Raises: AlarmIsClosed, InvalidInput."""
    watches.hold(uow, alarm.endpoint, alarm.release)
    closed = alarms.close(uow, alarm.id, outcome=outcome, reason=reason)
    if alarm.kind is AlarmKind.DRIFT:
        watches.begin_anew(uow, alarm.endpoint, alarm.release, baseline=baseline)
    else:
        testing.begin_anew(uow, alarm.endpoint, alarm.release)
    uow.emit(
        DriftClosed(
            alarm=closed.id,
            endpoint=closed.endpoint,
            release=closed.release,
            outcome=outcome,
            reason=closed.reason or "",
        )
    )
    return closed


def end_of_release(uow: UnitOfWork, endpoint: str, release: str, *, reason: str) -> list[Alarm]:
    """End the alarms of a release that serves no more."""
    found = alarms.unclosed(uow, endpoint, release=release)
    return [end(uow, each, outcome=Outcome.REPLACED, reason=reason) for each in found]


def _rows_since(uow: UnitOfWork, alarm: Alarm) -> bytes:
    """The newest rows since the change, with what was predicted. Raises: InvalidInput."""
    if alarm.kind is not AlarmKind.DRIFT:
        raise InvalidInput(
            "a performance alarm is about labels: a lower figure is no new normal; close it without accept",
            field="accept",
        )
    since = alarm.since_at or alarm.opened_at
    found = predictions.newest(uow, alarm.endpoint, release=alarm.release, since=since, limit=MOST_ROWS)
    inputs: list[list[Any]] = []
    said: list[Any] = []
    for each in found:
        inputs += each.inputs
        said += each.predictions[: len(each.inputs)]
        if len(inputs) >= MOST_ROWS:
            break
    if len(inputs) < LEAST_ROWS:
        raise InvalidInput(
            f"only {len(inputs)} rows are kept since the change; a reference needs {LEAST_ROWS}: wait for more, or "
            "close the alarm without accept",
            field="accept",
        )
    return baselines.encoded(inputs[:MOST_ROWS], said[:MOST_ROWS])
