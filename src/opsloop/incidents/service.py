"""Look at incidents, say that somebody deals with one, what is known of it, and what it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import _rows, impact, taking_in
from opsloop.incidents import text as texts
from opsloop.incidents._tables import IncidentEntryRow, IncidentRow, SignalRow
from opsloop.incidents.errors import IncidentIsClosed
from opsloop.incidents.events import IncidentChanged, IncidentClosed
from opsloop.incidents.learning import detectors, similarity
from opsloop.incidents.models import ClosedAs, Incident, IncidentState, Observed, Signal, Suspect, TakenIn
from opsloop.incidents.settings import IncidentSettings

MOST_LISTED, MOST_SIGNALS, MOST_TIMELINE = 1_000, 1_000, 1_000
MOST_WORDS = 4_000


def take_in(uow: UnitOfWork, signals: Sequence[Observed]) -> TakenIn:
    """Take signals in, each into the incident that it belongs to. Raises: InvalidInput."""
    return taking_in.take_in(uow, signals)


def list_incidents(
    uow: UnitOfWork,
    *,
    state: IncidentState | None = None,
    endpoint: str | None = None,
    going_on: bool = False,
    before: str | None = None,
    limit: int = 100,
) -> list[Incident]:
    """The newest first, without their signals and timelines.

    Args:
        endpoint: only those whose subjects have it.
        going_on: only those that are not closed.
        before: only those that opened before this one.
    Raises: NotFound.
    """
    uow.by.require(Role.VIEWER)
    query = select(IncidentRow).order_by(IncidentRow.opened_at.desc(), IncidentRow.id.desc())
    if state is not None:
        query = query.where(IncidentRow.state == state.value)
    if going_on:
        query = query.where(IncidentRow.state != IncidentState.CLOSED.value)
    if before is not None:
        last = _found(uow, before)
        query = query.where(
            (IncidentRow.opened_at < last.opened_at)
            | ((IncidentRow.opened_at == last.opened_at) & (IncidentRow.id < last.id))
        )
    if endpoint is not None:
        of_endpoint = select(SignalRow.incident).where(SignalRow.subject["endpoint"].as_string() == endpoint)
        query = query.where(IncidentRow.id.in_(of_endpoint))
    return [_rows.incident(row) for row in uow.session.scalars(query.limit(max(1, min(limit, MOST_LISTED))))]


def counted(uow: UnitOfWork, *states: IncidentState) -> int:
    """How many incidents are in one of these states."""
    uow.by.require(Role.VIEWER)
    wanted = [state.value for state in states]
    return uow.session.scalar(select(func.count()).where(IncidentRow.state.in_(wanted))) or 0


def get(uow: UnitOfWork, incident: str) -> Incident:
    """An incident with its signals, its timeline and the closed ones that are like it. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    row = _found(uow, incident)
    return replace(
        _rows.incident(row),
        signals=tuple(signals_of(uow, row.id)),
        timeline=tuple(_rows.entry(each) for each in _timeline(uow, row.id)),
        similar=tuple(similarity.similar_to(uow, row.id, row.marks)),
    )


def signals_of(uow: UnitOfWork, incident: str, *, limit: int = MOST_SIGNALS) -> list[Signal]:
    """Its signals in the order they began."""
    query = select(SignalRow).where(SignalRow.incident == incident).order_by(SignalRow.started_at, SignalRow.id)
    return [_rows.signal(row) for row in uow.session.scalars(query.limit(limit))]


def waiting_signals(uow: UnitOfWork, *, limit: int = 100) -> list[Signal]:
    """Signals that opened no incident, the newest first."""
    uow.by.require(Role.VIEWER)
    query = (
        select(SignalRow).where(SignalRow.incident.is_(None)).order_by(SignalRow.seen_at.desc(), SignalRow.id.desc())
    )
    return [_rows.signal(row) for row in uow.session.scalars(query.limit(max(1, min(limit, MOST_LISTED))))]


def acknowledge(uow: UnitOfWork, incident: str) -> Incident:
    """Say that somebody deals with it. Raises: NotFound, IncidentIsClosed."""
    row = _locked(uow, incident)
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = uow.clock.now(), uow.by.name
        if row.state == IncidentState.OPEN.value:
            row.state = IncidentState.ACKNOWLEDGED.value
        _write(uow, row, "acknowledged", f"{uow.by.name} deals with it")
        uow.audit("incident.acknowledged", f"incident/{row.id}")
        _tell(uow, row, "acknowledged")
    return get(uow, row.id)


def note(uow: UnitOfWork, incident: str, text: str) -> Incident:
    """Write a note into the timeline, also of a closed one. Raises: InvalidInput, NotFound."""
    uow.by.require(Role.OPERATOR)
    row = _found(uow, incident)
    _write(uow, row, "note", _words("text", text))
    uow.audit("incident.noted", f"incident/{row.id}", characters=len(text))
    uow.ring(taking_in.BELL)
    return get(uow, row.id)


def record(uow: UnitOfWork, incident: str, kind: str, text: str, *, at: datetime | None = None, **detail: Any) -> None:
    """Write what another part did into the timeline, such as a `remediation`. Raises: NotFound."""
    row = _found(uow, incident)
    _write(uow, row, kind, texts.kept(text, MOST_WORDS), at=at, **detail)
    uow.ring(taking_in.BELL)


def suspect(uow: UnitOfWork, incident: str, suspects: Sequence[Suspect]) -> None:
    """Keep what may have caused it, the likeliest first, instead of what was kept. Raises: NotFound."""
    row = _found(uow, incident)
    row.suspects = [asdict(each) | _lists(each) for each in suspects]
    for each in suspects[:3]:
        _write(uow, row, "suspect", _said(each), suspect=each.name, score=each.score)
    if not suspects:
        _write(uow, row, "suspect", "nothing stands out among releases, changes, metrics and logs")
    _tell(uow, row, "suspects")


def count_impact(uow: UnitOfWork, incident: str) -> None:
    """Count the requests that it cost, from its first bad minute on. Raises: NotFound."""
    row = _found(uow, incident)
    impact.measure(uow, row)
    uow.ring(taking_in.BELL)


def diagnosed(uow: UnitOfWork, incident: str, diagnosis: dict[str, Any], *, said: str) -> None:
    """Keep the diagnosis of its log. Args: said: it in a sentence. Raises: NotFound."""
    row = _found(uow, incident)
    row.diagnosis = diagnosis
    _write(uow, row, "diagnosis", texts.kept(said, MOST_WORDS))
    _tell(uow, row, "diagnosis")


def close(uow: UnitOfWork, incident: str, *, closed_as: ClosedAs, cause: str = "") -> Incident:
    """Say what it was, which the next incident and the detectors learn from.

    Args:
        cause: in words; needed unless it was a false alarm. The name of a suspect confirms it.
    Raises: InvalidInput, NotFound, IncidentIsClosed.
    """
    row = _locked(uow, incident)
    if closed_as is not ClosedAs.FALSE_ALARM or cause.strip():
        cause = _words("cause", cause)
    row.state, row.closed_at, row.closed_by = IncidentState.CLOSED.value, uow.clock.now(), uow.by.name
    row.closed_as, row.cause = closed_as.value, cause.strip()
    over = select(SignalRow).where(SignalRow.incident == row.id, SignalRow.ended_at.is_not(None))
    for signal in uow.session.scalars(over):
        signal.active = None
    impact.measure(uow, row)
    said = f"closed as {closed_as.value}: {row.cause}" if row.cause else f"closed as {closed_as.value}"
    _write(uow, row, "closed", said)
    uow.audit("incident.closed", f"incident/{row.id}", closed_as=closed_as.value, cause=row.cause)
    uow.emit(IncidentClosed(row.id, taking_in.endpoint_of(row), closed_as.value, row.cause))
    uow.session.flush()
    detectors.learn(uow, row.id, closed_as)
    uow.ring(taking_in.BELL)
    return get(uow, row.id)


def prune(uow: UnitOfWork) -> int:
    """Delete incidents that were closed too long ago to be kept, with what they have; how many."""
    kept_for = timedelta(days=uow.workspace.section(IncidentSettings).incident_kept_days)
    before = uow.clock.now() - kept_for
    old = select(IncidentRow.id).where(IncidentRow.closed_at < before).limit(1_000)
    gone = list(uow.session.scalars(old))
    for table in (SignalRow, IncidentEntryRow):
        uow.session.execute(delete(table).where(table.incident.in_(gone)))
    uow.session.execute(delete(SignalRow).where(SignalRow.incident.is_(None), SignalRow.seen_at < before))
    removed = uow.session.execute(delete(IncidentRow).where(IncidentRow.id.in_(gone)))
    return cast(CursorResult[Any], removed).rowcount


def _lists(suspect: Suspect) -> dict[str, Any]:
    return {"evidence": list(suspect.evidence), "counter_evidence": list(suspect.counter_evidence)}


def _said(suspect: Suspect) -> str:
    for_it = "; ".join(suspect.evidence[:3])
    against = f"; against it: {'; '.join(suspect.counter_evidence[:2])}" if suspect.counter_evidence else ""
    return texts.kept(f"suspect {suspect.name} ({suspect.score:.2f}): {for_it}{against}", MOST_WORDS)


def _words(field: str, given: str) -> str:
    if not given.strip():
        raise InvalidInput(field=field, value=given, wanted="words")
    if len(given) > MOST_WORDS:
        raise InvalidInput(field=field, value=given, wanted=f"at most {MOST_WORDS} characters")
    lines = [texts.kept(line, MOST_WORDS) for line in given.strip().splitlines()]
    return "\n".join(lines)


def _write(
    uow: UnitOfWork, row: IncidentRow, kind: str, text: str, *, at: datetime | None = None, **detail: Any
) -> None:
    when = at or uow.clock.now()
    uow.session.add(IncidentEntryRow(incident=row.id, at=when, kind=kind, text=text, by=uow.by.name, detail=detail))
    uow.session.flush()


def _tell(uow: UnitOfWork, row: IncidentRow, what: str) -> None:
    uow.session.flush()
    uow.emit(IncidentChanged(row.id, what, taking_in.endpoint_of(row), row.state))
    uow.ring(taking_in.BELL)


def _timeline(uow: UnitOfWork, incident: str) -> list[IncidentEntryRow]:
    query = select(IncidentEntryRow).where(IncidentEntryRow.incident == incident)
    query = query.order_by(IncidentEntryRow.at, IncidentEntryRow.seq).limit(MOST_TIMELINE)
    return list(uow.session.scalars(query))


def _found(uow: UnitOfWork, incident: str) -> IncidentRow:
    row = uow.session.get(IncidentRow, incident) if "\0" not in incident else None
    if row is None:
        raise NotFound(noun="incident", name=incident)
    return row


def _locked(uow: UnitOfWork, incident: str) -> IncidentRow:
    """The row as it is now; others who change it wait. Raises: NotFound, IncidentIsClosed."""
    uow.by.require(Role.OPERATOR)
    _found(uow, incident)
    query = select(IncidentRow).where(IncidentRow.id == incident).with_for_update()
    row = uow.session.scalars(query.execution_options(populate_existing=True)).one()
    if row.state == IncidentState.CLOSED.value:
        raise IncidentIsClosed(incident=row.id, closed_as=row.closed_as)
    return row
