"""SIGKILL in the middle of a preparation: nothing of it is there, and after the next start all of it is."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import Up, opsloop

PROJECT = """
project: questions
preparations:
  golden:
    read: {source: raw.csv}
    clean:
    - drop_duplicates: true
    - python: prepare.py:wait
    split: {train: 0.5, test: 0.5}
    register: {as: "golden-{split}"}
"""
# The step goes on once the file `go` is there, so that the kill is surely in its middle.
CODE = """
import pathlib, threading

def wait(rows):
    folder = pathlib.Path({folder!r})
    (folder / "here").touch()
    while not (folder / "go").exists():
        threading.Event().wait(0.05)
    yield from rows
"""
PATIENCE_S = 90.0


@pytest.mark.slow
def test_a_killed_preparation_leaves_nothing_half_and_goes_on(tmp_path: Path, port: int, started: list[Up]) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "opsloop.yaml").write_text(PROJECT)
    (project / "prepare.py").write_text(CODE.format(folder=str(tmp_path)))
    (project / "raw.csv").write_text("q\n" + "".join(f"question {n % 40}\n" for n in range(80)))
    first = Up(project, port, "--no-demo")
    started.append(first)
    first.ready()
    command = threading.Thread(target=lambda: opsloop("data", "prepare", "--project", project), daemon=True)
    command.start()
    wait_until_there(tmp_path / "here")

    first.kill()
    command.join(timeout=60)
    (tmp_path / "go").touch()
    last = Up(project, port, "--no-demo")
    started.append(last)
    last.ready()

    run = ended(last.url)
    assert (run["status"], run["error"]) == ("done", None)
    datasets = httpx.get(f"{last.url}/api/datasets", trust_env=False).json()["items"]
    assert {each["name"] for each in datasets} == {"golden-train", "golden-test"}
    assert [each["version"] for each in datasets] == [1, 1]
    assert sum(each["rows"] for each in datasets) == 40
    assert list((project / ".opsloop" / "preparations").iterdir()) == []
    assert last.stop() == 0


def wait_until_there(file: Path) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if file.exists():
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"{file} did not appear within {PATIENCE_S} s")


def ended(url: str) -> dict[str, object]:
    """The only run, once it is over; before that no dataset is to be seen."""
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        for _ in range(int(PATIENCE_S / 0.1)):
            seen = http.get("/api/datasets").json()["items"]
            [run] = http.get("/api/preparation-runs").json()["items"]
            if run["status"] in ("done", "failed"):
                found: dict[str, object] = run
                return found
            assert seen == []
            threading.Event().wait(0.1)
    raise AssertionError(f"the run did not end within {PATIENCE_S} s: {run}")
