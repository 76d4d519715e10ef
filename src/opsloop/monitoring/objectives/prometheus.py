"""The same objectives as rules for Prometheus: shares of bad events over each window, alerts on two windows at once.

Endpoints without objectives of their own share the defaults' rules, one set for all of them. As here, an alert needs at
least `LEAST_BAD` bad events: Prometheus has no binomial test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.objectives import burning, declaration, service
from opsloop.monitoring.objectives._tables import ObjectivesRow
from opsloop.monitoring.objectives.burning import Pair
from opsloop.monitoring.objectives.models import Measure, Objective
from opsloop.monitoring.objectives.wording import share, span

HEAD = "# Made by `opsloop monitor rules`: change the objectives, not this file.\n"
EVENTS, ANSWERS = "objective_events_total", "endpoint_answer_seconds"


@dataclass(frozen=True, slots=True)
class Group:
    """Objectives of one endpoint, or of all endpoints that are not `others`."""

    name: str
    endpoint: str | None
    others: tuple[str, ...]
    objectives: tuple[Objective, ...]

    def selector(self, **labels: str) -> str:
        parts = [f'{name}="{_quoted(value)}"' for name, value in labels.items()]
        if self.endpoint is not None:
            parts.insert(0, f'endpoint="{_quoted(self.endpoint)}"')
        elif self.others:
            parts.insert(0, f'endpoint!~"{_quoted("|".join(map(re.escape, self.others)))}"')
        return "{" + ",".join(parts) + "}" if parts else ""


def defaults() -> list[Group]:
    """The rules of an installation in which nothing is declared."""
    return [Group("opsloop-objectives", None, (), declaration.DEFAULTS)]


def declared(uow: UnitOfWork) -> list[Group]:
    """The rules of this installation."""
    own = sorted(uow.session.scalars(select(ObjectivesRow.endpoint)))
    groups = [Group("opsloop-objectives", None, tuple(own), declaration.DEFAULTS)]
    groups += [Group(f"opsloop-objectives-{name}", name, (), service.objectives(uow, name)) for name in own]
    return groups


def rules(groups: Sequence[Group]) -> str:
    """A rule file: the shares first, so that the alerts after them see those of the same evaluation."""
    lines = ["groups:"]
    for each in groups:
        lines += [f"  - name: {json.dumps(each.name)}", "    interval: 30s", "    rules:"]
        for rule in _rules(each):
            lines += _written(rule)
    return HEAD + "\n".join(lines) + "\n"


def _written(rule: Mapping[str, Any]) -> Iterator[str]:
    """A rule in YAML; its texts are those of JSON, which YAML reads as they are."""
    mark = "      - "
    for key, value in rule.items():
        if isinstance(value, str):
            yield f"{mark}{key}: {json.dumps(value, ensure_ascii=False)}"
        else:
            yield f"{mark}{key}:"
            yield from (f"          {name}: {json.dumps(text, ensure_ascii=False)}" for name, text in value.items())
        mark = "        "


def _rules(group: Group) -> Iterator[Mapping[str, Any]]:
    for objective in group.objectives:
        if objective.budget > 0 or objective.measure is Measure.MEAN_LATENCY:
            yield from (_recorded(group, objective, span_s) for span_s in _spans(objective))
    for objective in group.objectives:
        yield from (_alert(group, objective, pair) for pair in burning.pairs_of(objective))


def _spans(objective: Objective) -> list[int]:
    return sorted({each for pair in burning.pairs_of(objective) for each in (pair.long_s, pair.short_s)})


def _recorded(group: Group, objective: Objective, span_s: int) -> dict[str, Any]:
    labels = {"objective": objective.name, **_named(group)}
    return {"record": _record(objective, span_s), "expr": _value(group, objective, _duration(span_s)), "labels": labels}


def _named(group: Group) -> dict[str, str]:
    """The label is there already; named, no two rules look to promtool as if they were the same."""
    return {} if group.endpoint is None else {"endpoint": group.endpoint}


def _record(objective: Objective, span_s: int) -> str:
    what = "mean_seconds" if objective.measure is Measure.MEAN_LATENCY else "bad_ratio"
    return f"endpoint:objective_{what}:rate{_duration(span_s)}"


def _value(group: Group, objective: Objective, window: str) -> str:
    count = f"sum by (endpoint) (rate({ANSWERS}_count{group.selector()}[{window}]))"
    if objective.measure is Measure.MEAN_LATENCY:
        return f"sum by (endpoint) (rate({ANSWERS}_sum{group.selector()}[{window}])) / {count}"
    if objective.measure is Measure.LATENCY:
        within = group.selector(le=_edge(objective))
        return f"1 - sum by (endpoint) (rate({ANSWERS}_bucket{within}[{window}])) / {count}"
    measure = str(objective.measure)
    bad = f"sum by (endpoint) (rate({EVENTS}{group.selector(measure=measure, outcome='bad')}[{window}]))"
    return f"{bad} / sum by (endpoint) (rate({EVENTS}{group.selector(measure=measure)}[{window}]))"


def _bad_count(group: Group, objective: Objective, window: str) -> str:
    if objective.measure is Measure.MEAN_LATENCY:
        return f"sum by (endpoint) (increase({ANSWERS}_count{group.selector()}[{window}]))"
    if objective.measure is Measure.LATENCY:
        within = group.selector(le=_edge(objective))
        return (
            f"(sum by (endpoint) (increase({ANSWERS}_count{group.selector()}[{window}])) - "
            f"sum by (endpoint) (increase({ANSWERS}_bucket{within}[{window}])))"
        )
    selector = group.selector(measure=str(objective.measure), outcome="bad")
    return f"sum by (endpoint) (increase({EVENTS}{selector}[{window}]))"


def _alert(group: Group, objective: Objective, pair: Pair) -> dict[str, Any]:
    return {
        "alert": "ObjectiveBurns",
        "expr": _expression(group, objective, pair),
        "labels": {"severity": pair.severity, "objective": objective.name, "window": _duration(pair.long_s)}
        | _named(group),
        "annotations": {
            "summary": f"{{{{ $labels.endpoint }}}} misses its objective {objective.name}",
            "description": _described(objective, pair),
        },
    }


def _expression(group: Group, objective: Objective, pair: Pair) -> str:
    bad = _bad_count(group, objective, _duration(pair.long_s))
    if objective.budget <= 0 and objective.measure is not Measure.MEAN_LATENCY:
        return f"{bad} > 0"
    limit = _limit(objective, pair)
    own = group.selector(objective=objective.name)
    long, short = (f"{_record(objective, each)}{own}" for each in (pair.long_s, pair.short_s))
    # `increase` reaches over the edges of its window, so three events may count as a little less.
    return f"{long} > {limit} and on (endpoint) {short} > {limit} and on (endpoint) {bad} > {burning.LEAST_BAD - 0.5}"


def _limit(objective: Objective, pair: Pair) -> str:
    if objective.measure is Measure.MEAN_LATENCY:
        return f"{(objective.within_ms or 0) / 1000:.10g}"
    return f"{burning.threshold(objective, pair) * objective.budget:.10g}"


def _described(objective: Objective, pair: Pair) -> str:
    if objective.measure is Measure.MEAN_LATENCY:
        return f"The mean time to an answer is over {objective.within_ms} ms, over {span(pair.long_s)} and now."
    if objective.budget <= 0:
        return f"None is allowed, and there was one within {span(pair.long_s)}."
    return (
        f"More than {burning.threshold(objective, pair):.3g} times the share that may be bad "
        f"({share(objective.budget)}) over {span(pair.long_s)} and over {span(pair.short_s)}."
    )


def _edge(objective: Objective) -> str:
    """A bucket's edge as Prometheus' client writes it: seconds as a float."""
    return str((objective.within_ms or 0) / 1000)


def _duration(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
