"""An endpoint in a rollout, and traffic to it whose outcomes a test chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import Clock, FakeClock
from opsloop.core.workspace import Workspace
from opsloop.feedback import service as feedback
from opsloop.flows import package, versions
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.releases import rollouts, routing
from opsloop.releases._tables import EndpointRow, ReleaseRow
from opsloop.releases.driver import Driver
from opsloop.releases.models import Rollout, RolloutHistory
from opsloop.releases.moves import Move, MoveKind
from opsloop.releases.strategies.registry import plan_of

OPERATOR = Caller("test:operator", Role.OPERATOR)
CANARY: dict[str, Any] = {
    "steps": [
        {"share": 0.2, "min_duration_s": 30, "min_subjects": 20},
        {"share": 0.5, "min_duration_s": 30, "min_subjects": 20},
    ],
    "analysis": {"alpha": 0.01, "kinds": ["error", "slow", "dissatisfied"], "slow_ms": 1000, "tolerance": 0.1},
}
Outcome = Callable[[routing.Arm, str], dict[str, Any]]


def answered(_arm: routing.Arm, _subject: str) -> dict[str, Any]:
    return {}


def candidate_fails(arm: routing.Arm, _subject: str) -> dict[str, Any]:
    failure = {"status": "error", "http_status": 502, "error_type": "NodeFailed", "shielded": True}
    return failure if arm.name == "candidate" else {}


@dataclass
class World:
    """One workspace with an endpoint `chat` whose first release is stable."""

    workspace: Workspace
    clock: Any  # a FakeClock, but where a test drives in another process
    numbers: Any = field(default_factory=lambda: count(1))

    def open_rollout(self, strategy: object = None) -> str:
        """A rollout of the next release; returns its id."""
        with self.workspace.writing(OPERATOR) as uow:
            endpoint = rollouts.lock_endpoint(uow, "chat")
            release = self.release(uow, endpoint)
            plan = plan_of({"canary": CANARY} if strategy is None else strategy)
            return rollouts.open_rollout(uow, endpoint, release, plan).id

    def release(self, uow: Any, endpoint: EndpointRow) -> ReleaseRow:
        endpoint.releases += 1
        number = endpoint.releases
        row = ReleaseRow(
            id=f"release_{number}",
            endpoint="chat",
            number=number,
            kind="flow",
            serves=f"answer@{number}",
            serves_digest=f"digest-{number}",
            serves_artifact=f"flows/{number}",
            config={},
            evaluation=None,
            gate=None,
            digest=f"bundle-{number}",
            created_at=uow.clock.now(),
            created_by="test:operator",
        )
        uow.session.add(row)
        uow.session.flush()
        return row

    def driver(self, rollout: str) -> Driver:
        return Driver.of(self.workspace, rollout)

    def tick(self, driver: Driver, *, after_s: float = 0.25) -> Move:
        self.clock.advance(after_s)
        return driver.tick(self.workspace)

    def route(self) -> routing.Route:
        return self.table().routes["chat"]

    def table(self) -> routing.RoutingTable:
        with self.workspace.reading(OPERATOR) as uow:
            return routing.routing_table(uow)

    def ask(self, subjects: range, outcome: Outcome = answered) -> list[str]:
        """One request of each user, routed as the gateway does; returns the request ids."""
        route = self.route()
        made = [self._record(route, f"user-{number}", outcome) for number in subjects]
        with self.workspace.writing(OPERATOR) as uow:
            records.ingest(uow, made)
        return [record.request_id for record in made]

    def _record(self, route: routing.Route, subject: str, outcome: Outcome) -> RequestRecord:
        arm = routing.choose(route, subject)
        values: dict[str, Any] = {
            "request_id": f"request-{next(self.numbers)}",
            "endpoint": "chat",
            "release": arm.release,
            "arm": arm.name,
            "rollout": route.rollout,
            "candidate_share": route.candidate_share,
            "subject": subject,
            "started_at": self.clock.now() - timedelta(milliseconds=100),
            "duration_ms": 100.0,
            "status": "ok",
        }
        return RequestRecord(**{**values, **outcome(arm, subject)})

    def dislike(self, request_ids: list[str]) -> None:
        with self.workspace.writing(OPERATOR) as uow:
            for request_id in request_ids:
                feedback.add(uow, request_id, thumb="down")

    def arm_of(self, subject: str) -> str:
        return routing.choose(self.route(), subject).name

    def history(self, rollout: str) -> RolloutHistory:
        with self.workspace.reading(OPERATOR) as uow:
            return rollouts.get(uow, rollout)

    def rollout(self, rollout: str) -> Rollout:
        return self.history(rollout).rollout

    def run_to_end(self, driver: Driver) -> Move:
        """Tick until the driver has nothing left to do."""
        for _ in range(1_000):
            move = self.tick(driver)
            if move.kind is MoveKind.END:
                return move
        raise AssertionError("the rollout does not end")


def make_world(workspace: Workspace, clock: Clock) -> World:
    world = World(workspace, clock)
    with workspace.writing(OPERATOR) as uow:
        endpoint = EndpointRow(
            name="chat",
            kind="flow",
            number=routing.bump(uow),
            stable=None,
            earlier=[],
            releases=0,
            created_at=clock.now(),
            created_by="test:operator",
        )
        uow.session.add(endpoint)
        uow.session.flush()
        rollouts.open_rollout(uow, endpoint, world.release(uow, endpoint), plan_of("blue-green"))
    return world


@pytest.fixture
def world(workspace: Workspace, clock: FakeClock) -> World:
    """On each database in turn."""
    return make_world(workspace, clock)


@pytest.fixture
def sqlite_world(sqlite_workspace: Workspace, clock: FakeClock) -> World:
    return make_world(sqlite_workspace, clock)


FLOW = """\
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${echo.output}", is_chat_output: true}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {question: "${inputs.question}"}
"""
ECHO = """\
from promptflow.core import tool


@tool
def echo(question: str) -> str:
    return "{text} " + question
"""


@pytest.fixture
def flow_folder(tmp_path: Path) -> Callable[[str], Path]:
    """Makes the folder of a flow that answers with its text."""

    def make(text: str) -> Path:
        folder = tmp_path / f"flow-{text}"
        folder.mkdir()
        (folder / "flow.dag.yaml").write_text(FLOW)
        (folder / "echo.py").write_text(ECHO.replace("{text}", text))
        return folder

    return make


@pytest.fixture
def registered(flow_folder: Callable[[str], Path]) -> Callable[[Workspace, str], str]:
    """Registers a version of the flow `answer`; returns its name, such as `answer@2`."""

    def register(workspace: Workspace, text: str) -> str:
        with workspace.writing(OPERATOR) as uow:
            version = versions.register(uow, "answer", package.archive_of(flow_folder(text)))
        return f"{version.name}@{version.version}"

    return register
