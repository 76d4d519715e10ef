from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.testclient import TestClient

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from tests.integration.console.conftest import browser
from tests.integration.monitoring.iris import ADMIN, Iris, drifted, stage


@pytest.fixture
def iris(workspace: Workspace, clock: FakeClock) -> Iris:
    return drifted(workspace, clock)


@pytest.fixture
def call(workspace: Workspace) -> Iterator[TestClient]:
    with browser(workspace) as client:
        client.headers["accept"] = "application/json"
        yield client


def test_the_state_of_drift_names_the_feature_its_score_and_the_alarm(iris: Iris, call: httpx.Client) -> None:
    found = call.get("/api/endpoints/iris/drift").json()
    (watch,) = found["watches"]
    assert found["detected"] is True
    assert found["sentence"] == "sepal_length is 1.9 sd larger than in the reference"
    assert watch["features"][0] == {"feature": "sepal_length", "score": 1.08}
    assert (watch["rows"], watch["alarm"]["since_row"]) == (550, 301)


def test_without_an_alarm_the_strongest_evidence_is_told(
    workspace: Workspace, clock: FakeClock, call: httpx.Client
) -> None:
    staged = stage(workspace, clock)
    staged.checkpoint(0.25, {"sepal_length": 0.25}, rows=1_000)
    found = call.get("/api/endpoints/iris/drift").json()
    assert found["detected"] is False
    assert found["sentence"] == "no drift in 1,000 rows; the strongest evidence is 0.25 of what an alarm needs"


def test_an_endpoint_without_a_model_has_no_drift(call: httpx.Client) -> None:
    answer = call.get("/api/endpoints/nobody/drift")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "endpoint 'nobody' serves no model that is watched",
    )


def test_scores_over_time_are_the_largest_of_their_interval(iris: Iris, call: httpx.Client) -> None:
    points = call.get("/api/endpoints/iris/drift/scores", params={"window": 1200, "points": 4}).json()["items"]
    assert [each["score"] for each in points] == [0.1, 0.1, 0.7] or points[-1]["score"] == 0.7
    assert sum(each["rows"] for each in points) == 550


def test_a_feature_is_drawn_beside_its_reference(iris: Iris, call: httpx.Client) -> None:
    numbers = call.get("/api/endpoints/iris/drift/features/sepal_length").json()
    assert (numbers["reference_rows"], numbers["now_rows"]) == (400, 550)
    assert sum(each["reference"] for each in numbers["bins"]) == pytest.approx(1)
    assert sum(each["now"] for each in numbers["bins"]) == pytest.approx(1)
    texts = call.get("/api/endpoints/iris/drift/features/colour").json()
    assert sorted(each["label"] for each in texts["bins"]) == ["blue", "violet", "white"]
    said = call.get("/api/endpoints/iris/drift/features/prediction").json()
    assert {each["label"] for each in said["bins"]} == {"setosa", "virginica"}


def test_an_unknown_feature_is_answered_with_the_known_ones(iris: Iris, call: httpx.Client) -> None:
    answer = call.get("/api/endpoints/iris/drift/features/weight")
    assert answer.status_code == 404
    assert "iris@3 has no input 'weight'; it has sepal_length" in answer.json()["detail"]


def test_performance_is_told_with_intervals_beside_validation(iris: Iris, call: httpx.Client) -> None:
    found = call.get("/api/endpoints/iris/performance").json()
    (release,) = found["releases"]
    accuracy = release["figures"][0]
    assert accuracy["name"] == "accuracy"
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert (release["labelled"], release["served"]) == (350, 550)
    assert release["validated"]["accuracy"] == 0.95
    assert found["sentence"].startswith("accuracy 0.9")


def test_performance_without_labels_is_estimated_and_held_against_labels(iris: Iris, call: httpx.Client) -> None:
    estimate = call.get("/api/endpoints/iris/performance").json()["releases"][0]["estimate"]
    assert estimate["low"] < estimate["value"] < estimate["high"] < 0.8  # half of the flowers are long ones now
    assert estimate["error"] < 0


def test_parts_are_told_by_category_and_by_range(iris: Iris, call: httpx.Client) -> None:
    parts = call.get("/api/endpoints/iris/segments", params={"by": "colour"}).json()["segments"]
    assert sorted(each["name"] for each in parts) == ["blue", "violet", "white"]
    assert sum(each["rows"] for each in parts) == 550
    assert {each["shifted"] for each in parts} == {"sepal_length"}
    assert all(each["shift"] > 0.5 for each in parts)
    ranges = call.get("/api/endpoints/iris/segments", params={"by": "sepal_length", "cut": [5, 6]}).json()["segments"]
    assert [each["name"] for each in ranges] == ["below 5", "5 to 6", "from 6"]


def test_ranges_of_a_text_are_refused(iris: Iris, call: httpx.Client) -> None:
    answer = call.get("/api/endpoints/iris/segments", params={"by": "colour", "cut": [5]})
    assert answer.status_code == 422
    assert "colour is text" in answer.json()["detail"]


def test_labels_are_taken_over_http_and_each_is_answered(iris: Iris, call: httpx.Client) -> None:
    (request_id,) = iris.ask(1)
    given = [
        {"request_id": request_id, "label": "setosa"},
        {"request_id": request_id, "row": 4, "label": "setosa"},
        {"request_id": "not-yet", "label": "setosa"},
    ]
    answer = call.post("/endpoints/iris/labels", json={"labels": given}).json()
    assert (answer["kept"], answer["refused"], answer["waiting"]) == (1, 1, 1)
    assert [each["outcome"] for each in answer["labels"]] == ["kept", "refused", "waiting"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "labels"),
        ({"labels": []}, 422, "labels"),
        ({"labels": ["setosa"]}, 422, "labels"),
        ({"labels": [{"request_id": "a"}]}, 422, "label"),
        ({"labels": [{"request_id": "a", "label": 1, "more": 2}]}, 422, "more"),
    ],
)
def test_a_body_of_another_form_is_refused(
    iris: Iris, call: httpx.Client, body: object, status: int, said: str
) -> None:
    answer = call.post("/endpoints/iris/labels", json=body)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_labels_of_an_endpoint_nobody_knows_are_refused(call: httpx.Client) -> None:
    answer = call.post("/endpoints/nobody/labels", json={"labels": [{"request_id": "a", "label": 1}]})
    assert answer.status_code == 404


def test_an_alarm_is_acknowledged_and_closed_with_a_reason(iris: Iris, call: httpx.Client) -> None:
    (alarm,) = call.get("/api/alarms", params={"endpoint": "iris", "state": "open"}).json()["items"]
    assert call.post(f"/api/alarms/{alarm['id']}/acknowledge").json()["state"] == "acknowledged"
    closed = call.post("/api/endpoints/iris/drift/close", json={"reason": "a new sensor", "accept": True}).json()
    assert (closed["state"], closed["outcome"], closed["reason"]) == ("closed", "accepted", "a new sensor")
    assert call.get("/api/endpoints/iris/drift").json()["detected"] is False
    assert call.post("/api/endpoints/iris/drift/close", json={"reason": "again"}).status_code == 404
    assert call.post(f"/api/alarms/{alarm['id']}/close", json={"reason": "again"}).status_code == 409


def test_labelled_rows_become_a_dataset_version(
    iris: Iris, call: httpx.Client, workspace: Workspace, admin: Caller
) -> None:
    pytest.importorskip("duckdb", reason="datasets need the extra data")
    answer = call.post("/api/endpoints/iris/export", json={"dataset": "served", "rows": 100, "with_origin": True})
    assert answer.status_code == 201
    assert answer.json()["sentence"].startswith("served@1: 100 of ")
    with workspace.reading(ADMIN) as uow:
        rows = list(datasets.rows(uow, datasets.get(uow, "served")))
    assert len(rows) == 100
    assert set(rows[0]) >= {"sepal_length", "colour", "species", "request_id", "predicted"}


def test_an_endpoint_without_labels_has_nothing_to_export(
    workspace: Workspace, clock: FakeClock, call: httpx.Client
) -> None:
    stage(workspace, clock).ask(3)
    answer = call.post("/api/endpoints/iris/export", json={"dataset": "served"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("0 of 3 rows that iris predicted have labels: there is nothing to export")
