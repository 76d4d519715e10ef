"""SIGKILL in the middle of a training: after the next start it goes on, and there is one version, never two."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.up import Up, opsloop

PROJECT = """
project: garden
datasets:
  flowers: {source: flowers.csv}
pipelines:
  flowers:
    dataset: flowers
    target: kind
    task: classification
    build: make.py:make
    cross_validation: {folds: 2}
    schedule: none
"""
# Fitting goes on once the file `go` is there, so that the kill is surely in its middle.
CODE = """
import pathlib, threading
from sklearn.tree import DecisionTreeClassifier

FOLDER = pathlib.Path({folder!r})

def make():
    (FOLDER / "here").touch()
    while not (FOLDER / "go").exists():
        threading.Event().wait(0.05)
    return DecisionTreeClassifier(random_state=0)
"""
PATIENCE_S = 120.0


@pytest.mark.slow
def test_a_killed_training_goes_on_and_makes_one_version(tmp_path: Path, port: int, started: list[Up]) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "opsloop.yaml").write_text(PROJECT)
    (project / "make.py").write_text(CODE.format(folder=str(tmp_path)))
    (project / "flowers.csv").write_text(
        "size,kind\n" + "".join(f"{n % 7 + 10 * (n % 2)},{'ab'[n % 2]}\n" for n in range(60))
    )
    first = Up(project, port, "--no-demo")
    started.append(first)
    first.ready()
    assert opsloop("data", "register", "flowers", project / "flowers.csv", "--project", project).returncode == 0
    asked = opsloop("train", "run", "flowers", "--project", project)
    assert asked.returncode == 0, asked.stderr
    wait_until_there(tmp_path / "here")
    first.kill()
    (tmp_path / "go").touch()
    last = Up(project, port, "--no-demo")
    started.append(last)
    last.ready()

    with httpx.Client(base_url=last.url, timeout=120, trust_env=False) as http:
        run = ended(http)
        assert (run["status"], run["error"], run["model"]) == ("done", None, "flowers@1")
        assert [each["name"] for each in run["steps"]] == ["data", "rows", "train", "convert", "files", "version"]
        assert http.get("/api/training/runs").json()["items"][0]["id"] == run["id"]
    stored = project / ".opsloop" / "artifacts"
    assert [file.name for file in (stored / "models").glob("model-*.onnx")] == [Path(run["artifacts"]["model"]).name]
    shown = opsloop("train", "list", "--project", project)
    assert shown.stdout.count("training_") == 1
    assert last.stop() == 0


def wait_until_there(file: Path) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if file.exists():
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"{file} did not appear within {PATIENCE_S} s")


def ended(http: httpx.Client) -> dict[str, Any]:
    """The only run, once it is over."""
    for _ in range(int(PATIENCE_S / 0.1)):
        [run] = http.get("/api/training/runs").json()["items"]
        if run["status"] not in ("queued", "running"):
            found: dict[str, Any] = run
            return found
        threading.Event().wait(0.1)
    raise AssertionError(f"the run did not end within {PATIENCE_S} s: {run}")
