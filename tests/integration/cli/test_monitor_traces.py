"""`opsloop monitor traces` and `trace` against the routes, and the waterfall they draw."""

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
from opsloop.monitoring.telemetry import storing, traces
from opsloop.monitoring.telemetry.models import SpanContent, SpanRecord
from opsloop.monitoring.telemetry.waterfall import rows
from tests.integration.client.routes import Routes

Run = Callable[..., Result]
TRACE = "0af7651916cd43dd8448eb211c80319c"
SHOP = storing.resource_of({"service.name": "shop"})


def span(number: int, parent: int | None, start_ms: int, took_ms: int, *, failed: bool = False) -> SpanRecord:
    attributes = {"opsloop.request_id": "req_1", "error.type": "ValueError"} if failed else {}
    return SpanRecord(
        TRACE,
        f"{number:016x}",
        None if parent is None else f"{parent:016x}",
        f"step {number}",
        "internal",
        SHOP,
        start_ms * 1000,
        took_ms * 1000,
        "error" if failed else "ok",
        SpanContent(attributes=attributes),
    )


@pytest.fixture
def run(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    found = [span(1, None, 1_000, 100), span(3, 2, 1_050, 50, failed=True), span(2, 1, 1_025, 75)]
    with sqlite_workspace.writing(admin) as uow:
        storing.spans(uow, found)
    return lambda *arguments: CliRunner().invoke(opsloop, list(arguments), standalone_mode=False)


def test_traces_are_listed_by_what_they_are(run: Run) -> None:
    assert "step 1" in run("monitor", "traces", "--errors").output
    assert "no traces yet" in run("monitor", "traces", "chat").output
    done = run("monitor", "traces", "--service", "shop", "--json")
    assert [each["spans"] for each in json.loads(done.output)["items"]] == [3]


def test_a_trace_is_drawn_as_a_waterfall(run: Run) -> None:
    lines = run("monitor", "trace", "req_1").output.splitlines()
    drawn = [line.split() for line in lines if "step" in line]
    assert [line.index("step") for line in drawn] == [0, 1, 2]
    assert drawn[0][3] == "#" * 32
    assert drawn[2][5] == "." * 16 + "#" * 16
    assert drawn[2][-1] == "ValueError"
    missing = run("monitor", "trace", "nothing")
    assert missing.exception is not None
    assert code_of(missing.exception) == 3


def test_spans_whose_parents_form_a_ring_are_shown_once(sqlite_workspace: Workspace, admin: Caller) -> None:
    with sqlite_workspace.writing(admin) as uow:
        storing.spans(uow, [span(1, 2, 0, 5), span(2, 1, 0, 5), span(3, 3, 1, 1), span(4, None, 0, 9)])
        found = traces.get(uow, TRACE)
    assert sorted(row.span.name for row in rows(found.spans, 9)) == ["step 1", "step 2", "step 3", "step 4"]
