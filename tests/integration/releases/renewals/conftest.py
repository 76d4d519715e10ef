"""An endpoint that serves a model, a stream whose rows move to where that model knows nothing, and labels for them."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.events.outbox import deliver_due
from opsloop.core.ids import CountingIds
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import jobs as evaluation_jobs
from opsloop.models import service as models
from opsloop.monitoring import records
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, Evidence
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.monitoring.labels import service as labels
from opsloop.monitoring.labels.models import GivenLabel
from opsloop.monitoring.models import RequestRecord
from opsloop.releases import routing, service
from opsloop.releases.driver import Driver
from opsloop.releases.models import EndpointState, Released
from opsloop.releases.moves import MoveKind
from opsloop.releases.renewals import jobs as renewal_jobs
from opsloop.releases.renewals import service as renewals
from opsloop.releases.renewals.models import Renewal, RenewalHistory
from opsloop.training import jobs as training_jobs
from opsloop.training import service as training
from tests.training_here import training_here

assert training_here
assert evaluation_jobs
assert renewal_jobs
assert training_jobs

OPERATOR = Caller("test:operator", Role.OPERATOR)
ENDPOINT, PIPELINE = "signs", "signs"
KINDS = ("renewal.again", "renewal.work", "training.run", "evaluation.run")
DECLARED: dict[str, Any] = {
    "dataset": "signs",
    "target": "same",
    "task": "classification",
    "features": ["a", "b"],
    "steps": ["decision_tree"],
    "cross_validation": {"folds": 2},
    "schedule": "none",
}
LABELLED: dict[str, Any] = {"min_rows": 100, "days": 30}
CANARY: dict[str, Any] = {"canary": {"steps": [{"share": 0.5, "min_duration_s": 0, "min_subjects": 20}]}}
POLICY: dict[str, Any] = {
    "pipeline": PIPELINE,
    "on": ["drift", "schedule"],
    "cool_down": "1h",
    "strategy": CANARY,
    "margin": 0.1,
}
Row = dict[str, Any]


def rows(number: int, *, at: float = 0.5, seed: int = 1) -> list[Row]:
    """Two numbers, and whether they have the same sign; `at` is where the first one is, within a half."""
    draw = random.Random(seed)
    found = []
    for _ in range(number):
        a, b = round(at + draw.uniform(-0.45, 0.45), 4), round(draw.uniform(-1.0, 1.0), 4)
        found.append({"a": a, "b": b, "same": "yes" if a * b > 0 else "no"})
    return found


def shuffled(given: Sequence[Row]) -> list[Row]:
    """The same rows with their labels mixed up."""
    told = [row["same"] for row in given]
    random.Random(5).shuffle(told)
    return [{**row, "same": label} for row, label in zip(given, told, strict=True)]


def half_flipped(given: Sequence[Row]) -> list[Row]:
    """The same rows, every second label the wrong one."""
    wrong = {"yes": "no", "no": "yes"}
    return [{**row, "same": wrong[row["same"]] if place % 2 else row["same"]} for place, row in enumerate(given)]


@dataclass
class Signs:
    """A platform with the endpoint `signs`."""

    workspace: Workspace
    clock: FakeClock
    numbers: Any = field(default_factory=lambda: count(1))

    def register(self, given: Sequence[Row], name: str = "signs") -> str:
        data = "\n".join(json.dumps(row) for row in given).encode()
        with self.workspace.writing(OPERATOR) as uow:
            return datasets.register(uow, name, "signs.jsonl", data).ref

    def put(self, **changed: Any) -> None:
        with self.workspace.writing(OPERATOR) as uow:
            training.put(uow, PIPELINE, {**DECLARED, **changed})

    def train(self, **how: Any) -> str:
        """A run of the pipeline, over; its id."""
        with self.workspace.writing(OPERATOR) as uow:
            run = training.start(uow, PIPELINE, **how).id
        run_due(self.workspace, kind=training.KIND)
        return run

    def create(self, name: str = ENDPOINT) -> None:
        with self.workspace.writing(OPERATOR) as uow:
            service.create_endpoint(uow, name)

    def release(self, model: str, **policy: Any) -> Released:
        with self.workspace.writing(OPERATOR) as uow:
            config = {"renewal": {**POLICY, **policy}} if policy.get("pipeline", True) else {}
            return service.create_release(uow, ENDPOINT, model=model, config=config)

    def settle(self) -> None:
        """Let events and jobs go on until nothing is due."""
        while deliver_due(self.workspace) + sum(run_due(self.workspace, kind=kind) for kind in KINDS):
            pass

    def alarm(self, said: str = "a moved") -> Alarm:
        """The drift alarm of what serves now, told to who listens."""
        stable = self.endpoint().stable
        assert stable is not None
        evidence = Evidence(feature="a", sentence=said, score=1.2, since_at=self.clock.now())
        with self.workspace.writing(OPERATOR) as uow:
            alarm = alarms.raise_alarm(
                uow, AlarmKind.DRIFT, endpoint=ENDPOINT, release=stable.id, model=stable.serves, evidence=evidence
            )
            assert alarm is not None
            uow.emit(DriftDetected(alarm.id, ENDPOINT, stable.id, stable.serves, "a", said, 1.2))
        return alarm

    def asked(self, given: Sequence[Row], *, with_labels: bool = True) -> None:
        """Requests with these rows, each of a user of its own, routed as the gateway does; and what they were."""
        route = self.route()
        made = []
        for row in given:
            number = next(self.numbers)
            arm = routing.choose(route, f"user-{number}")
            made.append(
                RequestRecord(
                    request_id=f"r{number}",
                    endpoint=ENDPOINT,
                    release=arm.release,
                    arm=arm.name,
                    rollout=route.rollout,
                    candidate_share=route.candidate_share,
                    subject=f"user-{number}",
                    started_at=self.clock.now(),
                    duration_ms=3.0,
                    status="ok",
                    rows=1,
                    inputs=msgspec.Raw(json.dumps([[row["a"], row["b"]]]).encode()),
                    predictions=msgspec.Raw(json.dumps(["yes"]).encode()),
                )
            )
        with self.workspace.writing(OPERATOR) as uow:
            records.ingest(uow, made)
        if with_labels:
            with self.workspace.writing(OPERATOR) as uow:
                given_labels = [
                    GivenLabel(record.request_id, row["same"]) for record, row in zip(made, given, strict=True)
                ]
                labels.add(uow, ENDPOINT, given_labels)

    def roll_out(self, *, subjects: int = 400) -> None:
        """Let the rollout that goes on come to its end, with traffic that nobody complains of."""
        state = self.endpoint().rollout
        assert state is not None
        driver = Driver.of(self.workspace, state.id)
        while driver.tick(self.workspace).kind is not MoveKind.END:
            if not driver.watch.candidate.requests or self.route().candidate is not None:
                self.asked(rows(subjects, seed=next(self.numbers)), with_labels=False)
            self.clock.advance(30)

    def route(self) -> routing.Route:
        with self.workspace.reading(OPERATOR) as uow:
            return routing.routing_table(uow).routes[ENDPOINT]

    def endpoint(self) -> EndpointState:
        with self.workspace.reading(OPERATOR) as uow:
            return service.endpoint(uow, ENDPOINT)

    def renewals(self) -> list[Renewal]:
        with self.workspace.reading(OPERATOR) as uow:
            return renewals.listed(uow)

    def newest(self) -> RenewalHistory:
        with self.workspace.reading(OPERATOR) as uow:
            return renewals.get(uow, renewals.listed(uow)[0].id)

    def aliases(self, version: str) -> tuple[str, ...]:
        with self.workspace.reading(OPERATOR) as uow:
            return models.get(uow, version).aliases

    def audited(self, action: str) -> list[dict[str, Any]]:
        with self.workspace.reading(Caller("test:admin", Role.ADMIN)) as uow:
            return [dict(each.detail) for each in audit.listed(uow, action=action, limit=500)]

    def later(self, **time: float) -> None:
        self.clock.advance(timedelta(**time).total_seconds())


def signs_of(workspace: Workspace, clock: FakeClock, *, is_trained: bool = False, **policy: Any) -> Signs:
    """`signs@1` learned from one side of zero and serves with a policy.

    Args:
        is_trained: whether the workspace has it already.
    """
    signs = Signs(workspace, clock)
    if not is_trained:
        first_model(signs)
    signs.create()
    signs.release("signs@1", **policy)
    signs.settle()
    return signs


def first_model(signs: Signs) -> None:
    signs.register(rows(300))
    signs.put()
    signs.train()


Make = Callable[..., Signs]


@pytest.fixture(scope="module", autouse=True)
def _quickly(training_here: None) -> None:
    """These tests are of what is done with a model."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A platform that was brought somewhere once; tests get copies, for trainings take longer than what they test."""

    folder: Path
    at: datetime

    @classmethod
    def of(cls, folder: Path, brought: Callable[[Workspace, FakeClock], object]) -> Kept:
        """Its ids are drawn, so that those a test counts are others."""
        clock = FakeClock()
        workspace = open_workspace(CoreSettings(data_dir=folder), clock=clock)
        brought(workspace, clock)
        workspace.close()
        return cls(folder, clock.now())

    @contextmanager
    def copied(self, tmp_path: Path, clock: FakeClock) -> Iterator[Workspace]:
        clock.advance((self.at - clock.now()).total_seconds())
        shutil.copytree(self.folder, tmp_path / "data")
        workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"), clock=clock, ids=CountingIds())
        yield workspace
        workspace.close()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """With `signs@1`."""
    folder = tmp_path_factory.mktemp("signs") / "data"
    return Kept.of(folder, lambda workspace, clock: first_model(Signs(workspace, clock)))


@pytest.fixture
def make(trained: Kept, tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    """Makes the platform, with changes of the policy."""
    with trained.copied(tmp_path, clock) as workspace:
        yield lambda **policy: signs_of(workspace, clock, is_trained=True, **policy)
