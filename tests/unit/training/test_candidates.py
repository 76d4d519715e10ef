"""Whatever a pipeline can name becomes ONNX that says what was trained, and the same bundle each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from threadpoolctl import threadpool_limits

from opsloop.models import bundle
from opsloop.models.runtime import load_folder
from opsloop.training.candidates import candidate
from opsloop.training.catalogue import ESTIMATORS, STEPS
from opsloop.training.pipeline import parse
from opsloop.training.runner import train, train_table
from opsloop.training.table import column_of
from opsloop.training.tabulating import table_of
from opsloop.training.trained import Trained

QUICK: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 10},
    "extra_trees": {"n_estimators": 10},
    "gradient_boosting": {"max_iter": 10},
    "neural_network": {"max_iter": 2000, "hidden_layer_sizes": [10]},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "select_best": {"score_func": "f_regression", "k": 3},
    "bins": {"columns": ["size"]},
}
TREES = ("random_forest", "extra_trees", "gradient_boosting", "decision_tree")
FEW = {"cross_validation": False, "intervals": False}


def classified(name: str, **declared: Any) -> Trained:
    data = load_iris()
    steps = [{name: QUICK.get(name, {})}] if name in TREES else ["scale", {name: QUICK.get(name, {})}]
    spec = parse({"target": "species", "steps": steps, **FEW, **declared})
    return train(spec, data.data, np.array(["setosa", "versicolor", "virginica"])[data.target], data.feature_names)


def regressed(name: str, **declared: Any) -> Trained:
    data = load_diabetes(scaled=False)
    steps = [{name: QUICK.get(name, {})}] if name in TREES else ["scale", {name: QUICK.get(name, {})}]
    return train(
        parse({"target": "progress", "steps": steps, **FEW, **declared}), data.data, data.target, data.feature_names
    )


@pytest.mark.parametrize("name", [name for name, kind in ESTIMATORS.items() if kind.classification])
def test_every_classifier_is_served_as_it_was_trained(name: str) -> None:
    made = candidate(classified(name))
    assert made.parity.flips == 0
    assert made.parity.largest_difference <= made.parity.tolerance


@pytest.mark.parametrize("name", [name for name, kind in ESTIMATORS.items() if kind.regression])
def test_every_regressor_is_served_as_it_was_trained(name: str) -> None:
    made = candidate(regressed(name))
    assert made.parity.largest_difference <= made.parity.tolerance


def mixed(*steps: Any, **declared: Any) -> Trained:
    random = np.random.default_rng(0)
    size, age = random.normal(50, 10, 300), random.uniform(0, 100, 300)
    age[::17] = np.nan
    colour = random.choice(np.array(["red", "green", "blue"], dtype=object), 300)
    colour[::13] = None
    flag = random.uniform(size=300) > 0.5
    y = size + np.nan_to_num(age) / 10 + 20 * (colour == "red") + flag + random.normal(size=300)
    columns = {"size": size, "age": age, "colour": colour, "flag": flag, "y": y}
    spec = parse({"target": "y", "steps": list(steps), **FEW, **declared})
    return train_table(spec, table_of(spec, [column_of(name, values) for name, values in columns.items()]))


@pytest.mark.parametrize("name", [name for name in STEPS if name != "tfidf"])
def test_every_step_is_served_as_it_was_trained(name: str) -> None:
    options = OPTIONS.get(name, {})
    imputed = [] if name == "impute" else ["impute"]
    made = candidate(mixed(*imputed, {name: options}, "ridge"))
    assert made.parity.largest_difference <= made.parity.tolerance


@pytest.mark.parametrize("name", TREES)
def test_trees_on_columns_of_all_sorts_are_served_as_they_were_trained(name: str) -> None:
    made = candidate(mixed({name: QUICK.get(name, {})}))
    assert made.parity.largest_difference <= made.parity.tolerance


def test_labels_that_are_true_or_false_come_back_as_such(tmp_path: Path) -> None:
    data = load_iris()
    trained = train(parse({"target": "y", "steps": ["knn"]}), data.data, data.target == 1, data.feature_names)
    bundle.write(candidate(trained), tmp_path)
    said = load_folder(tmp_path).predict(data.data[:3])
    assert said.values == [False, False, False]
    assert said.sets(0.1) == [[False], [False], [False]]


@pytest.mark.parametrize("method", ["absolute", "normalised"])
def test_intervals_of_a_bundle_are_those_of_the_run(tmp_path: Path, method: str) -> None:
    trained = regressed("ridge", cross_validation={"folds": 3}, intervals={"method": method})
    assert trained.conformal is not None
    bundle.write(candidate(trained), tmp_path)
    X = load_diabetes(scaled=False).data[:20]
    low, high = load_folder(tmp_path).predict(X).interval(0.2)
    expected = trained.conformal.interval(trained.estimator.predict(X), 0.2)
    assert low == pytest.approx(expected[0], rel=1e-4)
    assert high == pytest.approx(expected[1], rel=1e-4)


def test_the_baseline_says_of_a_row_what_a_model_says_that_did_not_learn_from_it() -> None:
    trained = regressed("decision_tree", cross_validation={"folds": 5})
    said = bundle.array_of("p", candidate(trained).files[bundle.BASELINE_PREDICTIONS])
    y = load_diabetes().target
    assert len(said) == len(y)
    assert np.corrcoef(said, y)[0, 1] < 0.7
    assert np.corrcoef(trained.estimator.predict(trained.X), y)[0, 1] > 0.85


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("random_forest", {"n_estimators": 20}),
        ("gradient_boosting", {"max_iter": 20}),
        ("neural_network", {"hidden_layer_sizes": [10], "max_iter": 2000}),
        ("logistic_regression", {}),
    ],
)
def test_the_same_again_gives_the_same_bundle_whatever_the_threads(tmp_path: Path, name: str, options: Any) -> None:
    digests = []
    for place, threads in enumerate((1, 3)):
        data = load_iris()
        spec = parse({"target": "species", "steps": ["scale", {name: options}], "cross_validation": {"folds": 2}})
        with threadpool_limits(limits=threads):
            trained = train(spec, data.data, data.target, data.feature_names, seed=3)
        digests.append(bundle.write(candidate(trained), tmp_path / str(place)))
    assert len(set(digests)) == 1


@pytest.mark.parametrize("transform", ["log", "log1p"])
@pytest.mark.parametrize("name", ["ridge", "random_forest", "gradient_boosting"])
def test_a_target_learned_as_a_logarithm_is_served_in_its_own_scale(name: str, transform: str) -> None:
    trained = regressed(name, target_transform=transform)
    assert 50 < np.mean(trained.estimator.predict(trained.X)) < 250
    assert candidate(trained).parity.largest_difference <= 1e-4


@pytest.mark.parametrize("name", ["svm", "random_forest", "gradient_boosting", "naive_bayes"])
def test_calibrated_probabilities_are_served_as_they_were_trained(name: str) -> None:
    trained = classified(name, calibrate=True)
    assert "log_loss" in trained.metrics
    assert candidate(trained).parity.flips == 0


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting", "decision_tree", "extra_trees"])
@pytest.mark.parametrize("before", [[], ["scale"], ["impute", "scale"], ["scale", {"polynomial": {"degree": 2}}]])
def test_trees_on_values_of_few_digits_take_the_same_branches(name: str, before: list[Any]) -> None:
    """A threshold half-way between two values is often a third one, and float32 rounds it to either side."""
    random = np.random.default_rng(0)
    X = np.round(random.normal(10, 5, (400, 3)), 1)
    y = X @ [1.0, 2.0, 3.0] + random.normal(size=400)
    steps = [*before, {name: QUICK.get(name, {})}]
    trained = train(parse({"target": "y", "steps": steps, **FEW}), X, y, ["a", "b", "c"])
    assert candidate(trained).parity.largest_difference <= 1e-4


def test_words_of_a_text_are_served_as_they_were_trained() -> None:
    random = np.random.default_rng(0)
    said = np.array(
        [" ".join(random.choice(["big", "Old", "cat", "dog's", "3rd"], 4)) for _ in range(300)], dtype=object
    )
    said[::19] = None
    y = np.array(["cat" in (each or "") for each in said]) + random.normal(scale=0.1, size=300)
    spec = parse({"target": "y", "steps": [{"tfidf": {"columns": ["said"]}}, "ridge"], **FEW})
    trained = train_table(spec, table_of(spec, [column_of("said", said), column_of("y", y)]))
    assert trained.metrics["r2"] > 0.6
    assert candidate(trained).parity.largest_difference <= 1e-4
