"""A stream moves, and the model that serves it is renewed by itself: a real platform, asked over HTTP, killed too."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.renewals.stream import Row, Stream, flowers
from tests.acceptance.up import OPSLOOP, Up, environment

PROJECT = """
project: signs
datasets:
  signs: {source: signs.csv}
pipelines:
  signs: {dataset: signs, target: same, steps: [decision_tree], cross_validation: {folds: 2}, schedule: none}
endpoints:
  signs:
    model: signs
    renewal:
      pipeline: signs
      on: [drift, schedule, demand]
      cool_down: 1h
      margin: 0.1
      labelled: {min_rows: 150}
      strategy:
        shadow:
          min_pairs: 120
          min_labels: 50
          min_duration_s: 0
          then: {canary: {steps: [{share: 0.5, min_duration_s: 0, min_subjects: 30}]}}
"""
ENDS_WITHIN_S = 240.0


COMMAND_S = 300.0


def opsloop(*words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command to its end; those that train take their time on a busy machine."""
    command = [OPSLOOP, *(str(word) for word in words)]
    return subprocess.run(
        command, env=environment(**settings), capture_output=True, text=True, timeout=COMMAND_S, check=False
    )


def written(rows: list[Row]) -> str:
    return "a,b,same\n" + "".join(f"{row['a']},{row['b']},{row['same']}\n" for row in rows)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "opsloop.yaml").write_text(PROJECT)
    (tmp_path / "signs.csv").write_text(written(flowers(400)))
    return tmp_path


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A platform of a project that is applied, and a stream to its endpoint."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.port = free_port()
        applied = opsloop("apply", "--project", project)
        assert applied.returncode == 0, applied.stderr
        self.up = Up(project, self.port, "--no-demo")
        self.up.ready()
        self.stream = Stream(self.up.url, "signs")
        self._seeds = iter(range(100, 100_000))

    def restart(self) -> None:
        self.up.kill()
        self.up = Up(self.project, self.port, "--no-demo")
        self.up.ready()

    def ask(self, path: str) -> Any:
        answer = httpx.get(f"{self.up.url}{path}", trust_env=False, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def renewal(self) -> dict[str, Any] | None:
        """The renewal after the one that brought the first model."""
        found: list[dict[str, Any]] = self.ask("/api/renewals?endpoint=signs")["items"]
        return found[-2] if len(found) > 1 else None

    def until_over(self, *, moved: bool, kills: int = 0) -> dict[str, Any]:
        """Send rows, as the world does, until the renewal is over; kill the platform on the way."""
        pause, draw, ends_at = threading.Event(), random.Random(3), time.monotonic() + ENDS_WITHIN_S
        while time.monotonic() < ends_at:
            found = self.renewal()
            if found is not None and found["state"] in ("promoted", "rejected", "skipped"):
                return found
            if found is None or found["state"] in ("collecting", "rolling_out"):
                self.stream.send(flowers(60, moved=moved, seed=next(self._seeds)))
            if kills and found is not None and draw.random() < 0.3:
                kills -= 1
                self.restart()
            pause.wait(0.1)
        raise AssertionError(f"the renewal does not end: {self.renewal()}\n{self.up.said[-4_000:]}")

    def close(self) -> None:
        if self.up.process.poll() is None:
            assert self.up.stop() == 0, self.up.said[-4_000:]


@pytest.fixture
def running(project: Path) -> Iterator[Running]:
    running = Running(project)
    yield running
    running.close()


def history(running: Running, renewal: str) -> list[str]:
    return [event["kind"] for event in running.ask(f"/api/renewals/{renewal}")["events"]]


def test_a_stream_that_moves_gets_a_better_model_with_nobody_touching_it(running: Running) -> None:
    assert running.stream.send(flowers(100, seed=50)) > 0.9
    assert not any(answer["drift_detected"] for answer in running.stream.answers)
    assert running.stream.send(flowers(100, moved=True, seed=51), with_labels=False) < 0.7
    assert running.stream.answers[-1]["drift_detected"]
    found = running.until_over(moved=True)
    assert (found["state"], found["cause"], found["challenger"]) == ("promoted", "drift", "signs@2"), found
    drift = running.ask(f"/api/alarms/{found['alarms'][0]}")
    assert (drift["kind"], drift["state"], drift["feature"]) == ("drift", "closed", "a")
    told = dict.fromkeys(history(running, found["id"]))
    assert [kind for kind in told if kind not in ("waiting", "joined")] == [
        "started", "collected", "training", "preparing", "evaluating", "judging", "judged", "rolling_out", "promoted",
        "alarm_closed",
    ]  # fmt: skip
    rollout = running.ask(f"/api/rollouts/{found['rollout']}")
    steps = [event["kind"] for event in rollout["events"] if event["kind"] != "triggered"]  # trouble that is told
    assert steps == ["shadowed", "stepped", "promoted"]
    assert rollout["rollout"]["evidence"]["shadow"]["labelled"] >= 50
    assert running.ask("/api/endpoints/signs")["stable"]["serves"] == "signs@2"
    assert running.stream.send(flowers(100, moved=True, seed=52)) > 0.9
    assert {answer["release"] for answer in running.stream.answers} == {found["release"]}
    audited = running.ask("/api/audit?target=endpoint/signs")["items"]
    assert {"renewal.started", "renewal.training", "renewal.judging", "renewal.rolling_out", "renewal.promoted"} <= {
        each["action"] for each in audited if each["detail"].get("renewal") == found["id"]
    }
    shown = opsloop("renewal", "list", "signs", "--json", OPSLOOP_URL=running.up.url)
    assert found["id"] in [each["id"] for each in json.loads(shown.stdout)["items"]]


def test_a_planted_bad_version_of_the_data_is_never_promoted(running: Running, project: Path) -> None:
    draw = random.Random(9)
    rows = flowers(600, seed=70)
    wrong = {"yes": "no", "no": "yes"}
    planted = [{**row, "same": wrong[row["same"]] if draw.random() < 0.5 else row["same"]} for row in rows]
    (project / "planted.csv").write_text(written(planted))
    platform = {"OPSLOOP_URL": running.up.url}
    assert opsloop("data", "register", "signs", project / "planted.csv", **platform).returncode == 0
    trained = opsloop("train", "run", "signs", "--watch", "--json", **platform)
    assert trained.returncode == 0, trained.stderr
    found = running.until_over(moved=False)
    assert (found["state"], found["challenger"], found["rollout"]) == ("rejected", "signs@2", None)
    assert "classification in old rows" in found["said"]
    assert running.ask("/api/endpoints/signs")["stable"]["serves"] == "signs@1"
    assert running.stream.send(flowers(50, seed=71)) > 0.9
    recorded = running.ask("/api/audit?action=renewal.rejected")["items"]
    assert [each["detail"]["reason"] for each in recorded] == [found["said"]]


def test_a_renewal_that_is_killed_again_and_again_ends_as_one_that_is_not(running: Running) -> None:
    found = running.until_over(moved=True, kills=3)
    assert (found["state"], found["challenger"]) == ("promoted", "signs@2"), found
    told = [kind for kind in history(running, found["id"]) if kind not in ("waiting", "joined", "alarm_closed")]
    assert len(told) == len(set(told))
    renewals = running.ask("/api/renewals?endpoint=signs")["items"]
    assert [each["state"] for each in renewals if each["state"] != "skipped"] == ["promoted", "promoted"]
    assert [each["serves"] for each in running.ask("/api/endpoints/signs/releases")["items"]] == ["signs@2", "signs@1"]
    assert opsloop("audit", "verify", OPSLOOP_URL=running.up.url).returncode == 0
