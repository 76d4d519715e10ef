"""A small project whose endpoint answers at once, or when it is told to."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import Up, opsloop

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
    return small_project(tmp_path / "small")


def small_project(folder: Path) -> Path:
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


def wait_until(is_so: Callable[[], bool], *, within_s: float = 120.0) -> None:
    for _ in range(int(within_s / 0.05)):
        if is_so():
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"it did not come about within {within_s} s")


class Rollout:
    """The rollout of the second release, as its driver tells of it; `seen` is what it was shown so far."""

    def __init__(self, run: Up) -> None:
        self._http = httpx.Client(base_url=run.url, timeout=120, trust_env=False)
        self._url = run.url

    def is_driven(self) -> None:
        """Ask questions, and wait until the driver has weighed them."""
        before = self._weighed()
        for number in range(10):
            assert invoke(self._http, f"question {number}").status_code == 200
        wait_until(lambda: self._weighed() >= before + 10)

    def ends_when_promoted(self) -> None:
        done = opsloop("release", "promote", "echo", OPSLOOP_URL=self._url)
        assert done.returncode == 0, done.stderr
        assert self._http.get("/api/endpoints/echo").json()["stable"]["number"] == 2
        wait_until(lambda: [job["status"] for job in self._http.get("/api/jobs").json()["items"]] == ["done"])

    def close(self) -> None:
        self._http.close()

    def _weighed(self) -> int:
        state = self._http.get("/api/endpoints/echo").json()["rollout"]
        assert state["status"] in ("waiting", "running"), state
        return sum(int(state["evidence"].get(arm, {}).get("requests", 0)) for arm in ("stable", "candidate"))


def says_no_traceback(run: Up) -> None:
    assert "Traceback" not in run.said, run.said
