"""Rows to a model behind an endpoint, through the routing table."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression

from opsloop.core.settings import CoreSettings
from opsloop.models import service as models
from opsloop.models.candidate import Candidate
from opsloop.models.signature import Task
from opsloop.monitoring.predictions import service as predictions
from opsloop.releases import service as releases
from opsloop.releases.driver import Driver
from tests.integration.gateway.world import ECHO, OPERATOR, Live, Shop
from tests.unit.models.made import candidate, diabetes, iris, iris_candidate, mixed

Start = Callable[[], Live]
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.5, 1.8]]


def release(shop: Shop, candidate: Candidate, *, endpoint: str = "iris", strategy: object = "blue-green") -> str:
    """A model registered and released; its rollout's id."""
    with shop.workspace.writing(OPERATOR) as uow:
        version = models.register(uow, endpoint, candidate)
    with shop.workspace.writing(OPERATOR) as uow:
        if version.version == 1:
            releases.create_endpoint(uow, endpoint)
        return releases.create_release(uow, endpoint, model=version.ref, strategy=strategy).rollout.id


@pytest.fixture
def settings(migrated_folder: Path) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder)


@pytest.fixture
def served(shop: Shop, live: Start) -> Live:
    release(shop, iris_candidate())
    return live()


def predict(http: httpx.Client, live: Live, body: Any, path: str = "/predict") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.post(f"{live.url}{path}", content=content, headers={"content-type": "application/json"})


def test_the_default_endpoint_is_the_first_that_serves_a_model(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    release(shop, iris_candidate())
    answer = predict(http, live(), {"inputs": ROWS})
    found = answer.json()
    assert answer.status_code == 200, found
    assert found["predictions"] == [0, 2]
    assert found["drift_detected"] is False
    assert isinstance(found["drift_score"], float)
    assert found["request_id"] == answer.headers["x-request-id"]


def test_without_a_model_the_default_endpoint_is_missing_in_a_sentence(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.release(ECHO)
    running = live()
    missing = predict(http, running, {"inputs": ROWS})
    assert (missing.status_code, "no endpoint serves a model" in missing.json()["detail"]) == (404, True)
    flow = predict(http, running, {"inputs": ROWS}, "/endpoints/chat/predict")
    assert (flow.status_code, "serves a flow" in flow.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    "inputs",
    [
        [dict(zip(("sepal_length", "sepal_width", "petal_length", "petal_width"), row, strict=True)) for row in ROWS],
        {
            "petal_width": [0.2, 1.8],
            "petal_length": [1.4, 5.5],
            "sepal_length": [5.1, 6.5],
            "sepal_width": [3.5, 3],
        },
    ],
)
def test_rows_come_by_name_or_as_columns(served: Live, http: httpx.Client, inputs: Any) -> None:
    assert predict(http, served, {"inputs": inputs}).json()["predictions"] == [0, 2]


def test_an_answer_is_kept_with_its_rows(shop: Shop, served: Live, http: httpx.Client) -> None:
    answer = predict(http, served, {"inputs": ROWS, "user": "maria"}, "/endpoints/iris/predict").json()
    served.drain()
    (record,) = shop.records("iris")
    assert (record.status, record.engine, record.request_id) == ("ok", "model", answer["request_id"])
    with shop.workspace.reading(OPERATOR) as uow:
        (kept,) = predictions.newest(uow, "iris")
    assert (kept.inputs, kept.predictions, kept.rows) == (ROWS, [0, 2], 2)


def test_of_many_rows_the_first_are_kept(shop: Shop, served: Live, http: httpx.Client) -> None:
    predict(http, served, {"inputs": ROWS * 1000})
    served.drain()
    with shop.workspace.reading(OPERATOR) as uow:
        (kept,) = predictions.newest(uow, "iris")
    assert (len(kept.inputs), len(kept.predictions), kept.rows) == (1000, 1000, 2000)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ("[[5.1,3.5,1.4]]", ["row 0", "3 values", "4 values", "sepal_length"]),
        ("[[5.1,3.5,1.4,0.2],[1,2,3,4,5]]", ["row 1", "5 values"]),
        ('[[5.1,"a",1.4,0.2]]', ["row 0", "'sepal_width'", "'a'", "a finite number"]),
        ("[[5.1,3.5,1.4,0.2],[5.1,3.5,null,0.2]]", ["row 1", "'petal_length'", "null", "a finite number"]),
        ("[[5.1,3.5,NaN,0.2]]", ["row 0", "'petal_length'", "NaN", "a finite number"]),
        ("[[5.1,3.5,-Infinity,0.2]]", ["row 0", "'petal_length'", "-Infinity", "a finite number"]),
        ("[[5.1,3.5,1.4,1e999]]", ["row 0", "'petal_width'", "Infinity", "a finite number"]),
        ("[[5.1,3.5,1.4,1e39]]", ["row 0", "'petal_width'", "1e+39", "between"]),
        (f"[[5.1,3.5,1.4,{10**400}]]", ["row 0", "'petal_width'", "a finite number"]),
        ("[[5.1,3.5,1.4,true]]", ["row 0", "'petal_width'", "true", "a finite number"]),
        ("[[5.1,3.5,1.4,[0.2]]]", ["row 0", "'petal_width'", "a finite number"]),
        ("[]", ["empty"]),
        ("{}", ["column 'sepal_length' is missing"]),
        ("[[]]", ["row 0", "0 values"]),
        ('[{"sepal_length": 5.1}]', ["row 0", "'sepal_width' is missing"]),
        (
            '[{"sepal_length": 1, "sepal_width": 1, "petal_length": 1, "petal_width": 1, "petal_widht": 1}]',
            ["'petal_widht'", "did you mean 'petal_width'"],
        ),
        (
            '{"sepal_length": [1, 2], "sepal_width": [1], "petal_length": [1], "petal_width": [1]}',
            ["'sepal_width' has 1 value", "2"],
        ),
        ('{"sepal_length": 1, "sepal_width": [1], "petal_length": [1], "petal_width": [1]}', ["'sepal_length' is 1"]),
        ("5", ["5", "list of rows"]),
        ('"rows"', ["'rows'", "list of rows"]),
        ("[5.1,3.5,1.4,0.2]", ["row 0", "5.1", "4 values"]),
        ("[" * 100_000 + "]" * 100_000, ["nested too deeply"]),
        ("[[5.1,3.5,1.4,0.2]", ["body", "JSON"]),
        ("null", ["null", "list of rows"]),
        (f"[[5.1,3.5,1.4,1{'0' * 5000}]]", ["row 0", "'petal_width'", "1000", "a finite number"]),
        (
            '[{"sepal_length":1,"sepal_length":2,"sepal_width":3,"petal_length":1,"petal_width":1}]',
            ["row 0", "'sepal_length' comes twice"],
        ),
        (
            '{"sepal_length":[1],"sepal_length":[2],"sepal_width":[3],"petal_length":[1],"petal_width":[1]}',
            ["'sepal_length' comes twice"],
        ),
        (
            '[{"sepal_length":1,"sepal_width":3,"petal_length":1,"petal_width":1},[1,2,3,4]]',
            ["row 1 is a list, row 0 an object"],
        ),
        ('[[1,2,3]],"inputs": [[5.1,3.5,1.4,0.2]]', ["'inputs' twice"]),
        ('[[5.1,3.5,1.4,0.2]], "alpha": NaN', ["alpha: is NaN", "a finite number"]),
    ],
)
def test_wrong_rows_are_refused_in_a_sentence_and_the_service_stays(
    shop: Shop, live: Start, http: httpx.Client, inputs: str, words: list[str]
) -> None:
    release(shop, iris_candidate())
    served = live()
    refused = predict(http, served, b'{"inputs": ' + inputs.encode() + b"}")
    assert refused.status_code == 422, refused.text
    detail = refused.json()["detail"]
    assert all(word in detail for word in words), detail
    assert len(detail) < 600
    assert predict(http, served, {"inputs": ROWS}).json()["predictions"] == [0, 2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "body: is empty"),
        (b"\xff", "body: not valid JSON"),
        (b"inputs=1", "body: not valid JSON: invalid character (byte 0): 'inputs=1'"),
        (b'{"inputs": [[5.1,3.5,1.4,0.2]]} more', "trailing characters (byte 33): 'more'"),
        (json.dumps({"inputs": ROWS}).encode("utf-16"), "byte order mark"),
        (b'{"inputs": [["\xe9",1,1,1]]}', "0xe9 is not UTF-8"),
        (b"[]", "an object"),
        (b'{"input": [[1]]}', "'input'"),
        (b'{"inputs": [[1,2,3,4]], "alpha": 7}', "alpha: is 7.0"),
    ],
)
def test_what_is_no_request_for_predictions_is_refused(
    served: Live, http: httpx.Client, body: bytes, words: str
) -> None:
    refused = predict(http, served, body)
    assert (refused.status_code, words in refused.json()["detail"]) == (422, True), refused.text


def test_a_packed_body_is_told_to_come_unpacked(served: Live, http: httpx.Client) -> None:
    packed = gzip.compress(json.dumps({"inputs": ROWS}).encode())
    refused = http.post(f"{served.url}/predict", content=packed, headers={"content-encoding": "gzip"})
    assert refused.status_code == 422
    assert "content-encoding: is 'gzip'; wanted a body as it is" in refused.json()["detail"]


def test_of_more_rows_than_the_limit_none_is_looked_at(served: Live, http: httpx.Client) -> None:
    wrong = b'{"inputs":[' + b",".join([b"[1,2,3,4]"] * 20_000) + b",[1]]}"
    refused = predict(http, served, wrong)
    assert (refused.status_code, "20001 rows" in refused.json()["detail"]) == (413, True)
    tensor = {"name": "x", "shape": [10**15, 4], "datatype": "FP32", "data": []}
    refused = http.post(f"{served.url}/v2/models/iris/infer", json={"inputs": [tensor]})
    assert (refused.status_code, f"{10**15} rows" in refused.json()["error"]) == (413, True)


def test_more_rows_than_the_limit_are_refused_with_the_setting_to_raise(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    release(shop, iris_candidate())
    served = live()
    body = b'{"inputs":[' + b",".join([b"[1,2,3,4]"] * 1_000_000) + b"]}"
    refused = predict(http, served, body)
    assert refused.status_code == 413
    assert "1000000 rows" in refused.json()["detail"]
    assert "OPSLOOP_PREDICT_ROWS" in refused.json()["detail"]


def test_text_and_unknown_categories(shop: Shop, live: Start, http: httpx.Client) -> None:
    X, y = mixed()
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    split = ColumnTransformer([("colour", OneHotEncoder(), [1])], remainder="passthrough")
    release(shop, candidate(make_pipeline(split, LinearRegression()), X, y, Task.REGRESSION), endpoint="mixed")
    served = live()
    (found,) = predict(http, served, {"inputs": [[1.0, "red", 0.0]]}).json()["predictions"]
    assert found == pytest.approx(3.0, abs=1e-4)
    refused = predict(http, served, {"inputs": [[1.0, "red", 0.0], [1.0, "mauve", 0.0]]}).json()["detail"]
    assert "row 1, column 'x1' is 'mauve'; wanted one of 'blue', 'green', 'red'" in refused


def test_probabilities_and_sets_come_on_request(shop: Shop, live: Start, http: httpx.Client) -> None:
    release(shop, iris_candidate())
    served = live()
    found = predict(http, served, {"inputs": ROWS, "return": ["probabilities"]}).json()
    assert found["classes"] == [0, 1, 2]
    assert [sum(row) for row in found["probabilities"]] == pytest.approx([1.0, 1.0])
    refused = predict(http, served, {"inputs": ROWS, "return": ["intervals"]})
    assert 400 <= refused.status_code < 500  # this one was not calibrated
    assert predict(http, served, {"inputs": ROWS, "return": ["everything"]}).status_code == 422


def test_a_candidate_that_fails_is_stood_in_for(shop: Shop, live: Start, http: httpx.Client) -> None:
    release(shop, iris_candidate())
    served = live()
    steps = [{"share": 0.999999, "min_duration_s": 3600, "min_subjects": 1_000_000}]
    X, y = iris()
    other = candidate(LogisticRegression(C=0.5, max_iter=500), X, y, Task.CLASSIFICATION)
    rollout = release(shop, other, strategy={"canary": {"steps": steps, "shield": True}})
    Driver.of(shop.workspace, rollout).tick(shop.workspace)
    names = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    while not any(record.arm == "candidate" for record in shop.records("iris")):  # until the test's own time limit
        predict(http, served, {"inputs": [names]}, "/endpoints/iris/predict")
    body = {"inputs": [dict(zip(("x0", "x1", "x2", "x3"), ROWS[0], strict=True))]}
    # Columns of the candidate's names: stable refuses them too, so the fault is the caller's.
    assert predict(http, served, body, "/endpoints/iris/predict").status_code in (200, 422)
    assert predict(http, served, {"inputs": [names]}, "/endpoints/iris/predict").json()["predictions"] == [0]
    served.drain()
    shielded = [record for record in shop.records("iris") if record.shielded]
    assert {record.arm for record in shielded} == {"candidate"}
    assert {record.http_status for record in shielded} == {500}


def test_a_regression_answers_with_numbers(shop: Shop, live: Start, http: httpx.Client) -> None:
    X, y = diabetes()
    release(shop, candidate(LinearRegression(), X, y, Task.REGRESSION), endpoint="sugar")
    found = predict(http, live(), {"inputs": X[:3].tolist()}).json()["predictions"]
    expected = LinearRegression().fit(*load_diabetes(return_X_y=True)).predict(X[:3])
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_model_endpoint_takes_no_chat(served: Live, http: httpx.Client) -> None:
    refused = http.post(
        f"{served.url}/v1/chat/completions", json={"model": "iris", "messages": [{"role": "user", "content": "?"}]}
    )
    assert "serves a model" in refused.json()["error"]["message"]


def test_the_open_inference_protocol_describes_and_infers(served: Live, http: httpx.Client) -> None:
    assert http.get(f"{served.url}/v2/health/ready").json() == {"ready": True}
    assert http.get(f"{served.url}/v2/health/live").json() == {"live": True}
    assert http.get(f"{served.url}/v2").json()["name"] == "opsloop"
    about = http.get(f"{served.url}/v2/models/iris").json()
    assert about["versions"] == ["1"]
    assert about["inputs"][0]["shape"] == [-1, 4]
    assert [each["datatype"] for each in about["outputs"]] == ["INT64", "FP64"]
    assert http.get(f"{served.url}/v2/models/iris/versions/1/ready").json() == {"name": "iris", "ready": True}
    missing = http.get(f"{served.url}/v2/models/iris/versions/7/ready")
    assert (missing.status_code, "version 7" in missing.json()["error"]) == (404, True)
    assert http.get(f"{served.url}/v2/models/roses").status_code == 404


@pytest.mark.parametrize(
    "inputs",
    [
        [{"name": "x", "shape": [2, 4], "datatype": "FP64", "data": ROWS}],
        [{"name": "x", "shape": [2, 4], "datatype": "FP32", "data": [value for row in ROWS for value in row]}],
        [
            {"name": name, "shape": [2, 1], "datatype": "FP32", "data": [ROWS[0][at], ROWS[1][at]]}
            for at, name in enumerate(("sepal_length", "sepal_width", "petal_length", "petal_width"))
        ],
    ],
)
def test_tensors_come_as_a_matrix_or_by_column(served: Live, http: httpx.Client, inputs: Any) -> None:
    answer = http.post(f"{served.url}/v2/models/iris/infer", json={"id": "42", "inputs": inputs}).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("iris", "1", "42")
    said, chances = answer["outputs"]
    assert (said["name"], said["datatype"], said["shape"], said["data"]) == ("predictions", "INT64", [2], [0, 2])
    assert (chances["shape"], len(chances["data"])) == ([2, 3], 6)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        ({"shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}, "[rows, 4]"),
        ({"shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3]}, "3 values; wanted 4 values"),
        ({"shape": [1, 4], "datatype": "FP33", "data": [1, 2, 3, 4]}, "FP33"),
        ({"shape": [1, 4], "datatype": "INT8", "data": [1, 2, 3, 400]}, "from -128 to 127"),
        ({"shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, None]}, "'petal_width' is null"),
        ({"shape": [-1, 4], "datatype": "FP32", "data": []}, "at least 0"),
        ({"shape": [0, 4], "datatype": "FP32", "data": []}, "empty"),
        ({"shape": [2**70, 4], "datatype": "FP32", "data": []}, "as 64 bits hold"),
        ({"shape": [10**4000, 4], "datatype": "FP32", "data": []}, "as 64 bits hold"),
        ({"shape": [1, 4], "datatype": "FP32", "data": [[1, 2], [3, [4]]]}, "nested otherwise"),
        ({"shape": [1, 4], "datatype": "FP32", "data": [1, [2], 3, 4]}, "nested otherwise"),
        ({"shape": [4], "datatype": "FP32", "data": [1, 2, 3, 4]}, "[rows, 4]"),
        ({"shape": [1, 4], "datatype": "FP32", "data": [math.nan, 2, 3, 4]}, "inputs[0].data[0]: is NaN"),
        ({"shape": [1, 4], "datatype": "FP32", "data": [1, 2, 10**400, 4]}, "'petal_length' is 1000"),
    ],
)
def test_wrong_tensors_are_refused_in_a_sentence(
    served: Live, http: httpx.Client, tensor: dict[str, Any], words: str
) -> None:
    content = json.dumps({"inputs": [{"name": "x", **tensor}]})
    refused = http.post(f"{served.url}/v2/models/iris/infer", content=content)
    assert refused.status_code == 422
    assert words in refused.json()["error"]
    assert len(refused.content) < 300


def test_what_comes_twice_in_a_request_for_inference_is_named(served: Live, http: httpx.Client) -> None:
    tensor = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": ROWS[0]}
    refused = http.post(f"{served.url}/v2/models/iris/infer", json={"inputs": [tensor, tensor]})
    assert "tensor 'x' comes twice" in refused.json()["error"]
    once = json.dumps([tensor])
    body = f'{{"inputs": {once}, "inputs": {once}}}'
    refused = http.post(f"{served.url}/v2/models/iris/infer", content=body)
    assert "has the key 'inputs' twice" in refused.json()["error"]
    named = {**tensor, "name": "inputs"}
    assert http.post(f"{served.url}/v2/models/iris/infer", json={"inputs": [named]}).is_success


def test_rows_of_integers_keep_their_kind(shop: Shop, live: Start, http: httpx.Client) -> None:
    X, y = iris()
    whole = (X * 10).round()
    release(shop, candidate(LogisticRegression(max_iter=2000), whole, y, Task.CLASSIFICATION))
    served = live()
    assert predict(http, served, {"inputs": [[51, 35, 14.0, 2]]}).json()["predictions"] == [0]
    refused = predict(http, served, {"inputs": [[51, 35, 14.5, 2]]}).json()["detail"]
    assert "'x2' is 14.5; wanted a whole number" in refused
    refused = predict(http, served, {"inputs": [[51, 35, 2**63, 2]]}).json()["detail"]
    assert "'x2' is 9223372036854775808; wanted a whole number between" in refused


def test_the_body_of_an_answer_is_json_however_it_was_made(served: Live, http: httpx.Client) -> None:
    assert msgspec.json.decode(predict(http, served, {"inputs": ROWS}).content)["release"].startswith("release_")
