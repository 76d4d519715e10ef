"""An alarm begins a renewal, joins the one that goes on, or is on record as no reason for one yet."""

from __future__ import annotations

from opsloop.core.errors import NotFound
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmState
from opsloop.releases import renewal_policy, rollouts
from opsloop.releases.models import Release
from opsloop.releases.renewal_policy import Cause
from opsloop.releases.renewals import course, service
from opsloop.releases.renewals.course import Renewed

AGAIN = "renewal.again"
"""The kind of job that looks at an alarm once the cool-down in which it came is over."""


def heard(uow: UnitOfWork, alarm: str, *, endpoint: str, release: str, sentence: str) -> None:
    """Args: release: the one that the alarm is about; where another one serves by now, it is no reason any more."""
    rollouts.lock_endpoint(uow, endpoint)
    present = course.active(uow, endpoint)
    if present is not None:
        if alarm not in present.alarms:
            present.alarms = [*present.alarms, alarm]
            course.tell(uow, present, "joined", f"another alarm: {sentence}", "alarm", alarm)
        return
    served = service.renewed_release(uow, endpoint)
    policy = renewal_policy.of_config(served.config) if served is not None and served.id == release else None
    if served is None or policy is None or Cause.DRIFT not in policy.on:
        return
    if service.cooling_until(uow, endpoint, policy) is not None:
        _put_off(uow, served, policy, alarm, sentence)
        return
    row = course.begin(uow, Renewed.of(served), cause=Cause.DRIFT, reason=sentence, alarms=[alarm])
    course.work(uow, row)


def heard_again(uow: UnitOfWork, alarm: str) -> None:
    """Nothing when somebody closed the alarm meanwhile."""
    try:
        found = alarms.get(uow, alarm)
    except NotFound:
        return
    if found.state is not AlarmState.CLOSED:
        heard(uow, alarm, endpoint=found.endpoint, release=found.release, sentence=found.sentence)


def _put_off(uow: UnitOfWork, served: Release, policy: renewal_policy.Policy, alarm: str, sentence: str) -> None:
    until = service.cooling_until(uow, served.endpoint, policy)
    why = service.why_not_now(uow, served.endpoint, policy)
    assert until is not None
    said = f"{why}; the alarm is looked at again then"
    course.skip(uow, Renewed.of(served), cause=Cause.DRIFT, reason=sentence, alarms=[alarm], why=said)
    again = f"job_{alarm}_again_{until:%Y%m%dT%H%M%S%f}"
    jobs.enqueue(uow, AGAIN, {"alarm": alarm}, id=again, run_after=until)
