"""What happens here opens incidents by itself, and a durable job names the suspect, with real events and jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsloop.cli.exits import code_of
from opsloop.cli.main import opsloop
from opsloop.client import local
from opsloop.client.in_process import InProcess
from opsloop.core.caller import Caller, Role, system
from opsloop.core.clock import FakeClock
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs.events import JobFailed
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.incidents import jobs, service
from opsloop.incidents.anomalies.events import MetricAnomalyFound
from opsloop.incidents.intake import logs, metrics, ours
from opsloop.incidents.logs.events import LogAnomalyFound
from opsloop.incidents.models import ClosedAs, Incident, IncidentState, Suspect
from opsloop.incidents.postmortem import markdown
from opsloop.incidents.taking_in import COLLECT
from opsloop.monitoring.alerts import intake as alertmanager
from opsloop.monitoring.drift.events import DriftClosed, DriftDetected
from opsloop.releases.events import RolloutRolledBack
from tests.integration.client.routes import Routes
from tests.integration.incidents.causes.test_explain import promote, serve
from tests.integration.incidents.telling import seen, told

MARIA = Caller("key:maria", Role.OPERATOR)
Run = Callable[..., Result]


def told_of(workspace: Workspace, *events: object) -> list[Incident]:
    """Deliver events as the platform does; the incidents after them."""
    assert callable(jobs.on_opened)  # imported: they have subscribed
    assert callable(ours.on_drift)
    assert callable(metrics.on_anomaly)
    assert callable(logs.on_log_anomaly)
    with workspace.writing(system("test")) as uow:
        for event in events:
            uow.emit(event)
    while deliver_due(workspace):
        pass
    with workspace.reading(MARIA) as uow:
        return [service.get(uow, each.id) for each in service.list_incidents(uow)]


def test_drift_opens_an_incident_and_its_end_mitigates_it(workspace: Workspace) -> None:
    drift = DriftDetected("alarm_1", "iris", "release_1", "iris@3", "petal", "petal moved by 3 sigma", 1.4)
    (incident,) = told_of(workspace, drift)
    assert (incident.endpoint, incident.signals[0].numbers) == ("iris", {"score": 1.4})
    (incident,) = told_of(workspace, DriftClosed("alarm_1", "iris", "release_1", "accepted", "a new normal"))
    assert incident.state is IncidentState.MITIGATED


def test_trouble_at_one_endpoint_is_one_incident(workspace: Workspace) -> None:
    (incident,) = told_of(
        workspace,
        RolloutRolledBack("rollout_1", "chat", "release_2", "release_1", "errors rose to 9 %", by_analysis=True),
        JobFailed("job_1", "evaluation.run", {"endpoint": "chat"}, "the model server is away"),
        MetricAnomalyFound("a1", "endpoint/chat", "s1", "p95_ms", "2027-01-01T00:00:00Z", 900, 80, 0.9, "p95 rose"),
    )
    assert incident.signal_count == 3
    assert told_of(workspace, RolloutRolledBack("r2", "other", "x", None, "I did", by_analysis=False)) == [incident]


def test_a_line_that_bursts_joins_the_incident_of_its_service_without_what_is_personal(workspace: Workspace) -> None:
    at_s = int(workspace.clock.now().timestamp())
    line = "ERROR no refund for maria@example.com"
    told(workspace, seen(service="shop", at=workspace.clock.now()))
    (incident,) = told_of(
        workspace, LogAnomalyFound("shop", "burst", "ERROR no refund for <*>", "f1", at_s, [line], 90, 2.5, 1e-9)
    )
    [logged] = [each for each in incident.signals if each.kind == "log"]
    assert logged.numbers["count"] == 90
    assert "no refund for" in logged.text
    assert "maria" not in logged.text


def alerts_of(status: str) -> bytes:
    labels = {"alertname": "HighErrorRate", "severity": "critical", "endpoint": "chat"}
    alert = {"status": status, "labels": labels, "annotations": {"summary": "40 % of requests fail"}}
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


def alert(workspace: Workspace, status: str) -> list[Incident]:
    with workspace.writing(system("test")) as uow:
        alertmanager.take_in(uow, alertmanager.decoder.decode(alerts_of(status)))
    return told_of(workspace)


def test_an_alert_becomes_an_incident_that_names_the_release_it_came_from(
    workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    promote(workspace, admin, "r6")
    serve(workspace, clock, admin, minutes=60, release="r6", failing=0.01)
    promote(workspace, admin, "r7")
    serve(workspace, clock, admin, minutes=3, release="r7", failing=0.4)
    (incident,) = alert(workspace, "firing")
    assert incident.suspects == ()
    serve(workspace, clock, admin, minutes=10, release="r7", failing=0.4)
    assert run_due(workspace, kind=COLLECT) == 1
    with workspace.reading(MARIA) as uow:
        incident = service.get(uow, incident.id)
    assert incident.suspects[0].name == "endpoint/chat, release r7", incident.timeline
    assert incident.suspects[0].evidence
    assert {"change", "suspect"} <= {each.kind for each in incident.timeline}
    (incident,) = alert(workspace, "resolved")
    assert incident.state is IncidentState.MITIGATED


def test_an_incident_without_a_subject_says_that_nothing_can_be_looked_at(
    workspace: Workspace, clock: FakeClock
) -> None:
    opened = told(workspace, seen(at=clock.now())).opened[0]
    told_of(workspace)
    clock.advance(60)
    run_due(workspace, kind=COLLECT)
    with workspace.reading(MARIA) as uow:
        assert "name no endpoint" in service.get(uow, opened).timeline[-1].text


@pytest.fixture
def run(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments: CliRunner().invoke(opsloop, ["incident", *arguments], standalone_mode=False)


def test_the_command_line_goes_from_list_to_report(run: Run, sqlite_workspace: Workspace, clock: FakeClock) -> None:
    assert "no incident" in run("list").stdout
    opened = told(sqlite_workspace, seen(service="checkout", at=clock.now(), text="<b>*40 %* fail</b>")).opened[0]
    assert "HighErrorRate at checkout" in run("list", "--going-on").stdout
    assert "deals with it" in run("ack", opened).stdout
    assert run("note", opened, "the cache is cold").exit_code == 0
    shown = run("show", opened).stdout
    assert "the cache is cold" in shown
    wrong = run("close", opened)
    assert code_of(wrong.exception) == 2 if wrong.exception else wrong.exit_code == 2
    assert "closed as cause" in run("close", opened, "--as", "the pool was too small").stdout
    again = run("close", opened, "--false-alarm")
    assert again.exception is not None or again.exit_code == 5
    report = run("report", opened).stdout
    assert report.startswith("# Postmortem (draft): HighErrorRate at checkout")
    assert "the pool was too small" in report
    assert r"\<b\>\*40 %\* fail" in report
    html = run("report", opened, "--format", "html").stdout
    assert "&lt;b&gt;*40 %*" in html
    assert "http" not in html.replace("http-equiv", "")
    assert json.loads(run("detectors", "--json").stdout)["items"][0]["confirmed"] == 1
    assert run("show", "incident_lost").exit_code == 3 or run("show", "incident_lost").exception is not None


def test_a_report_before_the_end_names_the_first_suspect_as_unconfirmed(
    sqlite_workspace: Workspace, clock: FakeClock
) -> None:
    opened = told(sqlite_workspace, seen(endpoint="chat", at=clock.now())).opened[0]
    with sqlite_workspace.writing(MARIA) as uow:
        service.suspect(uow, opened, [Suspect("endpoint/chat, release 7", "release", 0.8, ("began 40 s before",))])
        before = markdown.of(service.get(uow, opened), now=clock.now())
        service.close(uow, opened, closed_as=ClosedAs.CAUSE, cause="endpoint/chat, release 7")
        after = markdown.of(service.get(uow, opened), now=clock.now())
    assert "Not confirmed. The first suspect is endpoint/chat, release 7 (0.80)" in before
    assert "The cause was suspect 1 of 1." in after
