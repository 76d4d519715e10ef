"""Alerts of other systems: what an Alertmanager tells its webhook receivers becomes alerts here, each once.

An alert that was sent to the Alertmanager from here is not taken back in. One that is not heard of again for a day is
over: an Alertmanager repeats what fires every few hours.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import silencing, store
from opsloop.monitoring.alerts.models import Condition, Severity

SOURCE = "alertmanager"
LASTS_S = 86_400.0
MOST = 1_000
_LONGEST = 1_000
_URGENT = ("page", "critical", "emergency", "high")
_INFO = ("info", "none", "information")


class Told(msgspec.Struct):
    """One alert of Alertmanager's webhook (version 4)."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}


class Group(msgspec.Struct):
    """The body of Alertmanager's webhook; whatever else is in it is not looked at."""

    version: str
    alerts: list[Told]


class TakenIn(msgspec.Struct):
    """What became of the alerts of one message."""

    firing: int = 0
    resolved: int = 0
    own: int = 0


decoder = msgspec.json.Decoder(Group)


def take_in(uow: UnitOfWork, group: Group) -> TakenIn:
    """Raises: InvalidInput."""
    uow.by.require(Role.DEVELOPER)
    if group.version != "4":
        raise InvalidInput(field="version", value=group.version, wanted="'4', the version of Alertmanager's webhook")
    if len(group.alerts) > MOST:
        raise InvalidInput(f"alerts: {len(group.alerts)} in one message; wanted at most {MOST}", field="alerts")
    done = TakenIn()
    silences = silencing.current(uow)
    there = {row.active: row for row in store.active(uow, SOURCE)}
    for each in group.alerts:
        if "opsloop_alert" in each.labels:
            done.own += 1
            continue
        condition = _condition(each)
        if each.status == "firing":
            row = store.see(uow, condition, source=SOURCE, silences=silences)
            there[row.active] = row
            done.firing += 1
        else:
            row_of = there.pop(store.fingerprint(SOURCE, condition.rule, condition.labels), None)
            if row_of is not None:
                store.resolve(uow, row_of, "Alertmanager says it is over")
            done.resolved += 1
    return done


def expire(uow: UnitOfWork) -> None:
    """End alerts that were not heard of again."""
    for row in store.active(uow, SOURCE):
        if row.ends_at is not None and row.ends_at <= uow.clock.now():
            store.resolve(uow, row, "nothing was heard of it for a day")


def _condition(told: Told) -> Condition:
    labels = {_clean(name): _clean(value) for name, value in told.labels.items()}
    name = labels.get("alertname") or "alert"
    summary = told.annotations.get("summary") or told.annotations.get("description") or name
    return Condition(
        rule=name,
        endpoint=labels.get("endpoint", ""),
        severity=_severity(labels.get("severity", "")),
        summary=_clean(summary),
        labels=labels,
        lasts_s=LASTS_S,
    )


def _severity(word: str) -> Severity:
    word = word.lower()
    return "page" if word in _URGENT else "info" if word in _INFO else "ticket"


def _clean(text: str) -> str:
    """Text that both databases keep."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST]
