"""`opsloop alert` and `opsloop monitor slo`, `rules`, `dashboard` against the routes."""

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
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.monitoring.alerts import store
from opsloop.monitoring.alerts.models import Condition
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import Entry
from tests.integration.client.routes import Routes

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments: CliRunner().invoke(opsloop, list(arguments), standalone_mode=False)


@pytest.fixture
def alert(sqlite_workspace: Workspace, admin: Caller) -> str:
    with sqlite_workspace.writing(admin) as uow:
        return store.see(uow, Condition("slow", "chat", "page", "mean_ms is 900")).id


def code(done: Result) -> int:
    return 0 if done.exception is None else code_of(done.exception)


def test_an_alert_is_listed_shown_and_acknowledged(run: Run, alert: str) -> None:
    assert "mean_ms is 900" in run("alert", "list", "--state", "firing").stdout
    assert "severity" in run("alert", "show", alert).stdout
    assert code(run("alert", "show", "alert_none")) == 3
    assert json.loads(run("alert", "ack", alert, "--json").stdout)["acknowledged_by"] == "test:admin"


def test_a_silence_wants_matchers_and_a_reason(run: Run, alert: str) -> None:
    assert code(run("alert", "silence", "endpoint", "--reason", "x")) == 2
    assert code(run("alert", "silence", "endpoint=chat")) == 2
    assert "holds until" in run("alert", "silence", "endpoint=chat", "--reason", "we move it").stdout
    assert "silenced" in run("alert", "show", alert).stdout


def test_a_channel_that_is_not_there_is_not_found(run: Run) -> None:
    assert code(run("alert", "test", "nowhere")) == 3
    assert "nobody is told" in run("alert", "channels").stdout
    assert "objective-burns" in run("alert", "rules").stdout


def test_a_used_up_budget_is_exit_code_6(run: Run, sqlite_workspace: Workspace, admin: Caller) -> None:
    assert code(run("monitor", "slo")) == 0
    with sqlite_workspace.writing(admin) as uow:
        tallying.add(uow, [Entry("chat", Measure.AVAILABILITY, uow.clock.now(), Tally(5_000, 4_900))])
    done = run("monitor", "slo", "chat")
    assert code(done) == 6
    assert "broken" in done.stdout
    assert "chat misses its objective availability: 98 % of 5,000 requests" in str(done.exception)
    assert "ObjectiveBurns" in run("monitor", "rules").stdout
