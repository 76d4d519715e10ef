"""The rows that are the normal of a watch, and the rows that came lately, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.models import bundle as bundles
from opsloop.monitoring.drift import baselines
from opsloop.monitoring.drift.watches import StoredWatch
from opsloop.monitoring.predictions import service as predictions

Array = np.ndarray[Any, Any]
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Input:
    """Args: type: `number`, `integer`, `boolean` or `text`."""

    name: str
    type: str

    @property
    def is_number(self) -> bool:
        return self.type in ("number", "integer")


@dataclass(frozen=True, slots=True)
class Rows:
    """Args: X: objects, (rows, inputs); a missing value is None. predictions: one per row."""

    X: Array
    predictions: list[Any]

    def column(self, place: int) -> list[Any]:
        found: list[Any] = self.X[:, place].tolist() if len(self.X) else []
        return found

    def numbers(self, place: int) -> Array:
        """A column of numbers without those that are missing."""
        return np.array([value for value in self.column(place) if value is not None], dtype=float)


def inputs_of(watch: StoredWatch) -> list[Input]:
    """The inputs of the watched model; none when the watch does not say."""
    return [Input(str(each["name"]), str(each["type"])) for each in watch.about.get("model", {}).get("inputs", [])]


def reference(workspace: Workspace, watch: StoredWatch) -> Rows | None:
    """What is normal: accepted rows, else those of the model's bundle; None when neither is in this store."""
    try:
        if watch.baseline is not None:
            X, said = baselines.decoded(workspace.artifacts.get(watch.baseline), is_numeric=False)
            return Rows(_objects(X), said)
        return _of_bundle(bundles.of_store(workspace.artifacts, watch.digest))
    except ArtifactMissing:
        return None


@dataclass(frozen=True, slots=True)
class Truth:
    """Reference rows with what was right for them."""

    rows: Rows
    labels: list[Any]


def labelled_reference(workspace: Workspace, watch: StoredWatch) -> Truth | None:
    """The reference rows of the model's bundle with their labels; None when the store or the bundle has none."""
    try:
        bundle = bundles.of_store(workspace.artifacts, watch.digest)
        rows, labels = _of_bundle(bundle), bundle.array(bundles.LABELS)
    except ArtifactMissing:
        return None
    if rows is None or labels is None:
        return None
    classes = bundle.signature.output.classes
    return Truth(rows, [classes[int(code)] for code in labels] if classes else labels.tolist())


def _of_bundle(bundle: bundles.Bundle) -> Rows | None:
    baseline, said = bundle.baseline, bundle.array(bundles.BASELINE_PREDICTIONS)
    if baseline is None:
        return None
    X = _objects(baseline)
    for place, field in enumerate(bundle.signature.inputs):
        categories = bundle.manifest.codes.get(field.name)
        if categories is not None:
            X[:, place] = [None if code is None else _category(categories, code) for code in X[:, place]]
    classes = bundle.signature.output.classes
    codes = [] if said is None else said.tolist()
    return Rows(X, [classes[int(code)] for code in codes] if classes else codes)


def _category(categories: tuple[str, ...], code: float) -> str | None:
    return categories[int(code)] if 0 <= int(code) < len(categories) else None


def lately(
    uow: UnitOfWork, endpoint: str, *, release: str, since: datetime | None = None, limit: int = MOST_ROWS
) -> Rows:
    """The newest rows that a release predicted."""
    rows: list[list[Any]] = []
    said: list[Any] = []
    before: int | None = None
    while len(rows) < limit:
        found = predictions.newest(uow, endpoint, release=release, since=since, before_seq=before, limit=500)
        for each in found:
            rows += [[float(value) if isinstance(value, bool) else value for value in row] for row in each.inputs]
            said += [*each.predictions, *[None] * len(each.inputs)][: len(each.inputs)]
        if len(found) < 500:
            break
        before = found[-1].seq
    return Rows(_objects(baselines.matrix(rows[:limit], is_numeric=False)), said[:limit])


def _objects(X: Array) -> Array:
    found = X.astype(object)
    # NaN does not equal itself.
    found[found != found] = None
    return found
