"""A platform with something to show, made through the slices' own services."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import OpsloopError
from opsloop.core.ids import CountingIds
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.datasets.preparation import jobs as _preparation_jobs  # noqa: F401 (registers their kind)
from opsloop.datasets.preparation import service as preparations
from opsloop.evaluation import gates
from opsloop.evaluation import jobs as _evaluation_jobs  # noqa: F401 (registers their kind)
from opsloop.evaluation import service as evaluations
from opsloop.flows import package, versions
from opsloop.guardrails.models import Action, Hit
from opsloop.guardrails.support import service as support
from opsloop.guardrails.support.models import Said
from opsloop.incidents import service as incidents
from opsloop.incidents.models import ClosedAs, Observed, Subject, Suspect
from opsloop.limits import service as limits
from opsloop.limits.account import Account
from opsloop.limits.models import Limit
from opsloop.limits.models import Scope as LimitScope
from opsloop.limits.pool import Pool
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.rag import service as rag
from opsloop.releases import freezes, routing
from opsloop.releases import service as releases
from opsloop.releases.driver import Driver
from opsloop.server.control_plane import control_plane
from opsloop.training import jobs as _training_jobs  # noqa: F401 (registers their kind)
from opsloop.training import learning
from opsloop.training import service as training
from opsloop.training.learning import Learned
from opsloop.training.orders import Order
from tests.integration.console import flows, registered
from tests.integration.console.repaired import repaired
from tests.integration.console.said import said
from tests.integration.console.traced import put_trace

ADMIN = Caller("test:admin", Role.ADMIN)
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)> {{7*7}} ${7*7} \u202e\u0007 ./../..//"""
CANARY: dict[str, Any] = {
    "canary": {
        "steps": [
            {"share": 0.2, "min_duration_s": 30, "min_subjects": 20},
            {"share": 0.5, "min_duration_s": 30, "min_subjects": 20},
        ],
        "analysis": {"alpha": 0.01, "kinds": ["error", "slow", "dissatisfied"], "slow_ms": 1000, "tolerance": 0.1},
    }
}
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
    return question + {suffix!r}
"""
EXPERIMENT: dict[str, Any] = {
    "name": "answers",
    "datasets": [{"name": "golden", "mappings": {"question": "${data.question}"}}],
    "evaluators": [{"name": "token_f1"}, {"name": "latency"}],
    "gate": {"rules": [{"metric": "token_f1", "at_least": 0.75}]},
}


@dataclass
class Platform:
    """A workspace and what a test put into it."""

    workspace: Workspace
    clock: FakeClock
    folder: Path
    numbers: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    def flow(self, suffix: str) -> str:
        folder = self.folder / f"flow-{len(list(self.folder.glob('flow-*')))}"
        folder.mkdir(parents=True)
        (folder / "flow.dag.yaml").write_text(FLOW)
        (folder / "echo.py").write_text(ECHO.replace("{suffix!r}", repr(suffix)))
        with self.workspace.writing(ADMIN) as uow:
            return versions.register(uow, "answer", package.archive_of(folder)).ref

    def limited(self) -> None:
        """Limits of each scope, some of them used."""
        with self.workspace.writing(ADMIN) as uow:
            limits.put(uow, LimitScope.DEFAULT, "", Limit(requests_per_minute=100))
            limits.put(uow, LimitScope.KEY, "ci", Limit(tokens_per_minute=1000, usd_per_day=5.0))
            limits.put(uow, LimitScope.ENDPOINT, "support-chat", Limit(concurrent=4, usd_per_month=2.0))
        pool = Pool(self.workspace)
        pool.refresh()
        for name, tokens, usd in (("ci", 700, 1.25), ("reports", 0, 0.0)):
            used = Account(pool, pool.of(name, "support-chat")).hold_now("gpt-4o", tokens, usd if name == "ci" else 0.0)
            used.settle(tokens, usd)
        pool.stop()

    def endpoint(self, name: str = "support-chat") -> str:
        with self.workspace.writing(ADMIN) as uow:
            releases.create_endpoint(uow, name)
        return name

    def release(self, endpoint: str, flow: str, evaluation: str | None = None) -> str:
        """Returns the rollout's id."""
        with self.workspace.writing(ADMIN) as uow:
            made = releases.create_release(uow, endpoint, flow=flow, strategy=CANARY, evaluation=evaluation)
        return made.rollout.id

    def ask(self, endpoint: str, users: int, *, spread_s: int = 1, failing: bool = False) -> None:
        """One request of each user, routed as the gateway does; with `failing` the candidate fails behind a shield."""
        with self.workspace.reading(ADMIN) as uow:
            route = routing.routing_table(uow).routes[endpoint]
        made = []
        for number in range(users):
            arm = routing.choose(route, f"user-{number}")
            self.numbers += 1
            fails = failing and arm.name == "candidate"
            made.append(
                RequestRecord(
                    request_id=f"request-{self.numbers}",
                    endpoint=endpoint,
                    release=arm.release,
                    arm=arm.name,
                    rollout=route.rollout,
                    candidate_share=route.candidate_share,
                    subject=f"user-{number}",
                    started_at=self.clock.now() - timedelta(seconds=1 + number * spread_s / users),
                    duration_ms=80.0 + number % 40 + (30 if arm.name == "candidate" else 0),
                    status="error" if fails else "ok",
                    error_type="NodeFailed" if fails else None,
                    http_status=502 if fails else 200,
                    shielded=fails,
                    abstained=number % 9 == 0,
                )
            )
        with self.workspace.writing(ADMIN) as uow:
            records.ingest(uow, made)

    def drive(self, rollout: str, *, seconds: float = 1.0, until: str | None = None) -> None:
        driver = Driver.of(self.workspace, rollout)
        for _ in range(400):
            self.clock.advance(seconds)
            move = driver.tick(self.workspace)
            if until is None or move.kind.value == until:
                return
        raise AssertionError(f"the rollout never came to {until}")

    def evaluate(self, flow: str, *, check: bool = True) -> str:
        with self.workspace.writing(ADMIN) as uow:
            run = evaluations.start(uow, EXPERIMENT, versions.get(uow, flow))
        if check:
            run_due(self.workspace, kind="evaluation.run")
            with self.workspace.writing(ADMIN) as uow:
                gates.check(uow, run.id)
        return run.id

    def golden(self, rows: int = 30, *, text: str = "how many days of leave") -> None:
        lines = "\n".join(_line(f"{text} {number}") for number in range(rows))
        with self.workspace.writing(ADMIN) as uow:
            datasets.register(uow, "golden", "golden.jsonl", lines.encode(), tags=["checked"])


def _line(text: str) -> str:
    import json

    return json.dumps({"question": text, "answer": text, "ground_truth": text})


@pytest.fixture
def platform(sqlite_workspace: Workspace, clock: FakeClock, tmp_path: Path) -> Platform:
    """Empty."""
    return Platform(sqlite_workspace, clock, tmp_path / "flows")


def fill(platform: Platform, *, users: int = 120) -> Platform:
    """An endpoint with a promoted, a rolled back and a running release, evaluations, documents, a failed gate, runs."""
    platform.golden()
    good, bad, third = (platform.flow(suffix) for suffix in ("", " and much more that nobody asked for at all", "."))
    name = platform.endpoint()
    platform.ids["run"] = platform.evaluate(good)
    platform.ids["failed_run"] = platform.evaluate(bad)
    platform.release(name, good, platform.ids["run"])
    platform.ids["third_run"] = platform.evaluate(third)
    platform.ask(name, users, spread_s=200)
    platform.ids["rolled_back"] = back = platform.release(name, third, platform.ids["third_run"])
    platform.drive(back)
    platform.ask(name, users, spread_s=40, failing=True)
    platform.drive(back, until="end")
    again = platform.evaluate(third)
    platform.ids["running"] = running = platform.release(name, third, again)
    platform.drive(running)
    platform.ask(name, users, spread_s=30)
    platform.drive(running)
    platform.ids["asking"] = asking(platform, good)
    platform.ids["experiment"] = experiment(platform, good, third, users=users)
    flows.whole(platform.workspace, platform.folder)
    platform.ids["flow_run"] = flows.run(platform.workspace, "help-desk", question="How many days of leave?").id
    platform.ids["failed_flow_run"] = flows.run(platform.workspace, "help-desk", question="fail").id
    platform.limited()
    with platform.workspace.writing(ADMIN) as uow:
        leave = b"# Leave\n\nEvery employee has 30 days of leave a year.\n"
        platform.ids["document"] = rag.upload(uow, "handbook", "leave.md", leave).document_id
        for lines in (
            b'{"id": 1, "text": "one day"}\n{"id": 2, "text": "two"}',
            b'{"id": 1, "text": "one week"}\n{"id": 3}',
        ):
            datasets.register(uow, "tickets", "tickets.jsonl", lines)
        clean = {
            "read": {"dataset": "tickets@1"},
            "clean": [{"drop_duplicates": {"by": ["text"]}}, {"filter": "id > 1"}],
        }
        preparations.put(uow, "tidy", {**clean, "register": {"as": "tidy"}, "schedule": "0 2 * * *"})
        platform.ids["preparation_run"] = preparations.start(uow, "tidy").id
        failing = {**clean, "clean": [{"trim": ["<script>"]}], "register": {"as": "none"}}
        preparations.put(uow, "failing", failing)
        platform.ids["failed_preparation_run"] = preparations.start(uow, "failing").id
    run_due(platform.workspace, kind=preparations.KIND)
    trained(platform)
    escalated(platform)
    troubled(platform)
    platform.ids |= repaired(platform.workspace, ADMIN, good, third, hostile=HOSTILE)
    platform.ids |= said(platform.workspace, ADMIN, HOSTILE)
    platform.ids["trace"] = put_trace(platform.workspace, ADMIN, f"{7:032x}", request_id="request-2")
    return platform


def troubled(platform: Platform, endpoint: str = "support-chat") -> None:
    """An incident with suspects that nobody deals with, and one like it that is closed."""
    now = platform.clock.now()
    subject = Subject(endpoint=endpoint)
    signal = Observed(
        "alertmanager", "alert", f"HighErrorRate {HOSTILE}", "page", subject, HOSTILE, now, numbers={"rate": 0.4},
        link="https://prometheus.example/graph",
    )  # fmt: skip
    with platform.workspace.writing(ADMIN) as uow:
        (closed,) = incidents.take_in(uow, [signal]).opened
        incidents.take_in(uow, [replace(signal, ended_at=now)])
        incidents.close(uow, closed, closed_as=ClosedAs.CAUSE, cause=HOSTILE)
        (opened,) = incidents.take_in(uow, [signal]).opened
        found = Suspect("release 2", "release", 0.8, (HOSTILE,), ("it was slow before",), f"/endpoints/{endpoint}")
        incidents.suspect(uow, opened, [found])
    platform.ids |= {"incident": opened, "closed_incident": closed}


def escalated(platform: Platform, endpoint: str = "support-chat") -> None:
    """Requests in which guardrails found something, and a case in each state, one claimed by somebody else."""
    found = (Hit("email", "request", Action.FLAG), Hit("payment_card", "answer", Action.REDACT, 2))
    made = RequestRecord(
        request_id="guarded", endpoint=endpoint, release="release_x", arm="stable", subject="s",
        started_at=platform.clock.now() - timedelta(seconds=1), duration_ms=3.0, status="ok", hits=found,
    )  # fmt: skip
    maria = Caller("key:maria", Role.OPERATOR)
    with platform.workspace.writing(ADMIN) as uow:
        records.ingest(uow, [made])
        for name in ("open", "claimed", "held", "answered", "closed"):
            said = [Said("user", f"I want a person. {HOSTILE}"), Said("assistant", "I do not know.")]
            ticket = support.open_case(uow, endpoint, f"{name}-request", said, kinds=["payment_card"], release="r")
            platform.ids[f"{name}_case"] = ticket.id
        for name in ("claimed", "answered", "closed"):
            support.claim(uow, platform.ids[f"{name}_case"])
        for name in ("answered", "closed"):
            support.answer(uow, platform.ids[f"{name}_case"], HOSTILE.replace("\u0007", ""))
        support.close(uow, platform.ids["closed_case"])
    with platform.workspace.writing(maria) as uow:
        support.claim(uow, platform.ids["held_case"])


def asking(platform: Platform, flow: str) -> str:
    """An endpoint that is frozen, and whose first release waits for an approval; returns its rollout."""
    name = platform.endpoint("leave-desk")
    with platform.workspace.writing(ADMIN) as uow:
        made = releases.create_release(uow, name, flow=flow, strategy={"blue-green": {"approval": "before"}})
        freezes.begin(uow, name, reason="audit week")
    platform.drive(made.rollout.id)
    return made.rollout.id


def experiment(platform: Platform, flow: str, other: str, *, users: int) -> str:
    """An endpoint in an A/B test; returns its rollout."""
    name = platform.endpoint("experiment")
    options = {"metrics": [{"name": "latency", "cap": 1_000}, {"name": "error", "margin": 0.05}, "satisfaction"]}
    with platform.workspace.writing(ADMIN) as uow:
        releases.create_release(uow, name, flow=flow)
        made = releases.create_release(uow, name, flow=other, strategy={"ab": options})
    platform.drive(made.rollout.id)
    platform.ask(name, users)
    platform.drive(made.rollout.id, seconds=2)
    return made.rollout.id


_learn = learning.learn
_LEARNED: dict[str, Learned | OpsloopError] = {}


def _learned_once(order: Order, **how: Any) -> Learned:
    """Training takes a process of its own and a second; what it comes to is the same for every test."""
    key = repr(order.wanted)
    if key not in _LEARNED:
        try:
            _LEARNED[key] = _learn(order, **how)
        except OpsloopError as error:
            _LEARNED[key] = error
    found = _LEARNED[key]
    if isinstance(found, OpsloopError):
        raise found
    return found


def trained(platform: Platform) -> None:
    """A pipeline with a run that is done, one that was skipped, one that failed and one that waits."""
    rows = b"\n".join(b'{"length": %d.5, "kind": "%s"}' % (number, b"ab"[number % 2 :][:1]) for number in range(40))
    search = {"method": "grid", "folds": 2, "over": {"logistic_regression.C": [0.5, 2.0]}}
    learned = {"target": "kind", "task": "classification", "steps": ["scale", "logistic_regression"], "search": search}
    with platform.workspace.writing(ADMIN) as uow:
        datasets.register(uow, "flowers", "flowers.jsonl", rows)
        training.put(uow, "flowers", {"dataset": "flowers", **learned, "cross_validation": {"folds": 3}})
        started = [training.start(uow, "flowers"), training.start(uow, "flowers", reason=HOSTILE)]
        started.append(training.start(uow, "flowers", window={"rows": 3}, trigger="drift"))
    with patch.object(learning, "learn", _learned_once):
        run_due(platform.workspace, kind=training.KIND)
    with platform.workspace.writing(ADMIN) as uow:
        started.append(training.start(uow, "flowers", force=True))
    for name, run in zip(
        ("training_run", "skipped_training", "failed_training", "waiting_training"), started, strict=True
    ):
        platform.ids[name] = run.id
    registered.more(platform.workspace, ADMIN, "flowers@1", hostile=HOSTILE)


@dataclass(frozen=True, slots=True)
class Kept:
    """A platform that was filled once for this process, in `folder`: tests get copies in a fraction of the time."""

    folder: Path
    ids: dict[str, str]
    numbers: int
    passed_s: float
    first_id: int

    @contextmanager
    def copied(self, folder: Path, clock: FakeClock) -> Iterator[Platform]:
        """A copy in `folder`; `clock` is as the one that it was filled with, and is moved as far."""
        shutil.copytree(self.folder, folder)
        clock.advance(self.passed_s)
        ids = CountingIds(self.first_id)
        workspace = open_workspace(CoreSettings(data_dir=folder / "data"), clock=clock, ids=ids)
        yield Platform(workspace, clock, folder / "flows", self.numbers, dict(self.ids))
        workspace.close()


_KEPT: dict[datetime, Kept] = {}


def filled_once(folders: pytest.TempPathFactory, migrated: Path, since: datetime | None = None) -> Kept:
    """What `fill` makes of an empty platform whose clock begins at `since`.

    Args:
        migrated: a database whose schema is current.
    """
    clock = FakeClock(since)
    begun = clock.now()
    if begun not in _KEPT:
        folder = folders.mktemp("filled")
        (folder / "data").mkdir()
        shutil.copyfile(migrated, folder / "data" / "state.db")
        ids = CountingIds()
        workspace = open_workspace(CoreSettings(data_dir=folder / "data"), clock=clock, ids=ids)
        platform = fill(Platform(workspace, clock, folder / "flows"))
        workspace.close()
        first_id = int(ids.new("end").removeprefix("end_"))
        passed_s = (clock.now() - begun).total_seconds()
        _KEPT[begun] = Kept(folder, platform.ids, platform.numbers, passed_s, first_id)
    return _KEPT[begun]


@pytest.fixture
def filled(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, clock: FakeClock
) -> Iterator[Platform]:
    with filled_once(tmp_path_factory, migrated_sqlite).copied(tmp_path / "filled", clock) as platform:
        yield platform


def browser(workspace: Workspace, caller: Caller = ADMIN) -> TestClient:
    """A client that asks as a browser does, with its caller already let in."""
    app = control_plane(workspace)

    async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = caller
        await app(scope, receive, send)

    return TestClient(admitted, headers={"accept": "text/html"}, follow_redirects=False, raise_server_exceptions=True)


@pytest.fixture
def page(platform: Platform) -> Iterator[httpx.Client]:
    with browser(platform.workspace) as client:
        yield client  # type: ignore[misc]
