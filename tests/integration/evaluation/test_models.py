"""Trained models as what is evaluated: through the service, the job, the gate and the API."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from opsloop.core.caller import Caller
from opsloop.core.errors import NotFound
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import gates, service
from opsloop.evaluation import jobs as evaluation_jobs
from opsloop.evaluation.api import Start, start
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import Run, RunStatus
from opsloop.evaluation.subjects import named
from opsloop.evaluation.verdicts import Verdict
from opsloop.models import service as models
from opsloop.models.conversion import candidate_of
from opsloop.models.inference import output_of, signature_of
from opsloop.models.models import ModelVersion
from opsloop.models.signature import Task

assert evaluation_jobs  # registers the job
NAMES = ["length", "width"]
EXPERIMENT: dict[str, Any] = {
    "name": "flowers",
    "datasets": [{"name": "flowers"}],
    "evaluators": [{"name": "classification"}, {"name": "log_loss"}, {"name": "brier"}, {"name": "interval_coverage"}],
    "gate": {"rules": [{"metric": "classification", "margin": 0.05}]},
}


def rows(count: int = 120) -> tuple[Any, Any]:
    draw = np.random.default_rng(3)
    X = draw.normal(size=(count, 2))
    return X, np.where(X[:, 0] + X[:, 1] > 0, "large", "small")


def put(workspace: Workspace, by: Caller, X: Any, y: Any, label: str = "kind", name: str = "flowers") -> None:
    made = [
        {"length": a, "width": b, label: str(c) if label == "kind" else float(c)}
        for (a, b), c in zip(X, y, strict=True)
    ]
    with workspace.writing(by) as uow:
        datasets.register(uow, name, "rows.jsonl", "\n".join(map(json.dumps, made)).encode())


def registered(workspace: Workspace, by: Caller, estimator: Any, X: Any, y: Any, label: str = "kind") -> ModelVersion:
    task = Task.CLASSIFICATION if label == "kind" else Task.REGRESSION
    conformal = {"scores": [round(0.01 * place, 2) for place in range(1, 100)]}
    signature = signature_of(X, NAMES, output_of(label, task, y))
    candidate = candidate_of(estimator.fit(X, y), X, y, signature, metrics={}, conformal=conformal)
    with workspace.writing(by) as uow:
        return models.register(uow, "flowers", candidate)


def evaluated(workspace: Workspace, by: Caller, version: ModelVersion, **changed: Any) -> Run:
    with workspace.writing(by) as uow:
        run = service.start(uow, {**EXPERIMENT, **changed}, version)
    run_due(workspace)
    with workspace.reading(by) as uow:
        return service.get(uow, run.id)


def test_a_model_is_measured_by_the_column_that_it_predicts(workspace: Workspace, admin: Caller) -> None:
    X, y = rows()
    put(workspace, admin, X, y)
    run = evaluated(workspace, admin, registered(workspace, admin, LogisticRegression(), X, y))
    assert (run.status, run.flow, run.failed_rows) == (RunStatus.DONE, "model:flowers@1", 0)
    assert {"classification", "classification.macro_f1", "log_loss", "brier", "interval_coverage"} <= run.metrics.keys()
    accuracy, coverage = run.metrics["classification"].value, run.metrics["interval_coverage"].value
    assert accuracy is not None
    assert accuracy > 0.9
    assert coverage is not None
    with workspace.reading(admin) as uow:
        first = service.rows(uow, run.id)[0]
    assert set(first.outputs) == {"prediction", "scores", "interval"}
    assert sum(first.outputs["scores"].values()) == pytest.approx(1.0)


def test_a_worse_model_does_not_pass_beside_a_better_one(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, y = rows()
    put(sqlite_workspace, admin, X, y)
    good = evaluated(sqlite_workspace, admin, registered(sqlite_workspace, admin, LogisticRegression(), X, y))
    version = registered(sqlite_workspace, admin, DecisionTreeClassifier(max_depth=2), X, y[::-1])
    bad = evaluated(sqlite_workspace, admin, version)
    with sqlite_workspace.writing(admin) as uow:
        assert gates.check(uow, bad.id, good.id).verdict is Verdict.FAIL
        assert gates.check(uow, good.id, bad.id).verdict is Verdict.PASS


def test_a_regression_has_errors_and_intervals(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, _ = rows()
    y = X @ [2.0, -1.0] + 5.0
    put(sqlite_workspace, admin, X, y, label="price")
    version = registered(sqlite_workspace, admin, LinearRegression(), X, y, label="price")
    measures = [{"name": "absolute_error"}, {"name": "squared_error"}, {"name": "interval_coverage"}]
    gate = {"rules": [{"metric": "squared_error.r2", "at_least": 0.9}]}
    run = evaluated(sqlite_workspace, admin, version, evaluators=measures, gate=gate)
    assert run.metrics["squared_error.r2"].value == pytest.approx(1.0)
    assert run.metrics["interval_coverage.size"].value is not None
    with sqlite_workspace.writing(admin) as uow:
        assert gates.check(uow, run.id).verdict is Verdict.PASS


def test_rows_that_the_model_does_not_take_fail_alone(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, y = rows()
    version = registered(sqlite_workspace, admin, LogisticRegression(), X, y)
    given = [{"length": 1.0, "width": 1.0, "kind": "large"}] * 40
    given += [{"length": None, "width": 1.0, "kind": "large"}]
    with sqlite_workspace.writing(admin) as uow:
        datasets.register(uow, "flowers", "rows.jsonl", "\n".join(map(json.dumps, given)).encode())
    run = evaluated(sqlite_workspace, admin, version)
    assert (run.status, run.failed_rows) == (RunStatus.DONE, 1)
    with sqlite_workspace.reading(admin) as uow:
        errors = [each.error for each in service.rows(uow, run.id) if each.error is not None]
    assert errors == ["length: is None; wanted a number; the model takes none missing"]


def test_columns_of_other_names_are_mapped(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, y = rows()
    version = registered(sqlite_workspace, admin, LogisticRegression(), X, y)
    made = [{"l": a, "w": b, "kind": c} for (a, b), c in zip(X.tolist(), y.tolist(), strict=True)]
    with sqlite_workspace.writing(admin) as uow:
        datasets.register(uow, "flowers", "rows.jsonl", "\n".join(map(json.dumps, made)).encode())
    with pytest.raises(ExperimentInvalid, match="length of model:flowers@1"), sqlite_workspace.writing(admin) as uow:
        service.start(uow, EXPERIMENT, version)
    mapped = [{"name": "flowers", "mappings": {"length": "${data.l}", "width": "${data.w}"}}]
    assert evaluated(sqlite_workspace, admin, version, datasets=mapped).failed_rows == 0


def test_a_target_names_a_version_or_an_alias(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, y = rows()
    put(sqlite_workspace, admin, X, y)
    registered(sqlite_workspace, admin, LogisticRegression(), X, y)
    with sqlite_workspace.writing(admin) as uow:
        models.set_alias(uow, "flowers@1", "champion")
        assert named(uow, "model:flowers@champion").ref == "flowers@1"
    experiment = {**EXPERIMENT, "target": "model:flowers@champion"}
    with sqlite_workspace.writing(admin) as uow:
        assert start(uow, Start(experiment=experiment)).flow == "model:flowers@1"
    with pytest.raises(NotFound, match="flowers"), sqlite_workspace.writing(admin) as uow:
        start(uow, Start(experiment={**EXPERIMENT, "target": "model:flower"}))


def test_a_model_has_no_variants(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, y = rows()
    put(sqlite_workspace, admin, X, y)
    version = registered(sqlite_workspace, admin, LogisticRegression(), X, y)
    with pytest.raises(ExperimentInvalid, match="no nodes"), sqlite_workspace.writing(admin) as uow:
        service.start(uow, {**EXPERIMENT, "variants": "*"}, version)


def test_repeats_ask_the_model_for_each_row_again(sqlite_workspace: Workspace, admin: Caller) -> None:
    X, y = rows(30)
    put(sqlite_workspace, admin, X, y)
    run = evaluated(sqlite_workspace, admin, registered(sqlite_workspace, admin, LogisticRegression(), X, y), repeats=2)
    assert (run.status, run.rows) == (RunStatus.DONE, 60)
