"""What was diagnosed is kept without its log, says what is like it, and learns what it turned out to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from opsloop.cli.main import opsloop
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.clock import FakeClock
from opsloop.core.events.outbox import deliver_due
from opsloop.core.ids import CountingIds
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.diagnosis.engine import diagnose
from opsloop.incidents.diagnosis.history import labelling, service, telling
from opsloop.incidents.diagnosis.history._tables import DiagnosisRow
from opsloop.incidents.diagnosis.history.models import Remembered, Told
from opsloop.incidents.models import ClosedAs
from tests.integration.incidents.lying import lying
from tests.integration.incidents.telling import seen, told

assert labelling  # hears of closed incidents
MARIA = Caller("key:maria", Role.OPERATOR)
READER = Caller("key:reader", Role.VIEWER)
ENDED = b"##[error]Process completed with exit code 1.\n"
FULL = b"##[group]Run make\nbuilding %d\nOSError: [Errno 28] No space left on device: '/tmp/%d'\n" + ENDED
OTHER = b"##[group]Run make\nsrc/a.cpp:3:1: error: no\n##[error]Process completed with exit code 2.\n"
PASSED = b"12 passed\nDone. Your build exited with 0.\n"


def one(log: bytes = FULL % (1, 1), *, job: str = "shop/test", commit: str = "", incident: str | None = None) -> Told:
    return telling.told(diagnose([log]), job=job, commit=commit, incident=incident)


def kept(workspace: Workspace, *runs: Told) -> None:
    for each in runs:
        with workspace.writing(MARIA) as uow:
            service.keep(uow, each)


def recalled(workspace: Workspace, run: Told) -> Remembered:
    with workspace.reading(READER) as uow:
        return service.recall(uow, run)


def test_a_failure_that_prints_the_same_is_remembered_and_another_is_not(workspace: Workspace) -> None:
    kept(workspace, one(OTHER), one(FULL % (7, 7)))
    found = recalled(workspace, one(FULL % (8, 88))).similar
    assert [(each.root_cause, each.share, each.job) for each in found] == [
        ("The disk of the runner is full.", 1.0, "shop/test")
    ]


def test_what_an_incident_turned_out_to_be_is_said_of_its_diagnoses(workspace: Workspace, clock: FakeClock) -> None:
    incident = told(workspace, seen(service="shop", at=clock.now())).opened[0]
    kept(workspace, one(incident=incident))
    with workspace.writing(MARIA) as uow:
        incidents.close(uow, incident, closed_as=ClosedAs.CAUSE, cause="old images filled the runner")
    deliver_due(workspace)
    found = recalled(workspace, one()).similar[0]
    assert (found.incident, found.closed_as, found.turned_out) == (incident, "cause", "old images filled the runner")


def test_a_step_that_failed_and_passed_at_one_commit_is_flaky(workspace: Workspace) -> None:
    kept(workspace, one(PASSED, commit="abc"), one(PASSED, job="other/test", commit="def"))
    assert recalled(workspace, one(commit="def")).flaky_because is None
    assert recalled(workspace, one(commit="abc")).flaky_because == "at commit abc it failed once and passed once"


def test_old_and_too_many_diagnoses_are_let_go(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_DIAGNOSIS_KEPT_COUNT", "3")
    monkeypatch.setenv("OPSLOOP_DIAGNOSIS_KEPT_DAYS", "10")
    opened = open_workspace(CoreSettings(data_dir=tmp_path), clock=clock, ids=CountingIds())
    kept(opened, *[one() for _ in range(5)])
    count = select(func.count()).select_from(DiagnosisRow)
    with opened.reading(READER) as uow:
        assert uow.session.scalar(count) == 3
    clock.advance(timedelta(days=11).total_seconds())
    kept(opened, one())
    with opened.reading(READER) as uow:
        assert uow.session.scalar(count) == 1
    opened.close()


def test_nothing_of_a_log_but_the_cause_is_kept_and_that_without_personal_data(workspace: Workspace) -> None:
    log = b"##[group]Run login jane.doe@example.org\nerror: mail from jane.doe@example.org failed\n"
    run = one(log + ENDED)
    assert "jane" not in repr(run)
    assert "[EMAIL]" in run.root_cause
    kept(workspace, run)
    with workspace.reading(READER) as uow:
        row = uow.session.scalars(select(DiagnosisRow)).one()
    assert "jane" not in repr({column.name: getattr(row, column.name) for column in DiagnosisRow.__table__.columns})


def test_a_viewer_keeps_nothing(workspace: Workspace) -> None:
    with workspace.writing(READER) as uow, pytest.raises(NotAllowed):
        service.keep(uow, one())


@pytest.fixture
def call(sqlite_workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    from fastapi.testclient import TestClient
    from starlette.types import Receive, Scope, Send

    from opsloop.server.control_plane import control_plane

    app = control_plane(sqlite_workspace)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    with TestClient(authenticated) as client:
        yield client  # type: ignore[misc]


def test_the_second_log_says_that_the_first_was_like_it(call: httpx.Client) -> None:
    asked = {"params": {"job": "shop/test", "commit": "abc"}, "headers": {"content-type": "text/plain"}}
    first = call.post("/diagnose", content=FULL % (1, 1), **asked).json()  # type: ignore[arg-type]
    second = call.post("/diagnose", content=FULL % (2, 2), **asked).json()  # type: ignore[arg-type]
    assert (first["similar"], first["flaky_because"]) == ([], None)
    assert [each["share"] for each in second["similar"]] == [1.0]
    call.post("/diagnose", content=PASSED, **asked)  # type: ignore[arg-type]
    third = call.post("/diagnose", content=OTHER, **asked).json()  # type: ignore[arg-type]
    assert third["flaky"] is True
    assert third["flaky_because"] == "at commit abc it failed 3 times and passed once"


def test_a_log_of_an_incident_is_its_diagnosis(
    call: httpx.Client, sqlite_workspace: Workspace, clock: FakeClock
) -> None:
    incident = told(sqlite_workspace, seen(service="shop", at=clock.now())).opened[0]
    call.post("/diagnose", content=OTHER, params={"incident": incident}, headers={"content-type": "text/plain"})
    found = call.get(f"/api/incidents/{incident}").json()
    assert found["diagnosis"]["category"] == "code"
    assert [each["kind"] for each in found["timeline"]][-1] == "diagnosis"
    answer = call.post("/diagnose", content=OTHER, params={"incident": "no"}, headers={"content-type": "text/plain"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"region": ["x"]}, "region"),
        ({"region": ["0" * 16] * 11}, "region"),
        ({"root_cause": "x" * 1_001}, "root_cause"),
        ({"root_cause": "a\x00b"}, "root_cause"),
        ({"log": "x"}, "log"),
    ],
)
def test_a_wrong_diagnosis_is_refused(call: httpx.Client, body: object, field: str) -> None:
    answer = call.post("/api/diagnoses", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


def test_the_command_tells_a_server_the_cause_and_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    past = {
        "at": "2027-01-02T00:00:00Z",
        "job": "shop/test",
        "root_cause": "x",
        "category": "resources",
        "share": 0.5,
        "incident": None,
        "closed_as": "cause",
        "turned_out": "old images",
    }
    (tmp_path / "job.log").write_bytes(FULL % (1, 1))
    with lying() as server:
        server.body = json.dumps({"similar": [past], "flaky_because": "it changed"}).encode()
        monkeypatch.setenv("OPSLOOP_URL", server.base_url.removesuffix("/v1"))
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/shop")
        monkeypatch.setenv("GITHUB_WORKFLOW", "tests")
        monkeypatch.setenv("GITHUB_SHA", "abc")
        done = CliRunner().invoke(opsloop, ["diagnose", str(tmp_path / "job.log")])
        sent = server.asked[0]
    assert done.exit_code == 0
    assert "BEFORE: 2027-01-02 of shop/test, 50% alike: closed as cause: old images" in done.stdout
    assert "may pass when run again (it changed)" in done.stdout
    assert (sent["job"], sent["commit"], sent["root_cause"]) == (
        "acme/shop/tests",
        "abc",
        "The disk of the runner is full.",
    )
    assert "OSError" not in json.dumps(sent)


def test_a_server_that_is_away_costs_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "job.log").write_bytes(OTHER)
    monkeypatch.setenv("OPSLOOP_URL", "http://127.0.0.1:1")
    done = CliRunner().invoke(opsloop, ["diagnose", str(tmp_path / "job.log")])
    assert done.exit_code == 0
    assert "past diagnoses are not shown: " in done.stderr
    assert done.stdout.startswith("ROOT_CAUSE: src/a.cpp")
