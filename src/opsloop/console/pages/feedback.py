"""`/feedback`: what people say of answers; one answer, the report of a week, a golden row of a bad answer."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.feedback.surveys import service as surveys
from opsloop.feedback.tickets import service as tickets
from opsloop.improvement import rated
from opsloop.improvement.models import RatedAnswer
from opsloop.improvement.promotions import service as promotions
from opsloop.improvement.promotions.service import Wanted
from opsloop.improvement.themes.models import Theme
from opsloop.improvement.weeks import service as weeks
from opsloop.improvement.weeks import week as calendar
from opsloop.improvement.weeks.models import WeekReport
from opsloop.monitoring.texts import service as texts
from opsloop.releases import service as releases

router = PageRouter()
HOME = Place("Feedback", "/feedback")
ANSWERS, WEEKS = 50, 12
Said = Literal["", "bad", "good"]
_SATISFIED = {"": None, "bad": False, "good": True}


@dataclass(frozen=True, slots=True)
class ShownTheme:
    """A theme and the words of its examples that are still kept."""

    theme: Theme
    examples: tuple[str, ...]


@router.get("/feedback")
def listed(
    request: Request,
    uow: Reading,
    endpoint: Annotated[str, Query(max_length=100)] = "",
    said: Said = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    wanted = {name: value for name, value in (("endpoint", endpoint), ("said", said)) if value}
    found, following = rated.newest(
        uow, endpoint=endpoint or None, satisfied=_SATISFIED[said], before_seq=before, limit=ANSWERS
    )
    options = f" --endpoint {shlex.quote(endpoint)}" if endpoint else ""
    options += f" --{said}" if said else ""
    frame = Frame("Feedback", cli=f"opsloop feedback answers{options}", json="/api/feedback/answers")
    return page(
        request,
        "feedback.html",
        frame,
        answers=found,
        endpoints=[state.endpoint.name for state in releases.endpoints(uow)],
        endpoint=endpoint,
        said=said,
        before=before,
        older=f"/feedback?{urlencode({**wanted, 'before': following})}" if following else None,
        reports=weeks.listed(uow, limit=WEEKS),
        this_week=str(calendar.of(uow.clock.now())),
        # Beside all answers; a filter is for answers alone.
        surveys=surveys.listed(uow) if not wanted and before is None else [],
        tickets=tickets.newest(uow, limit=10) if not wanted and before is None else [],
        now=uow.clock.now(),
    )


@router.get("/feedback/weeks/{week}")
def week(request: Request, uow: Reading, week: str) -> Response:
    wanted = calendar.parse(week)
    found = weeks.report(uow, wanted)
    frame = Frame(
        f"Week {found.week}",
        trail=(HOME,),
        cli=f"opsloop feedback summary --week {found.week}",
        json=f"/api/feedback/weeks/{found.week}",
    )
    return page(
        request,
        "feedback_week.html",
        frame,
        report=found,
        themes=_themes(uow, found),
        worst=rated.of_requests(uow, [each.request_id for each in found.worst]),
        before=str(wanted.before),
        after=str(wanted.after) if found.is_over else None,
        now=uow.clock.now(),
    )


@router.get("/feedback/answers/{request_id}")
def answer(request: Request, uow: Reading, request_id: str) -> Response:
    found = rated.of_request(uow, request_id)
    return page(
        request,
        "feedback_answer.html",
        _frame(found),
        answer=found,
        promoted=lineage.made_from(uow, "request", request_id),
        golden=_golden(uow),
        here=_address(request_id),
        now=uow.clock.now(),
    )


@router.post("/feedback/answers/{request_id}/draft")
def draft(
    request: Request,
    uow: Reading,
    request_id: str,
    dataset: Annotated[str, Form(max_length=100)] = "",
    answer: Annotated[str, Form(max_length=60_000)] = "",
    question: Annotated[str, Form(max_length=60_000)] = "",
) -> Response:
    """The row as it would be, before and after, and what speaks against it."""
    found = promotions.draft(uow, _wanted(request_id, dataset, answer, question))
    frame = Frame("Make a golden row?", trail=(HOME, Place(request_id, _address(request_id))))
    return page(request, "feedback_promote.html", frame, draft=found, here=_address(request_id))


@router.post("/feedback/answers/{request_id}/promote")
def promote(
    uow: Writing,
    request_id: str,
    dataset: Annotated[str, Form(max_length=100)] = "",
    answer: Annotated[str, Form(max_length=60_000)] = "",
    question: Annotated[str, Form(max_length=60_000)] = "",
    base: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Add the row, if the dataset is still as the page showed it."""
    made = promotions.promote(
        uow, _wanted(request_id, dataset, answer, question), expected_base=base, reason=reason.strip() or None
    )
    return see_other(f"/datasets/{words.segment(made.version)}")


def _wanted(request_id: str, dataset: str, answer: str, question: str) -> Wanted:
    # A browser writes the ends of lines as CR LF.
    clean = [each.replace("\r\n", "\n").strip() or None for each in (answer, question)]
    return Wanted(request_id, dataset.strip(), clean[0], clean[1])


def _address(request_id: str) -> str:
    return f"/feedback/answers/{words.segment(request_id)}"


def _frame(found: RatedAnswer) -> Frame:
    return Frame(
        f"Answer {found.request_id}",
        trail=(HOME,),
        cli=f"opsloop feedback promote {shlex.quote(found.request_id)} --dataset golden --dry-run",
        json=f"/api{_address(found.request_id)}",
    )


def _golden(uow: UnitOfWork) -> list[str]:
    """Datasets that a row may go to: those that are tagged so first."""
    found = datasets.listed(uow)
    return [each.name for each in sorted(found, key=lambda each: ("golden" not in each.tags, each.name))]


def _themes(uow: UnitOfWork, report: WeekReport) -> list[ShownTheme]:
    """Words are read where they are kept: what had to go is not shown."""
    examples = [each for theme in report.themes.themes for each in theme.examples]
    if not uow.by.role.includes(Role.DEVELOPER) or not examples:
        return [ShownTheme(theme, ()) for theme in report.themes.themes]
    asked = texts.of_requests(uow, [each.about for each in examples if each.kind == "question"])
    said = {
        each.request_id: each for each in rated.of_requests(uow, [e.about for e in examples if e.kind == "comment"])
    }
    written: dict[str, str] = {
        each.id: each.text for each in tickets.newest(uow, ids=[e.about for e in examples if e.kind == "ticket"])
    }

    def text(about: str, kind: str) -> str | None:
        if kind == "question":
            return asked[about].question if about in asked else None
        if kind == "comment":
            return " ".join(said[about].comments) if about in said else None
        return written.get(about)

    return [
        ShownTheme(theme, tuple(found for each in theme.examples if (found := text(each.about, each.kind))))
        for theme in report.themes.themes
    ]
