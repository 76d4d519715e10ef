"""The other side of channels: keeps what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.notices import jobs as notice_jobs
from opsloop.core.notices import sending
from opsloop.core.notices.sending import Answer
from opsloop.core.workspace import Workspace
from opsloop.monitoring.alerts import declaring, evaluating, service
from opsloop.monitoring.alerts.models import Alert

assert notice_jobs  # registers the job


@dataclass
class Receiver:
    came: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Answer(200, None))

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float) -> Answer:
        self.came.append((url, json.loads(body), dict(headers)))
        return self.answer


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    found = Receiver()
    monkeypatch.setattr(sending, "send", found.send)
    return found


def evaluate(workspace: Workspace, by: Caller) -> list[Alert]:
    """Evaluate once, deliver what is due; the alerts that there are."""
    with workspace.writing(by) as uow:
        evaluating.evaluate(uow, every_s=0)
    run_due(workspace)
    with workspace.reading(by) as uow:
        return service.listed(uow)


def only(workspace: Workspace, by: Caller, **rules: dict[str, Any]) -> None:
    """These rules and none of the defaults; one webhook."""
    from opsloop.monitoring.alerts.rules import DEFAULTS

    with workspace.writing(by) as uow:
        for name in DEFAULTS:
            declaring.declare(uow, "rules", name, False)
        for name, rule in rules.items():
            declaring.declare(uow, "rules", name, rule)
        declaring.declare(uow, "channels", "hook", {"webhook": "https://hooks.example.com/x", "secret": "s3cret"})
