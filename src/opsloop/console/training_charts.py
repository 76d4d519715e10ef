"""What is drawn of a training run: the scores of its folds, and how much each input matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.console import charts
from opsloop.training.figures import shown

MOST_BARS = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """`width` is in percent of the largest; `is_below` for a value under 0."""

    name: str
    value: float
    spread: float | None
    width: float
    is_below: bool

    @property
    def figure(self) -> str:
        return shown(self.value) + (f" ± {shown(self.spread)}" if self.spread is not None else "")


@dataclass(frozen=True, slots=True)
class FoldChart:
    """The scores of one figure, fold by fold, from `low` at the lower edge to `top`."""

    name: str
    path: str
    low: float
    top: float
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)


def importance_bars(found: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """The inputs that matter most first."""
    ordered = sorted(found, key=lambda each: -abs(float(each["mean"])))[:MOST_BARS]
    largest = max((abs(float(each["mean"])) for each in ordered), default=0.0) or 1.0
    return [
        Bar(
            name=str(each["name"]),
            value=float(each["mean"]),
            spread=None if each.get("spread") is None else float(each["spread"]),
            width=round(100 * abs(float(each["mean"])) / largest, 2),
            is_below=float(each["mean"]) < 0,
        )
        for each in ordered
    ]


def fold_charts(folds: Sequence[Mapping[str, float]]) -> list[FoldChart]:
    """One chart for each figure that every fold has."""
    names = [name for name in (folds[0] if folds else {}) if all(fold.get(name) is not None for fold in folds)]
    return [_chart(name, tuple(float(fold[name]) for fold in folds)) for name in names]


def _chart(name: str, values: tuple[float, ...]) -> FoldChart:
    """From 0, or from below the least value when that is negative or far above 0."""
    low = 0.0 if 0 <= min(values) < 0.5 * max(values) else min(values) - 0.25 * (max(values) - min(values))
    if low == max(values):
        low -= abs(low) or 1.0
    span = max(values) - low
    top = low + 1.1 * span
    return FoldChart(name, charts.path([value - low for value in values], top=1.1 * span), low, top, values)
