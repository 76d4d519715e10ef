"""Looking for the parameters that do best on rows kept apart, the same ones each time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.training.compute import Compute
from opsloop.training.dividing import Fold, folds, sample
from opsloop.training.errors import FitFailed, PipelineInvalid
from opsloop.training.fitting import Outcome, Recipe, Rows, Trial
from opsloop.training.measure_names import HIGHER_IS_BETTER
from opsloop.training.measures import measured
from opsloop.training.pipeline import Division
from opsloop.training.search import MOST_TRIES, Range, Search
from opsloop.training.table import Array, Table

FACTOR = 3
"""How many times fewer candidates go into each round of a halving, with as many times the rows."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Parameters that were tried.

    Args:
        score: mean over the folds, of the search's metric; None when it could not be fitted.
        rows: how many were learned from in each fold at most.
    """

    parameters: Mapping[str, Any]
    score: float | None
    rows: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to; `tried` is in the order of the tries."""

    metric: str
    best: Candidate
    tried: tuple[Candidate, ...]


@dataclass(frozen=True, eq=False)
class Arena:
    """What candidates are compared on: folds within some rows of a table."""

    search: Search
    recipe: Recipe
    table: Table
    rows: Array
    division: Division
    compute: Compute
    tick: Callable[[str], None]


def candidates(search: Search, *, seed: int, field: str = "search") -> list[dict[str, Any]]:
    """The parameters to try, none twice. Raises: PipelineInvalid for a grid that is too large."""
    if search.method == "grid":
        values = [value for value in search.over.values() if not isinstance(value, Range)]
        size = int(np.prod([len(value) for value in values]))
        if size > MOST_TRIES:
            raise PipelineInvalid(f"{field}.over", f"a grid of at most {MOST_TRIES} candidates; this has {size}")
        return [dict(zip(search.over, each, strict=True)) for each in itertools.product(*values)]
    random = np.random.default_rng(seed)
    found: dict[str, dict[str, Any]] = {}
    for _ in range(10 * search.tries):
        drawn = {name: _drawn(value, random) for name, value in search.over.items()}
        found.setdefault(repr(drawn), drawn)
        if len(found) == search.tries:
            break
    return list(found.values())


def best(arena: Arena) -> Searched:
    """The best parameters by cross-validation within the arena's rows. Raises: FitFailed when none can be fitted."""
    tried: list[Candidate] = []
    left = candidates(arena.search, seed=arena.recipe.seed)
    metric = arena.search.metric or ("log_loss" if arena.table.is_classification else "mse")
    for rows in _rounds(arena, len(left)):
        found, metric = _compared(arena, left, rows, metric)
        tried += found
        ranked = sorted((each for each in found if each.score is not None), key=lambda each: _loss(each, metric))
        if not ranked:
            raise FitFailed(f"no candidate of the search could be fitted: {found[0].failure}")
        left = [dict(each.parameters) for each in ranked[: max(1, -(-len(left) // FACTOR))]]
    return Searched(metric, ranked[0], tuple(tried))


def _rounds(arena: Arena, count: int) -> Sequence[Array]:
    """The rows of each round: all of them but in a halving, whose early rounds have a sample."""
    if arena.search.method != "halving":
        return [arena.rows]
    rounds = max(1, int(np.ceil(np.log(max(count, 2)) / np.log(FACTOR))))
    fewest = min(len(arena.rows), 20 * max(1, len(arena.table.classes)) * arena.search.folds)
    sizes = [max(fewest, len(arena.rows) // FACTOR**left) for left in reversed(range(rounds))]
    if arena.division.time_ordered:
        return [arena.rows[-size:] for size in sizes]
    return [sample(arena.table, arena.rows, size, seed=arena.recipe.seed) for size in sizes]


def _compared(
    arena: Arena, parameters: Sequence[dict[str, Any]], rows: Array, metric: str
) -> tuple[list[Candidate], str]:
    """Each candidate with its score, and the metric, which is accuracy for a model without probabilities."""
    field = f"{arena.recipe.spec.at('search')}.folds"
    parts = folds(arena.table, rows, arena.search.folds, arena.division, seed=arena.recipe.seed, field=field)
    trials = [Trial(part, each) for each in parameters for part in parts]
    outcomes = []
    for found in arena.compute.outcomes(arena.recipe, Rows.of(arena.table), trials):
        outcomes.append(found)
        arena.tick("searching")
    if arena.table.is_classification and not arena.search.metric and not any(_has_probabilities(o) for o in outcomes):
        metric = "accuracy"
    width = len(parts)
    made = [
        _candidate(arena, each, parts, outcomes[place * width : (place + 1) * width], metric)
        for place, each in enumerate(parameters)
    ]
    return made, metric


def _candidate(
    arena: Arena, parameters: dict[str, Any], parts: Sequence[Fold], outcomes: Sequence[Outcome], metric: str
) -> Candidate:
    table, labels = arena.table, arena.recipe.labels
    rows = max(len(part.learn) for part in parts)
    failure = next((each.failure for each in outcomes if each.predicted is None), "")
    if failure:
        return Candidate(parameters, None, rows, failure)
    scores = []
    for part, found in zip(parts, outcomes, strict=True):
        assert found.predicted is not None
        weights = None if table.weights is None else table.weights[part.measure]
        figures = measured(table.y[part.measure], found.predicted, classes=labels, weights=weights)
        if metric not in figures:
            return Candidate(parameters, None, rows, f"{metric} is not defined for what it says")
        scores.append(figures[metric])
    return Candidate(parameters, float(np.mean(scores)), rows)


def _loss(candidate: Candidate, metric: str) -> float:
    assert candidate.score is not None
    return -candidate.score if metric in HIGHER_IS_BETTER else candidate.score


def _has_probabilities(found: Outcome) -> bool:
    return found.predicted is not None and found.predicted.probabilities is not None


def _drawn(value: tuple[Any, ...] | Range, random: np.random.Generator) -> Any:
    if not isinstance(value, Range):
        return value[int(random.integers(len(value)))]
    low, high = (np.log(value.low), np.log(value.high)) if value.is_log else (value.low, value.high)
    if value.is_whole and not value.is_log:
        return int(random.integers(round(value.low), round(value.high) + 1))
    drawn = float(random.uniform(low, high))
    drawn = float(np.exp(drawn)) if value.is_log else drawn
    return int(np.clip(round(drawn), value.low, value.high)) if value.is_whole else drawn
