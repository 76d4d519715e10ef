"""Deliver events: at least once to the dispatcher, exactly once to each subscriber's transaction.

A subscriber's handler runs in a transaction that also notes the event as handled; a crash between two subscribers
repeats only those that had not committed. A handler that fails is tried again, later each time, and holds up nobody.
Delivered events are kept for a week, for people who ask what happened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import delete, select

from opsloop.core.caller import system
from opsloop.core.events._tables import HandledRow, OutboxRow
from opsloop.core.events.types import name_of, payload_of, restore
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import UnitOfWork, Workspace

log = structlog.get_logger()
E = TypeVar("E")
Handler = Callable[[UnitOfWork, Any], None]
HandlerOf = Callable[[UnitOfWork, E], None]
_SUBSCRIBERS: dict[type, dict[str, Handler]] = {}
BATCH = 100
MAX_DELAY_S = 300.0
KEPT = timedelta(days=7)
PRUNE_BATCH = 1_000
PRUNE_EVERY_S = 600.0


def subscriber(event: type[E], name: str) -> Callable[[HandlerOf[E]], HandlerOf[E]]:
    """Register a handler under a stable name; it must be safe to call again after a crash."""

    def register(handler: HandlerOf[E]) -> HandlerOf[E]:
        _SUBSCRIBERS.setdefault(event, {})[name] = handler
        return handler

    return register


def write(uow: UnitOfWork) -> None:
    """Put the events of a unit of work into the outbox; part of every commit."""
    now = uow.clock.now()
    for event in uow.events:
        uow.session.add(OutboxRow(type=name_of(event), payload=payload_of(event), created_at=now, attempts=0))
    if uow.events:
        uow.ring("events")


def deliver_due(workspace: Workspace) -> int:
    """Deliver what is due; returns how many events were completed."""
    with workspace.reading(system("events")) as uow:
        due = uow.session.scalars(
            select(OutboxRow)
            .where(
                OutboxRow.delivered_at.is_(None),
                OutboxRow.next_attempt_at.is_(None) | (OutboxRow.next_attempt_at <= uow.clock.now()),
            )
            .order_by(OutboxRow.seq)
            .limit(BATCH)
        ).all()
    return sum(_deliver(workspace, row) for row in due)


def _deliver(workspace: Workspace, row: OutboxRow) -> bool:
    failure = _handed_over(workspace, row)
    with workspace.writing(system("events")) as uow:
        stored = uow.session.get_one(OutboxRow, row.seq)
        stored.attempts += 1
        stored.error = failure
        if failure is None:
            stored.delivered_at = uow.clock.now()
        else:
            delay_s = min(MAX_DELAY_S, 2.0 ** min(stored.attempts, 10))
            stored.next_attempt_at = uow.clock.now() + timedelta(seconds=delay_s)
    return failure is None


def _handed_over(workspace: Workspace, row: OutboxRow) -> str | None:
    """Give an event to all its subscribers; what went wrong last, or None."""
    failure: str | None = None
    try:
        event = restore(row.type, row.payload)
    except Exception as error:  # written by another version: it must not hold up the events after it
        log.exception("event_unreadable", event_type=row.type, seq=row.seq)
        return f"unreadable: {error}"
    for name, handler in _SUBSCRIBERS.get(type(event), {}).items():
        try:
            _hand_over(workspace, row.seq, event, name, handler)
        except Exception as error:  # a process rim: one subscriber must not stop the others
            log.exception("event_handler_failed", event_type=row.type, seq=row.seq, subscriber=name)
            failure = f"{name}: {error}"
    return failure


def prune(workspace: Workspace) -> int:
    """Forget events that were delivered longer ago than `KEPT`, at most `PRUNE_BATCH`; returns how many."""
    with workspace.reading(system("events")) as uow:
        before = uow.clock.now() - KEPT
        old = select(OutboxRow.seq).where(OutboxRow.delivered_at < before).order_by(OutboxRow.seq).limit(PRUNE_BATCH)
        found = uow.session.scalars(old).all()
    if found:
        with workspace.writing(system("events")) as uow:
            uow.session.execute(delete(HandledRow).where(HandledRow.seq.in_(found)))
            uow.session.execute(delete(OutboxRow).where(OutboxRow.seq.in_(found)))
    return len(found)


def _hand_over(workspace: Workspace, seq: int, event: Any, name: str, handler: Handler) -> None:
    with workspace.writing(system("events")) as uow:
        if uow.session.get(HandledRow, (seq, name)) is not None:
            return
        uow.session.add(HandledRow(seq=seq, subscriber=name))
        handler(uow, event)


class Dispatcher:
    """A thread that delivers events as they come; woken by commits in this process, looking by itself every second."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = threading.Event()
        self._prune_at_s = float("-inf")
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._workspace.bell("events").ring()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        bell = self._workspace.bell("events")
        trouble = Trouble("events_not_delivered")
        while not self._stopping.is_set():
            with trouble.told():
                if deliver_due(self._workspace) or self._pruned():
                    continue
            bell.wait(timeout_s=1.0)

    def _pruned(self) -> bool:
        """Forget old events when it is time; whether there may be more of them."""
        now_s = self._workspace.clock.monotonic_s()
        if now_s < self._prune_at_s:
            return False
        if prune(self._workspace) == PRUNE_BATCH:
            return True
        self._prune_at_s = now_s + PRUNE_EVERY_S
        return False
