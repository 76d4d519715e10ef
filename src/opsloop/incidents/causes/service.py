"""Explain an incident from what the platform has stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes import collect, ranking
from opsloop.incidents.causes.models import Ranking

LONGEST = timedelta(days=7)


def explain(uow: UnitOfWork, *, subjects: Sequence[str], started_at: datetime, until: datetime) -> Ranking:
    """What an incident may come from, the likeliest first, or why that cannot be told.

    Args:
        subjects: where the symptoms are: `endpoint/chat`, the name of an endpoint, or of a service in traces.
        started_at: of the symptoms, aware.
        until: end of what is looked at, aware; mostly now.
    Raises: InvalidInput for no subject, an end before the start, or a span of more than seven days.
    """
    uow.by.require(Role.VIEWER)
    if not subjects:
        raise InvalidInput(field="subjects", value=list(subjects), wanted="at least one, such as endpoint/chat")
    if not timedelta(0) <= until - started_at <= LONGEST:
        wanted = f"not before {started_at.isoformat()} and at most {LONGEST.days} days after it"
        raise InvalidInput(field="until", value=until.isoformat(), wanted=wanted)
    return ranking.rank(collect.evidence(uow, subjects=subjects, started_at=started_at, until=until))
