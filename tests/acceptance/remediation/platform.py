"""A platform whose endpoint's second model was learned from the wrong rows, and people who work with it over HTTP."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.renewals.stream import Row, Stream, flowers
from tests.acceptance.up import OPSLOOP, Up, environment

PROJECT = """
project: signs
datasets:
  signs: {source: signs.csv}
pipelines:
  signs: {dataset: signs, target: same, steps: [decision_tree], cross_validation: {folds: 2}, schedule: none}
endpoints:
  signs: {model: signs}
"""
QUALITY = """
name: quality
datasets: [{name: signs}]
evaluators: [{name: classification}]
gate: {rules: [{metric: classification, at_least: 0.9}]}
"""
SETTINGS = {
    # Three successes instead of twenty, and the bound that three give: 0.05 ** (1 / 4) = 0.47.
    "OPSLOOP_REMEDIATION_LEVELS": json.dumps({"roll-back-release": 5}),
    "OPSLOOP_REMEDIATION_SUCCESSES": "3",
    "OPSLOOP_REMEDIATION_LOWER_BOUND": "0.47",
    "OPSLOOP_REMEDIATION_COOLDOWN_S": "0",
    "OPSLOOP_REMEDIATION_CHECK_REQUESTS": "40",
    "OPSLOOP_REMEDIATION_TICK_S": "0.2",
    "OPSLOOP_INCIDENT_COLLECT_S": "1",
}
COMMAND_S, ENDS_WITHIN_S = 300.0, 120.0


def opsloop(*words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [OPSLOOP, *(str(word) for word in words)]
    return subprocess.run(
        command, env=environment(**settings), capture_output=True, text=True, timeout=COMMAND_S, check=False
    )


def written(rows: list[Row]) -> str:
    return "a,b,same\n" + "".join(f"{row['a']},{row['b']},{row['same']}\n" for row in rows)


class Platform:
    """Args: settings: environment variables beside those above."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        self.folder, self.port = folder, port
        self.settings = SETTINGS | settings
        (folder / "opsloop.yaml").write_text(PROJECT)
        (folder / "signs.csv").write_text(written(flowers(400)))
        (folder / "wrong.csv").write_text(written(flowers(400, moved=True)))
        self.local("apply", "--project", folder)
        self.up = self._started()
        self.stream = Stream(self.up.url, "signs")
        self.moved = False
        self._seeds = iter(range(100, 100_000))
        self.type("data", "register", "signs", folder / "wrong.csv")
        self.type("train", "run", "signs", "--watch", "--json")
        # Its evaluation is of the same wrong rows, so its gate lets it in.
        (folder / "quality.yaml").write_text(QUALITY)
        said = self.type("eval", "run", folder / "quality.yaml", "--target", "model:signs@2", "--json")
        self.evaluation = str(json.loads(said)["id"])
        self.type("gate", "check", self.evaluation)

    def local(self, *words: str | Path) -> None:
        """A command of a person while no platform runs."""
        done = opsloop(*words, **self.settings)
        assert done.returncode == 0, done.stderr

    def type(self, *words: str | Path, code: int = 0) -> str:
        """A command of a person, and what it says."""
        done = opsloop(*words, OPSLOOP_URL=self.up.url)
        assert done.returncode == code, f"{words}: {done.stderr}{done.stdout}"
        return done.stdout

    def ask(self, path: str) -> Any:
        answer = httpx.get(f"{self.up.url}{path}", trust_env=False, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, path: str, body: Any) -> Any:
        answer = httpx.post(f"{self.up.url}{path}", json=body, trust_env=False, timeout=120)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def text(self, path: str) -> str:
        answer = httpx.get(f"{self.up.url}{path}", trust_env=False, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.text

    def traffic(self, rows: int = 30) -> None:
        self.stream.send(flowers(rows, moved=self.moved, seed=next(self._seeds)), with_labels=False)

    def until(self, met: Callable[[], Any], *, sending: bool = True, what: str) -> Any:
        """What `met` finds, asked again and again while the world goes on asking the endpoint."""
        pause, ends_at = threading.Event(), time.monotonic() + ENDS_WITHIN_S
        while time.monotonic() < ends_at:
            if found := met():
                return found
            if sending:
                self.traffic(10)
            pause.wait(0.1)
        raise AssertionError(f"{what}: not within {ENDS_WITHIN_S:g} s\n{self.up.said[-6_000:]}")

    def release_wrong(self) -> int:
        """The model that was learned from the wrong rows takes over; the number of its release."""
        self.type("release", "create", "signs", "--model", "signs@2", "--evaluation", self.evaluation,
                  "--strategy", "blue-green")  # fmt: skip
        return self.serves()

    def serves(self) -> int:
        return int(self.ask("/api/endpoints/signs")["stable"]["number"])

    def incident(self, *, other_than: set[str]) -> dict[str, Any]:
        """The next incident that opens by itself, with its suspects."""

        def found() -> dict[str, Any] | None:
            items = self.ask("/api/incidents?endpoint=signs")["items"]
            return next((each for each in items if each["id"] not in other_than and each["suspects"]), None)

        incident = self.until(found, what="an incident with suspects")
        return dict(self.ask(f"/api/incidents/{incident['id']}"))

    def repair(self, incident: str) -> dict[str, Any]:
        """What is proposed for it by roll-back-release."""

        def found() -> dict[str, Any] | None:
            items = self.ask(f"/api/remediations?incident={incident}")["items"]
            return next((each for each in items if each["playbook"] == "roll-back-release"), None)

        return dict(self.until(found, what="a proposed repair"))

    def in_state(self, repair: str, *states: str, sending: bool = True) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            present = self.ask(f"/api/remediations/{repair}")
            over = present["outcome"] and present["finished_at"] and present["state"] not in states
            assert not over, present
            return present if present["state"] in states else None

        return dict(self.until(found, sending=sending, what=f"{repair} in state {states}"))

    def standing(self) -> dict[str, Any]:
        items = self.ask("/api/remediations/playbooks")["items"]
        return dict(next(each for each in items if each["playbook"] == "roll-back-release"))

    def restart(self) -> None:
        """kill -9, and start again."""
        self.up.kill()
        self.up = self._started()

    def close(self) -> None:
        if self.up.process.poll() is None:
            assert self.up.stop() == 0, self.up.said[-4_000:]

    def _started(self) -> Up:
        found = Up(self.folder, self.port, "--no-demo", **self.settings)
        found.ready()
        return found
