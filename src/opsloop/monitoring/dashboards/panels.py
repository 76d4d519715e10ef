"""The panels: what each shows, and how Prometheus is asked for it.

`$endpoint` and `$__rate_interval` are Grafana's; every expression must parse and name metrics that exist.
"""

from __future__ import annotations

from dataclasses import dataclass

_OF = '{endpoint=~"$endpoint"}'


@dataclass(frozen=True, slots=True)
class Query:
    """An expression of PromQL, and how its lines are named."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. `unit` is Grafana's; `said` is how the console writes it."""

    key: str
    title: str
    said: str
    unit: str
    queries: tuple[Query, ...]


def _of(measure: str, outcome: str | None = None) -> str:
    more = f',outcome="{outcome}"' if outcome else ""
    return f'objective_events_total{{endpoint=~"$endpoint",measure="{measure}"{more}}}[$__rate_interval]'


def _share(measure: str, outcome: str) -> str:
    return f"sum by (endpoint) (rate({_of(measure, outcome)})) / sum by (endpoint) (rate({_of(measure)}))"


def _quantile(share: float) -> str:
    buckets = f"rate(endpoint_answer_seconds_bucket{_OF}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (endpoint, le) ({buckets}))"


PANELS = (
    Panel(
        "requests",
        "Requests",
        "per second",
        "reqps",
        (Query(f"sum by (endpoint) (rate({_of('availability')}))", "{{endpoint}}"),),
    ),
    Panel(
        "errors",
        "Errors",
        "share of requests",
        "percentunit",
        (Query(_share("availability", "bad"), "{{endpoint}}"),),
    ),
    Panel(
        "latency",
        "Latency",
        "mean and p95",
        "s",
        (
            Query(
                f"sum by (endpoint) (rate(endpoint_answer_seconds_sum{_OF}[$__rate_interval])) / "
                f"sum by (endpoint) (rate(endpoint_answer_seconds_count{_OF}[$__rate_interval]))",
                "{{endpoint}} mean",
            ),
            Query(_quantile(0.95), "{{endpoint}} p95"),
        ),
    ),
    Panel(
        "tokens",
        "Tokens",
        "per second",
        "short",
        (
            Query(
                f"sum by (endpoint, direction) (rate(inference_tokens_total{_OF}[$__rate_interval]))",
                "{{endpoint}} {{direction}}",
            ),
        ),
    ),
    Panel(
        "drift",
        "Drift",
        "score, 1 is an alarm",
        "short",
        (Query(f"max by (endpoint) (drift_score{_OF})", "{{endpoint}}"),),
    ),
    Panel(
        "satisfaction",
        "Satisfaction",
        "share of feedback",
        "percentunit",
        (Query(_share("satisfaction", "good"), "{{endpoint}}"),),
    ),
    Panel(
        "quality",
        "Quality",
        "share of live samples that pass",
        "percentunit",
        (Query(_share("quality", "good"), "{{endpoint}}"),),
    ),
    Panel(
        "budget",
        "Objectives",
        "share of the budget that is left",
        "percentunit",
        (Query(f"min by (endpoint, objective) (objective_budget_left_ratio{_OF})", "{{endpoint}} {{objective}}"),),
    ),
)
