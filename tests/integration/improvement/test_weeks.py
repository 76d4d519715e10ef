from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput, Unavailable
from opsloop.core.jobs import schedules
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.notices import service as notices
from opsloop.core.workspace import Workspace
from opsloop.feedback.tickets import service as tickets
from opsloop.feedback.tickets.models import TicketGiven
from opsloop.improvement.settings import ImprovementSettings
from opsloop.improvement.weeks import jobs as weekly
from opsloop.improvement.weeks import service
from opsloop.improvement.weeks import week as weeks
from opsloop.improvement.weeks.models import WeekReport
from tests.integration.improvement.answers import answered, rate

W47 = weeks.parse("2026-W47")
LEAVE = [f"how many days of leave do I have in year {number}" for number in range(1, 9)]
DENTAL = [f"is dental cleaning number {number} covered by insurance" for number in range(1, 9)]


def good_week(workspace: Workspace, by: Caller, clock: FakeClock) -> None:
    clock.jump_to(W47.before.since + timedelta(days=1))
    for number in range(20):
        answered(workspace, by, f"old_{number}", "q")
        rate(workspace, by, f"old_{number}", thumb="up" if number else "down")


def bad_week(workspace: Workspace, by: Caller, clock: FakeClock) -> None:
    clock.jump_to(W47.since + timedelta(days=2))
    for number, question in enumerate([*LEAVE, *DENTAL]):
        answered(workspace, by, f"bad_{number}", question)
        rate(workspace, by, f"bad_{number}", thumb="down", comment="wrong")
    for number in range(10):
        answered(workspace, by, f"good_{number}", "q", release="release_2")
        rate(workspace, by, f"good_{number}", csat=5)
    for number in range(4):
        answered(workspace, by, f"unrated_{number}")
    with workspace.writing(by) as uow:
        given = TicketGiven("1", "leave days", opened_at=clock.now(), request_id="bad_0")
        tickets.take(uow, "desk", [given, TicketGiven("2", "leave", opened_at=clock.now(), endpoint="chat")])


def made(workspace: Workspace, by: Caller) -> WeekReport:
    with workspace.reading(by) as uow:
        return service.report(uow, W47)


def test_a_week_is_laid_together_and_held_against_the_one_before(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    good_week(workspace, admin, clock)
    bad_week(workspace, admin, clock)
    found = made(workspace, admin)
    (chat,) = found.endpoints
    assert (chat.satisfaction.count, chat.satisfaction.of, chat.response.count, chat.response.of) == (10, 26, 26, 30)
    assert (chat.csat.of, chat.comments, chat.tickets, found.tickets, found.is_over) == (10, 16, 2, 2, False)
    assert chat.change is not None
    assert chat.change.is_clear
    assert chat.change.difference == pytest.approx(10 / 26 - 19 / 20)
    assert chat.change.low < chat.change.difference < chat.change.high < 0
    by_release = {line.release: line.satisfaction.of for line in found.releases}
    assert by_release == {"release_1": 16, "release_2": 10, None: 0}  # a ticket on the endpoint alone
    assert found.worst[0].request_id == "bad_0"
    assert (len(found.worst), found.themes.texts, found.themes.method) == (10, 18, "clusters")
    names = " ".join(each.name for each in found.themes.themes)
    assert "dental" in names
    assert "days" in names
    assert "worse than the week before: chat" in found.sentence


def test_a_week_that_is_over_stays_as_it_was(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    bad_week(workspace, admin, clock)
    clock.jump_to(W47.until + timedelta(hours=6))
    with workspace.writing(admin) as uow:
        jobs.enqueue(uow, weekly.KIND, {})
    run_due(workspace, kind=weekly.KIND)
    kept = made(workspace, admin)
    assert (kept.is_over, kept.rated) == (True, 26)
    clock.jump_to(W47.until - timedelta(hours=1))  # a clock that was wrong, or feedback that comes late
    rate(workspace, admin, "good_0", thumb="down")
    with workspace.writing(admin) as uow:
        jobs.enqueue(uow, weekly.KIND, {})
    clock.jump_to(W47.until + timedelta(hours=7))
    run_due(workspace, kind=weekly.KIND)
    assert made(workspace, admin) == kept
    with workspace.writing(admin) as uow:
        assert service.keep(uow, kept) is False
        assert [each.week for each in service.listed(uow)] == ["2026-W47"]


def test_weeks_that_were_missed_are_made_up_for_and_themes_go_on(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    bad_week(sqlite_workspace, admin, clock)
    clock.jump_to(W47.until + timedelta(hours=6))
    with sqlite_workspace.writing(admin) as uow:
        jobs.enqueue(uow, weekly.KIND, {})
    run_due(sqlite_workspace, kind=weekly.KIND)
    clock.jump_to(W47.after.since + timedelta(days=1))
    for number, question in enumerate(LEAVE + DENTAL):
        answered(sqlite_workspace, admin, f"next_{number}", f"{question} again")
        rate(sqlite_workspace, admin, f"next_{number}", thumb="down")
    clock.jump_to(W47.after.after.until + timedelta(hours=6))
    with sqlite_workspace.writing(admin) as uow:
        jobs.enqueue(uow, weekly.KIND, {})
    run_due(sqlite_workspace, kind=weekly.KIND)
    with sqlite_workspace.reading(admin) as uow:
        third, second, first = service.listed(uow)
    assert [each.week for each in (first, second, third)] == ["2026-W47", "2026-W48", "2026-W49"]
    assert {each.id for each in first.themes.themes} & {each.id for each in second.themes.themes}
    assert (third.rated, third.themes.themes) == (0, ())


def test_a_report_is_told_once_without_anybodys_words(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ImprovementSettings(feedback_webhook="https://hooks.example.com/x")
    section = sqlite_workspace.section
    monkeypatch.setattr(
        sqlite_workspace, "section", lambda model: settings if model is ImprovementSettings else section(model)
    )
    bad_week(sqlite_workspace, admin, clock)
    clock.jump_to(W47.until + timedelta(hours=6))
    for _ in range(2):
        with sqlite_workspace.writing(admin) as uow:
            jobs.enqueue(uow, weekly.KIND, {})
        run_due(sqlite_workspace, kind=weekly.KIND)
    with sqlite_workspace.reading(admin) as uow:
        (delivery,) = notices.listed(uow, about="week/2026-W47")
    assert delivery.kind == "feedback.weekly"
    assert '"satisfied":10' in delivery.body
    assert "cleaning number" not in delivery.body


def test_a_week_holds_no_words_of_questions(sqlite_workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    bad_week(sqlite_workspace, admin, clock)
    with sqlite_workspace.reading(admin) as uow:
        found = repr(service.made(uow, W47))
    assert "days of leave do I have" not in found


def test_the_platform_has_it_made_every_week(sqlite_workspace: Workspace, admin: Caller) -> None:
    weekly.schedule(sqlite_workspace)
    weekly.schedule(sqlite_workspace)
    with sqlite_workspace.reading(admin) as uow:
        found = schedules.get(uow, weekly.KIND)
    assert found is not None
    assert (found.cron, found.next_at.weekday()) == ("0 6 * * 1", 0)


def test_a_schedule_that_cannot_be_read_or_kept_stops_no_platform(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(uow: object, name: str, **how: object) -> None:
        raise Unavailable("the disk is full")

    settings = ImprovementSettings(feedback_weekly_cron="every monday")
    section = sqlite_workspace.section
    monkeypatch.setattr(
        sqlite_workspace, "section", lambda model: settings if model is ImprovementSettings else section(model)
    )
    with monkeypatch.context() as patched:
        patched.setattr(schedules, "put", full)
        weekly.schedule(sqlite_workspace)
    weekly.schedule(sqlite_workspace)
    with sqlite_workspace.reading(admin) as uow:
        found = schedules.get(uow, weekly.KIND)
    assert found is not None
    assert found.cron == "0 6 * * 1"


@pytest.mark.parametrize("text", ["", "2026-47", "2026-W00", "2026-W54", "9999-W01", "2026-W4", "2026-W477"])
def test_a_week_in_the_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="2026-W47"):
        weeks.parse(text)


def test_weeks_begin_on_monday_also_across_years() -> None:
    assert W47.since == datetime(2026, 11, 16, tzinfo=UTC)
    assert str(weeks.of(datetime(2027, 1, 3, 23, 59, tzinfo=UTC))) == "2026-W53"
    assert str(weeks.of(datetime(2027, 1, 4, tzinfo=UTC)).before) == "2026-W53"
