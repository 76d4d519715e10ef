"""How long the flow took for a row, in milliseconds. A row on which it failed has none and is counted as failed.

Rows run several at a time, as requests do: compare latencies with those of a baseline, not with one request alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.registry import Evaluator, Input, register


def latency(values: Mapping[str, Any]) -> float:
    return float(values["latency_ms"])


register(
    Evaluator(
        "latency",
        (Input("latency_ms", ("run.latency_ms",)),),
        lambda _: latency,
        higher_is_better=False,
        worst=None,
        unit="ms",
    )
)
