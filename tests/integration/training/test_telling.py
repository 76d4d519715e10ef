"""What a channel and a system hear of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.notices import service as notices
from opsloop.core.notices.models import Delivery
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from tests.integration.training.conftest import Garden
from tests.training_here import training_here

assert training_here
pytestmark = pytest.mark.usefixtures("training_here")
SLACK: dict[str, Any] = {"notify": {"slack": "${env:SLACK_WEBHOOK}"}}


def told(garden: Garden) -> list[Delivery]:
    with garden.workspace.reading(garden.by) as uow:
        return list(reversed(notices.listed(uow, about="pipeline/flowers")))


def test_a_channel_reads_what_happened_with_the_figures(garden: Garden) -> None:
    garden.put(**SLACK)
    run = garden.trained()
    [notice] = told(garden)
    assert (notice.kind, notice.to, notice.id) == ("training.finished", "${env:SLACK_WEBHOOK}", f"{run.id}.slack")
    lines = json.loads(notice.body)["text"].splitlines()
    assert lines[0] == "\N{WHITE HEAVY CHECK MARK} *flowers*: training finished, flowers@1 is the challenger"
    assert lines[1].startswith("accuracy 1, ")
    assert lines[2] == f"Data: flowers@1 (60 rows); demand; run {run.id}"
    assert lines[3] == "Model: models/model-20270101_000000.onnx"


def test_a_system_gets_the_same_as_data(garden: Garden) -> None:
    garden.put(notify={"webhook": {"url": "https://example.com/hook", "secret": "${env:HOOK_SECRET}"}})
    run = garden.trained()
    [notice] = told(garden)
    body = json.loads(notice.body)
    assert {key: body[key] for key in ("event", "run", "pipeline", "status", "model", "data", "rows", "error")} == {
        "event": "training.finished",
        "run": run.id,
        "pipeline": "flowers",
        "status": "done",
        "model": "flowers@1",
        "data": "flowers@1",
        "rows": 60,
        "error": None,
    }
    assert body["metrics"] == run.metrics


def test_a_failure_is_told_and_nothing_new_is_not_unless_asked_for(garden: Garden) -> None:
    garden.put(**SLACK)
    garden.trained(window={"since": "2030-01-01", "column": "at"})
    assert "<" not in json.loads(told(garden)[0].body)["text"]
    assert json.loads(told(garden)[0].body)["text"].startswith(
        "\N{CROSS MARK} *flowers*: training failed: window: is '2030"
    )
    garden.trained()
    garden.trained()
    assert [each.kind for each in told(garden)] == ["training.failed", "training.finished"]
    garden.put(notify={"slack": "${env:SLACK_WEBHOOK}", "on": ["skipped"]})
    garden.trained()
    assert [each.kind for each in told(garden)][2:] == ["training.skipped"]


def test_settings_name_channels_where_a_pipeline_names_none(
    garden: Garden, admin: Caller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    garden.trained()
    assert told(garden) == []
    monkeypatch.setenv("OPSLOOP_TRAINING_SLACK_WEBHOOK", "https://hooks.slack.com/services/T/B/s3cret")
    monkeypatch.setenv("OPSLOOP_TRAINING_WEBHOOK", "http://10.0.0.7:9000/hook")
    settings = CoreSettings(data_dir=garden.workspace.data_dir)
    again = Garden(open_workspace(settings, clock=clock), admin, clock)
    again.trained(force=True)
    assert {each.to for each in told(again)} == {"https://hooks.slack.com", "http://10.0.0.7:9000"}
    assert "s3cret" not in repr(told(again))
    again.workspace.close()
