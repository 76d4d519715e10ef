"""The weekly report as a job: the weeks that are over and have none yet, oldest first, each told once."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.jobs import cron as cron_fields
from opsloop.core.jobs import schedules
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.notices import address
from opsloop.core.notices import service as notices
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.improvement.settings import ImprovementSettings
from opsloop.improvement.weeks import service
from opsloop.improvement.weeks.models import WeekReport
from opsloop.improvement.weeks.week import Week

log = structlog.get_logger()
KIND = "feedback.weekly"
BY = system("feedback")
CATCH_UP = 8
"""Weeks that are made up for after the platform was away."""
_SLACK = "hooks.slack.com"


def schedule(workspace: Workspace) -> None:
    """Have the report made every week.

    A schedule that cannot be read is told in the log, and the usual one holds. Where the database takes nothing just
    now, such as on a full disk, the platform starts all the same, and its next start sees to it.
    """
    cron = workspace.section(ImprovementSettings).feedback_weekly_cron
    try:
        cron_fields.check(cron)
    except InvalidInput as error:
        log.error("feedback_weekly_cron_unusable", reason=error.sentence)
        cron = str(ImprovementSettings.model_fields["feedback_weekly_cron"].default)
    try:
        _put(workspace, cron)
    except OpsloopError as error:
        log.warning("feedback_weekly_not_scheduled", reason=error.sentence)


def _put(workspace: Workspace, cron: str) -> None:
    with workspace.reading(BY) as uow:
        present = schedules.get(uow, KIND)
    if present is None or present.cron != cron:
        with workspace.writing(BY) as uow:
            schedules.put(uow, KIND, cron=cron, kind=KIND, payload={}, on_record=False)


@job(KIND)
def make(context: JobContext, payload: dict[str, Any]) -> None:
    """Idempotent: a week that is kept stays, and its notice has an id of its own."""
    workspace = context.workspace
    wanted = context.patiently(lambda: _wanted(workspace))
    for done, week in enumerate(wanted):
        context.progress(done, len(wanted), str(week))
        context.patiently(partial(_keep, workspace, week))
        context.yield_back()
    context.progress(len(wanted), len(wanted), f"{len(wanted)} weeks")


def _wanted(workspace: Workspace) -> list[Week]:
    with workspace.reading(BY) as uow:
        return _missing(uow)


def _keep(workspace: Workspace, week: Week) -> None:
    with workspace.reading(BY) as uow:
        found = service.made(uow, week)
    with workspace.writing(BY) as uow:
        if service.keep(uow, found):
            _tell(uow, found)


def _missing(uow: UnitOfWork) -> list[Week]:
    """Weeks that are over without a report, oldest first: back to the newest that has one, and no further than that."""
    week = service.last_over(uow.clock.now())
    found: list[Week] = []
    while len(found) < CATCH_UP and service.kept(uow, week) is None:
        found.append(week)
        week = week.before
    if len(found) == CATCH_UP and not service.listed(uow, limit=1):
        return found[:1]  # the first report there is
    return found[::-1]


def _tell(uow: UnitOfWork, found: WeekReport) -> None:
    settings = uow.workspace.section(ImprovementSettings)
    url = settings.feedback_webhook
    if not url:
        return
    try:
        is_slack = not address.is_reference(url) and urlsplit(url).hostname == _SLACK
        notices.deliver(
            uow,
            url,
            {"text": _escaped(found.sentence)} if is_slack else told(found),
            secret=settings.feedback_webhook_secret,
            kind=KIND,
            about=f"week/{found.week}",
            id=f"{KIND}.{found.week}",
        )
    except (InvalidInput, ValueError):
        log.error("feedback_webhook_unusable", wanted="a URL")


def told(found: WeekReport) -> dict[str, Any]:
    """A report as a webhook gets it: figures and names of themes, nobody's words."""
    return {
        "event": KIND,
        "week": found.week,
        "sentence": found.sentence,
        "endpoints": [
            {
                "endpoint": line.endpoint,
                "rated": line.satisfaction.of,
                "satisfied": line.satisfaction.count,
                "low": line.satisfaction.low,
                "high": line.satisfaction.high,
                "tickets": line.tickets,
                "change": None if line.change is None else line.change.difference,
                "change_is_clear": line.change is not None and line.change.is_clear,
            }
            for line in found.endpoints
        ],
        "themes": [{"id": each.id, "name": each.name, "size": each.size, "before": each.before}
                   for each in found.themes.themes],
    }  # fmt: skip


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
