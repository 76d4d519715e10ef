"""Evaluations through their service, job, gate and API, on both databases."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.datasets.errors import DatasetMissing
from opsloop.evaluation import gates, service
from opsloop.evaluation import jobs as evaluation_jobs
from opsloop.evaluation.errors import ExperimentInvalid, NoGate, NotComparable, RunMissing, RunNotDone
from opsloop.evaluation.models import GateReport, Run, RunStatus
from opsloop.evaluation.reports import registry as reports
from opsloop.evaluation.reports.document import document
from opsloop.evaluation.verdicts import Verdict
from opsloop.flows import package, versions
from opsloop.flows.models import FlowVersion

DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: '${say.output.answer}', is_chat_output: true}
  abstained: {type: bool, reference: '${say.output.abstained}'}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {question: '${inputs.question}'}
"""
HEAD = "from promptflow.core import tool\n\n@tool\ndef say(question: str) -> dict:\n"
RIGHT = HEAD + "    return {'answer': question, 'abstained': False}\n"
# Wrong on every third question, broken on 'q7'.
WORSE = HEAD + (
    "    number = int(question[1:])\n"
    "    if number == 7:\n        raise ValueError('seven')\n"
    "    return {'answer': 'x' if number % 3 == 0 else question, 'abstained': False}\n"
)
ROWS = [{"question": f"q{number}", "truth": f"q{number}", "answerable": True} for number in range(60)]
EXPERIMENT: dict[str, Any] = {
    "name": "answers",
    "datasets": [{"name": "golden"}],
    "evaluators": [{"name": "exact_match"}, {"name": "abstention"}, {"name": "latency"}],
    "gate": {
        "rules": [
            {"metric": "exact_match", "margin": 0.05},
            {"metric": "abstention", "at_least": 0.9},
            {"metric": "completed", "at_least": 0.8},
        ]
    },
}
Register = Callable[[Workspace, str], FlowVersion]


def put(workspace: Workspace, by: Caller, rows: list[dict[str, Any]], name: str = "golden") -> None:
    with workspace.writing(by) as uow:
        datasets.register(uow, name, "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())


@pytest.fixture
def flow(tmp_path: Path, admin: Caller) -> Register:
    """Registers a flow with this Python as `answer`."""

    def register(workspace: Workspace, code: str) -> FlowVersion:
        folder = tmp_path / "flow"
        folder.mkdir(exist_ok=True)
        (folder / "flow.dag.yaml").write_text(DAG)
        (folder / "say.py").write_text(code)
        with workspace.writing(admin) as uow:
            return versions.register(uow, "answer", package.archive_of(folder))

    return register


def started(workspace: Workspace, by: Caller, version: FlowVersion, **changes: Any) -> Run:
    with workspace.writing(by) as uow:
        return service.start(uow, {**EXPERIMENT, **changes}, version)


def evaluated(workspace: Workspace, by: Caller, version: FlowVersion, **changes: Any) -> Run:
    run = started(workspace, by, version, **changes)
    run_due(workspace)
    with workspace.reading(by) as uow:
        return service.get(uow, run.id)


def test_a_run_measures_every_row(workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(workspace, admin, ROWS)
    run = evaluated(workspace, admin, flow(workspace, WORSE))
    assert (run.status, run.rows, run.failed_rows, run.done, run.error) == (RunStatus.DONE, 60, 1, 60, None)
    exact = run.metrics["exact_match"]
    assert exact.value == pytest.approx(39 / 60)  # 20 multiples of three are wrong, and 7 failed
    assert (exact.rows, exact.failed, exact.not_applicable) == (60, 1, 0)
    assert exact.low is not None
    assert exact.high is not None
    assert exact.low < 39 / 60 < exact.high
    assert run.metrics["latency"].rows == 59
    assert run.metrics["latency"].failed == 1
    assert run.metrics["completed"].value == pytest.approx(59 / 60)


def test_the_rows_say_what_went_in_what_came_out_and_why_one_failed(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, ROWS)
    run = evaluated(sqlite_workspace, admin, flow(sqlite_workspace, WORSE))
    with sqlite_workspace.reading(admin) as uow:
        rows = service.rows(uow, run.id)
    assert [row.row for row in rows] == list(range(60))
    assert rows[3].outputs == {"answer": "x", "abstained": False}
    assert rows[3].scores["exact_match"] == 0.0
    assert rows[3].data == ROWS[3]
    assert rows[7].error is not None
    assert "seven" in rows[7].error
    assert rows[7].scores["exact_match"] == 0.0
    assert rows[7].scores["latency"] is None


def test_the_gate_stops_a_worse_flow_and_says_by_how_much(workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(workspace, admin, ROWS)
    first = evaluated(workspace, admin, flow(workspace, RIGHT))
    second = evaluated(workspace, admin, flow(workspace, WORSE))
    with workspace.writing(admin) as uow:
        opening = gates.check(uow, first.id)
        report = gates.check(uow, second.id, first.id)
    assert opening.verdict is Verdict.PASS
    assert [rule.metric for rule in opening.waiting] == ["exact_match"]
    assert "Nothing to compare exact_match with yet" in opening.sentence
    assert report.verdict is Verdict.FAIL
    assert report.sentence.startswith("Gate failed: 1 of 3 rules. exact_match fell 0.35 (1.00 to 0.65; 90 % interval")
    with workspace.reading(admin) as uow:
        assert service.get(uow, second.id).verdict is Verdict.FAIL
        assert service.gate_report(uow, second.id) == report
        assert service.gate_report(uow, first.id) == opening


def test_few_rows_are_not_enough_to_pass(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:5])
    version = flow(sqlite_workspace, RIGHT)
    first, second = (evaluated(sqlite_workspace, admin, version) for _ in range(2))
    with sqlite_workspace.writing(admin) as uow:
        report = gates.check(uow, second.id, first.id)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "rows would decide it" in report.sentence


def test_a_better_latency_is_a_lower_one(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS)
    gate = {"rules": [{"metric": "latency", "margin": 60_000}]}
    version = flow(sqlite_workspace, RIGHT)
    first, second = (evaluated(sqlite_workspace, admin, version, gate=gate) for _ in range(2))
    with sqlite_workspace.writing(admin) as uow:
        report = gates.check(uow, second.id, first.id)
    assert not report.decisions[0].rule.higher_is_better
    assert report.verdict is Verdict.PASS


def test_repeats_count_once_in_the_gate(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:10])
    run = evaluated(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT), repeats=3)
    assert (run.rows, run.metrics["exact_match"].rows) == (30, 10)
    with sqlite_workspace.reading(admin) as uow:
        found = service.rows(uow, run.id)
    assert [(row.row, row.repeat) for row in found[:4]] == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_several_datasets_are_measured_together(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:10])
    other = [{"frage": "q1", "soll": "q1"}, {"frage": "q2", "soll": "no"}]
    put(sqlite_workspace, admin, other, name="german")
    run = evaluated(
        sqlite_workspace,
        admin,
        flow(sqlite_workspace, RIGHT),
        datasets=[{"name": "golden"}, {"name": "german", "mappings": {"question": "${data.frage}"}}],
        evaluators=[
            {
                "name": "exact_match",
                "datasets": [{"name": "golden"}, {"name": "german", "mappings": {"truth": "${data.soll}"}}],
            }
        ],
        gate=None,
    )
    assert run.dataset == "golden@1, german@1"
    assert run.metrics["exact_match"].value == pytest.approx(11 / 12)


def test_runs_on_other_rows_are_not_compared(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:10])
    version = flow(sqlite_workspace, RIGHT)
    first = evaluated(sqlite_workspace, admin, version)
    put(sqlite_workspace, admin, ROWS[:11])
    second = evaluated(sqlite_workspace, admin, version)
    with (
        sqlite_workspace.writing(admin) as uow,
        pytest.raises(NotComparable, match="golden@2, the baseline on golden@1"),
    ):
        gates.check(uow, second.id, first.id)


def test_a_gate_needs_a_finished_run_and_rules(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:3])
    version = flow(sqlite_workspace, RIGHT)
    without = evaluated(sqlite_workspace, admin, version, gate=None)
    waiting = started(sqlite_workspace, admin, version)
    with sqlite_workspace.writing(admin) as uow:
        with pytest.raises(NoGate):
            gates.check(uow, without.id)
        with pytest.raises(RunNotDone, match="queued"):
            gates.check(uow, waiting.id)
        with pytest.raises(RunMissing):
            gates.check(uow, "run_none")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"evaluators": [{"name": "token_fl"}]}, r"evaluators\[0\]\.name.*did you mean 'token_f1'"),
        ({"evaluators": [{"name": "citation_support"}]}, r"evaluators\[0\]\.mappings\.citations.*answer, abstained"),
        ({"evaluators": [{"name": "exact_match", "mappings": {"truth": "${data.truht}"}}]}, "did you mean 'truth'"),
        ({"evaluators": [{"name": "exact_match", "mappings": {"truht": 1}}]}, "did you mean 'truth'"),
        ({"evaluators": [{"name": "exact_match", "mappings": {"truth": "${dat.truth}"}}]}, r"\$\{data\.COLUMN\}"),
        ({"evaluators": [{"name": "exact_match", "options": {"x": 1}}]}, r"evaluators\[0\]\.options\.x"),
        ({"gate": {"rules": [{"metric": "exact", "at_least": 1}]}}, r"gate\.rules\[0\]\.metric.*exact_match"),
        ({"datasets": [{"name": "golden", "mappings": {"qestion": "x"}}]}, "did you mean 'question'"),
    ],
)
def test_what_is_wrong_is_said_before_a_row_runs(
    sqlite_workspace: Workspace, admin: Caller, flow: Register, changes: dict[str, Any], expected: str
) -> None:
    put(sqlite_workspace, admin, ROWS[:3])
    with pytest.raises(InvalidInput, match=expected):
        started(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT), **changes)
    with sqlite_workspace.reading(admin) as uow:
        assert service.listed(uow) == []
        assert jobs.listed(uow) == []


def test_a_score_that_is_no_number_fails_the_run_and_names_the_row(
    sqlite_workspace: Workspace, admin: Caller, flow: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opsloop.evaluation.evaluators import registry

    def nan_on_the_third(values: Any) -> float:
        return float("nan") if values["answer"] == "q2" else 1.0

    odd = registry.Evaluator("odd", (registry.ANSWER,), lambda _: nan_on_the_third)
    monkeypatch.setattr(registry, "known", lambda: {"odd": odd})
    put(sqlite_workspace, admin, ROWS[:5])
    version = flow(sqlite_workspace, RIGHT)
    run = evaluated(sqlite_workspace, admin, version, evaluators=[{"name": "odd"}], gate=None)
    assert run.status is RunStatus.FAILED
    assert run.error == "evaluator odd gave nan for row 3 of golden@1; a score is a finite number"


def test_rows_without_a_truth_are_counted_and_not_guessed(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, [*ROWS[:3], {"question": "q9", "truth": None, "answerable": None}])
    run = evaluated(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT))
    exact = run.metrics["exact_match"]
    assert (exact.rows, exact.not_applicable, exact.failed) == (3, 1, 0)


def test_an_output_of_the_wrong_form_counts_as_failed(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, ROWS[:4])
    code = HEAD + "    return {'answer': None if question == 'q1' else question, 'abstained': False}\n"
    run = evaluated(sqlite_workspace, admin, flow(sqlite_workspace, code))
    assert run.metrics["exact_match"].value == 0.75
    assert run.metrics["exact_match"].failed == 1
    with sqlite_workspace.reading(admin) as uow:
        assert service.rows(uow, run.id)[1].errors["exact_match"] == "the flow gave no answer"


def test_the_dataset_knows_which_evaluation_used_it(workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(workspace, admin, ROWS[:3])
    run = evaluated(workspace, admin, flow(workspace, RIGHT))
    with workspace.reading(admin) as uow:
        assert [(use.dataset, use.target) for use in lineage.uses(uow, "golden")] == [("golden@1", run.id)]


def test_a_dataset_registered_meanwhile_changes_nothing_for_the_run(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, ROWS[:3])
    run = started(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT))
    put(sqlite_workspace, admin, ROWS[:9])
    run_due(sqlite_workspace)
    with sqlite_workspace.reading(admin) as uow:
        assert service.get(uow, run.id).rows == len(service.rows(uow, run.id)) == 3


def test_a_run_that_is_asked_to_stop_goes_on_later(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS)
    run = started(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT))
    stopping = threading.Event()
    stopping.set()
    context = JobContext(sqlite_workspace, run.job, stopping=stopping, progress=lambda *_: None)
    with pytest.raises(Again):
        evaluation_jobs.run(context, {"run": run.id})
    with sqlite_workspace.reading(admin) as uow:
        assert service.get(uow, run.id).status is RunStatus.RUNNING
    run_due(sqlite_workspace)
    with sqlite_workspace.reading(admin) as uow:
        assert service.get(uow, run.id).status is RunStatus.DONE


def test_a_run_whose_job_is_cancelled_before_it_begins_ends_too(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, ROWS)
    run = started(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT))
    with sqlite_workspace.writing(admin) as uow:
        jobs.cancel(uow, run.job)
    deliver_due(sqlite_workspace)
    assert run_due(sqlite_workspace) == 0
    with sqlite_workspace.reading(admin) as uow:
        found = service.get(uow, run.id)
    assert (found.status, found.error) == (RunStatus.FAILED, f"cancelled by {admin.name}")


def test_a_cancelled_run_says_so(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS)
    run = started(sqlite_workspace, admin, flow(sqlite_workspace, RIGHT))

    class Stopped(Exception):
        pass

    def cancelled(*_: object) -> None:
        with sqlite_workspace.writing(admin) as uow:
            if jobs.get(uow, run.job).status is not JobStatus.CANCELLED:
                jobs.cancel(uow, run.job)
        raise Stopped

    context = JobContext(sqlite_workspace, run.job, stopping=threading.Event(), progress=cancelled)
    with pytest.raises(Stopped):
        evaluation_jobs.run(context, {"run": run.id})
    with sqlite_workspace.reading(admin) as uow:
        found = service.get(uow, run.id)
    assert (found.status, found.error) == (RunStatus.FAILED, "it was cancelled")


def test_viewers_start_nothing(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:3])
    version = flow(sqlite_workspace, RIGHT)
    with pytest.raises(Denied):
        started(sqlite_workspace, Caller("test:viewer", Role.VIEWER), version)


def test_the_markdown_report_shows_verdict_figures_and_failed_rows_first(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, [*ROWS[:20], {"question": "q21 | <b>x</b>", "truth": "y", "answerable": True}])
    first = evaluated(sqlite_workspace, admin, flow(sqlite_workspace, WORSE))
    with sqlite_workspace.writing(admin) as uow:
        gates.check(uow, first.id)
        text = reports.find("md").render(document(uow, first.id))
        whole = json.loads(reports.find("json").render(document(uow, first.id)))
    assert "### Evaluation of `answer@1` on `golden@1`" in text
    assert "**2 failed**" in text
    assert "Gate undecided" in text
    assert "seven" in text.split("Rows to look at first")[1].splitlines()[4]
    assert "<b>" not in text
    assert whole["run"]["metrics"]["exact_match"]["failed"] == 2
    with pytest.raises(InvalidInput, match="did you mean 'markdown'"):
        reports.find("markdwn")


KILLED = """
import sys
from pathlib import Path
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.evaluation import jobs

run_due(open_workspace(CoreSettings(data_dir=Path(sys.argv[1]))))
"""
COUNTING = HEAD + (
    "    import pathlib, time\n"
    "    folder = pathlib.Path({folder!r})\n"
    "    while question == 'q30' and (folder / 'block').exists():\n"
    "        (folder / 'blocked').touch()\n"
    "        time.sleep(0.01)\n"
    "    with (folder / 'ran').open('a') as file:\n        file.write(question + chr(10))\n"
    "    return {{'answer': question, 'abstained': False}}\n"
)


def test_a_killed_run_goes_on_and_repeats_no_finished_row(tmp_path: Path, admin: Caller, flow: Register) -> None:
    from opsloop.core.opening import open_workspace
    from opsloop.core.settings import CoreSettings

    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    put(workspace, admin, ROWS)
    run = started(workspace, admin, flow(workspace, COUNTING.format(folder=str(tmp_path))))
    journal = tmp_path / "data" / "journals" / f"{run.id}-0.jsonl"
    (tmp_path / "block").touch()
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "data")]) as process:
        tick = threading.Event()
        while not (journal.exists() and journal.read_text().count("\n") == 60):  # the head and all rows but one
            assert process.poll() is None
            tick.wait(0.02)
        process.send_signal(signal.SIGKILL)
    (tmp_path / "block").unlink()
    context = JobContext(workspace, run.job, stopping=threading.Event(), progress=lambda *_: None)
    evaluation_jobs.run(context, {"run": run.id})
    ran = (tmp_path / "ran").read_text().split()
    assert sorted(ran) == sorted(f"q{number}" for number in range(60))
    with workspace.reading(admin) as uow:
        found = service.get(uow, run.id)
    assert found.metrics["exact_match"].value == 1.0
    assert not journal.exists()
    workspace.close()


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


def test_an_evaluation_and_its_gate_over_http(
    workspace: Workspace, admin: Caller, flow: Register, http: TestClient
) -> None:
    put(workspace, admin, ROWS)
    flow(workspace, WORSE)
    experiment = {**EXPERIMENT, "flow": "flows/answer"}
    sent = http.post("/api/evaluations", json={"experiment": experiment})
    assert sent.status_code == 202, sent.text
    assert (sent.json()["status"], sent.json()["total"]) == ("queued", 60)
    run_due(workspace)
    at = f"/api/evaluations/{sent.json()['id']}"
    assert http.get(at).json()["status"] == "done"
    assert [row["row"] for row in http.get(f"{at}/rows?limit=2&offset=1").json()["items"]] == [1, 2]
    assert [row["row"] for row in http.get(f"{at}/rows?failed=true").json()["items"]] == [7]
    assert http.get("/api/evaluations?flow=answer").json()["items"][0]["flow"] == "answer@1"
    assert http.get("/api/evaluations?flow=answer@2").json()["items"] == []
    report = http.post(f"{at}/gate", json={"baseline": None})
    assert report.json()["verdict"] == "pass", report.text
    assert http.get(f"{at}/gate").json()["id"] == report.json()["id"]
    assert msgspec.json.decode(report.content, type=GateReport).verdict is Verdict.PASS
    assert msgspec.json.decode(http.get(at).content, type=Run).metrics["exact_match"].failed == 1
    assert "Gate passed" in http.get(f"{at}/report").text
    assert http.get(f"{at}/report?format=json").json()["gate"]["verdict"] == "pass"


def test_an_experiment_without_a_flow_is_refused_by_name(sqlite_workspace: Workspace, admin: Caller) -> None:
    from opsloop.evaluation.api import Start, start

    with sqlite_workspace.writing(admin) as uow, pytest.raises(ExperimentInvalid, match="answer@2"):
        start(uow, Start(experiment=EXPERIMENT))


def test_an_evaluator_for_one_dataset_asks_nothing_of_the_others(
    sqlite_workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(sqlite_workspace, admin, ROWS[:4])
    put(sqlite_workspace, admin, [{"question": "q1"}], name="no_truth")
    run = evaluated(
        sqlite_workspace,
        admin,
        flow(sqlite_workspace, RIGHT),
        datasets=[{"name": "no_truth"}, {"name": "golden"}],
        evaluators=[
            {"name": "exact_match", "datasets": [{"name": "x", "reference": "golden"}]},
            {"name": "latency", "datasets": [{"name": "golden"}]},
        ],
        gate=None,
    )
    exact = run.metrics["exact_match"]
    assert (exact.value, exact.rows, exact.not_applicable) == (1.0, 4, 1)
    assert not run.metrics["latency"].higher_is_better


def test_one_version_under_two_names_is_refused(sqlite_workspace: Workspace, admin: Caller, flow: Register) -> None:
    put(sqlite_workspace, admin, ROWS[:4])
    with pytest.raises(ExperimentInvalid, match=r"datasets\[1\]\.name.*versions that differ"):
        started(
            sqlite_workspace, admin, flow(sqlite_workspace, RIGHT), datasets=[{"name": "golden"}, {"name": "golden@1"}]
        )


def test_zero_characters_are_refused_and_never_reach_the_database(
    workspace: Workspace, admin: Caller, flow: Register
) -> None:
    put(workspace, admin, ROWS[:4])
    version = flow(workspace, RIGHT)
    with pytest.raises(ExperimentInvalid, match="zero characters"):
        started(workspace, admin, version, name="a\0b")
    with workspace.reading(admin) as uow:
        with pytest.raises(RunMissing):
            service.get(uow, "run\0")
        with pytest.raises(DatasetMissing):
            datasets.get(uow, "golden\0")
        with pytest.raises(InvalidInput):
            versions.get(uow, "answer\0")
