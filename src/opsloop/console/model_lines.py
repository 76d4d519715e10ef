"""Figures of a model over its versions: each beside the version before, and as a small line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.console import charts, words
from opsloop.models.comparison import MetricChange, metric_changes
from opsloop.models.models import ModelVersion
from opsloop.training.figures import shown

MOST_SAID = 8


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure of a version.

    Args:
        change: since the version before; None of a first version.
        path: over the versions, oldest first, as SVG path data; empty where fewer than two have it.
        said: the newest of those in words.
    """

    name: str
    value: float
    change: MetricChange | None
    path: str
    said: str


def figure_lines(version: ModelVersion, versions: Sequence[ModelVersion]) -> list[FigureLine]:
    """Args:
    versions: of the same model, the newest first.
    """
    before = before_of(version, versions)
    changes = {each.name: each for each in metric_changes(before.metrics, version.metrics)} if before else {}
    return [
        _line(name, value, changes.get(name), [each for each in reversed(versions) if name in each.metrics])
        for name, value in version.metrics.items()
    ]


def before_of(version: ModelVersion, versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """The version before, if it is among these."""
    return next((each for each in versions if each.version < version.version), None)


def _line(name: str, value: float, change: MetricChange | None, having: Sequence[ModelVersion]) -> FigureLine:
    values = [each.metrics[name] for each in having]
    newest = having[-MOST_SAID:]
    said = f"{name}: " + ", ".join(f"{each.ref} {shown(each.metrics[name])}" for each in newest)
    return FigureLine(name, value, change, _path(values), said)


def _path(values: Sequence[float]) -> str:
    """From the least to the largest, for figures of versions differ in their last digits; level where none differs."""
    if len(values) < 2:
        return ""
    low, width = min(values), max(values) - min(values)
    return charts.path([(value - low) / width if width else 0.5 for value in values], top=1.0)


def signed(value: float | None) -> str:
    """A difference with its sign."""
    if value is None:
        return words.NONE
    return f"{'+' if value > 0 else ''}{shown(value)}".replace("-", words.MINUS)
