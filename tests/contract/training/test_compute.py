"""What comes of trials, wherever they run: in this process, in several, or on Ray."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.datasets import load_iris

from opsloop.core.compute.settings import ComputeSettings
from opsloop.training.compute import Compute, InProcess
from opsloop.training.errors import FunctionBroke
from opsloop.training.on_cores import OnCores
from opsloop.training.pipeline import parse
from opsloop.training.runner import train
from opsloop.training.trained import Trained

WITHOUT_RAY = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'opsloop[ray]'"
)


@pytest.fixture(scope="module", params=["in_process", "cores", pytest.param("ray", marks=WITHOUT_RAY)])
def compute(request: pytest.FixtureRequest) -> Iterator[Compute]:
    if request.param == "in_process":
        yield InProcess()
        return
    if request.param == "cores":
        yield OnCores(2, worth_s=0.0)
        get_reusable_executor().shutdown(wait=True)
        return
    from opsloop.training.on_ray import on_ray

    with on_ray(ComputeSettings(ray_workers=2)) as workers:
        yield workers


def trained(compute: Compute, folder: Path | None = None, **declared: Any) -> Trained:
    data = load_iris()
    spec = parse({"target": "species", "cross_validation": {"folds": 3}, **declared}, folder=folder)
    return train(spec, data.data, data.target, data.feature_names, compute=compute)


def test_a_search_finds_the_same_wherever_it_runs(compute: Compute) -> None:
    search = {"method": "halving", "tries": 4, "over": {"random_forest.max_depth": {"low": 1, "high": 6}}}
    declared: dict[str, Any] = {"steps": [{"random_forest": {"n_estimators": 10}}], "search": search}
    found, expected = trained(compute, **declared), trained(InProcess(), **declared)
    assert found.search == expected.search
    assert found.folds == expected.folds
    assert found.metrics == expected.metrics


def test_a_users_function_runs_there(compute: Compute, tmp_path: Path) -> None:
    (tmp_path / "near.py").write_text("NEIGHBOURS = 3\n")
    (tmp_path / "model.py").write_text(
        "from near import NEIGHBOURS\nfrom sklearn.neighbors import KNeighborsClassifier\n"
        "def fit(X, y):\n    return KNeighborsClassifier(NEIGHBOURS).fit(X, y)\n"
    )
    assert trained(compute, tmp_path, train="model.py:fit").metrics["accuracy"] > 0.9


def test_what_a_users_function_raises_is_the_same_sentence(compute: Compute, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def fit(X, y):\n    raise ValueError('no')\n")
    with pytest.raises(FunctionBroke, match=r"model.py:fit of the pipeline failed: ValueError: no"):
        trained(compute, tmp_path, train="model.py:fit")


def test_parameters_that_cannot_be_fitted_are_told(compute: Compute) -> None:
    search = {"method": "grid", "over": {"knn.n_neighbors": [5, 5000]}}
    found = trained(compute, steps=["knn"], search=search)
    assert found.search is not None
    assert [each.score is None for each in found.search.tried] == [False, True]
    assert np.isfinite(found.metrics["accuracy"])
