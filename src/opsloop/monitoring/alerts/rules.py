"""Rules as they are declared: what to look for, how long it must hold, how urgent it is.

alerts:
  rules:
    slow: {metric: mean_ms, above: 1500, window_s: 600, for_s: 120, endpoint: support-chat, severity: page}
    objectives: {objective: burning}               # severity as the burn rate says
    nightly: {event: job.failed, where: {kind: training.run}, lasts_s: 7200}
    budgets: {budget: used, above: 0.9, scope: key}  # of what keys and endpoints may spend
    drift: false                                   # not this default
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.alerts.models import SEVERITIES, Severity

Metric = Literal["error_rate", "mean_ms", "requests_per_s", "tokens_per_s"]
METRICS: tuple[Metric, ...] = ("error_rate", "mean_ms", "requests_per_s", "tokens_per_s")
MIN_WINDOW_S, MAX_WINDOW_S = 60, 86_400
DEFAULTS: dict[str, dict[str, Any]] = {
    "objective-burns": {"objective": "burning"},
    "objective-broken": {"objective": "broken", "severity": "ticket"},
    "budget-nearly-used": {"budget": "used", "above": 0.8, "severity": "info"},
    "budget-used": {"budget": "used", "above": 0.95},
    "provider-down": {"event": "provider.down", "by": ["server"], "until": "provider.up", "severity": "page"},
    "drift": {"event": "drift.detected", "by": ["endpoint", "release"], "until": "drift.closed", "lasts_s": 604_800},
    "rollout-rolled-back": {"event": "rollout.rolled_back", "where": {"by_analysis": True}, "by": ["endpoint"]},
    "renewal-rejected": {"event": "renewal.ended", "where": {"state": "rejected"}, "by": ["endpoint"]},
    "job-failed": {"event": "job.failed", "by": ["kind"]},
    "repair-waits": {
        "event": "remediation.proposed",
        "where": {"waits": True},
        "by": ["remediation"],
        "until": "remediation.ended",
        "lasts_s": 900,
    },
    "repair-by-itself": {
        "event": "remediation.acted",
        "where": {"by_itself": True},
        "by": ["remediation"],
        "severity": "info",
    },
    "repair-undone": {"event": "remediation.ended", "where": {"state": "undone"}, "by": ["remediation"]},
    "repair-unknown": {
        "event": "remediation.ended",
        "where": {"state": "unknown"},
        "by": ["remediation"],
        "severity": "page",
    },
}
"""What every installation starts with."""
_COMMON = ("severity", "for_s")
_KEYS = {
    "objective": ("objective", "endpoint"),
    "metric": ("metric", "above", "below", "window_s", "endpoint"),
    "budget": ("budget", "above", "scope", "name"),
    "event": ("event", "where", "by", "until", "lasts_s"),
}
LASTS_S = 3_600.0


@dataclass(frozen=True, slots=True)
class ObjectiveRule:
    """An objective that burns, or whose budget is used up (`state`)."""

    name: str
    state: Literal["burning", "broken"]
    endpoint: str | None
    severity: Severity | None
    for_s: float


@dataclass(frozen=True, slots=True)
class MetricRule:
    """A figure of an endpoint over the last `window_s` that is above or below a number."""

    name: str
    metric: Metric
    above: float | None
    below: float | None
    window_s: int
    endpoint: str | None
    severity: Severity
    for_s: float


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """A budget of money, of a day or a month, of which more than a share is used: of keys, of endpoints, or of both.

    Args:
        above: share from 0 to 1.
        holder: name of the key or endpoint; None: of each.
    """

    name: str
    above: float
    scope: Literal["key", "endpoint"] | None
    holder: str | None
    severity: Severity
    for_s: float


@dataclass(frozen=True, slots=True)
class EventRule:
    """Something that happened: an event by its name.

    Args:
        where: members of the event that must have these values.
        by: members that make two events two alerts.
        until: name of the event that ends it, with the same members.
        lasts_s: how long the alert stays without one.
    """

    name: str
    event: str
    where: dict[str, Any] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    until: str | None = None
    lasts_s: float = LASTS_S
    severity: Severity = "ticket"


Rule = ObjectiveRule | MetricRule | BudgetRule | EventRule


def parse(name: str, declared: object, path: str | None = None) -> Rule:
    """Raises: InvalidInput naming the key."""
    at = path or f"rules.{name}"
    if not isinstance(declared, Mapping):
        raise InvalidInput(field=at, value=declared, wanted=f"a mapping with one of {', '.join(_KEYS)}")
    kinds = [kind for kind in _KEYS if kind in declared]
    if len(kinds) != 1:
        raise InvalidInput(f"{at}: wanted exactly one of {', '.join(_KEYS)}", field=at)
    known = (*_KEYS[kinds[0]], *_COMMON)
    for key in declared:
        if key not in known:
            raise InvalidInput(f"{at}.{key} is not known; wanted one of {', '.join(known)}", field=f"{at}.{key}")
    read = {"objective": _objective, "metric": _metric, "budget": _budget, "event": _event}[kinds[0]]
    return read(name, at, declared)


def _objective(name: str, at: str, declared: Mapping[str, Any]) -> Rule:
    state = declared["objective"]
    if state not in ("burning", "broken"):
        raise InvalidInput(field=f"{at}.objective", value=state, wanted="burning or broken")
    severity = None if "severity" not in declared else _severity(at, declared)
    return ObjectiveRule(name, state, _text(at, declared, "endpoint"), severity, _number(at, declared, "for_s", 0.0))


def _metric(name: str, at: str, declared: Mapping[str, Any]) -> Rule:
    metric = declared["metric"]
    if metric not in METRICS:
        raise InvalidInput(field=f"{at}.metric", value=metric, wanted=f"one of {', '.join(METRICS)}")
    if ("above" in declared) == ("below" in declared):
        raise InvalidInput(f"{at}: wanted one of above and below", field=at)
    window_s = _number(at, declared, "window_s", 300.0)
    if not MIN_WINDOW_S <= window_s <= MAX_WINDOW_S or window_s % 60:
        wanted = f"whole minutes in seconds, from {MIN_WINDOW_S} to {MAX_WINDOW_S}"
        raise InvalidInput(field=f"{at}.window_s", value=declared["window_s"], wanted=wanted)
    return MetricRule(
        name,
        metric,
        _number(at, declared, "above", 0.0) if "above" in declared else None,
        _number(at, declared, "below", 0.0) if "below" in declared else None,
        int(window_s),
        _text(at, declared, "endpoint"),
        _severity(at, declared),
        _number(at, declared, "for_s", 0.0),
    )


def _budget(name: str, at: str, declared: Mapping[str, Any]) -> Rule:
    if declared["budget"] != "used":
        raise InvalidInput(field=f"{at}.budget", value=declared["budget"], wanted="used")
    scope = declared.get("scope")
    if scope not in (None, "key", "endpoint"):
        raise InvalidInput(field=f"{at}.scope", value=scope, wanted="key or endpoint")
    above = _number(at, declared, "above", 0.8)
    if above >= 1:
        raise InvalidInput(field=f"{at}.above", value=above, wanted="a share of the budget, 0 or more and below 1")
    holder, severity = _text(at, declared, "name"), _severity(at, declared)
    return BudgetRule(name, above, scope, holder, severity, _number(at, declared, "for_s", 0.0))


def _event(name: str, at: str, declared: Mapping[str, Any]) -> Rule:
    where, by = declared.get("where", {}), declared.get("by", [])
    if not isinstance(where, Mapping):
        raise InvalidInput(field=f"{at}.where", value=where, wanted="a mapping of the event's members to values")
    if not isinstance(by, list) or not all(isinstance(each, str) for each in by):
        raise InvalidInput(field=f"{at}.by", value=by, wanted="a list of the event's members, such as [endpoint]")
    if "for_s" in declared:
        raise InvalidInput(f"{at}.for_s: an event has no duration", field=f"{at}.for_s")
    event = _text(at, declared, "event")
    return EventRule(
        name,
        event or "",
        dict(where),
        tuple(by),
        _text(at, declared, "until"),
        _number(at, declared, "lasts_s", LASTS_S),
        _severity(at, declared),
    )


def _severity(at: str, declared: Mapping[str, Any]) -> Severity:
    found = declared.get("severity", "ticket")
    if found not in SEVERITIES:
        raise InvalidInput(field=f"{at}.severity", value=found, wanted=f"one of {', '.join(SEVERITIES)}")
    return cast(Severity, found)


def _text(at: str, declared: Mapping[str, Any], key: str) -> str | None:
    found = declared.get(key)
    if found is None:
        return None
    if not isinstance(found, str) or not found or len(found) > 200 or "\0" in found:
        raise InvalidInput(field=f"{at}.{key}", value=found, wanted="a text of 1 to 200 characters")
    return found


def _number(at: str, declared: Mapping[str, Any], key: str, default: float) -> float:
    found = declared.get(key, default)
    is_number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    if not is_number or found < 0:
        raise InvalidInput(field=f"{at}.{key}", value=found, wanted="a number of at least 0")
    return float(found)
