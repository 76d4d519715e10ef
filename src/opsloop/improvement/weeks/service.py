"""Lay together a week, and keep it once it is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import proportions
from opsloop.feedback.surveys import service as surveys
from opsloop.feedback.surveys.models import Rate, SurveyFigures
from opsloop.feedback.surveys.service import rate
from opsloop.feedback.tickets import service as tickets
from opsloop.feedback.tickets.models import Ticket
from opsloop.improvement import rated
from opsloop.improvement.models import RatedAnswer
from opsloop.improvement.themes import service as themes
from opsloop.improvement.themes.models import Said, Themes
from opsloop.improvement.weeks import week as weeks
from opsloop.improvement.weeks._tables import FeedbackWeekRow
from opsloop.improvement.weeks.models import Change, WeekLine, WeekReport, WorstAnswer
from opsloop.improvement.weeks.week import Week
from opsloop.monitoring import records
from opsloop.releases import service as releases

WORST = 10
MOST_TICKETS = 10_000
NO_THEMES = Themes("none", 0, 0, ())


def report(uow: UnitOfWork, week: Week) -> WeekReport:
    """The report that was kept of a week; of one that has none, what it comes to so far."""
    uow.by.require(Role.VIEWER)
    return kept(uow, week) or made(uow, week)


def kept(uow: UnitOfWork, week: Week) -> WeekReport | None:
    uow.by.require(Role.VIEWER)
    row = uow.session.get(FeedbackWeekRow, str(week))
    return None if row is None else msgspec.convert(row.content, WeekReport)


def listed(uow: UnitOfWork, *, limit: int = 53) -> list[WeekReport]:
    """Reports that are kept, the newest week first."""
    uow.by.require(Role.VIEWER)
    query = select(FeedbackWeekRow).order_by(FeedbackWeekRow.week.desc()).limit(limit)
    return [msgspec.convert(row.content, WeekReport) for row in uow.session.scalars(query)]


def keep(uow: UnitOfWork, found: WeekReport) -> bool:
    """Keep the report of a week that is over; False when it goes on, or when there is one already, which stays."""
    uow.by.require(Role.DEVELOPER)
    if not found.is_over or uow.session.get(FeedbackWeekRow, found.week) is not None:
        return False
    row = FeedbackWeekRow(week=found.week, content=msgspec.to_builtins(found), made_at=found.made_at)
    try:
        with uow.session.begin_nested():
            uow.session.add(row)
    except IntegrityError:  # PostgreSQL: another process kept it meanwhile
        return False
    uow.audit("feedback.week_kept", f"week/{found.week}", rated=found.rated, tickets=found.tickets)
    return True


def made(uow: UnitOfWork, week: Week) -> WeekReport:
    """A week from what is there now."""
    now = uow.clock.now()
    answers = rated.rated_between(uow, week.since, week.until)
    asked = tickets.newest(uow, since=week.since, until=week.until, limit=MOST_TICKETS)
    answered = records.counts(uow, week.since, week.until)
    before = kept(uow, week.before)
    earlier = before.endpoints if before is not None else _before(uow, week.before)
    names = {answer.endpoint for answer in answers if answer.endpoint} | {endpoint for endpoint, _ in answered}
    numbers = {release: number for name in names for release, number in _numbers(uow, name)}
    by_endpoint = _lines(answers, asked, answered, key=lambda endpoint, release: (endpoint, None), numbers=numbers)
    by_release = _lines(answers, asked, answered, key=lambda endpoint, release: (endpoint, release), numbers=numbers)
    known = {line.endpoint: line.satisfaction for line in earlier}
    return WeekReport(
        week=str(week),
        since=week.since,
        until=week.until,
        is_over=week.until <= now,
        made_at=now,
        endpoints=tuple(_with_change(line, known.get(line.endpoint)) for line in by_endpoint),
        releases=tuple(by_release),
        surveys=_surveys(uow, week),
        tickets=len(asked),
        themes=themes.find(
            _said(answers, asked),
            before=before.themes if before is not None else None,
            new_id=lambda: uow.ids.new("theme"),
        ),
        worst=_worst(answers),
    )


def _before(uow: UnitOfWork, week: Week) -> Sequence[WeekLine]:
    answers = rated.rated_between(uow, week.since, week.until)
    return _lines(answers, (), {}, key=lambda endpoint, release: (endpoint, None), numbers={})


def _numbers(uow: UnitOfWork, endpoint: str) -> list[tuple[str, int]]:
    try:
        return [(each.id, each.number) for each in releases.releases(uow, endpoint)]
    except NotFound:  # records may be of an endpoint that is no more
        return []


Key = Callable[[str, str | None], tuple[str, str | None]]


def _lines(
    answers: Sequence[RatedAnswer],
    asked: Sequence[Ticket],
    answered: dict[tuple[str, str], int],
    *,
    key: Key,
    numbers: dict[str, int],
) -> list[WeekLine]:
    """A line for each key, in the order of their names."""
    mine: dict[tuple[str, str | None], list[RatedAnswer]] = defaultdict(list)
    for answer in answers:
        mine[key(answer.endpoint or "", answer.release)].append(answer)
    counted: Counter[tuple[str, str | None]] = Counter()
    for (endpoint, release), count in answered.items():
        counted[key(endpoint, release)] += count
    of_request = {answer.request_id: answer for answer in answers}
    ticketed: Counter[tuple[str, str | None]] = Counter()
    for ticket in asked:
        about = of_request.get(ticket.request_id or "")
        named = (about.endpoint if about is not None else None) or ticket.endpoint
        if named:
            ticketed[key(named, about.release if about is not None else None)] += 1
    names = sorted(
        {*mine, *counted, *ticketed}, key=lambda each: (each[0], numbers.get(each[1] or "", 0), each[1] or "")
    )
    return [_line(name, mine[name], counted[name], ticketed[name], numbers) for name in names]


def _line(
    name: tuple[str, str | None], answers: Sequence[RatedAnswer], answered: int, asked: int, numbers: dict[str, int]
) -> WeekLine:
    said = [answer.given[0] for answer in answers]
    scaled = [each for each in said if each.csat is not None]
    return WeekLine(
        endpoint=name[0],
        release=name[1],
        number=numbers.get(name[1] or ""),
        satisfaction=rate(sum(each.is_satisfied for each in said), len(said)),
        # What was asked in the week before may be rated in this one.
        response=rate(min(len(said), answered), answered),
        csat=rate(sum(each.is_satisfied for each in scaled), len(scaled)),
        mean_score=sum(each.score for each in said) / len(said) if said else None,
        comments=sum(len(answer.comments) for answer in answers),
        tickets=asked,
        change=None,
    )


def _with_change(line: WeekLine, before: Rate | None) -> WeekLine:
    if before is None:
        return line
    mine = line.satisfaction
    found = proportions.difference(mine.count, mine.of, before.count, before.of)
    if found is None or mine.share is None or before.share is None:
        return line
    return replace(line, change=Change(before, mine.share - before.share, found.low, found.high))


def _surveys(uow: UnitOfWork, week: Week) -> tuple[SurveyFigures, ...]:
    found = [surveys.figures(uow, each.name, since=week.since, until=week.until) for each in surveys.listed(uow)]
    return tuple(each for each in found if each.response.of)


def _said(answers: Sequence[RatedAnswer], asked: Sequence[Ticket]) -> list[Said]:
    """What is grouped: of bad answers what was asked, or else said of them; tickets."""
    found: list[Said] = []
    for answer in answers:
        if answer.is_satisfied:
            continue
        if answer.question is not None:
            found.append(Said(answer.request_id, "question", " ".join([answer.question, *answer.comments])))
        elif answer.comments:
            found.append(Said(answer.request_id, "comment", " ".join(answer.comments)))
    return [*found, *(Said(ticket.id, "ticket", ticket.text) for ticket in asked)]


def _worst(answers: Sequence[RatedAnswer]) -> tuple[WorstAnswer, ...]:
    """Those with the lowest score; of the same score those of which more was said."""
    bad = [answer for answer in answers if not answer.is_satisfied]
    bad.sort(key=lambda each: (each.given[0].score, -len(each.tickets), -len(each.given), each.request_id))
    return tuple(
        WorstAnswer(
            request_id=answer.request_id,
            endpoint=answer.endpoint,
            release=answer.release,
            score=answer.given[0].score,
            said=len(answer.given),
            tickets=len(answer.tickets),
        )
        for answer in bad[:WORST]
    )


def last_over(now: datetime) -> Week:
    """The newest week that is over."""
    return weeks.of(now).before
