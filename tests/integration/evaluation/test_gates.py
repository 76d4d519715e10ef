"""Gates on real runs: the default one, slices, flips, other versions of the data, and how many rows they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import opsloop.evaluation.jobs  # noqa: F401 (registers the job that runs an evaluation)
from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import gate_plans, gates, service
from opsloop.evaluation.errors import ExperimentInvalid, NoGate, NotComparable
from opsloop.evaluation.models import GateReport
from opsloop.evaluation.verdicts import Verdict
from opsloop.flows import package, versions
from opsloop.flows.models import FlowVersion

DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: '${say.output}', is_chat_output: true}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {question: '${inputs.question}'}
"""
CODE = "from promptflow.core import tool\n\n@tool\ndef say(question: str) -> str:\n    return "
RIGHT = CODE + "question\n"
LOSES_SOME = CODE + "question if int(question[1:]) % 20 else ''\n"
ROWS = [
    {
        "id": f"r{number}",
        "question": f"q{number}",
        "truth": f"q{number}",
        "language": "de" if number % 4 == 0 else "en",
        "nothing": None,
    }
    for number in range(160)
]


class House:
    """Evaluates flows, each a line of Python, on datasets, each a list of rows."""

    def __init__(self, workspace: Workspace, by: Caller, folder: Path) -> None:
        self.workspace, self.by, self.folder = workspace, by, folder

    def put(self, rows: list[dict[str, Any]]) -> None:
        with self.workspace.writing(self.by) as uow:
            datasets.register(uow, "golden", "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())

    def flow(self, code: str) -> FlowVersion:
        (self.folder / "flow.dag.yaml").write_text(DAG)
        (self.folder / "say.py").write_text(code)
        with self.workspace.writing(self.by) as uow:
            return versions.register(uow, "answer", package.archive_of(self.folder))

    def run(self, code: str, gate: dict[str, Any] | None = None, **changes: Any) -> str:
        declared = {
            "name": "answers",
            "datasets": [{"name": "golden"}],
            "evaluators": [{"name": "exact_match"}, {"name": "latency"}],
            **({"gate": gate} if gate is not None else {}),
            **changes,
        }
        version = self.flow(code)
        with self.workspace.writing(self.by) as uow:
            started = service.start(uow, declared, version)
        run_due(self.workspace)
        return started.id

    def check(self, run: str, baseline: str | None = None) -> GateReport:
        with self.workspace.writing(self.by) as uow:
            report = gates.check(uow, run, baseline)
        with self.workspace.reading(self.by) as uow:
            assert service.gate_report(uow, run) == report
        return report


@pytest.fixture
def house(workspace: Workspace, admin: Caller, tmp_path: Path) -> House:
    folder = tmp_path / "flow"
    folder.mkdir()
    made = House(workspace, admin, folder)
    made.put(ROWS)
    return made


def test_an_experiment_without_a_gate_has_the_default_one_beside_a_baseline(house: House) -> None:
    good, same, worse = house.run(RIGHT), house.run(RIGHT), house.run(LOSES_SOME)
    with pytest.raises(NoGate, match="or name a baseline, than which it is not to be worse by five points"):
        house.check(good)
    passed, blocked = house.check(same, good), house.check(worse, good)
    assert [each.rule.metric for each in passed.decisions] == ["completed", "exact_match"]  # a latency has no scale
    assert passed.notes == (
        "the experiment declares no gate: no metric from 0 to 1 may be worse by 0.05; latency is not judged",
    )
    assert passed.verdict is Verdict.PASS
    assert blocked.verdict is Verdict.INCONCLUSIVE  # 8 of 160 rows lost: on the margin, so never shown to be within it
    assert "exact_match fell 0.05" in blocked.sentence


def test_a_metric_of_which_the_candidate_has_no_figure_left_is_judged_all_the_same(house: House) -> None:
    """The default gate looks at both runs: what nothing was measured of is not shown to be as good."""
    evaluators = [{"name": "exact_match", "mappings": {"truth": "${data.truth}"}}]
    good = house.run(RIGHT, evaluators=evaluators)
    silent = house.run(RIGHT, evaluators=[{"name": "exact_match", "mappings": {"truth": "${data.nothing}"}}])
    report = house.check(silent, good)
    assert [(each.rule.metric, each.verdict.value, each.rows) for each in report.decisions] == [
        ("completed", "pass", 160),
        ("exact_match", "inconclusive", 0),
    ]


def test_rows_that_flip_are_named(house: House) -> None:
    gate = {"rules": [{"metric": "exact_match", "no_flips": True}]}
    report = house.check(house.run(LOSES_SOME, gate), house.run(RIGHT, gate))
    assert report.verdict is Verdict.FAIL
    assert report.decisions[0].flips == 8
    assert report.sentence == (
        "Gate failed: 1 of 1 rule. exact_match flipped on 8 rows: golden@1 row 1, golden@1 row 21, golden@1 row 41, "
        "golden@1 row 61, golden@1 row 81, and 3 more (wanted no row failed that the baseline passed)."
    )


def test_a_rule_on_each_slice_finds_where_it_got_worse(house: House) -> None:
    slices = {"german": {"language": "de"}, "english": {"language": "en"}, "rare": "id == 'r1'"}
    rule = {"metric": "exact_match", "margin": 0.1, "slice": "each"}
    gate = {"slices": slices, "rules": [rule]}
    report = house.check(house.run(LOSES_SOME, gate), house.run(RIGHT, gate))
    assert [(each.slice, each.verdict.value, each.rows) for each in report.decisions] == [
        ("german", "inconclusive", 40),
        ("english", "pass", 120),
    ]
    assert report.notes == ("slice rare has 1 row, fewer than 30: exact_match is not judged on it",)


def test_runs_on_two_versions_are_compared_where_rows_have_the_same_key(house: House) -> None:
    rules = [{"metric": "exact_match", "margin": 0.05}]
    first = house.run(RIGHT, {"rules": rules})
    house.put([*ROWS[10:], {**ROWS[0], "id": "new"}])
    without, beside = house.run(RIGHT, {"rules": rules}), house.run(RIGHT, {"rules": rules, "key": "id"})
    with pytest.raises(NotComparable, match=r"golden@2, the baseline on golden@1; .*`key` of the gate"):
        house.check(without, first)
    report = house.check(beside, first)
    assert (report.verdict, report.decisions[0].rows) == (Verdict.PASS, 150)
    assert report.notes == (
        "compared on the 150 rows that have the same id in both runs; 1 of this run's rows and 10 of the baseline's "
        "are not common",
    )


def test_a_column_that_the_data_do_not_have_is_named_before_a_row_runs(house: House) -> None:
    with pytest.raises(ExperimentInvalid, match=r"gate\.cluster_by.*did you mean 'question'"):
        house.run(RIGHT, {"rules": [{"metric": "exact_match", "margin": 0.05}], "cluster_by": "qestion"})


def test_a_gate_can_be_planned_from_runs_that_were_made(house: House) -> None:
    rules = [{"metric": "exact_match", "margin": 0.02}, {"metric": "completed", "at_least": 1.0}]
    first, second = (house.run(code, {"rules": rules}) for code in (RIGHT, LOSES_SOME))
    with house.workspace.reading(house.by) as uow:
        found = gate_plans.plan(uow, second, first)
        alone = gate_plans.plan(uow, second)
    needed = found.rules[0].rows_needed
    assert needed is not None
    assert found.rows_needed == needed > 500
    assert found.rules[1].rows_needed is None
    assert (alone.rules[0].rows_needed or 0) > needed


@pytest.fixture
def http(workspace: Workspace, admin: Caller) -> TestClient:
    from opsloop.evaluation.api import router

    app = FastAPI()
    app.state.workspace = workspace
    app.router.routes.extend(router.routes)

    async def with_caller(scope: Any, receive: Any, send: Any) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    return TestClient(with_caller)


def test_a_gate_is_planned_over_http_also_another_one_than_declared(house: House, http: TestClient) -> None:
    first = house.run(RIGHT)
    at = f"/api/evaluations/{first}/gate/plan"
    assert [each["rule"]["metric"] for each in http.post(at).json()["rules"]] == ["completed", "exact_match"]
    gate = {"rules": [{"metric": "exact_match", "margin": 0.1}]}
    planned = http.post(at, json={"gate": gate, "baseline": first}).json()
    assert planned["rules"][0]["rows_needed"] == 29  # 0.9^29 < 0.05
