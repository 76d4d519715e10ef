"""What runs come to: nothing new is skipped, a window chooses rows, a pipeline that is removed leaves its models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs import service as jobs
from opsloop.datasets.errors import DatasetMissing
from opsloop.models import service as models
from opsloop.training import learning, service
from opsloop.training.models import TrainingRun, TrainingStatus
from opsloop.training.run_errors import PipelineMissing, TrainingRunIsOver, TrainingRunMissing
from tests.integration.training.conftest import MAKE, Garden, events, flowers
from tests.training_here import training_here

assert training_here
pytestmark = pytest.mark.usefixtures("training_here")


def test_its_files_have_the_time_in_their_names(garden: Garden) -> None:
    run = garden.trained()
    store = garden.workspace.artifacts
    assert run.artifacts == {
        "model": "models/model-20270101_000000.onnx",
        "metrics": "metrics/metrics-20270101_000000.txt",
        "metrics_json": "metrics/metrics-20270101_000000.json",
    }
    figures = json.loads(store.get(run.artifacts["metrics_json"]))
    assert figures["metrics"] == run.metrics
    assert figures["data"] == "flowers@1"
    assert "accuracy" in store.get(run.artifacts["metrics"]).decode()
    again = garden.trained(force=True)
    assert again.artifacts["model"] == "models/model-20270101_000000-2.onnx"
    assert again.metrics == run.metrics


def test_nothing_new_is_skipped_on_record_and_forced_on_request(garden: Garden) -> None:
    first = garden.trained()
    second = garden.trained()
    assert (second.status, second.same_as, second.model) == (TrainingStatus.SKIPPED, first.id, "flowers@1")
    assert second.error == f"neither data nor pipeline have changed since run {first.id}, which made flowers@1"
    assert events(garden)[-1][0] == "training.skipped"
    assert garden.trained(force=True).status is TrainingStatus.DONE
    garden.register(flowers(shift=0.001))
    assert garden.trained().data == "flowers@2"
    garden.put(steps=["decision_tree"])
    assert garden.trained().status is TrainingStatus.DONE
    assert garden.trained(window={"rows": 40}).rows == 40


def test_two_runs_of_the_same_at_once_make_one_version(garden: Garden, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = learning.learn
    others: list[TrainingRun] = []

    def beside_another(*args: Any, **how: Any) -> Any:
        if not others:
            others.append(garden.start())
            garden.work()
        return learn(*args, **how)

    monkeypatch.setattr(learning, "learn", beside_another)
    first = garden.trained()
    assert garden.run(others[0].id).status is TrainingStatus.DONE
    assert (first.status, first.same_as, first.model) == (TrainingStatus.SKIPPED, others[0].id, "flowers@1")
    with garden.workspace.reading(garden.by) as uow:
        assert len(models.versions(uow, "flowers")) == 1


def test_a_pipeline_has_a_new_version_when_it_learns_in_another_way(garden: Garden) -> None:
    assert garden.put().version == 1
    assert garden.put(schedule="none").version == 1
    assert garden.put(steps=["decision_tree"]).version == 2
    assert garden.put(window={"rows": 50}).version == 3
    assert garden.put().version == 1
    assert garden.put(steps=..., build="make.py:make", code={"make.py": MAKE}).version == 4
    assert garden.put(steps=..., build="make.py:make", code={"make.py": MAKE + "\n"}).version == 5


@pytest.mark.parametrize(
    ("window", "rows", "says"),
    [
        ({"rows": 20}, 20, "the newest 20 rows"),
        ({"since": "2026-02-01", "column": "at"}, 32, "rows with at from 2026-02-01T00:00:00+00:00 on"),
        ({"days": 330, "column": "at"}, 28, "rows with at from 2026-02-05T00:00:00+00:00 on"),
        ({"rows": 10, "column": "at"}, 10, "the newest 10 rows by at"),
        ({}, 60, "all rows"),
    ],
)
def test_a_window_is_what_the_run_learns_from(garden: Garden, window: dict[str, Any], rows: int, says: str) -> None:
    run = garden.trained(window=window)
    assert (run.error, run.rows) == (None, rows)
    assert run.steps[0].says == f"flowers@1, {says}"


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"since": "2030-01-01", "column": "at"}, "window: is '2030-01-01"),
        (
            {"rows": 3, "column": "when"},
            "window.column: is 'when'; wanted one of the dataset's columns length",
        ),
    ],
)
def test_a_window_with_nothing_in_it_fails_with_a_sentence(
    garden: Garden, window: dict[str, Any], sentence: str
) -> None:
    run = garden.trained(window=window)
    assert run.status is TrainingStatus.FAILED
    assert run.error is not None
    assert run.error.startswith(sentence)
    [(name, payload)] = events(garden)
    assert name == "training.failed"
    assert payload["reason"] == run.error


def test_a_run_that_is_cancelled_while_it_waits_never_starts(garden: Garden) -> None:
    run = garden.start()
    with garden.workspace.writing(garden.by) as uow:
        service.cancel(uow, run.id)
    assert garden.work() == 0
    found = garden.run(run.id)
    assert (found.status, found.error) == (TrainingStatus.CANCELLED, "cancelled by test:admin")
    with garden.workspace.writing(garden.by) as uow, pytest.raises(TrainingRunIsOver, match="is cancelled already"):
        service.cancel(uow, run.id)


def test_a_job_that_is_cancelled_takes_its_run_along(garden: Garden) -> None:
    run = garden.start()
    with garden.workspace.writing(garden.by) as uow:
        jobs.cancel(uow, run.job)
    assert garden.work() == 0
    assert garden.run(run.id).status is TrainingStatus.CANCELLED
    deliver_due(garden.workspace)
    found = garden.run(run.id)
    assert (found.status, found.error) == (TrainingStatus.CANCELLED, "cancelled by test:admin")
    assert found.finished_at is not None
    [(name, payload)] = events(garden)
    assert (name, payload["run"], payload["reason"]) == ("training.failed", run.id, "cancelled by test:admin")


def test_what_is_not_there_is_told_at_once(garden: Garden) -> None:
    with pytest.raises(PipelineMissing, match="no pipeline named 'flower'; did you mean 'flowers'"):
        garden.start("flower")
    with pytest.raises(DatasetMissing):
        garden.start(dataset="weeds")
    with pytest.raises(TrainingRunMissing):
        garden.run("training_1")
    with pytest.raises(InvalidInput, match="trigger: is 'whim'; wanted one of demand, schedule, webhook, drift"):
        garden.start(trigger="whim")
    with pytest.raises(InvalidInput, match="dataset: is missing"):
        garden.put(dataset=...)
    with pytest.raises(InvalidInput, match="target"):
        garden.put(target=...)


def test_only_a_developer_starts_and_only_an_operator_cancels(garden: Garden) -> None:
    viewer = Garden(garden.workspace, Caller("key:v", Role.VIEWER), garden.clock)
    with pytest.raises(NotAllowed):
        viewer.start()
    run = garden.start()
    with garden.workspace.writing(Caller("key:d", Role.DEVELOPER)) as uow, pytest.raises(NotAllowed):
        service.cancel(uow, run.id)
    assert viewer.run(run.id).status is TrainingStatus.QUEUED


def test_a_pipeline_that_is_removed_leaves_its_runs_and_models(garden: Garden) -> None:
    run = garden.trained()
    with garden.workspace.writing(garden.by) as uow:
        service.remove(uow, "flowers")
        assert service.pipelines(uow) == []
    assert garden.run(run.id).model == "flowers@1"


def test_a_search_is_on_record_with_its_best_candidates(garden: Garden) -> None:
    over = {"logistic_regression.C": [0.01, 1.0], "logistic_regression.fit_intercept": [True, False]}
    garden.put(search={"method": "grid", "folds": 2, "over": over}, cross_validation=False)
    run = garden.trained()
    search = run.report["search"]
    assert (search["metric"], search["tries"], len(search["best"])) == ("log_loss", 4, 4)
    assert [each["score"] for each in search["best"]] == sorted(each["score"] for each in search["best"])
    said = next(step.says for step in run.steps if step.name == "search")
    assert said.startswith("best of 4 candidates by log_loss: logistic_regression.C ")
