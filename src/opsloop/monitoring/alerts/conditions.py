"""What rules find now: objectives that burn, figures past their limit, budgets that are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.limits import service as limits
from opsloop.limits.models import Meter, Scope, Use
from opsloop.monitoring.alerts.models import Condition, Severity
from opsloop.monitoring.alerts.rules import BudgetRule, MetricRule, ObjectiveRule, Rule
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives.models import Measure, Standing, State, Tally
from opsloop.monitoring.objectives.tallying import TOKENS

LEAST_EVENTS = 3
"""Fewer requests in a window say nothing of a share or a mean."""


def found(uow: UnitOfWork, rules: Sequence[Rule]) -> Iterator[Condition]:
    """Conditions of rules about a state; events raise theirs when they happen."""
    standings = objectives.all_standings(uow) if any(isinstance(each, ObjectiveRule) for each in rules) else []
    endpoints = objectives.endpoints(uow)
    uses = limits.used(uow) if any(isinstance(each, BudgetRule) for each in rules) else []
    for rule in rules:
        if isinstance(rule, ObjectiveRule):
            for standing in standings:
                yield from _of_objective(rule, standing)
        elif isinstance(rule, MetricRule):
            for endpoint in [rule.endpoint] if rule.endpoint is not None else endpoints:
                yield from _of_metric(uow, rule, endpoint)
        elif isinstance(rule, BudgetRule):
            for use in uses:
                yield from _of_budget(rule, use)


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


def _of_budget(rule: BudgetRule, use: Use) -> Iterator[Condition]:
    """What gateways hold for calls under way is not used yet; a budget of nothing is no budget to watch."""
    if not use.meter.is_money or not use.limit or use.used <= rule.above * use.limit:
        return
    if rule.scope not in (None, use.scope.value) or rule.holder not in (None, use.name):
        return
    period = "day" if use.meter is Meter.DAY else "month"
    summary = f"{use.scope} {use.name} has used ${use.used:,.2f} of ${use.limit:,.2f} a {period}"
    if use.resets_at is not None:
        summary += f"; it starts anew at {use.resets_at:%Y-%m-%d %H:%M} UTC"
    labels = {"scope": use.scope.value, "name": use.name, "period": period}
    endpoint = use.name if use.scope is Scope.ENDPOINT else ""
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
