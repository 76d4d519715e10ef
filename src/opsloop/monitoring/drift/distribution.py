"""How one input was spread in the reference, and how it is now: shares over the same bins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.drift import inputs, watches
from opsloop.monitoring.drift.inputs import Rows
from opsloop.monitoring.drift.reports import Bin, Distribution

BINS = 20
MOST_CATEGORIES = 12
PREDICTION = "prediction"
"""The name under which what a model says is a feature too."""


def distribution(
    uow: UnitOfWork, endpoint: str, feature: str, *, release: str | None = None, since: datetime | None = None
) -> Distribution:
    """An input, or the prediction, of a watched release.

    Args:
        since: only rows from then on are `now`; those of an alarm began with its change.
    Raises: NotFound.
    """
    found = [each for each in watches.of_endpoint(uow, endpoint) if release in (None, each.release)]
    if not found:
        raise NotFound(f"endpoint {endpoint!r} serves no model that is watched", name=endpoint)
    watch = found[0]
    fields = inputs.inputs_of(watch)
    places = {each.name: place for place, each in enumerate(fields)}
    if feature not in (*places, PREDICTION):
        raise NotFound(f"{watch.model} has no input {feature!r}; it has {', '.join(places)}", name=feature)
    then = inputs.reference(uow.workspace, watch)
    now = inputs.lately(uow, endpoint, release=watch.release, since=since, limit=2_000)
    old, new = _values(then, places.get(feature)), _values(now, places.get(feature))
    are_numbers = fields[places[feature]].is_number if feature in places else _are_numbers([*old, *new])
    bins = _of_numbers(old, new) if are_numbers else _of_categories(old, new)
    return Distribution(feature, watch.release, len(old), len(new), tuple(bins))


def _values(rows: Rows | None, place: int | None) -> list[Any]:
    if rows is None:
        return []
    return rows.predictions if place is None else rows.column(place)


def _are_numbers(values: Sequence[Any]) -> bool:
    return any(isinstance(value, float) for value in values)


def _of_numbers(old: Sequence[Any], new: Sequence[Any]) -> list[Bin]:
    then, now = (np.array([value for value in values if value is not None], dtype=float) for values in (old, new))
    every = np.concatenate([then, now])
    every = every[np.isfinite(every)]
    if not len(every):
        return []
    edges = np.linspace(every.min(), every.max() if np.ptp(every) > 0 else every.min() + 1, BINS + 1)
    before, after = (np.histogram(values, edges)[0] / max(len(all_), 1) for values, all_ in ((then, old), (now, new)))
    found = [
        Bin(f"{low:.4g} to {high:.4g}", float(was), float(is_))
        for low, high, was, is_ in zip(edges[:-1], edges[1:], before, after, strict=True)
    ]
    missing = [sum(value is None for value in values) / max(len(values), 1) for values in (old, new)]
    return [*found, Bin("missing", *missing)] if any(missing) else found


def _of_categories(old: Sequence[Any], new: Sequence[Any]) -> list[Bin]:
    before, after = Counter(map(_word, old)), Counter(map(_word, new))
    ordered = sorted({*before, *after}, key=lambda each: (-(before[each] + after[each]), each))
    shown, others = ordered[:MOST_CATEGORIES], ordered[MOST_CATEGORIES:]

    def share(counts: Counter[str], names: Sequence[str], total: int) -> float:
        return sum(counts[name] for name in names) / max(total, 1)

    groups = [(name, [name]) for name in shown] + ([("others", others)] if others else [])
    return [Bin(name, share(before, names, len(old)), share(after, names, len(new))) for name, names in groups]


def _word(value: Any) -> str:
    return "missing" if value is None else str(value)
