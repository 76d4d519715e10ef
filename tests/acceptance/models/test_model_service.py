"""One model as a service, over real HTTP from a process of its own, started as the seed's variables say."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from opsloop.models import bundle as bundles
from opsloop.server.inference.messages import SERVICE, message
from tests.acceptance.in_process import run
from tests.unit.models import made

SEED = {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.5, 1.8]]}
Start = Callable[..., httpx.Client]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundles.write(made.iris_candidate(), tmp_path / "models")
    return tmp_path / "models"


class Hook(ThreadingHTTPServer):
    """A webhook whose first answers are errors."""

    def __init__(self, errors: int) -> None:
        self.left = errors
        self.came: list[tuple[dict[str, str], Any]] = []
        self.has_taken = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/drift"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = self.server
        assert isinstance(hook, Hook)
        body = self.rfile.read(int(self.headers["content-length"]))
        hook.came.append((dict(self.headers.items()), json.loads(body)))
        hook.left -= 1
        self.send_response(200 if hook.left < 0 else 500)
        self.send_header("content-length", "0")
        self.end_headers()
        if hook.left < 0:
            hook.has_taken.set()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook(errors=1)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(folder: Path, port: int, tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []
    clients: list[httpx.Client] = []

    def begin(**variables: str) -> httpx.Client:
        command = [sys.executable, "-m", "opsloop.cli.main", "serve", "--port", str(port)]
        environment = {**os.environ, "MODEL_PATH": str(folder / "model.onnx"), **variables}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )
        processes.append(process)
        assert process.stderr is not None
        line = ""
        while not line.startswith("serving models@"):
            line = process.stderr.readline()
            assert line, "it ended before it served"
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)
        clients.append(client)
        return client

    begin.processes = processes  # type: ignore[attr-defined]
    yield begin
    for each in clients:
        each.close()
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            assert process.returncode == 0


def test_the_seeds_example_gives_what_the_seed_says(start: Start) -> None:
    http = start()
    said = http.post("/predict", json=SEED).json()
    assert said["predictions"] == [0, 2]
    assert said["drift_detected"] is False
    assert isinstance(said["drift_score"], float)
    counted = http.get("/metrics").text
    for name in ("inference_requests_total{", "inference_latency_seconds_bucket{", "drift_events_total{"):
        assert name in counted
    assert http.get("/health").json()["status"] == "ok"
    assert http.get("/ready").status_code == 200
    tensor = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": SEED["inputs"][0]}
    inferred = http.post("/v2/models/models/infer", json={"inputs": [tensor]}).json()
    assert inferred["outputs"][0]["data"] == [0]


def test_a_line_of_log_stands_for_each_request(start: Start) -> None:
    http = start()
    http.post("/predict", json={"inputs": SEED["inputs"][:1]})
    (process,) = start.processes  # type: ignore[attr-defined]
    line = process.stdout.readline()
    assert line.startswith("INFO {")
    said = json.loads(line.removeprefix("INFO "))
    assert (said["event"], said["inputs_sample"]) == ("prediction", SEED["inputs"][:1])
    assert (said["predictions_sample"], said["drift_detected"]) == ([0], False)


def test_drift_is_told_to_the_webhook_once_it_takes_it(start: Start, hook: Hook) -> None:
    http = start(DRIFT_WEBHOOK=hook.url, OPSLOOP_DRIFT_WEBHOOK_SECRET="s3cret", REQUIRE_WEBHOOK="true")
    said: dict[str, Any] = {}
    for _ in range(100):
        said = http.post("/predict", json={"inputs": [[9.1, 7.5, 9.4, 5.2]]}).json()
        if said["drift_detected"]:
            break
    assert said["drift_detected"]
    assert hook.has_taken.wait(60)
    (first_headers, first), (again_headers, again) = hook.came
    assert first == again
    assert first["event"] == "drift.detected"
    assert first_headers["X-Opsloop-Delivery"] == again_headers["X-Opsloop-Delivery"]
    assert again_headers["X-Opsloop-Signature"].startswith("t=")
    counted = http.get("/metrics").text
    assert 'drift_events_total{endpoint="models"} 1.0' in counted


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"inputs": [[5.1, "x", 1.4, 0.2]]}', "'x'"),
        ('{"inputs": [[5.1, 3.5, 1.4]]}', "4 values"),
        ('{"inputs": [[5.1, NaN, 1.4, 0.2]]}', "finite"),
        ('{"inputs": [[5.1, 1e999, 1.4, 0.2]]}', "finite"),
        ('{"inputs": [[5.1, null, 1.4, 0.2]]}', "finite"),
        ('{"inputs": [[5.1, 1' + "0" * 400 + ", 1.4, 0.2]]}", "row 0"),
        ('{"inputs": []}', "at least one row"),
        ('{"inputs": [[[[]]]]}', "4 values"),
        ('{"columns": 5}', "inputs"),
        ("{", "JSON"),
        ("[" * 100_000, "body"),
    ],
)
def test_what_cannot_be_predicted_is_told_in_a_sentence(start: Start, body: str, says: str) -> None:
    http = start()
    said = http.post("/predict", content=body.encode())
    assert said.status_code in (413, 422), said.text
    assert says in said.json()["detail"]
    assert http.post("/predict", json=SEED).json()["predictions"] == [0, 2]


def test_a_file_alone_is_served_with_the_rows_that_are_named(start: Start, folder: Path, tmp_path: Path) -> None:
    (folder / "model.onnx").rename(tmp_path / "models.onnx")
    http = start(MODEL_PATH=str(tmp_path / "models.onnx"), BASELINE_PATH=str(folder / "baseline.npy"))
    assert http.post("/predict", json=SEED).json()["predictions"] == [0, 2]
    for _ in range(200):
        if http.post("/predict", json={"inputs": [[9.1, 7.5, 9.4, 5.2]]}).json()["drift_detected"]:
            return
    raise AssertionError("no drift was seen")


def test_rules_that_are_named_are_held(start: Start, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('[{"expect": "between", "column": "petal_width", "max": 3}]')
    http = start(EXPECTATIONS_PATH=str(tmp_path / "rules.json"))
    assert http.post("/predict", json=SEED).json()["drift_detected"] is False
    assert http.post("/predict", json={"inputs": [[5.1, 3.5, 1.4, 4.2]]}).json()["drift_detected"] is True
    assert 'expectations_broken_total{endpoint="models"' in http.get("/metrics").text


def test_with_a_key_only_its_holders_are_let_in(start: Start) -> None:
    http = start(OPSLOOP_SERVE_KEY="sesame")
    assert http.post("/predict", json=SEED).status_code == 401
    assert http.post("/predict", json=SEED, headers={"authorization": "Bearer no"}).status_code == 401
    assert http.get("/v2/models/models").status_code == 401
    assert http.get("/health").status_code == 200
    for connection in ("keep-alive", "close"):  # the short way and the ordinary one
        shown = {"authorization": "Bearer sesame", "connection": connection}
        assert http.post("/predict", json=SEED, headers=shown).json()["predictions"] == [0, 2]


def test_the_open_inference_protocol_is_answered_over_grpc(start: Start) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start(OPSLOOP_GRPC_PORT=str(port))
    request = message("ModelInferRequest")(model_name="models")
    tensor = request.inputs.add(name="rows", datatype="FP64", shape=[2, 4])
    tensor.contents.fp64_contents.extend(value for row in SEED["inputs"] for value in row)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=message("ModelInferRequest").SerializeToString,
            response_deserializer=message("ModelInferResponse").FromString,
        )
        said = call(request, timeout=60)
    assert list(said.outputs[0].contents.int64_contents) == [0, 2]


def test_a_million_rows_are_refused_and_the_service_goes_on(start: Start) -> None:
    http = start()
    row = b"[5.1,3.5,1.4,0.2]"
    said = http.post("/predict", content=b'{"inputs":[' + b",".join([row] * 1_000_000) + b"]}")
    assert said.status_code == 413
    assert http.post("/predict", json=SEED).json()["predictions"] == [0, 2]


def test_without_the_webhook_that_is_required_it_does_not_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_WEBHOOK", "true")
    said = run("serve", "--model", str(folder))
    assert said.code == 2
    assert "REQUIRE_WEBHOOK is set and DRIFT_WEBHOOK is not" in said.err


def test_a_pickle_and_half_a_file_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("model.pkl", "called.onnx"):
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}))
        said = run("serve", "--model", str(tmp_path / name))
        assert said.code == 2
        assert "is a pickle, and loading one runs whatever is inside" in said.err
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])
    said = run("serve", "--model", str(folder))
    assert said.code == 2
    assert "model.onnx of the model cannot be used" in said.err


def test_it_does_not_listen_to_others_without_a_key(folder: Path) -> None:
    said = run("serve", "--model", str(folder), "--host", "0.0.0.0")
    assert said.code == 2
    assert "serving a model on 0.0.0.0 would let everybody in: set OPSLOOP_SERVE_KEY" in said.err
