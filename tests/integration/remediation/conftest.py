"""An endpoint whose second release makes trouble, the incident that names it, and what is proposed for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from opsloop.core.caller import Caller, Role, system
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Observed, Suspect
from opsloop.releases import routing
from opsloop.releases import service as releases
from opsloop.remediation import execution, proposing, service
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.settings import RemediationSettings
from tests.integration.incidents.telling import over, seen, told
from tests.integration.releases.conftest import World, make_world

OPERATOR = Caller("key:maria", Role.OPERATOR)
SECOND = Caller("key:ben", Role.OPERATOR)
VIEWER = Caller("key:reader", Role.VIEWER)
FAILS: dict[str, Any] = {"status": "error", "http_status": 502, "error_type": "NodeFailed"}
GONE = {"rollback": "roll-back-release", "candidate": "take-back-candidate"}


@dataclass
class Trouble:
    """The world of an endpoint, and its incident."""

    world: World
    clock: FakeClock
    numbers: Iterator[int]
    failing: frozenset[str] = frozenset({"release_2"})
    signal: Observed | None = None
    incident: str = ""

    @property
    def workspace(self) -> Workspace:
        return self.world.workspace

    def release(self, strategy: object = "blue-green") -> None:
        self.world.open_rollout(strategy)

    def ask(self, requests: int = 200) -> None:
        """One request each of so many users; of a release that fails every third does."""

        def outcome(arm: routing.Arm, subject: str) -> dict[str, Any]:
            return FAILS if arm.release in self.failing and int(subject.rpartition("-")[2]) % 3 == 0 else {}

        self.clock.advance(1)
        self.world.ask(range(requests), outcome)
        self.clock.advance(1)

    def begin(self, *, number: int = 2) -> None:
        """Trouble is seen, an incident is opened, and it names the release."""
        self.ask()
        self.signal = seen(f"HighErrorRate-{next(self.numbers)}", endpoint="chat", at=self.clock.now())
        taken = told(self.workspace, self.signal)
        self.incident = taken.opened[0]
        with self.workspace.writing(system("incidents")) as uow:
            said = ("1 minute before the trouble began", "requests of it failed 33 %")
            suspect = Suspect(f"endpoint/chat, release {number}", "release", 0.9, said, ("release 1 failed too",))
            incidents.suspect(uow, self.incident, [suspect])

    def over(self) -> None:
        """The signal ends."""
        assert self.signal is not None
        told(self.workspace, over(self.signal, self.clock.now()))

    def proposed(self, playbook: str = "roll-back-release") -> Remediation:
        proposing.propose(self.workspace, self.incident)
        with self.workspace.reading(VIEWER) as uow:
            return next(each for each in service.listed(uow, incident=self.incident) if each.playbook == playbook)

    def approve(self, asked: Remediation, by: Caller = OPERATOR) -> Remediation:
        with self.workspace.writing(by) as uow:
            return service.approve(uow, asked.id, digest=asked.digest)

    def step(self, asked: Remediation) -> Remediation:
        execution.step(self.workspace, asked.id)
        return self.get(asked)

    def get(self, asked: Remediation) -> Remediation:
        with self.workspace.reading(VIEWER) as uow:
            return service.get(uow, asked.id)

    def serves(self) -> int:
        with self.workspace.reading(VIEWER) as uow:
            stable = releases.endpoint(uow, "chat").stable
        assert stable is not None
        return stable.number

    def helped(self) -> Remediation:
        """One turn of trouble, approved repair and proof; the endpoint serves its first release afterwards."""
        self.begin()
        asked = self.proposed()
        self.approve(asked)
        self.step(asked)
        self.over()
        self.ask()
        found = self.step(asked)
        assert found.state is State.HELPED, found.outcome
        return found

    def timeline(self) -> list[str]:
        with self.workspace.reading(VIEWER) as uow:
            return [each.text for each in incidents.get(uow, self.incident).timeline if each.kind == "remediation"]


def settle(workspace: Workspace, **values: Any) -> None:
    """Give remediation other settings than it read."""
    workspace._sections[RemediationSettings] = RemediationSettings(**values)


@pytest.fixture
def trouble(workspace: Workspace, clock: FakeClock) -> Trouble:
    """Release 1 served well; release 2, which every third request fails of, took over."""
    found = Trouble(make_world(workspace, clock), clock, iter(count(1)))
    found.ask()
    clock.advance(3_600)
    found.release()
    return found
