"""Metrics that aggregation nodes log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opsloop.core.errors import InvalidInput

_collected: ContextVar[dict[str, float] | None] = ContextVar("collected_metrics", default=None)


@contextmanager
def collecting() -> Iterator[dict[str, float]]:
    """Collect what `log_metric` is called with inside this block, in threads that copy its context too."""
    metrics: dict[str, float] = {}
    token = _collected.set(metrics)
    try:
        yield metrics
    finally:
        _collected.reset(token)


def log_metric(key: str, value: float, variant_id: str | None = None) -> None:
    """Record a metric of the batch; outside of an aggregation it goes nowhere, as in Prompt flow.

    Raises: InvalidInput when the value is no number.
    """
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise InvalidInput(field=f"metric {key}", value=value, wanted="a number")
    metrics = _collected.get()
    if metrics is not None:
        metrics[key if variant_id is None else f"{key}.{variant_id}"] = float(value)
