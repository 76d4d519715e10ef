"""What rules find now: objectives that burn, figures past their limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts.models import Condition, Severity
from opsloop.monitoring.alerts.rules import MetricRule, ObjectiveRule, Rule
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives.models import Measure, Standing, State, Tally
from opsloop.monitoring.objectives.tallying import TOKENS

LEAST_EVENTS = 3
"""Fewer requests in a window say nothing of a share or a mean."""


def found(uow: UnitOfWork, rules: Sequence[Rule]) -> Iterator[Condition]:
    """Conditions of rules about a state; events raise theirs when they happen."""
    standings = objectives.all_standings(uow) if any(isinstance(each, ObjectiveRule) for each in rules) else []
    endpoints = objectives.endpoints(uow)
    for rule in rules:
        if isinstance(rule, ObjectiveRule):
            for standing in standings:
                yield from _of_objective(rule, standing)
        elif isinstance(rule, MetricRule):
            for endpoint in [rule.endpoint] if rule.endpoint is not None else endpoints:
                yield from _of_metric(uow, rule, endpoint)


def _of_objective(rule: ObjectiveRule, standing: Standing) -> Iterator[Condition]:
    if rule.endpoint is not None and rule.endpoint != standing.endpoint:
        return
    holds = standing.state is State.BROKEN if rule.state == "broken" else standing.severity is not None
    if holds:
        severity: Severity = rule.severity or ("page" if standing.severity == "page" else "ticket")
        labels = {"endpoint": standing.endpoint, "objective": standing.name}
        summary = f"{standing.name}: {standing.sentence}"
        yield Condition(rule.name, standing.endpoint, severity, summary, labels, holds_s=rule.for_s)


def _of_metric(uow: UnitOfWork, rule: MetricRule, endpoint: str) -> Iterator[Condition]:
    value = _value(uow, rule, endpoint)
    if value is None:
        return
    if (rule.above is not None and value > rule.above) or (rule.below is not None and value < rule.below):
        word, limit = ("above", rule.above) if rule.above is not None else ("below", rule.below)
        summary = f"{rule.metric} is {value:.4g} over {rule.window_s} s, {word} {limit:g}"
        labels = {"endpoint": endpoint, "metric": rule.metric}
        yield Condition(rule.name, endpoint, rule.severity, summary, labels, holds_s=rule.for_s)


_MEASURES = {
    "error_rate": str(Measure.AVAILABILITY),
    "requests_per_s": str(Measure.AVAILABILITY),
    "mean_ms": str(Measure.MEAN_LATENCY),
    "tokens_per_s": TOKENS,
}


def _value(uow: UnitOfWork, rule: MetricRule, endpoint: str) -> float | None:
    """The figure over whole minutes; None where too little was seen to have one."""
    until = uow.clock.now()
    measure = _MEASURES[rule.metric]
    since = until - timedelta(seconds=rule.window_s - 60)
    pieces = objectives.minutes(uow, endpoint, [measure], since=since, until=until, step_s=60)[measure]
    total = sum(pieces.values(), Tally())
    if rule.metric == "requests_per_s":
        return total.total / rule.window_s
    if rule.metric == "tokens_per_s":
        return total.amount / rule.window_s
    if total.total < LEAST_EVENTS:
        return None
    return total.bad / total.total if rule.metric == "error_rate" else total.amount / total.total
