"""How one input, or what a model says, went over time: a mean, or the share of a category, beside the reference."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.drift import inputs, watches
from opsloop.monitoring.drift.distribution import PREDICTION
from opsloop.monitoring.drift.reports import Course, CoursePoint
from opsloop.monitoring.predictions import series

MOST_REQUESTS = 1_500
ROWS_OF_A_REQUEST = 20


def course(uow: UnitOfWork, endpoint: str, feature: str, *, release: str, window_s: int, points: int) -> Course:
    """Of a watched release, from requests spread evenly over a window that ends now.

    Raises: NotFound.
    """
    watch = watches.get(uow, endpoint, release)
    if watch is None:
        raise NotFound(f"endpoint {endpoint!r} serves no model that is watched", name=endpoint)
    names = [each.name for each in inputs.inputs_of(watch)]
    place = names.index(feature) if feature in names else None
    if place is None and feature != PREDICTION:
        raise NotFound(f"{watch.model} has no input {feature!r}; it has {', '.join(names)}", name=feature)
    begin, step_s = uow.clock.now() - timedelta(seconds=window_s), window_s / points
    found: dict[int, list[Any]] = defaultdict(list)
    for each in series.sampled(uow, endpoint, release=release, window_s=window_s, most=MOST_REQUESTS):
        rows = each.predictions if place is None else [row[place] for row in each.inputs if place < len(row)]
        found[min(int((each.started_at - begin).total_seconds() / step_s), points - 1)] += rows[:ROWS_OF_A_REQUEST]
    reference = inputs.reference(uow.workspace, watch)
    then = [] if reference is None else reference.predictions if place is None else reference.column(place)
    category = _category(then or [value for values in found.values() for value in values])
    return Course(
        feature,
        "mean" if category is None else f"share of {category}",
        _value(then, category),
        tuple(_point(begin, step_s, index, values, category) for index, values in sorted(found.items())),
    )


def _point(begin: datetime, step_s: float, index: int, values: Sequence[Any], category: str | None) -> CoursePoint:
    return CoursePoint(begin + timedelta(seconds=index * step_s), len(values), _value(values, category))


def _category(values: Sequence[Any]) -> str | None:
    """The most frequent one; None of numbers."""
    known = [value for value in values if value is not None]
    if not known or all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return None
    counts = Counter(map(str, known))
    return min(counts, key=lambda each: (-counts[each], each))


def _value(values: Sequence[Any], category: str | None) -> float | None:
    if category is not None:
        return sum(str(value) == category for value in values) / len(values) if values else None
    numbers = np.array([value for value in values if isinstance(value, int | float)], dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    return float(numbers.mean()) if len(numbers) else None
