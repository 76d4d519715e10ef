"""Runs in a process of their own: one version at the end, with files, lineage and record; functions of a project."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.models import service as models
from opsloop.training import learning, service
from opsloop.training.models import TrainingStatus
from tests.integration.training.conftest import MAKE, Garden, events, garden_of


def test_a_run_ends_in_a_version_that_is_the_challenger(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    garden = garden_of(workspace, admin, clock)
    run = garden.trained(reason="a first one")

    assert (run.status, run.model, run.data, run.rows) == (TrainingStatus.DONE, "flowers@1", "flowers@1", 60)
    assert run.metrics["accuracy"] == 1.0
    assert [step.name for step in run.steps] == ["data", "rows", "train", "convert", "files", "version"]
    assert {each["name"] for each in run.report["importance"]} == {"length", "width"}
    assert len(run.report["folds"]) == 2
    with workspace.reading(admin) as uow:
        version = models.get(uow, "flowers@challenger")
        assert (version.ref, version.run, version.dataset) == ("flowers@1", run.id, "flowers@1")
        used = {(each.noun, each.target) for each in lineage.uses(uow, "flowers")}
        assert {("training", run.id), ("model", "flowers@1")} <= used
        actions = [each.action for each in audit.listed(uow)]
        assert {"pipeline.set", "training.started", "training.finished"} <= set(actions)
    told = {"run": run.id, "pipeline": "flowers", "model": "flowers", "version": 1, "endpoint": None}
    assert events(garden) == [("training.finished", {**told, "trigger": "demand"})]


def test_a_function_of_the_project_builds_the_model(garden: Garden) -> None:
    garden.put(steps=..., build="steps/make.py:make", code={"steps/make.py": MAKE})
    run = garden.trained()
    assert run.error is None
    assert run.report["environment"]["function"] == "steps/make.py:make"


def test_a_function_may_read_datasets_of_the_project(garden: Garden) -> None:
    garden.register([{"depth": 2}], "depths")
    code = MAKE.replace("max_depth=2", 'max_depth=read_dataset("depths")[0]["depth"]')
    garden.put(steps=..., build="make.py:make", code={"make.py": "from opsloop import read_dataset\n" + code})
    run = garden.trained()
    assert (run.error, run.model) == (None, "flowers@1")


def test_a_run_that_is_cancelled_while_it_trains_makes_no_version(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = garden.start()
    learn = learning.learn

    def cancelled_meanwhile(*args: Any, **how: Any) -> Any:
        with garden.workspace.writing(garden.by) as uow:
            service.cancel(uow, run.id)
        return learn(*args, **how)

    monkeypatch.setattr(learning, "learn", cancelled_meanwhile)
    garden.work()
    found = garden.run(run.id)
    assert (found.status, found.model) == (TrainingStatus.CANCELLED, None)
    with garden.workspace.reading(garden.by) as uow:
        assert models.listed(uow) == []


def test_a_function_reads_the_datasets_of_its_project(garden: Garden) -> None:
    garden.register([{"depth": 2}], "limits")
    make = (
        "from opsloop import read_dataset\nfrom sklearn.tree import DecisionTreeClassifier\n\n\n"
        "def make():\n    return DecisionTreeClassifier(max_depth=read_dataset('limits')[0]['depth'])\n"
    )
    garden.put(steps=..., build="make.py:make", code={"make.py": make})
    run = garden.trained()
    assert (run.status, run.error) == (TrainingStatus.DONE, None)
