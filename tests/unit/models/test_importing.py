from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from opsloop.models import bundle, importing, python_form, transfer
from opsloop.models.errors import ModelFileBroken, UntrustedTypes
from opsloop.models.runtime import LoadedModel
from opsloop.models.signature import Signature, Task
from tests.unit.models import made


def iris() -> tuple[Any, Any, Signature]:
    X, y = made.iris()
    return X, y, made.signature(X, y, Task.CLASSIFICATION, made.IRIS_NAMES)


def onnx_of(estimator: Any, X: Any, *, zipmap: bool) -> bytes:
    from skl2onnx import to_onnx

    options = {id(estimator): {"zipmap": zipmap}}
    written: bytes = to_onnx(estimator, X[:1].astype(np.float32), options=options).SerializeToString()
    return written


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_classifier_of_another_tool_serves_with_its_probabilities(zipmap: bool) -> None:
    X, y, signature = iris()
    fitted = LogisticRegression(max_iter=500).fit(X, y)
    candidate = importing.of_onnx(onnx_of(fitted, X, zipmap=zipmap), X, y, signature)
    said = LoadedModel(bundle.of_candidate(candidate)).predict(X)
    assert said.values == fitted.predict(X).tolist()
    assert said.scores is not None
    np.testing.assert_allclose(said.scores, fitted.predict_proba(X), atol=1e-5)
    assert candidate.metrics["accuracy"] == pytest.approx(fitted.score(X, y))
    assert candidate.parity.rows == 150


def test_labels_where_numbers_are_wanted_are_refused() -> None:
    X, y, _ = iris()
    data = onnx_of(LogisticRegression(max_iter=500).fit(X, y), X, zipmap=False)
    with pytest.raises(ModelFileBroken, match="its first output is of labels; wanted numbers, for a regression"):
        importing.of_onnx(data, X, X[:, 0], made.signature(X, X[:, 0], Task.REGRESSION))


def test_rows_of_another_width_are_refused() -> None:
    X, y, _ = iris()
    data = onnx_of(LogisticRegression(max_iter=500).fit(X, y), X, zipmap=False)
    narrow = X[:, :2]
    with pytest.raises(ModelFileBroken, match="rows of 4 numbers, the signature has 2 columns"):
        importing.of_onnx(data, narrow, y, made.signature(narrow, y, Task.CLASSIFICATION))


def test_classes_that_the_rows_do_not_have_are_refused() -> None:
    X, y, _ = iris()
    data = onnx_of(LogisticRegression(max_iter=500).fit(X, y), X, zipmap=False)
    few = y < 2
    with pytest.raises(ModelFileBroken, match="it says 2, which is none of the classes 0, 1"):
        importing.of_onnx(data, X[few], y[few], made.signature(X[few], y[few], Task.CLASSIFICATION))


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(5, random_state=0), HistGradientBoostingClassifier(max_iter=5, random_state=0)],
    ids=["forest", "boosting"],
)
def test_a_skops_file_is_converted_and_says_the_same(estimator: Any) -> None:
    X, y, signature = iris()
    data = skops.io.dumps(estimator.fit(X, y))
    candidate = importing.of_skops(data, X, y, signature)
    assert LoadedModel(bundle.of_candidate(candidate)).predict(X).values == estimator.predict(X).tolist()


class Touch:
    """What a malicious pickle holds."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def test_a_malicious_pickle_is_never_loaded(tmp_path: Path) -> None:
    data = pickle.dumps(Touch(tmp_path / "pwned"))
    X, y, signature = iris()
    with pytest.raises(ModelFileBroken, match="a pickle, which runs code when it is read, and is never loaded"):
        importing.of_skops(data, X, y, signature)
    assert not (tmp_path / "pwned").exists()


class Mine(BaseEstimator):  # type: ignore[misc]
    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


@pytest.mark.parametrize("estimator", [Mine(), make_pipeline(FunctionTransformer(np.save), LinearRegression())])
def test_types_that_nobody_trusts_are_named_and_not_made(estimator: Any) -> None:
    with pytest.raises(UntrustedTypes, match=r"names types that are not trusted \((tests|numpy)"):
        python_form.read(skops.io.dumps(estimator))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"text"])
def test_what_is_no_skops_file_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(ModelFileBroken, match=r"model\.skops of the model cannot be used"):
        python_form.read(data)


def test_a_bundle_travels_as_one_file(tmp_path: Path) -> None:
    candidate = made.iris_candidate()
    (tmp_path / "b.zip").write_bytes(transfer.packed_candidate(candidate))
    found = transfer.unpacked(tmp_path / "b.zip")
    assert found.digest == bundle.of_candidate(candidate).digest
    assert transfer.written(found, tmp_path / "out") == sorted([*candidate.files, "manifest.json"])
    assert bundle.of_folder(tmp_path / "out").digest == found.digest
    assert transfer.packed(found) == (tmp_path / "b.zip").read_bytes()


def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    file.write_bytes(b"nothing")
    with pytest.raises(ModelFileBroken, match="no zip file"):
        transfer.unpacked(file)
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as made_up:
        made_up.writestr("../../etc/x", b"")
    file.write_bytes(empty.getvalue())
    with pytest.raises(ModelFileBroken, match=r"has no manifest\.json"):
        transfer.unpacked(file)
