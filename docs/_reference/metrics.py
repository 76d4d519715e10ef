"""The page of every metric, from the registry itself."""

from __future__ import annotations

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from docs._reference.markdown import GENERATED, table
from opsloop.monitoring import metrics

INTRO = """
What `/metrics` has, in Prometheus' text format. Units are at the end of names; labels are bounded sets. A histogram has
`_bucket`, `_sum` and `_count`. Those of the process itself (`process_…`, `python_info`) are Prometheus' usual ones.
"""
_USUAL = ("process_", "python_")


def page() -> str:
    rows = [
        (
            f"`{_name(each.name, each.type)}`",
            each.type,
            ", ".join(f"`{label}`" for label in labels) or "none",
            each.documentation,
        )
        for each, labels in sorted(_metrics(), key=lambda pair: pair[0].name)
    ]
    return (
        "\n\n".join((GENERATED, "# Metrics", INTRO.strip(), table(("metric", "kind", "labels", "what"), rows))) + "\n"
    )


def names() -> set[str]:
    """Every name that an expression may use."""
    found: set[str] = set()
    for each, _ in _metrics():
        found |= {_name(each.name, each.type)}
        if each.type == "histogram":
            found |= {f"{each.name}_{end}" for end in ("bucket", "sum", "count")}
    return found


def _metrics() -> list[tuple[Metric, tuple[str, ...]]]:
    return [
        (family, tuple(collector._labelnames))
        for collector in metrics.REGISTRY._collector_to_names
        if isinstance(collector, MetricWrapperBase)
        for family in collector.describe()
        if not family.name.startswith(_USUAL)
    ]


def _name(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name
