from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import text

from opsloop.compliance import collecting, forms
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.identity import keys
from opsloop.core.workspace import Workspace
from opsloop.feedback import service as feedback
from opsloop.monitoring.alerts import store
from opsloop.monitoring.alerts.models import Condition
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import Entry
from tests.integration.console.conftest import Platform, browser, filled_once

JANUARY = collecting.period("2027-01-01", "2027-02-01")


@pytest.fixture
def filled(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, clock: FakeClock, admin: Caller
) -> Iterator[Platform]:
    """A platform that serves something, with traffic, an alert and feedback; its clock says 1 January 2027."""
    with filled_once(tmp_path_factory, migrated_sqlite).copied(tmp_path / "filled", clock) as platform:
        with platform.workspace.writing(admin) as uow:
            at = uow.clock.now()
            tallying.add(uow, [Entry("support-chat", Measure.AVAILABILITY, at, Tally(1_000, 990))])
            tallying.add(uow, [Entry("support-chat", Measure.GUARDRAILS, at, Tally(10, 7))])
            store.see(uow, Condition("slow", "support-chat", "page", "it is <slow> & late"))
            feedback.add(uow, "req-1", score=1.0)
            keys.create(uow, "ci", Role.DEVELOPER)
        yield platform


def test_the_report_says_what_ran_and_how_it_did(filled: Platform, admin: Caller) -> None:
    with filled.workspace.reading(admin) as uow:
        report = collecting.collect(uow, JANUARY)
    chat = next(each for each in report.endpoints if each.name == "support-chat")
    assert chat.releases
    assert any(each.is_stable for each in chat.releases)
    assert all(each.rollouts or each.is_stable for each in chat.releases)
    availability = next(each for each in chat.objectives if each.name == "availability")
    assert (availability.value, availability.is_met, chat.guardrail_hits) == (0.99, False, 3)
    assert [each.rule for each in report.alerts] == ["slow"]
    assert report.trail.ok
    assert report.trail.events == sum(report.actions.values())
    assert "ci" in {each.name for each in report.keys}
    assert any(event.action.startswith("rollout.") for event in report.decisions)
    assert [event.seq for event in report.decisions] == sorted(event.seq for event in report.decisions)


def test_the_same_state_gives_the_same_bytes_and_holds_the_schema(filled: Platform, admin: Caller) -> None:
    made = []
    for _ in range(2):
        with filled.workspace.reading(admin) as uow:
            made.append(forms.as_json(collecting.collect(uow, JANUARY)))
        filled.clock.advance(10)
    assert made[0] == made[1]
    jsonschema.validate(json.loads(made[0]), json.loads(forms.schema()))


def test_another_period_is_empty(filled: Platform, admin: Caller) -> None:
    before = collecting.period("2026-11-01", "2026-12-01")
    with filled.workspace.reading(admin) as uow:
        report = collecting.collect(uow, before)
    assert (report.actions, report.alerts, report.decisions, report.keys) == ({}, (), (), ())
    assert all(each.releases == () for each in report.endpoints)


def test_the_page_is_escaped_and_needs_nothing_else(filled: Platform, admin: Caller) -> None:
    with filled.workspace.reading(admin) as uow:
        html = forms.as_html(collecting.collect(uow, JANUARY))
    assert "it is &lt;slow&gt; &amp; late" in html
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html


def test_the_report_over_http(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        page = client.get("/api/audit/report?from=2027-01-01&to=2027-02-01&format=html")
        assert page.status_code == 200
        assert page.text.startswith("<!doctype html>")
        assert (
            client.get("/api/audit/report?from=2027-01-01&to=2027-02-01").json()["format"] == "opsloop-audit-report/1"
        )
        assert client.get("/api/audit/report?from=monday&to=2027-02-01").status_code == 422


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("monday", "2027-01-01", "from"),
        ("2027-01-01", "2027-01-01", "to"),
        ("2027-02-01", "2027-01-01", "to"),
        ("2020-01-01", "2027-01-01", "to"),
        ("0001-01-01T00:00:00+10:00", "2027-01-01", "from"),
    ],
)
def test_a_wrong_period_is_named(since: str, until: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        collecting.period(since, until)
    assert caught.value.facts["field"] == field


def test_only_administrators_get_it(sqlite_workspace: Workspace) -> None:
    with (
        pytest.raises(NotAllowed),
        sqlite_workspace.reading(Caller("test:op", Role.OPERATOR)) as uow,
    ):
        collecting.collect(uow, JANUARY)


def test_a_damaged_record_is_told(filled: Platform, admin: Caller) -> None:
    with filled.workspace.database.writing() as session:
        session.execute(text("UPDATE audit_events SET actor = 'nobody' WHERE seq = 2"))
    with filled.workspace.reading(admin) as uow:
        report = collecting.collect(uow, JANUARY)
    assert not report.trail.ok
    assert "does not hold from event 2" in forms.as_html(report)
