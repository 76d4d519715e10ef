"""Scores out of what evaluation flows give for a row: numbers, true and false, and labels that are counted.

A flow gives what its author liked: `{"grade": "Correct"}`, `{"score": "4"}`, `{"matches": {"exact": 2, "partial": 0}}`.
What can be measured in it gets a name after its place: `matcher.matches.exact`. The one output of a flow goes by the
evaluator's name. A text that is no number is a label when few different ones stand there: then each label is a metric
of its own, such as `classified.grade.Correct`, which is 1 on the rows that have it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Leaf = float | bool | str
DEPTH = 4
LABELS = 20
LABEL_CHARS = 40
FLOW_FAILED = "the flow failed"


@dataclass(frozen=True, slots=True)
class Graded:
    """What an evaluation flow said of a row; `reason` why it said nothing."""

    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """The metrics of an evaluation flow: by row the figures, and by row and metric why there is none."""

    metrics: tuple[str, ...]
    rows: Sequence[dict[str, float | None]]
    errors: Sequence[dict[str, str]]


def leaves_of(outputs: Mapping[str, Any], name: str, only: str | None) -> dict[str, Leaf]:
    """What can be measured, under the names of its metrics.

    Args:
        name: of the evaluator's metric.
        only: the output that goes by the evaluator's name, when the flow has just one.
    """
    found: dict[str, Leaf] = {}
    for key, value in outputs.items():
        found.update(_leaves(value, name if key == only else f"{name}.{key}", DEPTH))
    return found


def value_of(graded: Graded, metric: str) -> float | None:
    """The figure of one row under a metric, which may be that of a label; None when the row has none."""
    if metric in graded.leaves:
        leaf = graded.leaves[metric]
        return None if isinstance(leaf, str) or not math.isfinite(leaf) else float(leaf)
    name, _, label = metric.rpartition(".")
    leaf = graded.leaves.get(name, 0.0)
    return float(leaf == label) if isinstance(leaf, str) else None


def scores(rows: Sequence[Graded], name: str, *, worst: float | None, asked: Collection[str] = ()) -> Scores:
    """Figures of all rows.

    Args:
        worst: what a number counts on a row for which the flow gave none; a share counts 0 there.
        asked: metrics that a gate speaks of; a label among them is measured also when no row has it.
    """
    shares, numbers = _shares(rows, asked), _numbers(rows)
    metrics = tuple(dict.fromkeys([*numbers, *shares]))
    if not metrics and any(row.reason is not None for row in rows):
        metrics = (name,)
    found: list[dict[str, float | None]] = []
    errors: list[dict[str, str]] = []
    for row in rows:
        figures: dict[str, float | None] = {}
        missing: dict[str, str] = {}
        for metric in metrics:
            figure = value_of(row, metric)
            if figure is None:
                missing[metric] = row.reason or _reason(row, metric)
                figure = 0.0 if metric in shares else worst
            figures[metric] = figure
        found.append(figures)
        errors.append(missing)
    return Scores(metrics, found, errors)


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, Leaf]]:
    if isinstance(value, bool | int | float):
        yield name, value if isinstance(value, bool) else float(value)
    elif isinstance(value, str):
        yield name, _number(value)
    elif isinstance(value, Mapping) and depth:
        for key, each in value.items():
            yield from _leaves(each, f"{name}.{key}", depth - 1)
    elif hasattr(value, "__float__"):  # a number of numpy
        yield name, float(value)


def _number(text: str) -> Leaf:
    """Flows of the time before typed outputs give numbers as text."""
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return number if math.isfinite(number) else text.strip()


def _numbers(rows: Sequence[Graded]) -> list[str]:
    """Metrics that are a number on some row."""
    named = ((name, leaf) for row in rows for name, leaf in row.leaves.items())
    return list(dict.fromkeys(name for name, leaf in named if not isinstance(leaf, str | bool)))


def _shares(rows: Sequence[Graded], asked: Collection[str]) -> dict[str, None]:
    """Metrics that say which share of the rows something holds for: of true and false, and of each label."""
    numbers = set(_numbers(rows))
    found: dict[str, None] = {}
    labels: dict[str, list[str]] = {}
    for row in rows:
        for name, leaf in row.leaves.items():
            if isinstance(leaf, bool) and name not in numbers:
                found[name] = None
            elif isinstance(leaf, str) and name not in numbers:
                labels.setdefault(name, []).append(leaf)
    for name, texts in labels.items():
        found.update(dict.fromkeys(each for each in asked if each.rpartition(".")[0] == name))
        if _are_labels(texts):
            found.update(dict.fromkeys(f"{name}.{label}" for label in sorted(set(texts))))
    return found


def _are_labels(texts: Sequence[str]) -> bool:
    """A few short texts that come again; not what a judge writes about each row."""
    different = set(texts)
    repeats = len(different) < len(texts) or len(texts) == 1
    return repeats and len(different) <= LABELS and all(0 < len(text) <= LABEL_CHARS for text in different)


def _reason(row: Graded, metric: str) -> str:
    leaf = row.leaves.get(metric)
    return f"the evaluation flow gave {leaf!r}" if leaf is not None else "the evaluation flow gave nothing for it"
