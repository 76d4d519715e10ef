"""A small project whose endpoint answers at once, or when it is told to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import Up

FILE = """\
project: small
endpoints:
  echo:
    flow: flows/echo
    strategy: {canary: {steps: [{share: 0.5, min_duration_s: 3600, min_subjects: 1000000}]}}
"""
FLOW = """\
inputs:
  question: {type: string}
  until: {type: string, default: ""}
outputs:
  answer: {type: string, reference: "${echo.output}"}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {question: "${inputs.question}", until: "${inputs.until}"}
"""
ECHO = """\
import threading
from pathlib import Path

from promptflow.core import tool


@tool
def echo(question: str, until: str) -> str:
    \"\"\"Repeats the question, once the file `until` is there; `until` with `.asked` says that it waits.\"\"\"
    if until:
        Path(until + ".asked").touch()
        while not Path(until).exists():
            threading.Event().wait(0.02)
    return question
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "flows" / "echo").mkdir(parents=True)
    (folder / "opsloop.yaml").write_text(FILE)
    (folder / "flows" / "echo" / "flow.dag.yaml").write_text(FLOW)
    (folder / "flows" / "echo" / "echo.py").write_text(ECHO)
    return folder


@pytest.fixture
def up(started: list[Up], port: int) -> Callable[..., Up]:
    """Start a platform on a project; it does not outlive the test."""

    def start(project: Path, *more: str, **settings: str) -> Up:
        run = Up(project, port, *more, **settings)
        started.append(run)
        return run

    return start


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system of its own, with the options of `mount`; skips where this user may not."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"mounted-{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("mount") else None
        if done is None or done.returncode != 0:
            pytest.skip("this user may not mount a file system, which is what the fault is made with")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def invoke(http: httpx.Client, question: str, **inputs: str) -> httpx.Response:
    return http.post("/endpoints/echo/invoke", json={"inputs": {"question": question, **inputs}})


def change_flow(project: Path) -> None:
    """Another version of the flow, for the next `opsloop apply` to release."""
    file = project / "flows" / "echo" / "echo.py"
    file.write_text(file.read_text() + "# another version\n")


def says_no_traceback(run: Up) -> None:
    assert "Traceback" not in run.said, run.said
