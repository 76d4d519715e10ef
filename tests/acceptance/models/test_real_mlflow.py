"""A copy on a real MLflow server, as its own users find it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import httpx
import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models import jobs as _jobs  # noqa: F401 (registers their kind)
from opsloop.models import mirroring, service
from tests.unit.models import made

OPERATOR = Caller("test:operator", Role.OPERATOR)
STARTS_WITHIN_S = 180

# By name: benchmarks are programs, and no package to type checkers.
MLFLOW: str = resolve_name("benchmarks._peers:MLFLOW")


def program() -> Path | None:
    """`mlflow` on the path, or where benchmarks keep it."""
    found = shutil.which("mlflow")
    if found:
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsloop-bench"
    kept = cache / f"{MLFLOW.replace('==', '-')}-{sys.implementation.cache_tag}"
    return kept / "bin" / "mlflow" if (kept / ".installed").is_file() else None


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[str]:
    mlflow = program()
    if mlflow is None:
        pytest.skip(f"no MLflow server: `bash .ci/run` keeps {MLFLOW} in the cache, or install one on the path")
    url = f"http://127.0.0.1:{port}"
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    folder = str(tmp_path / "mlartifacts")
    command = [str(mlflow), "server", "--port", str(port), "--workers", "1", "--backend-store-uri", store]
    environment = {**os.environ, "PATH": f"{mlflow.parent}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, "--artifacts-destination", folder],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=tmp_path,
        )
    try:
        _wait(url, running, tmp_path / "log")
        yield url
    finally:
        os.killpg(running.pid, 15)
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, 9)
            running.wait(20)


def _wait(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(STARTS_WITHIN_S * 2):
        assert running.poll() is None, log.read_text()[-2000:]
        try:
            if httpx.get(f"{url}/health").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"MLflow did not start: {log.read_text()[-2000:]}")


@pytest.mark.slow
def test_versions_stand_in_mlflow_with_figures_and_files(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_MLFLOW_TRACKING_URI", server)
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    candidate = made.iris_candidate()
    with workspace.writing(OPERATOR) as uow:
        for run in ("a", "b"):
            service.register(uow, "iris", candidate, run=run)
    assert run_due(workspace, kind=mirroring.KIND) == 2
    workspace.close()

    found = httpx.get(f"{server}/api/2.0/mlflow/model-versions/search", params={"filter": "name='iris'"}).json()
    versions = {each["version"]: each for each in found["model_versions"]}
    assert set(versions) == {"1", "2"}
    tags = {each["key"]: each["value"] for each in versions["2"]["tags"]}
    assert tags["opsloop.version"] in ("iris@1", "iris@2")
    run = httpx.get(f"{server}/api/2.0/mlflow/runs/get", params={"run_id": versions["1"]["run_id"]}).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert [(each["key"], each["value"]) for each in run["data"]["metrics"]] == [("accuracy", 0.97)]
    at = run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    onnx = httpx.get(f"{server}/api/2.0/mlflow-artifacts/artifacts/{at}/model/model.onnx")
    assert onnx.content == candidate.files["model.onnx"]
