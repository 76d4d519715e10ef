"""Read stored spans for whoever looks at many traces: in the order in which they came, and as a sample of a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.telemetry._tables import SpanRow, TraceRow
from opsloop.monitoring.telemetry.models import SpanContent

TRACES_AT_ONCE = 500
"""Ids in one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535."""
_content = msgspec.json.Decoder(SpanContent)
_COLUMNS = (
    *(SpanRow.seq, SpanRow.trace_id, SpanRow.span_id, SpanRow.parent_id, SpanRow.name, SpanRow.kind),
    *(SpanRow.service, SpanRow.started_us, SpanRow.duration_us, SpanRow.status, SpanRow.content),
)


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """Args: seq: rises in the order of storing; times: microseconds since 1970 UTC; status: unset, ok or error."""

    seq: int
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    service: str
    started_us: int
    duration_us: int
    status: str
    attributes: Mapping[str, Any]


def last(uow: UnitOfWork) -> int:
    """The number of the newest span; 0 without one."""
    return uow.session.scalar(select(func.max(SpanRow.seq))) or 0


def traces_after(uow: UnitOfWork, seq: int, *, to: int, limit: int) -> tuple[Sequence[str], int]:
    """Traces that got spans numbered over `seq` and up to `to`, of at most `limit` spans; the last number read.

    On PostgreSQL a span of a low number may become visible after one of a higher number: whoever reads on must leave
    the newest for a while.
    """
    asked = select(SpanRow.seq, SpanRow.trace_id).where(SpanRow.seq > seq, SpanRow.seq <= to)
    found = uow.session.execute(asked.order_by(SpanRow.seq).limit(limit)).all()
    return list(dict.fromkeys(trace_id for _, trace_id in found)), found[-1][0] if len(found) == limit else to


def of_traces(uow: UnitOfWork, traces: Collection[str], *, limit: int) -> list[StoredSpan]:
    """All spans of some traces, at most `limit`, those of a trace together."""
    uow.by.require(Role.VIEWER)
    wanted, found = list(traces), list[StoredSpan]()
    for at in range(0, len(wanted), TRACES_AT_ONCE):
        left = limit - len(found)
        if left <= 0:
            break
        some = select(*_COLUMNS).where(SpanRow.trace_id.in_(wanted[at : at + TRACES_AT_ONCE]))
        rows = uow.session.execute(some.order_by(SpanRow.trace_id, SpanRow.seq).limit(left))
        found += [_span(tuple(row)) for row in rows]
    return found


def _span(row: tuple[Any, ...]) -> StoredSpan:
    return StoredSpan(*(*row[:-1], _content.decode(row[-1]).attributes))


def sampled(
    uow: UnitOfWork, *, since_us: int, until_us: int, slots: int, traces_a_slot: int, limit: int
) -> list[StoredSpan]:
    """Spans of traces that began in a time, the newest of each of `slots` equal parts of it, so that none is left out
    for the traffic of another; at most `limit` spans."""
    uow.by.require(Role.VIEWER)
    ids: list[str] = []
    for begin_us, end_us in _parts(since_us, until_us, slots):
        of_slot = select(TraceRow.trace_id).where(TraceRow.started_us >= begin_us, TraceRow.started_us < end_us)
        ids += uow.session.scalars(of_slot.order_by(TraceRow.started_us.desc()).limit(traces_a_slot))
    return of_traces(uow, ids, limit=limit)


def _parts(since_us: int, until_us: int, count: int) -> Iterator[tuple[int, int]]:
    edges = [since_us + (until_us - since_us) * at // count for at in range(count + 1)]
    return pairwise(edges)
