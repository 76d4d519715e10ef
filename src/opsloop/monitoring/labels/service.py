"""Take labels, each for one predicted row, and join them to it.

Labels come late, in bulk, and sometimes before the record of the request they speak of is in the database; so a label
for an id that is not known waits. What becomes of each is said. A label that is sent again changes what windows show;
the sequential test of performance counts a row once, with the label it had then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import func, or_, select

from opsloop.core.caller import Role
from opsloop.core.db.order import one_after_another
from opsloop.core.errors import InvalidInput, NotFound, shown
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.drift import watches
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.labels._tables import LabelRow
from opsloop.monitoring.labels.join import Answered, Joined, checked, joined
from opsloop.monitoring.labels.models import Answer, GivenLabel, LabelState, LabelValue, Said
from opsloop.monitoring.predictions import service as predictions
from opsloop.monitoring.predictions.models import Prediction

MOST = 10_000
"""Labels in one call."""

BELL = "labels"
_AT_ONCE = 500
_ID = re.compile(r"[A-Za-z0-9._:~-]{1,100}")
_MAX_ROW = 2**31 - 1
_encode = msgspec.json.Encoder().encode


def add(uow: UnitOfWork, endpoint: str, given: Sequence[GivenLabel]) -> list[Answer]:
    """Keep labels; what became of each, in their order. Rings the bell "labels".

    Raises: InvalidInput for more than 10,000; a single label that is wrong is refused in its answer.
    """
    uow.by.require(Role.DEVELOPER)
    if len(given) > MOST:
        raise InvalidInput(field="labels", value=len(given), wanted=f"at most {MOST:,} labels in one call")
    one_after_another(uow.session, LabelRow.__tablename__)
    answers: list[Answer] = []
    for start in range(0, len(given), _AT_ONCE):
        answers += _added(uow, endpoint, given[start : start + _AT_ONCE])
    counts = {said: sum(each.outcome is said for each in answers) for said in Said}
    if counts[Said.KEPT] or counts[Said.WAITING] or counts[Said.CHANGED]:
        uow.audit("labels.added", f"endpoint/{endpoint}", **{said: count for said, count in counts.items() if count})
        uow.ring(BELL)
    return answers


def refuse_unknown(uow: UnitOfWork, endpoint: str) -> None:
    """Raises: NotFound when no model was ever loaded for an endpoint of this name, nor predicted anything."""
    if not watches.of_endpoint(uow, endpoint) and not predictions.newest(uow, endpoint, limit=1):
        raise NotFound(f"no model serves an endpoint named {endpoint!r}; `opsloop release list` has the names")


def _added(uow: UnitOfWork, endpoint: str, given: Sequence[GivenLabel]) -> list[Answer]:
    ids = {each.request_id for each in given if _is_id(each.request_id)}
    answered = _answered(predictions.of_requests(uow, endpoint, ids))
    stored = {
        (row.request_id, row.row): row
        for row in uow.session.scalars(
            select(LabelRow).where(LabelRow.endpoint == endpoint, LabelRow.request_id.in_(ids))
        )
    }
    answers = [_keep(uow, endpoint, each, answered, stored) for each in given]
    uow.session.flush()
    return answers


def _keep(
    uow: UnitOfWork,
    endpoint: str,
    given: GivenLabel,
    answered: Mapping[str, Sequence[Answered]],
    stored: dict[tuple[str, int], LabelRow],
) -> Answer:
    """Mutates: stored, so that a label that comes twice in one call is told."""
    try:
        label = _checked(given)
    except ValueError as error:
        return Answer(str(given.request_id)[:100], given.row if _is_row(given.row) else 0, Said.REFUSED, str(error))
    found = answered.get(given.request_id)
    place = None if not found else joined(found, given.row, label)
    if isinstance(place, str):
        return Answer(given.request_id, given.row, Said.REFUSED, place)
    text = _encode(label).decode()
    row = stored.get((given.request_id, given.row))
    if row is not None:
        return _changed(uow, row, text, place)
    row = LabelRow(
        endpoint=endpoint,
        request_id=given.request_id,
        row=given.row,
        label=text,
        state=LabelState.WAITING,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    _place(row, place)
    uow.session.add(row)
    stored[given.request_id, given.row] = row
    return _said(row, Said.KEPT)


def _changed(uow: UnitOfWork, row: LabelRow, text: str, place: Joined | None) -> Answer:
    is_same = row.label == text
    if not is_same:
        row.label, row.changed_at = text, uow.clock.now()
    if row.state in (LabelState.WAITING, LabelState.REFUSED):
        row.state, row.reason = LabelState.WAITING, None
        _place(row, place)
    return _said(row, Said.SAME if is_same else Said.CHANGED)


def _said(row: LabelRow, outcome: Said) -> Answer:
    if row.state == LabelState.WAITING:
        reason = "no prediction with this id is here yet; the label is kept and waits for it"
        return Answer(row.request_id, row.row, Said.WAITING, reason)
    return Answer(row.request_id, row.row, outcome)


def _place(row: LabelRow, place: Joined | None) -> None:
    if place is None:
        return
    row.state, row.reason = LabelState.JOINED, None
    row.key, row.release = place.answered.key, place.answered.release
    row.predicted, row.predicted_us = _encode(place.predicted).decode(), place.answered.started_us


def join_waiting(uow: UnitOfWork, *, kept_for: timedelta, limit: int = 2_000) -> int:
    """Join labels whose predictions have arrived by now; refuse those that waited too long. Returns how many joined."""
    one_after_another(uow.session, LabelRow.__tablename__)
    query = select(LabelRow).where(LabelRow.state == LabelState.WAITING).order_by(LabelRow.seq).limit(limit)
    waiting = uow.session.scalars(query).all()
    count = 0
    for endpoint in {row.endpoint for row in waiting}:
        mine = [row for row in waiting if row.endpoint == endpoint]
        for start in range(0, len(mine), _AT_ONCE):
            count += _joined_now(uow, endpoint, mine[start : start + _AT_ONCE])
    for row in waiting:
        if row.state == LabelState.WAITING and row.created_at < uow.clock.now() - kept_for:
            row.state, row.reason = LabelState.REFUSED, "no prediction with this id ever arrived"
    uow.session.flush()
    return count


def _joined_now(uow: UnitOfWork, endpoint: str, rows: Sequence[LabelRow]) -> int:
    answered = _answered(predictions.of_requests(uow, endpoint, {row.request_id for row in rows}))
    count = 0
    for row in rows:
        found = answered.get(row.request_id)
        if not found:
            continue
        place = joined(found, row.row, msgspec.json.decode(row.label))
        if isinstance(place, str):
            row.state, row.reason = LabelState.REFUSED, place
        else:
            _place(row, place)
            count += 1
    return count


def any_joinable(uow: UnitOfWork, *, kept_for: timedelta) -> bool:
    """Whether a label waits for a prediction that is here now, or waits too long."""
    waiting = select(LabelRow.seq).where(LabelRow.state == LabelState.WAITING)
    known = predictions.is_known(LabelRow.endpoint, LabelRow.request_id)
    query = waiting.where(or_(known, LabelRow.created_at < uow.clock.now() - kept_for)).limit(1)
    return uow.session.scalar(query) is not None


def counts(uow: UnitOfWork, endpoint: str) -> dict[LabelState, int]:
    """How many labels of an endpoint are in each state."""
    uow.by.require(Role.VIEWER)
    query = select(LabelRow.state, func.count()).where(LabelRow.endpoint == endpoint).group_by(LabelRow.state)
    found = {LabelState(state): int(count) for state, count in uow.session.execute(query)}
    return {state: found.get(state, 0) for state in LabelState}


def _answered(found: Iterable[Prediction]) -> dict[str, list[Answered]]:
    """Requests by the id that their caller has, and by their record's."""
    by_id: dict[str, list[Answered]] = {}
    for each in found:
        request = Answered(each.key, each.release, microseconds(each.started_at), each.rows, each.predictions)
        for name in {each.request_id, each.key}:
            by_id.setdefault(name, []).append(request)
    return by_id


def _checked(given: GivenLabel) -> LabelValue:
    if not _is_id(given.request_id):
        raise ValueError(f"request_id is {shown(given.request_id)}; wanted 1 to 100 letters, digits and ._:~-")
    if not _is_row(given.row):
        raise ValueError(f"row is {shown(given.row)}; wanted a whole number from 0")
    return checked(given.label)


def _is_id(given: Any) -> bool:
    return isinstance(given, str) and _ID.fullmatch(given) is not None


def _is_row(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= _MAX_ROW
