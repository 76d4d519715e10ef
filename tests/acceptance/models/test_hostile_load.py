"""Requests that are wrong in every way, while others are right: each gets a sentence, and nobody waits for it."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from opsloop.server.inference.messages import SERVICE, message
from tests.acceptance.models.services import LONG_S, Service, running

GOOD = {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.5, 1.8]]}
ROW = "[5.1,3.5,1.4,0.2]"
NAMED = '{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2'


def rows(text: str) -> bytes:
    return f'{{"inputs": {text}}}'.encode()


PREDICT: list[tuple[bytes, int, str]] = [
    (rows("[[5.1,3.5,1.4]]"), 422, "row 0 has 3 values; wanted 4 values: sepal_length"),
    (rows(f"[{ROW},[1,2,3,4,5]]"), 422, "row 1 has 5 values; wanted 4 values"),
    (rows('[{"colour": "red"}]'), 422, "row 0: column 'sepal_length' is missing; wanted sepal_length, sepal_width"),
    (rows(f'[{NAMED},"colour":1}}]'), 422, "column 'colour' is not one of the model's; wanted sepal_length"),
    (rows(f'[{NAMED},"sepal_width":9}}]'), 422, "row 0: column 'sepal_width' comes twice; wanted it once"),
    (rows('[[5.1,"wide",1.4,0.2]]'), 422, "row 0, column 'sepal_width' is 'wide'; wanted a finite number"),
    (rows("[[5.1,NaN,1.4,0.2]]"), 422, "row 0, column 'sepal_width' is NaN; wanted a finite number"),
    (rows(f"[{ROW},[5.1,Infinity,1.4,0.2]]"), 422, "row 1, column 'sepal_width' is Infinity; wanted a finite number"),
    (rows("[[5.1,1e999,1.4,0.2]]"), 422, "column 'sepal_width' is Infinity; wanted a finite number"),
    (rows("[[5.1,null,1.4,0.2]]"), 422, "column 'sepal_width' is null; wanted a finite number"),
    (rows(f"[[{10**400},1,1,1]]"), 422, "column 'sepal_length' is 1000"),
    (rows(f"[[1{'0' * 100_000},1,1,1]]"), 422, "column 'sepal_length' is 1000"),
    (rows(f"[[{10**39},1,1,1]]"), 422, "wanted a number between -3.4e+38 and 3.4e+38"),
    (rows("[]"), 422, "inputs: is empty; wanted at least one row"),
    (rows("[" * 100_000 + "]" * 100_000), 422, "nested too deeply"),
    (rows('{"a":' * 50_000 + "1" + "}" * 50_000), 422, "nested too deeply"),
    (rows(f'[{ROW}], "inputs": [{ROW}]'), 422, "body: has the key 'inputs' twice; wanted it once"),
    (b"", 422, "body: is empty; wanted JSON"),
    (b"inputs=1,2,3,4", 422, "body: not valid JSON: invalid character (byte 0): 'inputs=1,2,3,4'"),
    (b"\x00\xff\xfe", 422, "body: not valid JSON"),
    (json.dumps(GOOD).encode("utf-16"), 422, "body: begins with a byte order mark; wanted JSON in UTF-8 without one"),
    (b'{"instances": [[1,2,3,4]]}', 422, "body: has a field 'instances'; wanted `inputs`"),
    (rows("[" + ",".join([ROW] * 20_000) + "]"), 413, "20000 rows; wanted at most 10000"),
    (rows("[" + ",".join(["[1]"] * 1_000_000) + "]"), 413, "1000000 rows; wanted at most 10000"),
    (rows("[" + ",".join([ROW] * 1_000_000) + "]"), 413, "over the limit of 16000000 bytes"),
    (b"[" * 100_000_000, 413, "over the limit of 16000000 bytes"),
]


def tensor(**changed: Any) -> bytes:
    whole = {"name": "rows", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2], **changed}
    return json.dumps({"inputs": [whole]}).encode()


INFER: list[tuple[bytes, int, str]] = [
    (tensor(shape=[1, 3], data=[1, 2, 3]), 422, "is [1, 3]; wanted [rows, 4]: sepal_length"),
    (tensor(data=["a", 1, 1, 1]), 422, "inputs[0].data[0]: is 'a'; wanted a number"),
    (tensor(data=[math.nan, 1, 1, 1]), 422, "inputs[0].data[0]: is NaN; wanted a finite number"),
    (tensor(data=[1, math.inf, 1, 1]), 422, "inputs[0].data[1]: is Infinity; wanted a finite number"),
    (tensor(data=[10**400, 1, 1, 1]), 422, "column 'sepal_length' is 1000"),
    (tensor(datatype="INT64", data=[2**70, 1, 1, 1]), 422, "is 1180591620717411303424; wanted a whole number from"),
    (tensor(datatype="FLOAT"), 422, "inputs[0].datatype: is 'FLOAT'; wanted one of FP16"),
    (tensor(shape=[2**62, 4]), 413, f"{2**62} rows; wanted at most 10000"),
    (tensor(shape=[-1, 4]), 422, "inputs[0].shape: is [-1, 4]; wanted sizes of at least 0"),
    (tensor(shape=[10_000, 4]).replace(b"5.1,", b"1," * 100_000 + b"[" * 800 + b"]" * 800 + b","), 422, "nested"),
    (json.dumps(GOOD).encode(), 422, "inputs[0]: is an array; wanted an object"),
    (b"", 422, "body: is empty; wanted JSON"),
    (b"x" * 100_000_000, 413, "over the limit of 16000000 bytes"),
]


class Asking:
    """Somebody whose requests are right, one after the other, until told to stop."""

    def __init__(self, service: Service) -> None:
        self._url = service.http.base_url
        self._is_over = threading.Event()
        self.answered = 0
        self.wrong: list[str] = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        with httpx.Client(base_url=self._url, timeout=LONG_S, trust_env=False) as http:
            while not self._is_over.is_set():
                said = http.post("/predict", json=GOOD)
                if said.status_code == 200 and said.json()["predictions"] == [0, 2]:
                    self.answered += 1
                else:
                    self.wrong.append(said.text)

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join(LONG_S)
        assert self.wrong == []
        assert self.answered > 0


@pytest.fixture(params=["serve", "up"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    with running(request.param, tmp_path) as found:
        yield found


@pytest.mark.slow
def test_every_wrong_request_gets_a_sentence_and_right_ones_their_answers(service: Service) -> None:
    asking = Asking(service)
    try:
        for body, status, words in PREDICT:
            _is_refused(service.http, "/predict", body, status, words)
        for body, status, words in INFER:
            _is_refused(service.http, "/v2/models/iris/infer", body, status, words)
        _is_refused(service.http, "/predict", (b"x" * 1_000_000 for _ in range(100)), 413, "over the limit")
        for call, words in _calls():
            _is_refused_over_grpc(service, call, words)
    finally:
        asking.stop()


def _is_refused(http: httpx.Client, path: str, body: Any, status: int, words: str) -> None:
    said = http.post(path, content=body)
    case = body[:80] if isinstance(body, bytes) else b"in pieces"
    assert said.status_code == status, (case, said.text)
    found = said.json()
    sentence = found["error"] if path.startswith("/v2") else found["detail"]
    assert words in sentence, (case, sentence)
    assert len(sentence) < 500, case
    assert http.post("/predict", json=GOOD).json()["predictions"] == [0, 2], case


def _calls() -> Iterator[tuple[bytes, str]]:
    for shape, values, words in (
        ([1, 3], [1.0, 2.0, 3.0], "is [1, 3]; wanted [rows, 4]"),
        ([1, 4], [math.nan, 1.0, 1.0, 1.0], "row 0, column 'sepal_length' is null; wanted a finite number"),
        ([1, 4], [math.inf, 1.0, 1.0, 1.0], "inputs[0].data[0]: is inf; wanted a finite number"),
        ([1, 4], [1e300, 1.0, 1.0, 1.0], "wanted a number between -3.4e+38 and 3.4e+38"),
        ([2**62, 4], [1.0, 1.0, 1.0, 1.0], "rows; wanted at most 10000"),
        ([1_000_000, 4], [1.0] * 4_000_000, "larger than max"),
    ):
        call = message("ModelInferRequest")(model_name="iris")
        call.inputs.add(name="rows", datatype="FP64", shape=shape).contents.fp64_contents.extend(values)
        yield call.SerializeToString(), words
    yield message("ModelInferRequest")().SerializeToString(), "model_name: is ''; wanted the name of a model"
    yield message("ModelInferRequest")(model_name="roses").SerializeToString(), "'roses'"
    yield b"\xff" * 100, "the message cannot be read; wanted a ModelInferRequest"


def _is_refused_over_grpc(service: Service, call: bytes, words: str) -> None:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{service.grpc_port}", options=options) as channel:
        ask = channel.unary_unary(f"/{SERVICE}/ModelInfer")
        with pytest.raises(grpc.RpcError) as found:
            ask(call, timeout=LONG_S)
    assert found.value.code() is not grpc.StatusCode.UNKNOWN
    assert words in found.value.details()
    assert service.http.post("/predict", json=GOOD).json()["predictions"] == [0, 2]
