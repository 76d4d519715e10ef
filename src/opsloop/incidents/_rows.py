"""Rows of incidents as the nouns they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from opsloop.incidents._tables import IncidentEntryRow, IncidentRow, SignalRow
from opsloop.incidents.models import (
    ClosedAs,
    Impact,
    Incident,
    IncidentId,
    IncidentState,
    Severity,
    Signal,
    SignalId,
    Subject,
    Suspect,
    TimelineEntry,
)


def incident(row: IncidentRow) -> Incident:
    return Incident(
        id=IncidentId(row.id),
        title=row.title,
        severity=cast(Severity, row.severity),
        state=IncidentState(row.state),
        subjects=tuple(row.subjects),
        signal_count=row.signal_count,
        told_count=row.told_count,
        suspects=tuple(_suspect(each) for each in row.suspects),
        diagnosis=row.diagnosis,
        opened_at=row.opened_at,
        last_signal_at=row.last_signal_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        mitigated_at=row.mitigated_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        closed_as=ClosedAs(row.closed_as) if row.closed_as else None,
        cause=row.cause,
        impact=tuple(_impact(each) for each in row.impact),
    )


def signal(row: SignalRow) -> Signal:
    return Signal(
        id=SignalId(row.id),
        incident=IncidentId(row.incident) if row.incident else None,
        source=row.source,
        kind=row.kind,
        name=row.name,
        severity=cast(Severity, row.severity),
        subject=Subject(**row.subject),
        text=row.text,
        started_at=row.started_at,
        ended_at=row.ended_at,
        seen_at=row.seen_at,
        fingerprint=row.fingerprint,
        numbers=row.numbers,
        link=row.link,
        times=row.times,
        flaps=row.flaps,
    )


def entry(row: IncidentEntryRow) -> TimelineEntry:
    return TimelineEntry(row.seq, row.at, row.kind, row.text, row.by, row.detail)


def _impact(kept: dict[str, Any]) -> Impact:
    instants = {name: datetime.fromisoformat(kept[name]) for name in ("since", "until")}
    return Impact(kept["endpoint"], kept["requests"], kept["failed"], kept["usual_share"], **instants)


def _suspect(kept: dict[str, Any]) -> Suspect:
    return Suspect(
        name=kept["name"],
        kind=kept["kind"],
        score=kept["score"],
        evidence=tuple(kept["evidence"]),
        counter_evidence=tuple(kept["counter_evidence"]),
        link=kept.get("link", ""),
    )
