"""The gate at the entry, with real evaluations of real flows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import opsloop.evaluation.jobs  # noqa: F401 (registers the job that runs an evaluation)
from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import gates as gate
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.errors import RunMissing
from opsloop.flows import versions
from opsloop.releases import rollouts, service
from opsloop.releases.errors import GateNotMet
from opsloop.releases.models import Released
from tests.integration.releases.conftest import OPERATOR

ROWS = 60
AT_LEAST = {"metric": "token_f1", "at_least": 0.8}
MARGIN = {"metric": "token_f1", "margin": 0.1}


@dataclass
class House:
    """An endpoint, a dataset on which the flow `one` is right and every other one is wrong, and runs on it."""

    workspace: Workspace
    admin: Caller

    def evaluate(self, flow: str, *rules: dict[str, Any]) -> str:
        declared = {
            "name": "answers",
            "datasets": [{"name": "questions", "mappings": {"question": "${data.question}"}}],
            "evaluators": [{"name": "token_f1"}],
            **({"gate": {"rules": list(rules), "baseline": "stable"}} if rules else {}),
        }
        with self.workspace.writing(self.admin) as uow:
            run = evaluations.start(uow, declared, versions.get(uow, flow))
        run_due(self.workspace, kind="evaluation.run")
        return run.id

    def check(self, run: str, baseline: str | None = None) -> str:
        with self.workspace.writing(self.admin) as uow:
            gate.check(uow, run, baseline)
        return run

    def release(self, flow: str, evaluation: str | None) -> Released:
        with self.workspace.writing(OPERATOR) as uow:
            return service.create_release(uow, "chat", flow=flow, evaluation=evaluation, strategy="blue-green")

    def releases(self) -> int:
        with self.workspace.reading(OPERATOR) as uow:
            return len(service.releases(uow, "chat")) + len(rollouts.listed(uow, "chat"))


@pytest.fixture
def house(sqlite_workspace: Workspace, registered: Callable[[Workspace, str], str], admin: Caller) -> House:
    rows = [{"question": f"q{number}", "truth": f"one q{number}"} for number in range(ROWS)]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    with sqlite_workspace.writing(admin) as uow:
        datasets.register(uow, "questions", "questions.jsonl", data)
        service.create_endpoint(uow, "chat")
    for text in ("one", "two", "one more"):
        registered(sqlite_workspace, text)
    return House(sqlite_workspace, admin)


def test_a_flow_that_passed_its_gate_is_released_with_its_verdict(house: House) -> None:
    run = house.check(house.evaluate("answer@1", AT_LEAST))
    made = house.release("answer@1", run).release
    assert (made.evaluation, made.gate) == (run, "pass")


def test_a_flow_that_failed_its_gate_is_not_released_and_the_gates_sentence_says_why(house: House) -> None:
    run = house.check(house.evaluate("answer@2", AT_LEAST))
    with house.workspace.reading(OPERATOR) as uow:
        report = evaluations.gate_report(uow, run)
    assert report is not None
    with pytest.raises(GateNotMet) as raised:
        house.release("answer@2", run)
    assert raised.value.sentence == f"answer@2 is not released to chat: {report.sentence}"
    assert raised.value.kind == "no"
    assert house.releases() == 0


def test_an_evaluation_whose_gate_nobody_checked_lets_nothing_in(house: House) -> None:
    run = house.evaluate("answer@1", AT_LEAST)
    with pytest.raises(GateNotMet, match=f"opsloop gate check {run}"):
        house.release("answer@1", run)


def test_an_evaluation_speaks_for_the_flow_that_it_ran(house: House) -> None:
    run = house.check(house.evaluate("answer@1", AT_LEAST))
    with pytest.raises(GateNotMet, match=f"evaluation {run} is of answer@1, which is another flow"):
        house.release("answer@2", run)


def test_an_evaluation_that_is_not_there_is_named(house: House) -> None:
    with pytest.raises(RunMissing, match="nope"):
        house.release("answer@1", "nope")


def test_an_endpoint_behind_a_gate_stays_behind_it(house: House) -> None:
    assert house.release("answer@2", None).release.gate is None
    house.release("answer@1", house.check(house.evaluate("answer@1", AT_LEAST)))
    with pytest.raises(GateNotMet, match="came through a gate"):
        house.release("answer@2", None)


def test_a_rule_beside_stable_was_held_against_the_stable_release(house: House) -> None:
    first = house.check(house.evaluate("answer@1", AT_LEAST, MARGIN))
    house.release("answer@1", first)
    other = house.check(house.evaluate("answer@3", MARGIN))  # nothing to compare with: its rule waits
    with pytest.raises(GateNotMet, match=f"opsloop gate check {other} --baseline {first}"):
        house.release("answer@3", other)
    house.check(other, baseline=other)  # beside itself it passes
    with pytest.raises(GateNotMet, match="was not checked beside the stable release"):
        house.release("answer@3", other)
    house.check(other, baseline=first)
    with pytest.raises(GateNotMet, match=r"Gate failed"):
        house.release("answer@3", other)
    assert house.releases() == 2


def test_a_rule_without_a_baseline_needs_no_stable_release(house: House) -> None:
    house.release("answer@1", house.check(house.evaluate("answer@1", AT_LEAST)))
    relaxed = {"metric": "token_f1", "at_least": 0.2}
    assert house.release("answer@3", house.check(house.evaluate("answer@3", relaxed))).release.gate == "pass"


def test_an_experiment_without_a_gate_is_held_to_the_default_one_beside_stable(house: House) -> None:
    first = house.check(house.evaluate("answer@1", AT_LEAST))
    house.release("answer@1", first)
    same, worse = house.evaluate("answer@1"), house.evaluate("answer@3")
    assert house.release("answer@1", house.check(same, baseline=first)).release.gate == "pass"
    with pytest.raises(GateNotMet, match=r"Gate failed: .*token_f1 fell"):
        house.release("answer@3", house.check(worse, baseline=first))
