"""What a prediction costs: a model behind an endpoint, beside the frameworks that serve models.

Logistic regression and a random forest of 100 trees on iris, requests of one row and of a hundred, over 32 connections.
Opsloop runs as users run it (`opsloop up`), with its drift test on and a record of every request in the spool and the
database. Beside it, each with its defaults and one worker:

* bare ASGI: an application that reads the body and says three bytes, in the same server (uvicorn, httptools, uvloop)
* naive: a service as one writes it with FastAPI, scikit-learn, a z-score, two counters and a line of log
* MLServer with its scikit-learn runtime in the serving process, over the Open Inference Protocol
* BentoML with a service that calls scikit-learn

All servers run at once and are measured in rounds that alternate. Requests per second share the machine's cores with
the load, so the figure that counts is the CPU time of the server's processes per request; ratios are of that.

Run: python benchmarks/predict.py [--requests 20000] [--rounds 5] [--only NAME …]
Goal: one row of the logistic regression at most 2.5 times the CPU of bare ASGI; at least 15 times less than MLServer,
40 times less than BentoML, and for the forest 100 times less than the slower of MLServer and naive.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from _peers import environment, kept_environment

BENTOML = ("bentoml==1.4.40", "scikit-learn==1.9.1")
MLSERVER = ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", "scikit-learn==1.9.1")
CONNECTIONS = 32
MODELS = ("logistic", "forest")
ROWS = (1, 100)
START_LIMIT_S = 120.0
OF_BARE, OF_MLSERVER, OF_BENTOML, OF_FOREST = 2.5, 15.0, 40.0, 100.0

TRAIN = """
import sys, joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
joblib.dump(LogisticRegression(max_iter=1000).fit(X, y), "logistic.joblib")
joblib.dump(RandomForestClassifier(100, random_state=0).fit(X, y), "forest.joblib")
"""

REGISTER = """
import sys
from pathlib import Path
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from opsloop.core.caller import system
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models import conversion, inference, service as models
from opsloop.models.signature import Task
from opsloop.releases import service as releases
X, y = load_iris(return_X_y=True)
names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
signature = inference.signature_of(X, names, inference.output_of("species", Task.CLASSIFICATION, y))
workspace = open_workspace(CoreSettings(data_dir=Path(".opsloop")))
for name, model in (
    ("logistic", LogisticRegression(max_iter=1000)),
    ("forest", RandomForestClassifier(100, random_state=0)),
):
    candidate = conversion.candidate_of(model.fit(X, y), X, y, signature, metrics={})
    with workspace.writing(system("benchmark")) as uow:
        version = models.register(uow, name, candidate)
        releases.create_endpoint(uow, name)
        releases.create_release(uow, name, model=version.ref)
workspace.close()
"""

BARE = """
import sys, uvicorn
async def app(scope, receive, send):
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"yes"})
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", lifespan="off", access_log=False)
"""

NAIVE = """
import json, logging, sys, time
import joblib, numpy as np, uvicorn
from fastapi import FastAPI
from prometheus_client import Counter, Histogram
from pydantic import BaseModel
from sklearn.datasets import load_iris
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=open("naive.log", "w"))
models = {name: joblib.load(f"{name}.joblib") for name in ("logistic", "forest")}
baseline = load_iris().data
mean, std = baseline.mean(axis=0), baseline.std(axis=0)
requests = Counter("inference_requests_total", "Requests.")
latency = Histogram("inference_latency_seconds", "Latency.")
drifts = Counter("drift_events_total", "Drifts.")
app = FastAPI()
class Asked(BaseModel):
    inputs: list[list[float]]
@app.post("/{name}/predict")
def predict(name: str, asked: Asked):
    requests.inc()
    with latency.time():
        X = np.array(asked.inputs)
        predictions = models[name].predict(X).tolist()
    score = float(np.max(np.abs((X.mean(axis=0) - mean) / (std + 1e-8))))
    detected = score > 5.0
    if detected:
        drifts.inc()
    logging.info(json.dumps({"event": "prediction", "inputs_sample": asked.inputs[:1], "predictions_sample":
        predictions[:1], "drift_detected": detected, "drift_score": score}))
    return {"predictions": predictions, "drift_detected": detected, "drift_score": score}
uvicorn.run(app, port=int(sys.argv[1]), access_log=False)
"""

BENTO = """
import bentoml, joblib, numpy as np
MODELS = "{folder}"
@bentoml.service(workers=1, traffic={{"timeout": 60}})
class Iris:
    def __init__(self) -> None:
        self.models = {{name: joblib.load(f"{{MODELS}}/{{name}}.joblib") for name in ("logistic", "forest")}}
    @bentoml.api
    def logistic(self, inputs: list[list[float]]) -> list[int]:
        return self.models["logistic"].predict(np.array(inputs)).tolist()
    @bentoml.api
    def forest(self, inputs: list[list[float]]) -> list[int]:
        return self.models["forest"].predict(np.array(inputs)).tolist()
"""


@dataclass
class Server:
    """One that runs, and what was measured of it by model and rows."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    path: str
    is_v2: bool = False
    per_s: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    cpu_us: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """User and system time of the process and what it started, in seconds (proc(5))."""
        return sum(_cpu_s(pid) for pid in _family(self.process.pid))

    def cpu(self, model: str, rows: int) -> float:
        return statistics.median(self.cpu_us[model, rows])


def main() -> int:
    options = _options()
    rows = _rows()
    with tempfile.TemporaryDirectory(prefix="opsloop-predict-") as place, _servers(Path(place), options.only) as found:
        for turn in range(options.rounds + 1):
            for model in MODELS:
                for count in ROWS:
                    for each in found:
                        _measure(each, model, rows[:count], options, keep=turn > 0)
    for model in MODELS:
        for count in ROWS:
            print(f"{model}, {count} row{'s' if count > 1 else ''}")
            for each in found:
                per_s = statistics.median(each.per_s[model, count])
                print(f"  {each.name:>9}: {per_s:9,.0f} req/s {each.cpu(model, count):10,.0f} µs CPU a request")
    return _verdict({each.name: each for each in found})


def _verdict(by_name: dict[str, Server]) -> int:
    ours = by_name["opsloop"]
    mine, forest = ours.cpu("logistic", 1), ours.cpu("forest", 1)
    parts, met = [], True
    if bare := by_name.get("bare"):
        ratio = mine / bare.cpu("logistic", 1)
        parts.append(f"{ratio:.1f} times the CPU of bare ASGI (goal <= {OF_BARE})")
        met &= ratio <= OF_BARE
    for name, goal in (("mlserver", OF_MLSERVER), ("bentoml", OF_BENTOML)):
        if peer := by_name.get(name):
            ratio = peer.cpu("logistic", 1) / mine
            parts.append(f"1/{ratio:.0f} of {name} (goal >= {goal:.0f})")
            met &= ratio >= goal
    slow = [by_name[name].cpu("forest", 1) for name in ("mlserver", "naive") if name in by_name]
    if slow:
        parts.append(f"forest 1/{max(slow) / forest:.0f} (goal >= {OF_FOREST:.0f})")
        met &= max(slow) / forest >= OF_FOREST
    print(f"predict: {mine:.0f} µs a request, {'; '.join(parts)}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000, help="of one row, of the fast servers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=["bare", "naive", "mlserver", "bentoml"], help="which peers")
    return parser.parse_args()


def _rows() -> list[list[float]]:
    from sklearn.datasets import load_iris  # what the extra `training` brings

    found: list[list[float]] = load_iris().data.tolist()
    return found[::-1][:100]


def _measure(server: Server, model: str, rows: list[list[float]], options: argparse.Namespace, *, keep: bool) -> None:
    count = options.requests if server.name in ("bare", "opsloop") else options.requests // 10
    if server.name not in ("bare", "opsloop") and model == "forest":
        count //= 4
    cpu_s, started = server.cpu_s(), time.perf_counter()
    done = asyncio.run(_load(server, model, rows, max(count, CONNECTIONS)))
    took_s = time.perf_counter() - started
    time.sleep(0.5)  # the last records on their way to the database belong to these requests
    if keep:
        server.per_s.setdefault((model, len(rows)), []).append(done / took_s)
        server.cpu_us.setdefault((model, len(rows)), []).append((server.cpu_s() - cpu_s) / done * 1e6)


async def _load(server: Server, model: str, rows: list[list[float]], requests: int) -> int:
    each = requests // CONNECTIONS
    body = _v2(rows) if server.is_v2 else json.dumps({"inputs": rows}).encode()
    head = (
        f"POST {server.path.format(model=model)} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    await asyncio.gather(*(_ask(server.port, head.encode() + body, each) for _ in range(CONNECTIONS)))
    return each * CONNECTIONS


def _v2(rows: list[list[float]]) -> bytes:
    tensor = {
        "name": "X",
        "shape": [len(rows), len(rows[0])],
        "datatype": "FP32",
        "data": [value for row in rows for value in row],
    }
    return json.dumps({"inputs": [tensor]}).encode()


async def _ask(port: int, request: bytes, count: int) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"port {port} said {head!r} {await reader.read(300)!r}")
        await _body(reader, head)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _body(reader: asyncio.StreamReader, head: bytes) -> None:
    length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), None)
    if length is not None:
        await reader.readexactly(int(length.partition(b":")[2]))
        return
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        await reader.readexactly(size + 2)
    await reader.readuntil(b"\r\n")


@contextmanager
def _servers(place: Path, wanted: list[str]) -> Iterator[list[Server]]:
    found: list[Server] = []
    try:
        if "bare" in wanted:
            found.append(_start("bare", place, [sys.executable, "-c", BARE, "{port}"], "/"))
        found.append(_opsloop(place / "opsloop"))
        if "naive" in wanted:
            folder = _trained(place / "naive", sys.executable)
            found.append(_start("naive", folder, [sys.executable, "-c", NAIVE, "{port}"], "/{model}/predict"))
        if "mlserver" in wanted:
            found.append(_mlserver(place / "mlserver"))
        if "bentoml" in wanted:
            found.append(_bentoml(place / "bentoml"))
        for each in found:
            _wait(each)
        yield found
    finally:
        for each in found:
            for pid in _family(each.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        for each in found:
            try:
                each.process.wait(20)
            except subprocess.TimeoutExpired:
                each.process.kill()


def _opsloop(folder: Path) -> Server:
    folder.mkdir()
    subprocess.run([sys.executable, "-c", REGISTER], cwd=folder, env=environment(), check=True)
    command = [str(Path(sys.executable).parent / "opsloop"), "up", "--no-demo", "--port", "{port}"]
    return _start("opsloop", folder, command, "/endpoints/{model}/predict")


def _mlserver(folder: Path) -> Server:
    peer = kept_environment("mlserver-1.7.1", MLSERVER)
    _trained(folder, str(peer / "bin" / "python"))
    port, *others = (_free_port() for _ in range(3))
    settings = {
        "http_port": port,
        "grpc_port": others[0],
        "metrics_port": others[1],
        "parallel_workers": 0,
        "debug": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    for model in MODELS:
        (folder / model).mkdir()
        shutil.move(folder / f"{model}.joblib", folder / model / "model.joblib")
        declared = {
            "name": model,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.joblib"},
        }
        (folder / model / "model-settings.json").write_text(json.dumps(declared))
    command = [str(peer / "bin" / "mlserver"), "start", str(folder)]
    server = _start("mlserver", folder, command, "/v2/models/{model}/infer", port=port)
    server.is_v2 = True
    return server


def _bentoml(folder: Path) -> Server:
    peer = kept_environment("bentoml-1.4.40", BENTOML)
    _trained(folder, str(peer / "bin" / "python"))
    (folder / "service.py").write_text(BENTO.format(folder=folder))
    command = [str(peer / "bin" / "bentoml"), "serve", "service:Iris", "--port", "{port}"]
    return _start("bentoml", folder, command, "/{model}")


def _trained(folder: Path, python: str) -> Path:
    folder.mkdir(exist_ok=True)
    subprocess.run([python, "-c", TRAIN], cwd=folder, env=environment(), check=True)
    return folder


def _start(name: str, folder: Path, command: list[str], path: str, *, port: int | None = None) -> Server:
    port = port or _free_port()
    log = (folder / f"{name}.out").open("wb")
    bins = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    variables = {**environment(), "PATH": bins, "BENTOML_DO_NOT_TRACK": "true", "OMP_NUM_THREADS": "1"}
    written = [part.replace("{port}", str(port)) for part in command]
    process = subprocess.Popen(written, cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT)
    return Server(name, port, process, path)


def _wait(server: Server) -> None:
    """Until it predicts."""
    rows = [[5.1, 3.5, 1.4, 0.2]]
    body = _v2(rows) if server.is_v2 else json.dumps({"inputs": rows}).encode()
    until = time.monotonic() + START_LIMIT_S
    for model in MODELS:
        url = f"http://127.0.0.1:{server.port}{server.path.format(model=model)}"
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        while True:
            try:
                urllib.request.urlopen(request, timeout=10).read()
                break
            except urllib.error.HTTPError as error:
                said = f"{error.code}: {error.read()[:300]!r}"
            except OSError as error:
                said = str(error)
            if time.monotonic() > until or server.process.poll() is not None:
                raise SystemExit(f"{server.name} does not answer at {url}: {said}")
            time.sleep(0.2)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


if __name__ == "__main__":
    sys.exit(main())
