"""Points of metrics of a request of the protocol: gauges, sums, histograms of both kinds, summaries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from opsloop.monitoring.telemetry.models import Point, Resource, Series
from opsloop.monitoring.telemetry.otlp.rejecting import Rejected
from opsloop.monitoring.telemetry.otlp.spans import LATEST_NS, resource_sent
from opsloop.monitoring.telemetry.otlp.values import NAME_CHARS, attributes, text
from opsloop.monitoring.telemetry.storing import id_of

TEMPORALITIES = ("unspecified", "delta", "cumulative")
MOST_BUCKETS = 1_024


def points(request: Any, rejected: Rejected) -> list[Point]:
    """The points that can be stored. Args: request: an ExportMetricsServiceRequest."""
    found: list[Point] = []
    for of_resource in request.resource_metrics:
        resource = resource_sent(of_resource.resource)
        for of_scope in of_resource.scope_metrics:
            for metric in of_scope.metrics:
                found += _of_metric(metric, resource, rejected)
    return found


def _of_metric(metric: Any, resource: Resource, rejected: Rejected) -> Iterator[Point]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    word = kind.replace("_", " ")
    temporality = getattr(data, "aggregation_temporality", None)
    if temporality is not None:
        word = f"{word} {TEMPORALITIES[temporality] if 0 <= temporality < 3 else TEMPORALITIES[0]}"
    name = text(metric.name, NAME_CHARS)
    for each in data.data_points:
        fault = _fault(each, name)
        if fault is not None:
            rejected.add(fault)
            continue
        if each.flags & 1:  # NO_RECORDED_VALUE: the series has a gap here
            continue
        value, count, content = _reading(each, kind)
        if not math.isfinite(value):
            rejected.add(f"metric {name!r}: a value that is no finite number")
            continue
        yield Point(_series(metric, name, word, each, resource), each.time_unix_nano // 1000, value, count, content)


def _series(metric: Any, name: str, kind: str, point: Any, resource: Resource) -> Series:
    found = attributes(point.attributes)[0]
    unit = text(metric.unit, 63)
    id = id_of(resource.id, name, unit, kind, sorted(found.items()))
    return Series(id, resource, name, unit, kind, text(metric.description, 1_000), found)


def _fault(point: Any, name: str) -> str | None:
    if not name:
        return "a metric without a name"
    if not 0 < point.time_unix_nano < LATEST_NS:
        return f"metric {name!r}: time_unix_nano is {point.time_unix_nano}; wanted nanoseconds since 1970"
    return None


def _reading(point: Any, kind: str) -> tuple[float, int | None, dict[str, Any] | None]:
    """The value, how many observations are in it, and what else there is."""
    if kind in ("gauge", "sum"):
        return (float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double), None, None
    count = min(point.count, 2**62)
    if kind == "histogram":
        content = {"bounds": _finite(point.explicit_bounds), "counts": list(point.bucket_counts[:MOST_BUCKETS])}
    elif kind == "summary":
        content = {"quantiles": [[each.quantile, _plain(each.value)] for each in point.quantile_values[:MOST_BUCKETS]]}
    else:
        sides = (("positive", point.positive), ("negative", point.negative))
        content = {
            "scale": point.scale,
            "zero_count": point.zero_count,
            **{name: [side.offset, list(side.bucket_counts[:MOST_BUCKETS])] for name, side in sides},
        }
    return point.sum, count, content


def _finite(numbers: Any) -> list[float | None]:
    return [_plain(each) for each in numbers[:MOST_BUCKETS]]


def _plain(number: float) -> float | None:
    return number if math.isfinite(number) else None
