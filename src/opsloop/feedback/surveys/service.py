"""Declare surveys, invite people to them, take their responses, and count."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from sqlalchemy import CursorResult, func, select, update

from opsloop.core.caller import Role
from opsloop.core.db.order import one_after_another
from opsloop.core.errors import Conflict, InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import proportions, service, words
from opsloop.feedback.surveys import declaration
from opsloop.feedback.surveys._tables import InvitationRow, SurveyRow
from opsloop.feedback.surveys.declaration import Declaration, Question
from opsloop.feedback.surveys.models import (
    Invitation,
    InvitationId,
    OpenInvitation,
    Rate,
    Response,
    Survey,
    SurveyFigures,
)

MAX_TEXT = 4_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_ID = re.compile(r"[A-Za-z0-9_-]{20,60}")
# 128 random bits: who does not have the link does not find it.
_ID_BYTES = 16


class InvitationMissing(NotFound):
    template = "this link leads to no survey; it may have been cut off on its way"


class InvitationExpired(Conflict):
    template = "the time to answer this survey is over"


class AnsweredAlready(Conflict):
    template = "this survey was answered already; thank you"


def declare(uow: UnitOfWork, name: str, values: Mapping[str, Any]) -> Survey:
    """Make a survey, or change what it asks; invitations that were sent ask what they asked. Raises: InvalidInput."""
    uow.by.require(Role.DEVELOPER)
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            field="survey", value=name, wanted="up to 80 letters, digits and ._-, a letter or digit first"
        )
    declared = declaration.stored(declaration.parse(values))
    row = uow.session.get(SurveyRow, name, with_for_update=True)
    if row is None:
        row = SurveyRow(name=name)
        uow.session.add(row)
    if row.declared != declared:
        row.declared, row.changed_at, row.changed_by = declared, uow.clock.now(), uow.by.name
        uow.audit("survey.declared", f"survey/{name}", questions=[each["id"] for each in declared["questions"]])
    uow.session.flush()
    return _survey(row)


def get(uow: UnitOfWork, name: str) -> Survey:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    return _survey(_row(uow, name))


def listed(uow: UnitOfWork) -> list[Survey]:
    uow.by.require(Role.VIEWER)
    return [_survey(row) for row in uow.session.scalars(select(SurveyRow).order_by(SurveyRow.name))]


def invite(uow: UnitOfWork, name: str, *, request_id: str | None = None) -> Invitation:
    """A link for one person to respond with, once.

    Args:
        request_id: of the answer that is asked about.
    Raises: NotFound, InvalidInput.
    """
    uow.by.require(Role.VIEWER)
    row = _row(uow, name)
    asks = _declared(row.declared)
    now = uow.clock.now()
    one_after_another(uow.session, InvitationRow.__tablename__)
    made = InvitationRow(
        id=secrets.token_urlsafe(_ID_BYTES),
        survey=name,
        declared=row.declared,
        endpoint=asks.endpoint,
        request_id=words.request_id(request_id) if request_id else None,
        sent_at=now,
        expires_at=now + timedelta(days=asks.valid_days),
    )
    uow.session.add(made)
    uow.session.flush()
    return _invitation(made)


def opened(uow: UnitOfWork, invitation: str) -> OpenInvitation:
    """What an invitation asks; for whoever has it. Raises: InvitationMissing, InvitationExpired, AnsweredAlready."""
    row = _invited(uow, invitation)
    return OpenInvitation(_invitation(row), _declared(row.declared))


def respond(uow: UnitOfWork, invitation: str, answers: Mapping[str, Any]) -> Response:
    """Take the response to an invitation; of two at the same time one is taken.

    What is said of satisfaction with a request's answer is feedback on it too.

    Args:
        answers: by the question's id; numbers may be text.
    Raises: InvalidInput naming the question, InvitationMissing, InvitationExpired, AnsweredAlready.
    """
    row = _invited(uow, invitation)
    asks = _declared(row.declared)
    taken = _checked(asks, answers)
    now = uow.clock.now()
    mine = update(InvitationRow).where(InvitationRow.id == row.id, InvitationRow.answered_at.is_(None))
    changed = cast(CursorResult[Any], uow.session.execute(mine.values(answered_at=now, answers=taken)))
    if changed.rowcount != 1:
        raise AnsweredAlready()
    csat = next((taken[each.id] for each in asks.questions if each.kind == "csat" and each.id in taken), None)
    if row.request_id is not None and csat is not None:
        said = [str(taken[each.id]) for each in asks.questions if each.kind == "text" and each.id in taken]
        comment = "\n".join(said)[: service.MAX_COMMENT] or None
        service.add(uow, row.request_id, csat=csat, comment=comment, source="survey")
    return Response(row.seq, row.survey, row.endpoint, row.request_id, now, taken)


def responses(uow: UnitOfWork, name: str, *, before_seq: int | None = None, limit: int = 100) -> list[Response]:
    """Responses by invitation, the newest first. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    _row(uow, name)
    query = select(InvitationRow).where(InvitationRow.survey == name, InvitationRow.answered_at.is_not(None))
    if before_seq is not None:
        query = query.where(InvitationRow.seq < before_seq)
    rows = uow.session.scalars(query.order_by(InvitationRow.seq.desc()).limit(max(1, min(limit, 1_000))))
    return [
        Response(row.seq, row.survey, row.endpoint, row.request_id, row.answered_at, row.answers or {})
        for row in rows
        if row.answered_at is not None
    ]


def figures(uow: UnitOfWork, name: str, *, since: datetime, until: datetime) -> SurveyFigures:
    """What the invitations sent in a time span came to; it includes its start and not its end. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    _row(uow, name)
    inside = (InvitationRow.survey == name, InvitationRow.sent_at >= since, InvitationRow.sent_at < until)
    sent = uow.session.scalar(select(func.count()).select_from(InvitationRow).where(*inside)) or 0
    query = select(InvitationRow.declared, InvitationRow.answers)
    answered = 0
    csat: Counter[int] = Counter()
    nps: Counter[int] = Counter()
    choices: dict[str, Counter[str]] = {}
    for declared, answers in uow.session.execute(query.where(*inside, InvitationRow.answered_at.is_not(None))):
        answered += 1
        for question in _declared(declared).questions:
            value = (answers or {}).get(question.id)
            if value is None:
                continue
            if question.kind == "csat":
                csat[value] += 1
            elif question.kind == "nps":
                nps[value] += 1
            elif question.kind == "choice":
                choices.setdefault(question.id, Counter())[value] += 1
    score = proportions.net_promoters(nps[9] + nps[10], sum(nps[each] for each in range(7)), nps.total())
    return SurveyFigures(
        survey=name,
        since=since,
        until=until,
        response=rate(answered, sent),
        csat=rate(csat[4] + csat[5], csat.total()),
        nps=score[0] if score else None,
        nps_low=score[1] if score else None,
        nps_high=score[2] if score else None,
        nps_count=nps.total(),
        choices={question: dict(counts.most_common()) for question, counts in choices.items()},
    )


def rate(count: int, of: int) -> Rate:
    """A share with its interval of Wilson."""
    found = proportions.wilson(count, of)
    if found is None:
        return Rate(count, of, None, None, None)
    return Rate(count, of, count / of, found.low, found.high)


def _invited(uow: UnitOfWork, invitation: str) -> InvitationRow:
    row = None
    if _ID.fullmatch(invitation):
        row = uow.session.scalar(select(InvitationRow).where(InvitationRow.id == invitation))
    if row is None:
        raise InvitationMissing()
    if row.answered_at is not None:
        raise AnsweredAlready()
    if row.expires_at <= uow.clock.now():
        raise InvitationExpired()
    return row


def _checked(asks: Declaration, answers: Mapping[str, Any]) -> dict[str, Any]:
    known = {each.id for each in asks.questions}
    for name in answers:
        if name not in known:
            raise InvalidInput(
                field=name, value=answers[name], wanted=f"one of the questions {', '.join(sorted(known))}"
            )
    taken: dict[str, Any] = {}
    for question in asks.questions:
        value = answers.get(question.id)
        if value is None or (isinstance(value, str) and not value.strip()):
            if question.required:
                raise InvalidInput(f"{question.id}: {question.ask} Please answer this question.", field=question.id)
            continue
        taken[question.id] = _answer(question, value)
    if not taken:
        raise InvalidInput("no question is answered; please answer at least one", field="answers")
    return taken


def _answer(question: Question, value: Any) -> int | str:
    if question.kind == "text":
        if not isinstance(value, str):
            raise InvalidInput(field=question.id, value=value, wanted="text")
        return words.cleaned(question.id, value, limit=MAX_TEXT) or ""
    if question.kind == "choice":
        if value not in question.options:
            raise InvalidInput(field=question.id, value=value, wanted=f"one of {', '.join(question.options)}")
        return str(value)
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}", value) else value
    if isinstance(number, bool) or not isinstance(number, int) or number not in question.steps:
        steps = question.steps
        raise InvalidInput(field=question.id, value=value, wanted=f"a whole number from {steps[0]} to {steps[-1]}")
    return number


def _row(uow: UnitOfWork, name: str) -> SurveyRow:
    row = uow.session.get(SurveyRow, name) if _NAME.fullmatch(name) else None
    if row is None:
        raise NotFound(noun="survey", name=name)
    return row


def _declared(stored: Mapping[str, Any]) -> Declaration:
    return msgspec.convert(stored, Declaration)


def _survey(row: SurveyRow) -> Survey:
    return Survey(row.name, row.declared, row.changed_at, row.changed_by)


def _invitation(row: InvitationRow) -> Invitation:
    return Invitation(
        id=InvitationId(row.id),
        survey=row.survey,
        endpoint=row.endpoint,
        request_id=row.request_id,
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        answered_at=row.answered_at,
        path=f"/survey/{row.id}",
    )
