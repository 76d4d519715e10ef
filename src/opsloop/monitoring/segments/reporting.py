"""Tell how the parts of a model's traffic fare: how much of it, how far it moved, how well the model does there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.drift import inputs, watches
from opsloop.monitoring.drift.inputs import Input, Rows
from opsloop.monitoring.drift.watches import StoredWatch
from opsloop.monitoring.labels.window import LabelledWindow, labelled_window
from opsloop.monitoring.performance.figures import FIRST, figures
from opsloop.monitoring.performance.reports import Figure
from opsloop.monitoring.segments import cutting
from opsloop.monitoring.segments.cutting import Cut
from opsloop.monitoring.segments.reports import Segment, SegmentReport

LEAST_ROWS = 30


def report(
    uow: UnitOfWork,
    endpoint: str,
    feature: str,
    *,
    release: str | None = None,
    window_s: int = 7 * 86_400,
    cuts: Sequence[float] = (),
) -> SegmentReport:
    """The parts of the rows of a window, by an input.

    Args:
        cuts: ends of ranges of a number; those that the release declares, else quartiles of the reference, or its
            categories.
    Raises: NotFound, InvalidInput.
    """
    watch = _watch(uow, endpoint, release)
    fields = inputs.inputs_of(watch)
    place = next((place for place, each in enumerate(fields) if each.name == feature), None)
    if place is None:
        known = ", ".join(each.name for each in fields)
        raise NotFound(f"{watch.model} has no input {feature!r}; it has {known}", name=feature)
    if cuts and not fields[place].is_number:
        raise InvalidInput(field="cuts", value=list(cuts), wanted=f"none: {feature} is {fields[place].type}")
    cuts = cuts or watch.about.get("segments", {}).get(feature, ())
    since = uow.clock.now() - timedelta(seconds=window_s)
    then = inputs.reference(uow.workspace, watch)
    now = inputs.lately(uow, endpoint, release=watch.release, since=since)
    known_rows = then if then is not None and len(then.X) else now
    names, part = (
        cutting.by_range(cuts)
        if cuts
        else cutting.cut_of(known_rows.column(place) if len(known_rows.X) else [], is_number=fields[place].is_number)
    )
    labelled = labelled_window(uow, endpoint, since=since, release=watch.release, rows=inputs.MOST_ROWS)
    task = str(watch.about.get("model", {}).get("task", "classification"))
    found = [
        _segment(name, place, part, fields, then, now, _measured(name, place, part, labelled, task)) for name in names
    ]
    shown = tuple(each for each in found if each.rows or each.reference_share)
    return SegmentReport(endpoint, watch.release, feature, shown)


def _watch(uow: UnitOfWork, endpoint: str, release: str | None) -> StoredWatch:
    found = [each for each in watches.of_endpoint(uow, endpoint) if release in (None, each.release)]
    if not found:
        raise NotFound(f"endpoint {endpoint!r} serves no model that is watched", name=endpoint)
    return found[0]


def _segment(
    name: str, place: int, part: Cut, fields: Sequence[Input], then: Rows | None, now: Rows, measured: Figure | None
) -> Segment:
    new = _inside(now, place, part, name)
    old = None if then is None else _inside(then, place, part, name)
    shifted, shift = ("", None) if old is None else _shift(fields, old, new)
    return Segment(
        name=name,
        rows=len(new.X),
        share=len(new.X) / max(len(now.X), 1),
        reference_share=None if then is None or old is None else len(old.X) / max(len(then.X), 1),
        shift=shift,
        shifted=shifted,
        labelled=0 if measured is None else measured.rows,
        figure=measured,
    )


def _inside(rows: Rows, place: int, part: Cut, name: str) -> Rows:
    if not len(rows.X):
        return rows
    wanted = np.array([part(value) == name for value in rows.column(place)])
    return Rows(rows.X[wanted], [])


def _shift(fields: Sequence[Input], old: Rows, new: Rows) -> tuple[str, float | None]:
    """The input whose mean moved most, and how far."""
    if min(len(old.X), len(new.X)) < LEAST_ROWS:
        return "", None
    found: list[tuple[float, str]] = []
    for place, each in enumerate(fields):
        if not each.is_number:
            continue
        then, now = old.numbers(place), new.numbers(place)
        if min(len(then), len(now)) >= LEAST_ROWS and (spread := float(np.std(then))) > 0:
            found.append((float(np.mean(now) - np.mean(then)) / spread, each.name))
    if not found:
        return "", None
    shift, name = max(found, key=lambda item: abs(item[0]))
    return name, shift


def _measured(name: str, place: int, part: Cut, labelled: LabelledWindow, task: str) -> Figure | None:
    pairs: list[tuple[Any, Any]] = [
        (label, said)
        for row, label, said in zip(labelled.inputs, labelled.labels, labelled.predicted, strict=True)
        if place < len(row) and part(row[place]) == name
    ]
    measured = figures(task, [label for label, _ in pairs], [said for _, said in pairs])
    return next((each for each in measured if each.name == FIRST[task]), None)
