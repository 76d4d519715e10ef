"""`opsloop monitor anomalies` against the route."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from opsloop.cli.main import opsloop
from opsloop.client import local
from opsloop.client.in_process import InProcess
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.incidents.anomalies import watching
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import Point, Series
from tests.integration.client.routes import Routes


def test_anomalies_are_listed_by_subject(
    sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    monkeypatch.chdir(tmp_path)
    series = Series("q", storing.resource_of({"service.name": "cart"}), "queue", "", "gauge", "", {})
    begin_us = microseconds(sqlite_workspace.clock.now()) - 300 * 60_000_000
    values = [*(float(at % 7) for at in range(290)), *([90.0] * 10)]
    with sqlite_workspace.writing(admin) as uow:
        storing.points(uow, [Point(series, begin_us + at * 60_000_000, value) for at, value in enumerate(values)])
    assert watching.watch(sqlite_workspace) == 1

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(opsloop, ["monitor", "anomalies", *arguments], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.output

    assert "service/cart" in run()
    assert "no anomalies found" in run("endpoint/chat")
    assert [each["value"] for each in json.loads(run("service/cart", "--json"))["items"]] == [90.0]
