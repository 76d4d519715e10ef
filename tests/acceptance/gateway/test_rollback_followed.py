"""Two gateway processes on one database: a rollback reaches both within a second, and no request is dropped."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.releases import rollouts
from tests.acceptance.gateway.test_killed import SERVE
from tests.integration.gateway.world import ECHO, OPERATOR, Shop

CALLERS = 2
WITHIN_S = 1.0
"""What a rollback promises. Replicas look for a new routing table every quarter of that."""


@dataclass
class Replica:
    """A process, and threads that ask it without a pause."""

    process: subprocess.Popen[str]
    url: str
    stopping: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[float, int, str]] = field(default_factory=list)
    """When it was asked, the status, and the arm that answered."""
    threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def _ask(self, number: int) -> None:
        count = 0
        with httpx.Client(trust_env=False, timeout=120) as client:
            while not self.stopping.is_set():
                count += 1
                body = {"model": "chat", "messages": [{"role": "user", "content": "why?"}], "user": f"{number}-{count}"}
                at = time.monotonic()
                answer = client.post(self.url, json=body)
                arm = answer.json()["choices"][0]["message"]["opsloop"]["arm"] if answer.status_code == 200 else ""
                self.answers.append((at, answer.status_code, arm))

    def wait_for(self, arm: str, *, after: float) -> None:
        """Until it was asked after a moment and this arm answered; a test's own time limit ends it otherwise."""
        while not any(at > after and who == arm for at, _, who in self.answers[-50:]):
            time.sleep(0.01)

    def end(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        self.process.terminate()
        self.process.communicate(timeout=60)


def replica(settings: CoreSettings, folder: Path) -> Replica:
    shared = [settings.database_url or f"sqlite:///{settings.data_dir / 'state.db'}", str(settings.artifacts_url)]
    command = [sys.executable, str(SERVE), str(folder), *shared]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return Replica(process, f"http://127.0.0.1:{int(process.stdout.readline())}/v1/chat/completions")


def test_every_replica_follows_a_rollback_within_a_second_and_drops_nothing(tmp_path: Path) -> None:
    settings = CoreSettings(data_dir=tmp_path / "data", artifacts_url=f"file://{tmp_path / 'artifacts'}")
    workspace = open_workspace(settings)
    shop = Shop(workspace, tmp_path / "flows")
    shop.endpoint()
    shop.release(ECHO)
    rollout = shop.canary(ECHO)
    both = [replica(settings, tmp_path / name) for name in ("one", "other")]
    try:
        for each in both:
            each.begin()
        for each in both:
            each.wait_for("candidate", after=0.0)
        with workspace.writing(OPERATOR) as uow:
            rollouts.roll_back(uow, rollout)
        back = time.monotonic()
        for each in both:
            each.wait_for("stable", after=back + WITHIN_S)
    finally:
        for each in both:
            each.end()
    for each in both:
        assert {status for _, status, _ in each.answers} == {200}
        assert {arm for at, _, arm in each.answers if at > back + WITHIN_S} == {"stable"}
    answered = sum(len(each.answers) for each in both)
    assert len(shop.records()) == answered
    workspace.close()
