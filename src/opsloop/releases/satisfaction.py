"""Feedback, counted into the satisfaction of the endpoint that answered.

Of several pieces of feedback on one request the newest counts: the one before it is taken out again. Feedback on a
request whose record is not there yet is waited for a moment, then left out: nobody knows which endpoint it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import service as feedback
from opsloop.feedback.models import Feedback
from opsloop.monitoring import records
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import Entry

SOURCE = "feedback"
AT_ONCE = 500
PATIENCE = timedelta(seconds=30)


def any_uncounted(uow: UnitOfWork) -> bool:
    """Whether there is feedback that is in no tally yet."""
    return bool(feedback.since(uow, tallying.seen_up_to(uow, SOURCE), limit=1))


def advance(uow: UnitOfWork) -> int:
    """Count feedback that is in no tally yet; returns how many pieces."""
    after = tallying.counted_up_to(uow, SOURCE)
    entries: list[Entry] = []
    last, count = after, 0
    for each in feedback.since(uow, after, limit=AT_ONCE):
        endpoint = _endpoint(uow, each.request_id)
        if endpoint is None and each.created_at > uow.clock.now() - PATIENCE:
            break
        if endpoint is not None:
            entries += _entries(uow, endpoint, each)
        last, count = each.seq, count + 1
    if count:
        tallying.add(uow, entries)
        tallying.note_counted(uow, SOURCE, last)
    return count


def _entries(uow: UnitOfWork, endpoint: str, newest: Feedback) -> Iterator[Entry]:
    before = feedback.newest(uow, request_id=newest.request_id, before_seq=newest.seq, limit=1)
    for each, sign in ((newest, 1), *((one, -1) for one in before)):
        tally = Tally(sign, sign * int(each.is_satisfied))
        yield Entry(endpoint, Measure.SATISFACTION, each.created_at, tally)


def _endpoint(uow: UnitOfWork, request_id: str) -> str | None:
    found = records.newest(uow, request_id=request_id, limit=1)
    return found[0][1].endpoint if found else None
