"""Lay together what is kept of answers in different places: record, texts, feedback, tickets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import service as feedback
from opsloop.feedback.models import Feedback
from opsloop.feedback.tickets import service as tickets
from opsloop.feedback.tickets.models import Ticket
from opsloop.improvement.models import RatedAnswer
from opsloop.monitoring import records
from opsloop.monitoring.texts import service as texts

_AT_ONCE = 500
_PAGES = 20


class AnswerMissing(NotFound):
    template = "no request {name!r} has a record, texts, feedback or a ticket here"


def of_request(uow: UnitOfWork, request_id: str) -> RatedAnswer:
    """An answer, rated or not. Raises: AnswerMissing."""
    (found,) = of_requests(uow, [request_id])
    if found.endpoint is None and not found.given and not found.tickets and found.question is None:
        raise AnswerMissing(name=request_id)
    return found


def of_requests(uow: UnitOfWork, request_ids: Sequence[str]) -> list[RatedAnswer]:
    """Answers in the order of their ids; texts for developers only."""
    found = records.of_requests(uow, request_ids)
    kept = texts.of_requests(uow, request_ids) if uow.by.role.includes(Role.DEVELOPER) else {}
    given: dict[str, list[Feedback]] = defaultdict(list)
    asked: dict[str, list[Ticket]] = defaultdict(list)
    for at in range(0, len(request_ids), _AT_ONCE):
        ids = request_ids[at : at + _AT_ONCE]
        for each in feedback.newest(uow, requests=ids, limit=feedback.MAX_LIMIT):
            given[each.request_id].append(each)
        for ticket in tickets.newest(uow, requests=ids, limit=feedback.MAX_LIMIT):
            asked[str(ticket.request_id)].append(ticket)
    answers = []
    for request_id in request_ids:
        record, text = found.get(request_id), kept.get(request_id)
        answers.append(
            RatedAnswer(
                request_id=request_id,
                endpoint=record.endpoint if record else text.endpoint if text else None,
                release=record.release if record else text.release if text else None,
                arm=record.arm if record else text.arm if text else None,
                subject=record.subject if record else None,
                at=record.started_at if record else text.at if text else None,
                given=tuple(given[request_id]),
                tickets=tuple(asked[request_id]),
                question=text.question if text else None,
                answer=text.answer if text else None,
                earlier_turns=text.earlier_turns if text else 0,
            )
        )
    return answers


def newest(
    uow: UnitOfWork,
    *,
    endpoint: str | None = None,
    satisfied: bool | None = None,
    before_seq: int | None = None,
    limit: int = 50,
) -> tuple[list[RatedAnswer], int | None]:
    """Answers by their newest feedback, the newest first, and the number to go on before; None at the end.

    Where few match, it goes through so much feedback and no more, and gives fewer than asked for.
    """
    found: dict[str, RatedAnswer] = {}
    cursor = before_seq
    for _ in range(_PAGES):
        page = feedback.newest(uow, satisfied=satisfied, before_seq=cursor, limit=_AT_ONCE)
        if not page:
            return list(found.values()), None
        ids = list(dict.fromkeys(each.request_id for each in page if each.request_id not in found))
        answers = {each.request_id: each for each in of_requests(uow, ids)}
        for each in page:
            cursor = each.seq
            answer = answers.get(each.request_id)
            # An answer stands where the last word on it is, and counts as that says.
            is_last = answer is not None and answer.given[0].seq == each.seq
            if answer is not None and is_last and endpoint in (None, answer.endpoint):
                found[each.request_id] = answer
                if len(found) == limit:
                    return list(found.values()), cursor
    return list(found.values()), cursor


def rated_between(uow: UnitOfWork, since: datetime, until: datetime) -> list[RatedAnswer]:
    """Every answer that something was said of in a time span, with what was said in it only."""
    said: dict[str, list[Feedback]] = defaultdict(list)
    for each in feedback.between(uow, since=since, until=until):
        said[each.request_id].insert(0, each)
    found = of_requests(uow, list(said))
    return [replace(answer, given=tuple(said[answer.request_id])) for answer in found]
