"""Closed incidents that are like this one: by the detectors whose signals both have."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents._tables import IncidentRow
from opsloop.incidents.models import ClosedAs, IncidentId, IncidentState, Similar

LEAST_SHARE = 0.3
MOST, LOOKED_AT = 5, 500


def similar_to(uow: UnitOfWork, incident: str, marks: Sequence[str]) -> list[Similar]:
    """The likest first, at most five of the 500 that were closed last.

    Likeness is the Jaccard index of the detectors that found signals: shared ones, by all of both.
    """
    ours = set(marks)
    query = (
        select(IncidentRow)
        .where(IncidentRow.state == IncidentState.CLOSED.value, IncidentRow.id != incident)
        .order_by(IncidentRow.closed_at.desc())
        .limit(LOOKED_AT)
    )
    found = [_similar(row, ours) for row in uow.session.scalars(query)] if ours else []
    near = [each for each in found if each.share >= LEAST_SHARE]
    return sorted(near, key=lambda each: (-each.share, -each.closed_at.timestamp()))[:MOST]


def _similar(row: IncidentRow, ours: set[str]) -> Similar:
    theirs = set(row.marks)
    assert row.closed_at is not None
    assert row.closed_as is not None
    return Similar(
        incident=IncidentId(row.id),
        title=row.title,
        closed_as=ClosedAs(row.closed_as),
        cause=row.cause,
        share=len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0,
        closed_at=row.closed_at,
    )
