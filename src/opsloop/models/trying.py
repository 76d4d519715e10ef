"""A model run on some rows to see whether it can serve: it must say something of each, and of each the same alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.models import bundle as bundles
from opsloop.models.errors import ModelFileBroken
from opsloop.models.runtime import LoadedModel, Predictions
from opsloop.models.signature import Task

ALONE = 50


def tried(model: LoadedModel, X: NDArray[Any]) -> Predictions:
    """What it says of the rows. Raises: ModelFileBroken."""
    is_regression = model.signature.output.task is Task.REGRESSION
    if is_regression != model.says_numbers:
        wanted = "numbers, for a regression" if is_regression else "labels, for a classification"
        said = "numbers" if model.says_numbers else "labels"
        raise ModelFileBroken(file=bundles.MODEL, reason=f"its first output is of {said}; wanted {wanted}")
    found = _run(model, X)
    if len(found.values) != len(X):
        raise ModelFileBroken(file=bundles.MODEL, reason=f"it says {len(found.values)} things of {len(X)} rows")
    output = model.signature.output
    if is_regression:
        if not np.isfinite(np.asarray(found.values, dtype=np.float64)).all():
            raise ModelFileBroken(file=bundles.MODEL, reason="of some reference rows it says no finite number")
        return found
    strange = next((value for value in found.values if value not in output.classes), None)
    if strange is not None:
        known = ", ".join(map(str, output.classes[:10]))
        reason = f"of a reference row it says {strange!r}, which is none of the classes {known}"
        raise ModelFileBroken(file=bundles.MODEL, reason=reason)
    _check_scores(found, output.classes)
    return found


def largest_gap_alone(model: LoadedModel, X: NDArray[Any], together: Predictions) -> float:
    """How far what a model says of a row alone is from what it says of it among others; 1 for another class."""
    gap = 0.0
    for at in range(min(ALONE, len(X))):
        alone = _run(model, X[at : at + 1])
        if alone.scores is not None and together.scores is not None:
            gap = max(gap, float(np.max(np.abs(alone.scores[0] - together.scores[at]))))
        elif model.signature.output.task is Task.REGRESSION:
            gap = max(gap, abs(alone.values[0] - together.values[at]))
        elif alone.values[0] != together.values[at]:
            gap = 1.0
    return gap


def _run(model: LoadedModel, X: NDArray[Any]) -> Predictions:
    try:
        return model.predict(X)
    except Exception as error:  # noqa: BLE001 (the runtime's errors have no common class)
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelFileBroken(file=bundles.MODEL, reason=f"it does not take rows of its signature: {reason}") from None


def _check_scores(found: Predictions, classes: tuple[Any, ...]) -> None:
    if found.scores is None:
        return
    if not isinstance(found.scores, np.ndarray) or found.scores.ndim != 2:
        reason = "its second output is no table of probabilities; convert it with the option zipmap=False"
        raise ModelFileBroken(file=bundles.MODEL, reason=reason)
    if found.scores.shape[1] != len(classes):
        reason = f"it has probabilities of {found.scores.shape[1]} classes, the signature has {len(classes)}"
        raise ModelFileBroken(file=bundles.MODEL, reason=reason)
    best = np.sort(found.scores, axis=1)
    is_sure = best[:, -1] - best[:, -2] > 1e-4 if best.shape[1] > 1 else np.ones(len(best), dtype=bool)
    named = np.array([classes.index(value) for value in found.values])
    if (found.scores.argmax(axis=1) != named)[is_sure].any():
        reason = "the class it names is not the one with the largest probability; wanted probabilities in the order "
        raise ModelFileBroken(file=bundles.MODEL, reason=reason + "of the sorted classes")
