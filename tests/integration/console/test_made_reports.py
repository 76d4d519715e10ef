"""Reports of /use are kept for some days and then deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsloop.console import made_reports
from opsloop.core.artifacts.store import ArtifactMissing, put_by_content
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace

PAGE = "<!doctype html><h1>June</h1>"


def test_a_report_is_kept_for_its_days_and_no_longer(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    name = made_reports.keep(sqlite_workspace, "monthly", PAGE)
    clock.advance(timedelta(days=30).total_seconds())
    assert made_reports.delete_old(sqlite_workspace) == 0
    assert made_reports.read(sqlite_workspace.artifacts, "monthly", name) == PAGE.encode()

    clock.advance(timedelta(days=1).total_seconds())
    assert made_reports.delete_old(sqlite_workspace) == 1
    with pytest.raises(ArtifactMissing):
        made_reports.read(sqlite_workspace.artifacts, "monthly", name)
    assert list(sqlite_workspace.artifacts.keys("reports/")) == []


def test_a_report_that_is_made_again_lives_for_its_days_anew(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    first = made_reports.keep(sqlite_workspace, "monthly", PAGE)
    assert made_reports.keep(sqlite_workspace, "monthly", PAGE) == first
    clock.advance(timedelta(days=20).total_seconds())
    again = made_reports.keep(sqlite_workspace, "monthly", PAGE)
    clock.advance(timedelta(days=20).total_seconds())

    assert made_reports.delete_old(sqlite_workspace) == 1
    assert made_reports.read(sqlite_workspace.artifacts, "monthly", again) == PAGE.encode()


def test_reports_without_a_day_and_nothing_else_go_too(sqlite_workspace: Workspace) -> None:
    put_by_content(sqlite_workspace.artifacts, "reports/monthly", PAGE.encode())
    other = put_by_content(sqlite_workspace.artifacts, "models", PAGE.encode())
    assert made_reports.delete_old(sqlite_workspace) == 1
    assert list(sqlite_workspace.artifacts.keys()) == [other]
