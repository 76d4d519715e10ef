"""A search finds what is better, the same each time, and its figures are of rows that it did not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.training.errors import FitFailed, PipelineInvalid
from opsloop.training.pipeline import parse
from opsloop.training.runner import train
from opsloop.training.search import parse_search
from opsloop.training.searching import candidates
from opsloop.training.table import Array
from opsloop.training.trained import Trained


def curve(rows: int = 200) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    X = random.uniform(-3, 3, (rows, 1))
    return X, np.sin(2 * X[:, 0]) + random.normal(scale=0.1, size=rows)


def searched(search: dict[str, Any], **declared: Any) -> Trained:
    spec = {"target": "y", "steps": ["knn"], "cross_validation": {"folds": 3}, "search": search, **declared}
    return train(parse(spec, "p"), *curve(), ["x"])


def test_a_grid_tries_all_and_takes_the_best() -> None:
    trained = searched({"method": "grid", "over": {"knn.n_neighbors": [2, 40, 80]}})
    assert trained.search is not None
    assert [each.parameters["knn.n_neighbors"] for each in trained.search.tried] == [2, 40, 80]
    assert trained.search.best.parameters == {"knn.n_neighbors": 2}
    assert trained.search.metric == "mse"
    assert trained.parameters["knn.n_neighbors"] == 2
    assert trained.estimator.n_neighbors == 2


def test_random_tries_are_the_same_each_time_and_within_their_range() -> None:
    search = {"tries": 5, "over": {"knn.n_neighbors": {"low": 1, "high": 30}, "knn.p": {"low": 1.0, "high": 2.0}}}
    one, other = searched(search), searched(search)
    assert one.search == other.search
    assert one.search is not None
    assert len(one.search.tried) == 5
    assert all(1 <= each.parameters["knn.n_neighbors"] <= 30 for each in one.search.tried)
    assert all(1.0 <= each.parameters["knn.p"] <= 2.0 for each in one.search.tried)


def test_a_halving_gives_the_better_candidates_more_rows() -> None:
    search = {"method": "halving", "tries": 9, "over": {"knn.n_neighbors": {"low": 1, "high": 50}}}
    trained = train(parse({"target": "y", "steps": ["knn"], "search": search}), *curve(2_000), ["x"])
    assert trained.search is not None
    rounds = sorted({each.rows for each in trained.search.tried})
    assert len(rounds) == 2
    assert sum(each.rows == rounds[0] for each in trained.search.tried) == 9
    assert sum(each.rows == rounds[1] for each in trained.search.tried) == 3


def test_figures_of_a_search_on_noise_are_not_too_good() -> None:
    random = np.random.default_rng(1)
    X, y = random.normal(size=(120, 30)), random.integers(0, 2, 120)
    over = {
        "decision_tree.min_samples_leaf": {"low": 1, "high": 20},
        "decision_tree.max_features": {"low": 1, "high": 30},
    }
    search = {"tries": 25, "metric": "accuracy", "over": over}
    spec = {"target": "y", "steps": ["decision_tree"], "holdout": 0, "search": search}
    trained = train(parse(spec), X, y, [f"x{place}" for place in range(30)])
    assert trained.search is not None
    assert trained.search.best.score is not None
    assert trained.search.best.score > 0.55
    assert trained.metrics["accuracy"] < 0.55


def test_candidates_that_cannot_be_fitted_are_told_and_left_out() -> None:
    trained = searched({"method": "grid", "over": {"knn.n_neighbors": [5, 500]}})
    assert trained.search is not None
    failed = next(each for each in trained.search.tried if each.score is None)
    assert failed.failure.startswith("KNeighborsRegressor was fitted and cannot predict: Expected n_neighbors")
    with pytest.raises(FitFailed, match="no candidate of the search could be fitted"):
        searched({"method": "grid", "over": {"knn.n_neighbors": [500, 600]}})


def test_an_unknown_option_of_a_search_is_refused_before_any_work() -> None:
    with pytest.raises(
        PipelineInvalid, match=r"p.search.over.ridge.alpha: .*wanted step.option with one of the steps knn"
    ):
        searched({"over": {"ridge.alpha": [1]}})
    with pytest.raises(PipelineInvalid, match=r"knn.neighbours: is 'neighbours'; .*did you mean 'n_neighbors'"):
        searched({"over": {"knn.neighbours": [1]}})


def test_logarithmic_ranges_spread_over_orders_of_magnitude() -> None:
    search = parse_search({"tries": 300, "over": {"a": {"low": 1e-4, "high": 1e4, "log": True}}}, "search", ())
    drawn = np.log10([each["a"] for each in candidates(search, seed=0)])
    assert abs(drawn.mean()) < 0.5
    assert drawn.min() < -3
    assert drawn.max() > 3
