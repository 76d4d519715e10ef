"""The names of a run's files: `models/model-20261126_030000.onnx`, `metrics/metrics-20261126_030000.txt`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

MOST_TRIES = 1_000


def stamp(at: datetime, is_taken: Callable[[str], bool]) -> str:
    """The second as seeds of such names have it; with a number behind it where another run ended in that second."""
    plain = f"{at.astimezone(UTC):%Y%m%d_%H%M%S}"
    names = [plain, *(f"{plain}-{number}" for number in range(2, MOST_TRIES))]
    return next(name for name in names if not is_taken(name))


def keys(stamp: str) -> dict[str, str]:
    """Keys of the files by what they are."""
    return {
        "model": f"models/model-{stamp}.onnx",
        "metrics": f"metrics/metrics-{stamp}.txt",
        "metrics_json": f"metrics/metrics-{stamp}.json",
    }


def metrics_text(facts: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """Figures for people: what was learned from what, then one figure a line."""
    lines = [f"{name}: {value}" for name, value in facts.items() if value not in (None, "")]
    width = max((len(name) for name in metrics), default=0)
    return "\n".join([*lines, "", *(f"{name:<{width}}  {value:.6g}" for name, value in metrics.items())]) + "\n"
