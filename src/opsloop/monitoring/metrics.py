"""Metrics in the Prometheus form, all in one registry.

Labels are bounded sets: endpoints, releases and arms that exist, statuses of `RequestRecord`. A name that a caller made
up never becomes a label.
"""

from __future__ import annotations

import os
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from opsloop.monitoring.models import RequestRecord

MEDIA_TYPE = CONTENT_TYPE_LATEST
REGISTRY = CollectorRegistry()
FOLDER_OF_ALL = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus-client keeps what several processes count together; set for the workers of a gateway."""
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

# From a cached answer to a slow chain of model calls.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

requests = Counter(
    "inference_requests",
    "Attempts of a release to answer a request.",
    ["endpoint", "release", "arm", "status"],
    registry=REGISTRY,
)
latency = Histogram(
    "inference_latency_seconds",
    "Time from the arrival of a request to its record.",
    ["endpoint", "release", "arm"],
    buckets=LATENCY_BUCKETS_S,
    registry=REGISTRY,
)
objective_events = Counter(
    "objective_events",
    "What objectives count: requests, feedback, live samples; outcome is good or bad.",
    ["endpoint", "measure", "outcome"],
    registry=REGISTRY,
)
answers = Histogram(
    "endpoint_answer_seconds",
    "Time from the arrival of a request to its answer, of requests that got one.",
    ["endpoint"],
    buckets=LATENCY_BUCKETS_S,
    registry=REGISTRY,
)
budget_left = Gauge(
    "objective_budget_left_ratio",
    "Share of an objective's budget that is left; below 0 when more than all is used.",
    ["endpoint", "objective"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
burn_rate = Gauge(
    "objective_burn_rate",
    "How fast an objective's budget goes; 1 uses it up exactly by the end of the window.",
    ["endpoint", "objective", "window"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
alerts_firing = Gauge(
    "alerts_firing",
    "Alerts that fire, by how urgent they are.",
    ["severity"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
tokens = Counter(
    "inference_tokens",
    "Tokens of requests (in) and answers (out), counted by the model's server or estimated.",
    ["endpoint", "direction"],
    registry=REGISTRY,
)
drift_events = Counter("drift_events", "Drift alarms.", ["endpoint"], registry=REGISTRY)
drift_score = Gauge(
    "drift_score",
    "Evidence that a feature drifted, over what an alarm needs; 1 is an alarm.",
    ["endpoint", "release", "feature"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
broken_expectations = Counter(
    "expectations_broken", "Requests that broke an expectation.", ["endpoint", "rule"], registry=REGISTRY
)
guardrail_hits = Counter(
    "guardrail_hits",
    "What guardrails found in requests and answers, and what was done.",
    ["endpoint", "kind", "direction", "action"],
    registry=REGISTRY,
)
guardrail_failures = Counter(
    "guardrail_failures", "Texts that a screen could not look through.", ["endpoint", "screen"], registry=REGISTRY
)
error_answers = Counter(
    "gateway_error_answers",
    "Requests that were answered with an error, by the name it has in problem documents.",
    ["problem"],
    registry=REGISTRY,
)
cache_answers = Counter(
    "gateway_cache_answers",
    "Requests to releases that allow answers to be kept: hit, given from memory; miss, made anew.",
    ["endpoint", "outcome"],
    registry=REGISTRY,
)
extra_model_calls = Counter(
    "gateway_extra_model_calls",
    "Calls to model servers beside the first: retry, retry_withheld, hedge, hedge_won, hedge_withheld.",
    ["endpoint", "kind"],
    registry=REGISTRY,
)
in_flight = Gauge(
    "gateway_requests_in_flight", "Requests that are being answered.", registry=REGISTRY, multiprocess_mode="livesum"
)
unsent_records = Gauge(
    "gateway_records_waiting",
    "Records that are not in the database yet.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
lost_records = Counter(
    "gateway_records_lost", "Records that were dropped because the spool was full or unwritable.", registry=REGISTRY
)
lost_traces = Counter(
    "gateway_traces_lost", "Traces that were dropped because too many waited for the database.", registry=REGISTRY
)
lost_telemetry = Counter(
    "telemetry_lost", "Spans, log lines and metrics that no collector took.", ["signal"], registry=REGISTRY
)
routing_version = Gauge(
    "gateway_routing_version", "Version of the routing table in use.", registry=REGISTRY, multiprocess_mode="livemin"
)


def observe(record: RequestRecord) -> None:
    """Count one record; what no endpoint answered has no release."""
    if not record.release:
        return
    counter, histogram = _children(record.endpoint, record.release, record.arm, record.status)
    counter.inc()
    histogram.observe(record.duration_ms / 1000)
    for hit in record.hits:
        guardrail_hits.labels(record.endpoint, hit.kind, hit.direction, hit.action.value).inc(hit.count)
    outcome = objectives_outcome(record)
    if outcome is not None:
        _events(record.endpoint, "availability", outcome).inc()
    if record.tokens_in or record.tokens_out:
        tokens.labels(record.endpoint, "in").inc(record.tokens_in)
        tokens.labels(record.endpoint, "out").inc(record.tokens_out)
    if record.status == "ok" and not record.shadow:
        _answers(record.endpoint).observe(record.duration_ms / 1000)


def objectives_outcome(record: RequestRecord) -> str | None:
    """`good` or `bad` as availability counts it, None for what it does not: see `objectives.tallying`."""
    if record.status == "ok":
        return None if record.shadow or record.shielded else "good"
    if record.shadow or record.shielded or record.status == "cancelled" or 400 <= record.http_status < 500:
        return None
    return "bad"


def count_events(endpoint: str, measure: str, *, good: int, bad: int) -> None:
    """Count events of an objective that are no requests; a counter takes nothing back, so negative ones are left."""
    for outcome, number in (("good", good), ("bad", bad)):
        if number > 0:
            _events(endpoint, measure, outcome).inc(number)


@cache
def _events(endpoint: str, measure: str, outcome: str) -> Counter:
    # Both are there from the first event on: Prometheus sees no rise in a series that begins above 0.
    objective_events.labels(endpoint, measure, "bad")
    return objective_events.labels(endpoint, measure, outcome)


@cache
def _answers(endpoint: str) -> Histogram:
    return answers.labels(endpoint)


def forget_drift(endpoint: str, release: str) -> None:
    """Show no score of a release that is not watched any more: its last one would stand there for ever."""
    labels = [sample.labels for metric in drift_score.collect() for sample in metric.samples]
    for each in labels:
        if (each["endpoint"], each["release"]) == (endpoint, release):
            drift_score.remove(endpoint, release, each["feature"])


@cache
def _children(endpoint: str, release: str, arm: str, status: str) -> tuple[Counter, Histogram]:
    # Looking labels up costs more than counting.
    return requests.labels(endpoint, release, arm, status), latency.labels(endpoint, release, arm)


def lose_telemetry(signal: str, count: int) -> None:
    lost_telemetry.labels(signal).inc(count)


def render() -> bytes:
    """Every metric, in the text format; of all workers where this process is one of several."""
    if FOLDER_OF_ALL not in os.environ:
        return generate_latest(REGISTRY)
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
    return generate_latest(everybody)
