"""Signals for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from opsloop.core.caller import system
from opsloop.core.workspace import Workspace
from opsloop.incidents import service
from opsloop.incidents.models import Observed, Subject, TakenIn


def seen(name: str = "HighErrorRate", at: datetime | None = None, **given: Any) -> Observed:
    subject = Subject(
        given.pop("endpoint", ""), given.pop("service", ""), given.pop("host", ""), given.pop("labels", {})
    )
    at = at or datetime.fromisoformat("2027-01-01T00:00:00+00:00")
    text = given.pop("text", f"{name} holds")
    return Observed("alertmanager", "alert", name, given.pop("severity", "ticket"), subject, text, at, **given)


def told(workspace: Workspace, *signals: Observed) -> TakenIn:
    with workspace.writing(system("test")) as uow:
        return service.take_in(uow, signals)


def over(observed: Observed, at: datetime | None = None) -> Observed:
    return replace(observed, ended_at=at or observed.started_at + timedelta(minutes=1))
