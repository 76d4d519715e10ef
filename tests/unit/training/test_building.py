"""Steps by name become the estimator that a user of scikit-learn would have written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.training.building import built, completed
from opsloop.training.errors import DataUnfit, PipelineInvalid
from opsloop.training.pipeline import parse
from opsloop.training.runner import train, train_table
from opsloop.training.table import Array, column_of
from opsloop.training.tabulating import table_of
from opsloop.training.trained import Trained


def houses(rows: int = 200) -> dict[str, Array]:
    random = np.random.default_rng(0)
    size = random.uniform(30, 200, rows)
    size[::11] = np.nan
    town = random.choice(np.array(["Ulm", "Bonn", None], dtype=object), rows)
    garden = random.uniform(size=rows) > 0.5
    price = np.nan_to_num(size, nan=100) * 2 + (town == "Bonn") * 50 + garden * 20 + random.normal(size=rows)
    return {"size": size, "town": town, "garden": garden, "price": price}


def trained(*steps: Any, **declared: Any) -> Trained:
    """Of houses: their price."""
    columns = [column_of(name, values) for name, values in houses().items()]
    spec = parse({"target": "price", "steps": list(steps), "intervals": False, **declared}, "p")
    return train_table(spec, table_of(spec, columns))


def test_what_columns_need_is_added_and_said() -> None:
    found = trained("ridge")
    assert found.metrics["r2"] > 0.9
    assert any(note.startswith("missing numbers of size become the median") for note in found.warnings)
    assert any(note.startswith("town become one column for each text") for note in found.warnings)


def test_what_is_declared_is_not_added_again() -> None:
    found = trained({"impute": {"strategy": "mean"}}, {"ordinal": {"columns": ["town"]}}, "scale", "ridge")
    assert not any("become" in note for note in found.warnings)


def test_missing_numbers_stay_for_an_estimator_that_takes_them() -> None:
    found = trained({"gradient_boosting": {"max_iter": 20}})
    assert not any("median" in note for note in found.warnings)


def test_steps_go_to_the_columns_they_are_for() -> None:
    spec = parse({"target": "price", "steps": ["impute", {"scale": {"columns": ["size"]}}, "one_hot", "ridge"]})
    table = table_of(spec, [column_of(name, values) for name, values in houses().items()])
    whole, notes = completed(spec, table.features)
    branches = built(whole, table.features, table.task, {}).steps[0][1].transformers
    assert notes == ()
    assert [(type(each).__name__, places) for _, each, places in branches] == [
        ("Pipeline", [0]),
        ("OneHotEncoder", [1]),
        ("SimpleImputer", [2]),
    ]


def test_a_class_by_its_dotted_name_is_taken_when_it_becomes_onnx() -> None:
    found = trained({"sklearn.preprocessing.StandardScaler": {"with_mean": False}}, "sklearn.linear_model.Ridge")
    assert type(found.estimator.steps[-1][1]).__name__ == "Ridge"


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (["sklearn.nothing.Here"], r"p.steps\[0\].sklearn.nothing.Here: is .*; wanted a class that scikit-learn has"),
        (["sklearn.dummy.DummyRegressor"], "wanted a class that becomes ONNX; this one does not"),
        (["sklearn.linear_model.LogisticRegression"], "wanted an estimator for regression"),
        (["naive_bayes"], "wanted an estimator for regression: linear_regression"),
        ([{"ridge": {"alhpa": 1}}], r"p.steps\[0\].ridge.alhpa: is 'alhpa'; .*did you mean 'alpha'"),
        ([{"ridge": {"alpha": -1}}], r"p.steps\[0\].ridge.alpha: is -1; wanted a float in the range \[0.0, inf\)"),
        ([{"ridge": {"random_state": 3}}], "random_state: is 'random_state'; wanted one of"),
        ([{"scale": {"columns": ["site"]}}, "ridge"], r"columns\[0\]: is 'site'; .*did you mean 'size'"),
        ([{"scale": {"columns": ["town"]}}, "ridge"], "wanted columns of numbers; town is text"),
        (["pca", "one_hot", "ridge"], "p.steps.1..one_hot: is 'one_hot'; wanted a place before pca"),
        ([{"select_best": {"score_func": "best"}}, "ridge"], "wanted one of f_classif"),
        ([{"one_hot": {"max_categories": 3}}, "ridge"], "one_hot.max_categories: is 3; wanted no such option: with it"),
        (
            ["sklearn.ensemble.StackingRegressor"],
            "wanted a class that needs no other estimator; build: with a function",
        ),
    ],
)
def test_wrong_steps_are_told_by_field_value_and_wanted_form(steps: list[Any], sentence: str) -> None:
    with pytest.raises(PipelineInvalid, match=sentence):
        trained(*steps)


def test_rows_weigh_as_their_column_says() -> None:
    X = np.array([[0.0], [0.0], [1.0], [1.0]] * 20)
    y = np.array([0.0, 1.0, 5.0, 6.0] * 20)
    weights = np.array([1.0, 0.0, 1.0, 0.0] * 20)
    spec = parse({"target": "y", "weight": "w", "steps": ["linear_regression"], "holdout": 0})
    found = train(spec, X, y, ["x"], w=weights)
    assert found.estimator.predict([[0.0], [1.0]]) == pytest.approx([0.0, 5.0])
    assert found.metrics["mse"] == pytest.approx(0.0)


def test_an_estimator_that_takes_no_weights_says_so() -> None:
    spec = parse({"target": "y", "weight": "w", "steps": ["knn"]})
    with pytest.raises(Exception, match="KNeighborsRegressor could not be fitted: it does not take a weight"):
        train(spec, np.arange(40.0).reshape(-1, 1), np.arange(40) + 0.5, ["x"], w=np.ones(40))


def test_calibration_makes_probabilities_agree_with_how_often_classes_come() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(3_000, 20))
    y = X[:, 0] + random.normal(size=3_000) > 0
    names = [f"x{place}" for place in range(20)]
    plain, calibrated = (
        train(parse({"target": "y", "steps": ["naive_bayes"], "calibrate": each}), X**3, y, names).metrics
        for each in (False, True)
    )
    assert calibrated["expected_calibration_error"] < 0.5 * plain["expected_calibration_error"]
    assert calibrated["log_loss"] < plain["log_loss"]


def test_what_is_for_classes_is_refused_for_numbers_and_the_other_way_round() -> None:
    with pytest.raises(PipelineInvalid, match=r"p\.calibrate: is True; wanted false: it is for classes"):
        trained("ridge", calibrate=True)
    with pytest.raises(PipelineInvalid, match=r"p\.target_transform: is 'log'; wanted nothing: it is for numbers"):
        trained("logistic_regression", target="garden", target_transform="log")
    spec = parse({"target": "y", "steps": ["ridge"], "target_transform": "log"}, "p")
    with pytest.raises(DataUnfit, match=r"column y: is -1\.0; wanted numbers above 0, as target_transform is log"):
        train(spec, np.arange(40.0).reshape(-1, 1), np.arange(40.0) - 1, ["x"])


def test_weights_of_classes_are_by_their_labels() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 1))
    y = X[:, 0] + random.normal(size=400) > 1
    found = []
    for weights in (None, {"true": 20, "False": 1}):
        spec = parse({"target": "y", "steps": [{"logistic_regression": {"class_weight": weights}}]}, "p")
        confusion = train(spec, X, y, ["x"]).confusion
        assert confusion is not None
        found.append(confusion.counts[1][1])
    assert found[1] > found[0]
    with pytest.raises(
        PipelineInvalid, match=r"logistic_regression\.class_weight\.yes: is 'yes'; wanted one of the cl"
    ):
        train(parse({"target": "y", "steps": [{"logistic_regression": {"class_weight": {"yes": 2}}}]}), X, y, ["x"])


def test_a_text_with_over_a_thousand_values_wants_another_encoder() -> None:
    names = np.array([f"id{number % 1_500}" for number in range(3_000)], dtype=object)
    columns = [column_of("name", names), column_of("y", np.arange(3_000.0) % 17)]
    declared = {"target": "y", "cross_validation": False}
    spec = parse({**declared, "steps": ["ridge"]}, "p")
    with pytest.raises(
        DataUnfit, match=r"column name: wanted at most 1000 different texts .* it has 1500: use target_enc"
    ):
        train_table(spec, table_of(spec, columns))
    spec = parse({**declared, "steps": ["target_encode", "ridge"]}, "p")
    assert train_table(spec, table_of(spec, columns)).features[0].categories == ()
