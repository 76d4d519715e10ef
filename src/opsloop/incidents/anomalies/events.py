"""What other slices hear of anomalies in metrics."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("metric.anomaly_found")
@dataclass(frozen=True, slots=True)
class MetricAnomalyFound:
    """A metric left what was usual for it.

    Args:
        anomaly: its id.
        subject: what the metric is of: `endpoint/chat`, or `service/` with the name that telemetry gives.
        series: the watched series, stable over time: signals of one series belong together.
        metric: its name, with the unit.
        at: of the point, ISO 8601 with the zone.
        value, usual: of the point, and what was expected, in the metric's unit.
        score: 1 at the edge of the usual range, an alarm from 2 on.
        sentence: what was found, for people.
    """

    anomaly: str
    subject: str
    series: str
    metric: str
    at: str
    value: float
    usual: float
    score: float
    sentence: str
