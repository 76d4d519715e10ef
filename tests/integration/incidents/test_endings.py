"""Signals that nobody says the end of: jobs, rollbacks, anomalies. Their incidents become mitigated."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsloop.core.caller import Caller, system
from opsloop.core.clock import FakeClock
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs._tables import JobRow
from opsloop.core.jobs.events import JobFailed
from opsloop.core.jobs.models import JobStatus
from opsloop.core.workspace import Workspace
from opsloop.incidents import service
from opsloop.incidents.anomalies.events import MetricAnomalyFound
from opsloop.incidents.models import Incident, IncidentState
from opsloop.incidents.tending import Tending, end_due
from opsloop.releases import rollouts
from opsloop.releases.events import RolloutRolledBack
from tests.integration.incidents.telling import seen, told
from tests.integration.incidents.test_from_signal_to_suspect import told_of
from tests.integration.releases.conftest import make_world

QUIET_S = 7_200


def end(workspace: Workspace) -> int:
    with workspace.writing(system("test")) as uow:
        return end_due(uow)


def only(workspace: Workspace, by: Caller) -> Incident:
    with workspace.reading(by) as uow:
        (found,) = service.list_incidents(uow)
        return service.get(uow, found.id)


def job(workspace: Workspace, by: Caller, id: str, collection: str, status: JobStatus) -> None:
    with workspace.writing(by) as uow:
        jobs.enqueue(uow, "rag.embed", {"collection": collection}, id=id)
        uow.session.flush()
        row = uow.session.get_one(JobRow, id)
        row.status, row.finished_at = status, uow.clock.now()


def test_a_failed_job_is_over_when_the_next_one_for_the_same_is_done(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    job(workspace, admin, "job_0", "docs", JobStatus.DONE)
    clock.advance(10)
    told_of(workspace, JobFailed("job_1", "rag.embed", {"collection": "docs"}, "the embedder is away"))
    clock.advance(10)
    told_of(workspace, JobFailed("job_2", "rag.embed", {"collection": "docs"}, "the embedder is away"))
    (signal,) = only(workspace, admin).signals
    assert (signal.times, signal.subject.labels["about"]) == (2, "collection/docs")
    clock.advance(10)
    job(workspace, admin, "job_3", "others", JobStatus.DONE)
    job(workspace, admin, "job_4", "docs", JobStatus.FAILED)
    assert end(workspace) == 0
    clock.advance(10)
    job(workspace, admin, "job_5", "docs", JobStatus.DONE)
    assert end(workspace) == 1
    incident = only(workspace, admin)
    assert incident.state is IncidentState.MITIGATED
    assert "is over: job job_5 did it for collection/docs" in incident.timeline[-1].text
    assert end(workspace) == 0


def test_a_candidate_taken_back_is_over_when_a_later_one_took_over(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    world = make_world(workspace, clock)
    clock.advance(60)
    told_of(workspace, RolloutRolledBack("rollout_1", "chat", "r2", "r1", "errors rose", by_analysis=True))
    clock.advance(60)
    assert end(workspace) == 0
    rollout = world.open_rollout()
    assert end(workspace) == 0
    clock.advance(60)
    with workspace.writing(admin) as uow:
        rollouts.promote(uow, rollout)
    assert end(workspace) == 1
    with workspace.reading(admin) as uow:
        found = [service.get(uow, each.id) for each in service.list_incidents(uow)]
    assert {each.state for each in found} == {IncidentState.MITIGATED}
    assert any("release 2 took over at chat" in each.text for incident in found for each in incident.timeline)


def test_what_is_not_told_again_for_the_quiet_time_is_over_and_an_alert_is_not(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    told(workspace, seen(endpoint="chat", at=clock.now()))
    anomaly = MetricAnomalyFound("a1", "endpoint/chat", "s1", "p95_ms", clock.now().isoformat(), 9, 8, 2.5, "p95 rose")
    told_of(workspace, anomaly, JobFailed("job_1", "no.such", {}, "why"))
    clock.advance(QUIET_S - 1)
    assert end(workspace) == 0
    clock.advance(2)
    assert end(workspace) == 2
    with workspace.reading(admin) as uow:
        found = [service.get(uow, each.id) for each in service.list_incidents(uow)]
    going_on = {each.kind for incident in found for each in incident.signals if each.ended_at is None}
    assert going_on == {"alert"}
    assert any("not told again for 120 minutes" in each.text for incident in found for each in incident.timeline)


def test_the_tending_looks_when_it_is_time_and_something_goes_on(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    tending = Tending()
    with workspace.reading(admin) as uow:
        assert not tending.any_uncounted(uow)
    told(workspace, seen("Down", at=clock.now(), service="shop"))
    with workspace.reading(admin) as uow:
        assert not tending.any_uncounted(uow)
    clock.advance(timedelta(seconds=31).total_seconds())
    with workspace.reading(admin) as uow:
        assert tending.any_uncounted(uow)
    with workspace.writing(admin) as uow:
        assert tending.advance(uow) == 0


@pytest.mark.parametrize("payload", [{}, {"training_run": "run_gone"}, {"pipeline": 7}, {"run": None}])
def test_a_job_whose_work_is_not_known_is_a_signal_all_the_same(
    workspace: Workspace, payload: dict[str, object]
) -> None:
    for kind in ("training.run", "evaluation.run", "dataset.prepare"):
        assert told_of(workspace, JobFailed(f"job {kind}", kind, payload, "why"))
