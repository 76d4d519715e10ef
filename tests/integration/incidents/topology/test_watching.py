"""Who calls whom, read off stored spans of the platform's own and of services that send theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.incidents.topology import service, watching
from opsloop.incidents.topology._tables import CallRow
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import SpanContent, SpanRecord
from tests.integration.incidents.telling import seen, told


def record(
    workspace: Workspace,
    trace: int,
    id: int,
    parent: int | None,
    service: str,
    kind: Any = "server",
    *,
    status: Any = "ok",
    duration_ms: float = 20.0,
    name: str = "GET /",
    ago_s: float = 5.0,
    **said: Any,
) -> SpanRecord:
    """Args: said: attributes, their dots as two underlines."""
    return SpanRecord(
        f"{trace:032x}",
        f"{id:016x}",
        None if parent is None else f"{parent:016x}",
        name,
        kind,
        storing.resource_of({"service.name": service}),
        microseconds(workspace.clock.now()) - round(ago_s * 1e6),
        round(duration_ms * 1000),
        status,
        SpanContent(attributes={name.replace("__", "."): value for name, value in said.items()}),
    )


def put(workspace: Workspace, by: Caller, spans: Sequence[SpanRecord]) -> None:
    with workspace.writing(by) as uow:
        storing.spans(uow, spans)


def read(workspace: Workspace, by: Caller, clock: FakeClock) -> list[tuple[str, str, int, int]]:
    """Read on until there is nothing, as the platform's tending does; what is known then."""
    for _ in range(50):
        clock.advance(31)
        with workspace.reading(by) as uow:
            if not watching.any_uncounted(uow):
                return [(each.caller, each.callee, each.calls, each.errors) for each in service.seen(uow)]
        with workspace.writing(by) as uow:
            watching.advance(uow)
    raise AssertionError("the reading does not come to an end")


def test_calls_are_counted_once_however_their_spans_arrive(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    put(workspace, admin, [record(workspace, 1, 1, None, "shop"), record(workspace, 1, 2, 1, "shop", "client")])
    assert read(workspace, admin, clock) == []
    put(workspace, admin, [record(workspace, 1, 3, 2, "cart", status="error")])
    assert read(workspace, admin, clock) == [("service:shop", "service:cart", 1, 1)]
    assert read(workspace, admin, clock) == [("service:shop", "service:cart", 1, 1)]
    put(workspace, admin, [record(workspace, 2, 3, 2, "cart")])
    put(workspace, admin, [record(workspace, 2, 2, None, "shop", "client")])
    assert read(workspace, admin, clock) == [("service:shop", "service:cart", 2, 1)]


def test_signals_of_a_caller_and_its_callee_are_one_incident_once_traces_show_the_call(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    def opened(day: str) -> int:
        now = clock.now()
        signals = [
            seen("SlowAnswers", now - timedelta(seconds=90), service="shop", text="p95 is 3 s", key=f"shop, {day}"),
            seen("PodRestarts", now, service="cart", text="out of memory", key=f"cart, {day}"),
        ]
        return len(told(workspace, *signals).opened)

    assert opened("Monday") == 2
    clock.advance(timedelta(days=1).total_seconds())
    put(workspace, admin, [record(workspace, 1, 1, None, "shop"), record(workspace, 1, 2, 1, "cart")])
    assert read(workspace, admin, clock) == [("service:shop", "service:cart", 1, 0)]
    assert opened("Tuesday") == 1


def test_calls_that_were_not_seen_for_a_week_are_forgotten_and_of_too_many_the_oldest(
    workspace: Workspace, admin: Caller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(workspace, admin, [record(workspace, 1, 1, None, "shop"), record(workspace, 1, 2, 1, "cart")])
    assert len(read(workspace, admin, clock)) == 1
    clock.advance(timedelta(days=8).total_seconds())
    monkeypatch.setattr(watching, "MOST_CALLS", 3)
    spans = [record(workspace, 2, 1, None, "shop")]
    spans += [record(workspace, 2, number, 1, f"made-up-{number}") for number in range(2, 12)]
    put(workspace, admin, spans)
    found = read(workspace, admin, clock)
    assert len(found) == 3
    assert "service:cart" not in {callee for _, callee, _, _ in found}
    with workspace.reading(admin) as uow:
        assert len(uow.session.scalars(select(CallRow)).all()) == 3


def test_the_reading_skips_what_lies_too_far_behind(
    workspace: Workspace, admin: Caller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "FARTHEST", 2)
    spans = [
        record(workspace, number, id, parent, name)
        for number in range(1, 6)
        for id, parent, name in ((1, None, "shop"), (2, 1, "cart"))
    ]
    put(workspace, admin, spans)
    assert read(workspace, admin, clock) == [("service:shop", "service:cart", 1, 0)]
