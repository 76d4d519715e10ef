"""A user's own function builds an estimator, or trains one by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opsloop.core.errors import OpsloopError
from opsloop.training.pipeline import parse
from opsloop.training.runner import train
from opsloop.training.trained import Trained

BUILD = """
from sklearn.linear_model import Ridge

def build(alpha=1.0):
    return Ridge(alpha=alpha)
"""
TRAIN = """
from parts import DEGREE
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

def fit(X, y, degree=DEGREE):
    return make_pipeline(PolynomialFeatures(degree), LinearRegression()).fit(X, y)
"""


def run(folder: Path, text: str, **declared: Any) -> Trained:
    (folder / "model.py").write_text(text)
    (folder / "parts.py").write_text("DEGREE = 2\n")
    X = np.linspace(-1, 1, 80).reshape(-1, 1)
    return train(parse({"target": "y", **declared}, "p", folder=folder), X, X[:, 0] ** 2, ["x"])


def test_a_function_builds_the_estimator(tmp_path: Path) -> None:
    found = run(tmp_path, BUILD, build="model.py:build", parameters={"alpha": 2.5})
    assert found.estimator.alpha == 2.5
    assert found.parameters == {"alpha": 2.5}
    assert found.environment["function"] == "model.py:build"


def test_a_function_trains_by_itself_with_its_neighbours(tmp_path: Path) -> None:
    found = run(tmp_path, TRAIN, train="model.py:fit")
    assert found.metrics["r2"] == pytest.approx(1.0)
    assert len(found.folds["r2"].values) == 5


def test_parameters_of_a_function_are_searched(tmp_path: Path) -> None:
    search = {"method": "grid", "over": {"degree": [1, 2]}}
    found = run(tmp_path, TRAIN, train="model.py:fit", search=search)
    assert found.search is not None
    assert found.search.best.parameters == {"degree": 2}


def test_another_text_of_the_function_has_another_digest(tmp_path: Path) -> None:
    one = run(tmp_path, BUILD, build="model.py:build").environment["function_sha256"]
    assert run(tmp_path, BUILD, build="model.py:build").environment["function_sha256"] == one
    assert run(tmp_path, BUILD + "\n", build="model.py:build").environment["function_sha256"] != one


@pytest.mark.parametrize(
    ("text", "declared", "sentence"),
    [
        (BUILD, {"build": "other.py:build"}, "p.build: is 'other.py'; wanted a Python file below"),
        (BUILD, {"build": "model.py:bild"}, "p.build: is 'bild'; wanted a function in model.py; did you mean 'build'"),
        (BUILD, {"build": "model.py:build", "parameters": {"alhpa": 1}}, "p.parameters.alhpa: .*did you mean 'alpha'"),
        (
            "1 / 0",
            {"build": "model.py:build"},
            r"model.py:build of the pipeline failed: ZeroDivisionError: division by zero \(line 1 of model.py\)",
        ),
        ("def build(:", {"build": "model.py:build"}, "model.py:build of the pipeline failed: SyntaxError"),
        ("def build(): return 3", {"build": "model.py:build"}, "p.build: is 3; wanted a function that gives an estim"),
        ("def fit(X, y): raise KeyError('a')", {"train": "model.py:fit"}, "fit of the pipeline failed: KeyError: 'a'"),
        ("def fit(X, y): return X", {"train": "model.py:fit"}, "wanted a function of X and y that gives a fitted est"),
        ("import sys\ndef fit(X, y): sys.exit(3)", {"train": "model.py:fit"}, "failed: SystemExit: 3"),
    ],
)
def test_what_is_wrong_with_a_function_is_told(tmp_path: Path, text: str, declared: Any, sentence: str) -> None:
    with pytest.raises(OpsloopError, match=sentence):
        run(tmp_path, text, **declared)
