from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from opsloop.models import bundle, certificate, conversion, runtime
from opsloop.models.errors import ModelFileBroken, ParityMissed
from opsloop.models.runtime import LoadedModel, Predictions
from opsloop.models.signature import Task
from tests.unit.models import made


def loaded(folder: Path, candidate: Any) -> LoadedModel:
    bundle.write(candidate, folder)
    return runtime.load_folder(folder)


@pytest.mark.parametrize(
    ("estimator", "data", "task"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)), made.iris, Task.CLASSIFICATION),
        (RandomForestClassifier(20, random_state=0), made.iris, Task.CLASSIFICATION),
        (make_pipeline(StandardScaler(), LinearRegression()), made.diabetes, Task.REGRESSION),
        (HistGradientBoostingRegressor(random_state=0), made.diabetes, Task.REGRESSION),
    ],
    ids=["logistic", "forest", "linear", "boosting"],
)
def test_what_is_served_says_what_was_trained(tmp_path: Path, estimator: Any, data: Any, task: Task) -> None:
    X, y = data()
    model = loaded(tmp_path, made.candidate(estimator, X, y, task))
    said = model.predict(X).values
    if task is Task.CLASSIFICATION:
        assert said == estimator.predict(X).tolist()
    else:
        np.testing.assert_allclose(said, estimator.predict(X), rtol=1e-3)


def test_text_and_numbers_go_in_side_by_side(tmp_path: Path) -> None:
    X, y = made.mixed()
    columns = ColumnTransformer([("n", StandardScaler(), [0, 2]), ("c", OneHotEncoder(handle_unknown="ignore"), [1])])
    estimator = make_pipeline(columns, RandomForestRegressor(10, random_state=0))
    candidate = made.candidate(estimator, X, y, Task.REGRESSION)
    model = loaded(tmp_path, candidate)
    np.testing.assert_allclose(model.predict(X).values, estimator.predict(X), rtol=1e-3, atol=1e-3)
    assert candidate.codes == {"x1": ("blue", "green", "red")}
    baseline = model.bundle.baseline
    assert baseline is not None
    assert baseline.shape == (300, 3)


def test_the_certificate_looks_at_both_sides_of_every_threshold() -> None:
    X, y = made.iris()
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    inner = int((tree.tree_.feature >= 0).sum())
    assert len(certificate.rows_to_compare(tree, X, seed=0)) == len(X) + 2 * inner


def test_a_model_that_says_something_else_is_refused() -> None:
    X, y = made.iris()
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    other = Predictions([0] * len(X), None)
    with pytest.raises(ParityMissed, match="100 of 150 rows differ"):
        certificate.compared(
            tree, X, other, made.signature(X, y, Task.CLASSIFICATION), precision="float32", model="tree"
        )


def test_what_has_no_onnx_form_is_refused_with_the_reason() -> None:
    class OneOfMine(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> OneOfMine:
            self.classes_ = np.unique(y)
            return self

    X, y = made.iris()
    with pytest.raises(ModelFileBroken, match="no ONNX form"):
        made.candidate(OneOfMine(), X, y, Task.CLASSIFICATION, with_skops=False)


def test_the_same_training_gives_the_same_bundle(tmp_path: Path) -> None:
    X, y = made.iris()
    digests = {
        bundle.write(
            made.candidate(RandomForestClassifier(10, random_state=3), X, y, Task.CLASSIFICATION), tmp_path / str(turn)
        )
        for turn in range(2)
    }
    assert len(digests) == 1


def test_the_reference_rows_keep_their_order() -> None:
    X = np.arange(30_000, dtype=float).reshape(-1, 1)
    y = X[:, 0] * 2
    candidate = made.candidate(LinearRegression(), X, y, Task.REGRESSION)
    baseline = bundle.array_of("baseline.npy", candidate.files["baseline.npy"])
    assert len(baseline) == bundle.BASELINE_ROWS
    assert (np.diff(baseline[:, 0]) > 0).all()


def test_a_conversion_that_needs_double_precision_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where float32 takes other branches the certificate says float64."""
    X, y = made.diabetes()
    real = certificate.compared

    def strict(*args: Any, precision: str, **named: Any) -> Any:
        if precision == "float32":
            raise ParityMissed(model="m", reason="r")
        return real(*args, precision=precision, **named)

    monkeypatch.setattr(certificate, "compared", strict)
    candidate = made.candidate(LinearRegression(), X, y, Task.REGRESSION)
    assert candidate.parity.precision == "float64"
    assert conversion.PRECISIONS == ("float32", "float64")


def test_the_form_for_python_reads_back() -> None:
    import skops.io

    X, y = made.iris()
    forest = RandomForestClassifier(10, random_state=3)
    file = made.candidate(forest, X, y, Task.CLASSIFICATION).files["model.skops"]
    back = skops.io.loads(file, trusted=["sklearn.tree._tree.Tree"])
    assert (back.predict_proba(X) == forest.predict_proba(X)).all()
