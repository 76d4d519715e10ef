"""Training on the data that come with scikit-learn, and on what a user may declare."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from opsloop.training.errors import DataUnfit, FitFailed
from opsloop.training.pipeline import parse
from opsloop.training.runner import train
from opsloop.training.trained import Trained


def iris(**declared: Any) -> Trained:
    data = load_iris()
    return train(parse({"target": "species", **declared}), data.data, data.target, data.feature_names)


def diabetes(**declared: Any) -> Trained:
    data = load_diabetes()
    return train(parse({"target": "progress", **declared}), data.data, data.target, data.feature_names)


@pytest.mark.parametrize(
    "steps",
    [
        ["scale", "logistic_regression"],
        [{"random_forest": {"n_estimators": 20}}],
        [{"gradient_boosting": {"max_iter": 20}}],
        ["scale", "knn"],
        [{"polynomial": {"degree": 2}}, "scale", {"pca": {"n_components": 3}}, "logistic_regression"],
    ],
)
def test_species_of_iris_are_told_apart(steps: list[Any]) -> None:
    trained = iris(steps=steps)
    assert trained.task == "classification"
    assert trained.classes == (0, 1, 2)
    assert trained.metrics["accuracy"] > 0.9
    assert trained.measured_rows == 30
    assert len(trained.folds["accuracy"].values) == 5
    assert trained.conformal is not None
    assert trained.importance is not None
    assert trained.importance.features[0].feature.startswith("petal")


@pytest.mark.parametrize(
    "steps", [["scale", "ridge"], ["linear_regression"], [{"gradient_boosting": {"max_iter": 20}}]]
)
def test_progress_of_diabetes_is_predicted(steps: list[Any]) -> None:
    trained = diabetes(steps=steps)
    assert trained.task == "regression"
    assert 0.2 < trained.metrics["r2"] < 0.7
    assert trained.metrics["rmse"] == pytest.approx(trained.metrics["mse"] ** 0.5)


def test_the_same_again_gives_the_same_predictions_whatever_the_threads() -> None:
    steps = [{"random_forest": {"n_estimators": 20}}]
    one, other = iris(steps=steps, seed=7), iris(steps=steps, seed=7)
    X = load_iris().data
    assert np.array_equal(one.estimator.predict_proba(X), other.estimator.predict_proba(X))
    assert one.metrics == other.metrics
    assert one.importance == other.importance
    assert one.conformal == other.conformal


def test_another_seed_holds_other_rows_out() -> None:
    one, other = (iris(steps=["knn"], seed=seed).conformal for seed in (1, 2))
    assert one is not None
    assert other is not None
    assert one.scores != other.scores


def test_without_held_out_rows_the_folds_measure() -> None:
    trained = iris(steps=["knn"], holdout={"share": 0})
    assert trained.measured_on == "folds"
    assert trained.metrics["accuracy"] == trained.folds["accuracy"].mean
    assert trained.rows == 150
    assert trained.conformal is not None
    assert trained.conformal.calibrated_on == "folds"


def test_more_folds_than_rows_are_refused() -> None:
    spec = parse({"target": "y", "steps": ["ridge"], "cross_validation": {"folds": 50}}, "pipelines.few")
    with pytest.raises(DataUnfit, match=r"pipelines\.few\.cross_validation\.folds: is 50; wanted at most 32, the rows"):
        train(spec, np.arange(40.0).reshape(-1, 1), np.arange(40) + 0.5, ["x"])


def test_progress_is_told_and_what_it_raises_ends_the_run() -> None:
    class Cancelled(Exception):
        pass

    def progress(done: int, total: int, message: str) -> None:
        if done == 3:
            raise Cancelled

    data = load_iris()
    with pytest.raises(Cancelled):
        train(parse({"target": "y", "steps": ["knn"]}), data.data, data.target, data.feature_names, progress=progress)


def test_it_is_told_which_classes_are_taken_for_which() -> None:
    confusion = iris(steps=["knn"], holdout=0).confusion
    assert confusion is not None
    assert [sum(row) for row in confusion.counts] == [50, 50, 50]
    assert confusion.counts[0] == (50, 0, 0)
    assert (confusion.classes[0].precision, confusion.classes[0].recall) == (1.0, 1.0)


def test_a_model_that_does_no_better_than_always_saying_the_same_is_warned_of() -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(200, 3)), random.normal(size=200)
    trained = train(parse({"target": "y", "steps": ["decision_tree"]}), X, y, ["a", "b", "c"])
    assert any("does no better than always saying the same: rmse" in each for each in trained.warnings)
    trained = iris(steps=["knn"])
    assert not any("does no better" in each for each in trained.warnings)
    assert trained.constant["accuracy"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (["gradient_boosting"], "HistGradientBoostingRegressor could not be fitted: 25 rows are too few for trees"),
        (["decision_tree"], ""),
    ],
)
def test_trees_that_never_split_are_told(steps: list[Any], sentence: str) -> None:
    spec = parse({"target": "y", "steps": steps, "holdout": 0})
    X = np.arange(32.0).reshape(-1, 1)
    if not sentence:
        assert train(spec, X, X[:, 0] + 0.5, ["x"]).metrics["r2"] > 0.9
        return
    with pytest.raises(FitFailed, match=sentence):
        train(spec, X, X[:, 0] + 0.5, ["x"])


def test_numbers_too_large_for_float32_are_refused() -> None:
    X = np.arange(40.0).reshape(-1, 1)
    with pytest.raises(DataUnfit, match=r"features: column x: is .*e\+41; wanted finite numbers within ±1e\+18"):
        train(parse({"target": "y", "steps": ["ridge"]}), X * 1e40, X[:, 0], ["x"])
    with pytest.raises(DataUnfit, match="names: is 'a'; wanted names that differ"):
        train(parse({"target": "y", "steps": ["ridge"]}), np.ones((40, 2)), X[:, 0], ["a", "a"])
