"""Events that rules name raise alerts when they happen, and end them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.events.outbox import subscriber
from opsloop.core.events.types import known, name_of, payload_of
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import declaring, silencing, store
from opsloop.monitoring.alerts.events import AlertFired, AlertResolved
from opsloop.monitoring.alerts.models import Condition
from opsloop.monitoring.alerts.rules import EventRule

NAME = "alert rules"
_OWN = (AlertFired, AlertResolved)
_SAID = ("sentence", "reason", "error", "message")


def listen() -> None:
    """Subscribe to every event type that is registered by now; called once all parts are loaded."""
    for event in known().values():
        if event not in _OWN:
            subscriber(event, NAME)(heard)


def heard(uow: UnitOfWork, event: object) -> None:
    """Raise or end the alerts of the rules that name this event."""
    name, payload = name_of(event), payload_of(event)
    rules = [each for each in declaring.rules(uow) if isinstance(each, EventRule) and name in (each.event, each.until)]
    silences = silencing.current(uow) if rules else []
    for rule in rules:
        labels = {member: str(payload.get(member, "")) for member in rule.by}
        if rule.event == name and all(payload.get(key) == value for key, value in rule.where.items()):
            endpoint = str(payload.get("endpoint") or "")
            summary = f"{name}: {_said(payload)}"
            condition = Condition(rule.name, endpoint, rule.severity, summary, labels, lasts_s=rule.lasts_s)
            store.see(uow, condition, silences=silences)
        elif rule.until == name:
            _end(uow, rule, labels, _said(payload))


def _end(uow: UnitOfWork, rule: EventRule, labels: Mapping[str, str], reason: str) -> None:
    mark = store.fingerprint("opsloop", rule.name, labels)
    for row in store.active(uow):
        if row.active == mark:
            store.resolve(uow, row, reason or f"{rule.until} was heard")


def _said(payload: Mapping[str, Any]) -> str:
    """The words of an event; without any, what it is about."""
    for member in _SAID:
        if payload.get(member):
            return " ".join(str(payload[member]).split())[:500]
    return ", ".join(f"{key} {value}" for key, value in payload.items() if isinstance(value, str | int | float))[:500]
