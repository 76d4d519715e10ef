"""Training: divide the rows, search, cross-validate, fit, measure on rows held out, calibrate intervals.

Everything follows from the pipeline, its seed and the rows: run again, it gives the same model to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opsloop.training.building import built, check_features, completed
from opsloop.training.calibrating import calibrated, scale_of
from opsloop.training.compute import Compute, InProcess
from opsloop.training.confusion import confusion_of
from opsloop.training.dividing import Fold, folds, held_out, rare
from opsloop.training.errors import FitFailed
from opsloop.training.fitting import Fitted, Outcome, Recipe, Rows, Trial, fitted, predictions, said_once
from opsloop.training.functions import source_of
from opsloop.training.importance import importance_of
from opsloop.training.measure_names import HIGHER_IS_BETTER
from opsloop.training.measures import Predicted, measured
from opsloop.training.pipeline import PipelineSpec
from opsloop.training.search import Search
from opsloop.training.searching import Arena, Searched, best, candidates
from opsloop.training.surroundings import surroundings
from opsloop.training.table import Array, Table
from opsloop.training.tabulating import table_of_arrays
from opsloop.training.trained import Reference, Trained, spreads

Progress = Callable[[int, int, str], None]
"""Told how many of how many steps are done, and at what; may raise to end the run."""


def train(
    spec: PipelineSpec,
    X: Array,
    y: Array,
    names: Sequence[str],
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    compute: Compute | None = None,
    **others: Array,
) -> Trained:
    """Train on a matrix of features and its target.

    Args:
        names: of the features, in X's order.
        seed: in place of the pipeline's.
        others: columns that the pipeline names besides features and target, such as groups.
    Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, ExtraNeeded.
    """
    return train_table(
        spec, table_of_arrays(spec, X, y, names, **others), seed=seed, progress=progress, compute=compute
    )


def train_table(
    spec: PipelineSpec,
    table: Table,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    compute: Compute | None = None,
    environment: Mapping[str, Any] | None = None,
) -> Trained:
    """Train on a table.

    Args:
        environment: more to record, such as the digest of the data.
    Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, ExtraNeeded.
    """
    chosen = spec if seed is None else replace(spec, seed=seed)
    whole, notes = completed(chosen, table.features)
    check_features(whole, table.features)
    source = source_of(whole) if whole.function is not None else None
    labels = np.unique(table.y) if table.is_classification else None
    recipe = Recipe(whole, table.features, table.task, chosen.seed, source, labels)
    _check(recipe)
    return _Run(recipe, table, compute or InProcess(), progress).trained(notes, environment or {})


def _check(recipe: Recipe) -> None:
    """Look at options and functions before any work is done."""
    if recipe.source is not None:
        recipe.source.check()
    else:
        built(recipe.spec, recipe.features, recipe.task, {}, recipe.known)
        search = recipe.spec.search
        if search is not None:
            for each in candidates(search, seed=recipe.seed, field=recipe.spec.at("search"))[:50]:
                built(recipe.spec, recipe.features, recipe.task, each, recipe.known)


@dataclass(frozen=True, eq=False)
class _Validated:
    """What the folds came to: figures of each, and what was said about every row that was measured."""

    figures: list[Mapping[str, float]]
    rows: Array
    predicted: Predicted
    warnings: tuple[str, ...]


class _Run:
    """One run, and how far it is."""

    def __init__(self, recipe: Recipe, table: Table, compute: Compute, progress: Progress | None) -> None:
        self.recipe = recipe
        self.spec = recipe.spec
        self.table = table
        self.rows = Rows.of(table)
        self.compute = compute
        self.classes = recipe.labels
        self._progress = progress
        self._done = 0
        self._total = self._steps()

    def trained(self, notes: tuple[str, ...], environment: Mapping[str, Any]) -> Trained:
        fold = held_out(self.spec, self.table)
        searched = self._search(fold.learn)
        found = searched.best.parameters if searched is not None else {}
        validated = self._validate(fold.learn, found)
        final = fitted(self.recipe, self.rows, fold.learn, found)
        self.tick("fitting")
        measure = fold.measure
        predicted = self._predicted(final, measure)
        importance = None
        if predicted is not None:
            importance = importance_of(
                final.estimator,
                self.table.X[measure],
                self.table.y[measure],
                self.table.names,
                classes=self.classes,
                seed=self.recipe.seed,
                tick=self.tick,
            )
        figures = spreads(validated.figures) if validated is not None else {}
        metrics = {name: each.mean for name, each in figures.items()}
        if predicted is not None:
            metrics = dict(self._measured(measure, predicted))
        rows, said = (measure, predicted) if predicted is not None else _of(validated)
        constant = self._measured(rows, self._constant(fold.learn, len(rows)))
        warnings = (*self.table.notes, *notes, *final.warnings, *(validated.warnings if validated else ()))
        warnings += _no_better(metrics, constant)
        return Trained(
            estimator=final.estimator,
            rows=len(fold.learn),
            reference=self._reference(measure, predicted, validated),
            rows_known=self.table.X,
            features=self.table.features,
            target=self.table.target,
            task=self.table.task,
            classes=self.table.classes,
            metrics=metrics,
            measured_on="held_out" if predicted is not None else "folds",
            measured_rows=len(measure) if predicted is not None else len(fold.learn),
            constant=constant,
            folds=figures,
            confusion=None if self.classes is None else confusion_of(self.table.y[rows], said.values, self.classes),
            importance=importance,
            conformal=self._conformal(measure, predicted, validated),
            search=searched,
            parameters={**self._parameters(final), **found},
            environment={**surroundings(), **self._code(), "seed": self.recipe.seed, **environment},
            warnings=said_once(warnings),
        )

    def tick(self, message: str) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total, message)

    def _search(self, rows: Array) -> Searched | None:
        if self.spec.search is None:
            return None
        division = self.spec.cross_validation.division if self.spec.cross_validation else self.spec.holdout.division
        arena = Arena(self.spec.search, self.recipe, self.table, rows, division, self.compute, self.tick)
        return best(arena)

    def _validate(self, rows: Array, found: Mapping[str, Any]) -> _Validated | None:
        """Cross-validate; with a search every fold searches anew, so that no score is of rows that were searched on."""
        validation = self.spec.cross_validation
        if validation is None:
            return None
        parts = folds(
            self.table,
            rows,
            validation.folds,
            validation.division,
            seed=self.recipe.seed,
            field=self.spec.at("cross_validation.folds"),
        )
        trials = [Trial(part, self._found_in(part) if self.spec.search is not None else found) for part in parts]
        outcomes = []
        for each in self.compute.outcomes(self.recipe, self.rows, trials):
            outcomes.append(each)
            self.tick("cross-validating")
        return self._joined(parts, outcomes)

    def _found_in(self, part: Fold) -> Mapping[str, Any]:
        searched = self._search(part.learn)
        assert searched is not None
        return searched.best.parameters

    def _joined(self, parts: Sequence[Fold], outcomes: Sequence[Outcome]) -> _Validated:
        figures, values, probabilities = [], [], []
        for part, each in zip(parts, outcomes, strict=True):
            if each.predicted is None:
                raise FitFailed(each.failure)
            figures.append(self._measured(part.measure, each.predicted))
            values.append(each.predicted.values)
            probabilities.append(each.predicted.probabilities)
        known = [each for each in probabilities if each is not None]
        joined = Predicted(np.concatenate(values), np.concatenate(known) if len(known) == len(values) else None)
        said = [sentence for each in outcomes for sentence in each.warnings]
        if self.classes is not None:
            said += rare(self.table.y[np.concatenate([part.measure for part in parts])], len(parts))
        return _Validated(figures, np.concatenate([part.measure for part in parts]), joined, tuple(said))

    def _predicted(self, final: Fitted, measure: Array) -> Predicted | None:
        return predictions(final.estimator, self.table.X[measure], self.classes) if len(measure) else None

    def _constant(self, learn: Array, rows: int) -> Predicted:
        """What a model says that looks at no feature."""
        y, weights = self.table.y[learn], None if self.table.weights is None else self.table.weights[learn]
        if self.classes is None:
            return Predicted(np.full(rows, np.average(y, weights=weights)))
        shares = np.bincount(np.searchsorted(self.classes, y), weights=weights, minlength=len(self.classes))
        shares = shares / shares.sum()
        return Predicted(np.full(rows, self.classes[shares.argmax()]), np.tile(shares, (rows, 1)))

    def _measured(self, rows: Array, predicted: Predicted) -> Mapping[str, float]:
        weights = None if self.table.weights is None else self.table.weights[rows]
        return measured(self.table.y[rows], predicted, classes=self.classes, weights=weights)

    def _conformal(self, measure: Array, predicted: Predicted | None, validated: _Validated | None) -> Any:
        intervals = self.spec.intervals
        source = predicted if predicted is not None else (validated.predicted if validated else None)
        if intervals is None or source is None or (self.classes is not None and source.probabilities is None):
            return None
        rows = measure if predicted is not None or validated is None else validated.rows
        scale = None
        if self.classes is None and validated is not None and intervals.method == "normalised":
            scale = scale_of(self.table.y[validated.rows], validated.predicted.values)
        return calibrated(
            intervals,
            self.table.y[rows],
            source,
            calibrated_on="held_out" if predicted is not None else "folds",
            classes=self.classes,
            scale=scale,
            seed=self.recipe.seed,
            note=self._supposition(predicted is not None),
        )

    def _reference(self, measure: Array, predicted: Predicted | None, validated: _Validated | None) -> Reference:
        known = [(measure, predicted.values)] if predicted is not None else []
        known += [(validated.rows, validated.predicted.values)] if validated is not None else []
        rows = np.concatenate([each for each, _ in known])
        order = np.argsort(rows)
        if len(rows) == self.table.rows:
            return Reference(self.table.X, self.table.y, np.concatenate([said for _, said in known])[order])
        rows = rows[order]
        return Reference(self.table.X[rows], self.table.y[rows], np.concatenate([said for _, said in known])[order])

    def _supposition(self, is_held_out: bool) -> str:
        division = self.spec.holdout.division
        if not is_held_out:
            return "calibrated on folds: the coverage holds about, and has no guarantee; hold rows out for one"
        if division.time_ordered:
            return "the coverage is guaranteed only as long as later rows are like those held out"
        if division.by:
            return f"the coverage is guaranteed for new values of {division.by} only on average over many of them"
        return ""

    def _parameters(self, final: Fitted) -> dict[str, Any]:
        if self.recipe.source is not None:
            return dict(self.recipe.source.parameters)
        return {f"{step.name}.{name}": value for step in self.spec.steps for name, value in step.options.items()}

    def _code(self) -> dict[str, str]:
        source = self.recipe.source
        return {} if source is None else {"function": source.function.ref, "function_sha256": source.digest}

    def _steps(self) -> int:
        validation = self.spec.cross_validation
        outer = validation.folds if validation is not None else 0
        searching = _tries(self.spec.search, self.recipe.seed) * (outer + 1)
        measured_features = len(self.table.features) if self.spec.holdout.share else 0
        return searching + outer + 1 + measured_features


def _of(validated: _Validated | None) -> tuple[Array, Predicted]:
    assert validated is not None
    return validated.rows, validated.predicted


def _no_better(metrics: Mapping[str, float], constant: Mapping[str, float]) -> tuple[str, ...]:
    """A sentence when the model does no better than one that says the same of every row."""
    metric = next(name for name in ("log_loss", "accuracy", "rmse") if name in metrics)
    sign = -1 if metric in HIGHER_IS_BETTER else 1
    if sign * metrics[metric] < sign * constant[metric]:
        return ()
    figures = f"{metric} {metrics[metric]:.4g} against {constant[metric]:.4g}"
    return (f"the model does no better than always saying the same: {figures}; the features say nothing of the target",)


def _tries(search: Search | None, seed: int) -> int:
    """Fits of one search, about: a halving has fewer in each later round."""
    if search is None:
        return 0
    count = len(candidates(search, seed=seed))
    total = count
    while search.method == "halving" and count > 1:
        count = -(-count // 3)
        total += count
    return total * search.folds
