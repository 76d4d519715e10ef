"""Metrics of a Prometheus registry as an ExportMetricsServiceRequest, and the thread that sends them now and then.

Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility": names stay as `/metrics` has them,
counters become monotonic sums, histograms keep their bounds; all are cumulative.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prometheus_client import Metric
from prometheus_client.samples import Sample

from opsloop.core.telemetry.otlp.sender import Sender
from opsloop.core.telemetry.otlp.values import SCOPE, put, put_resource, text

CUMULATIVE = 2
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1"}


class Periodic:
    """Offers all metrics every `interval_s`, and once more at the end."""

    def __init__(self, collect: Callable[[], Iterable[Metric]], sender: Sender[Any], interval_s: float) -> None:
        self._collect = collect
        self._sender = sender
        self._interval_s = interval_s
        self._started_ns = time.time_ns()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp-metering", daemon=True)

    def start(self) -> None:
        self._sender.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._sender.stop()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(self._interval_s)
            self._sender.offer([request(self._collect(), started_ns=self._started_ns, now_ns=time.time_ns())])


def message(batch: Sequence[Any]) -> Any:
    """The last of those that wait: sums are cumulative, so it says all that the earlier ones did."""
    return batch[-1]


def request(metrics: Iterable[Metric], *, started_ns: int, now_ns: int) -> Any:
    """Args: started_ns: since when they count, where a series does not say it itself."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    found = ExportMetricsServiceRequest()
    of_resource = found.resource_metrics.add()
    put_resource(of_resource.resource)
    scope = of_resource.scope_metrics.add()
    scope.scope.name = SCOPE
    for each in metrics:
        if each.samples:
            _add(scope.metrics.add(), each, started_ns, now_ns)
    return found


def _add(target: Any, metric: Metric, started_ns: int, now_ns: int) -> None:
    is_counter = metric.type == "counter"
    target.name = f"{metric.name}_total" if is_counter else metric.name
    target.description = text(metric.documentation)
    target.unit = _UNITS.get(metric.unit or metric.name.rpartition("_")[2], "")
    if metric.type == "histogram":
        target.histogram.aggregation_temporality = CUMULATIVE
        _histograms(target.histogram, metric, started_ns, now_ns)
        return
    created = {_key(each): int(each.value * 1e9) for each in metric.samples if each.name.endswith("_created")}
    if is_counter:
        target.sum.aggregation_temporality, target.sum.is_monotonic = CUMULATIVE, True
    points = target.sum.data_points if is_counter else target.gauge.data_points
    for each in metric.samples:
        if not each.name.endswith("_created"):
            point = points.add(time_unix_nano=now_ns, as_double=each.value)
            if is_counter:
                point.start_time_unix_nano = created.get(_key(each), started_ns)
            put(point.attributes, each.labels)


def _histograms(target: Any, metric: Metric, started_ns: int, now_ns: int) -> None:
    series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for each in metric.samples:
        series.setdefault(_key(each), []).append(each)
    for labels, samples in series.items():
        point = target.data_points.add(time_unix_nano=now_ns, start_time_unix_nano=started_ns)
        put(point.attributes, dict(labels))
        before = 0.0
        for each in samples:
            if each.name.endswith("_bucket"):
                bound = float(each.labels["le"])
                if bound != float("inf"):
                    point.explicit_bounds.append(bound)
                point.bucket_counts.append(int(each.value - before))
                before = each.value
            elif each.name.endswith("_sum"):
                point.sum = each.value
            elif each.name.endswith("_created"):
                point.start_time_unix_nano = int(each.value * 1e9)
        point.count = int(before)  # of one reading, so that the counts of the buckets add up to it


def _key(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in sample.labels.items() if name != "le")
