"""Judges registered, calibrated with labels and used in runs, against a scripted model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.registry import JobContext
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.evaluation import gates, service
from opsloop.evaluation import jobs as evaluation_jobs
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.judges import calibrating
from opsloop.evaluation.judges import jobs as judge_jobs  # noqa: F401  registers the job
from opsloop.evaluation.judges import service as judges
from opsloop.evaluation.judges.errors import JudgeMissing, LabelsInvalid
from opsloop.evaluation.judges.in_runs import barred, judges_of
from opsloop.evaluation.judges.models import Calibration, CalibrationStatus
from opsloop.evaluation.models import RowRecord, Run, RunStatus
from opsloop.evaluation.reports import registry as reports
from opsloop.evaluation.reports.document import document
from opsloop.evaluation.verdicts import Verdict
from opsloop.flows import package, versions
from opsloop.flows.models import FlowVersion
from opsloop.server.control_plane import control_plane
from opsloop.testing.model_server import ModelServer

POLITE: dict[str, Any] = {"scale": "yes_no", "rubric": "Yes when the answer is polite.", "model": "judge-1"}
YES = {"when": {"contains": "please"}, "json": {"reason": "it asks nicely", "score": "yes"}}
NO = {"json": {"reason": "it does not", "score": "no"}}
ROWS = [
    {"answer": f"{word} {number}", "label": label}
    for number in range(40)
    for word, label in (("please", "yes"), ("now", "no"))
]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer([YES, NO]) as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path, migrated_url: str, model: ModelServer) -> Iterator[Workspace]:
    """As that of all tests, with the scripted model as its server."""
    settings = CoreSettings(data_dir=tmp_path / "data", database_url=migrated_url, llm_base_url=model.base_url)
    opened = open_workspace(settings)
    yield opened
    opened.close()


@pytest.fixture
def flow(workspace: Workspace, admin: Caller, tmp_path: Path) -> FlowVersion:
    """Says what it is given."""
    folder = tmp_path / "flow"
    folder.mkdir()
    (folder / "flow.flex.yaml").write_text("entry: say:say\n")
    (folder / "say.py").write_text("def say(text: str) -> str:\n    return text\n")
    with workspace.writing(admin) as uow:
        return versions.register(uow, "say", package.archive_of(folder))


def put(workspace: Workspace, by: Caller, rows: list[dict[str, Any]], name: str = "labelled") -> None:
    with workspace.writing(by) as uow:
        datasets.register(uow, name, "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())


def calibrated(workspace: Workspace, by: Caller, judge: str = "polite", **wanted: Any) -> Calibration:
    with workspace.writing(by) as uow:
        started = calibrating.start(uow, judge, "labelled", **wanted)
    run_due(workspace)
    with workspace.reading(by) as uow:
        return judges.calibration(uow, started.id)


def registered(workspace: Workspace, by: Caller, **changes: Any) -> str:
    with workspace.writing(by) as uow:
        return judges.register(uow, "polite", {**POLITE, **changes}).ref


def evaluated(
    workspace: Workspace, by: Caller, flow: FlowVersion, options: dict[str, Any], **more: Any
) -> tuple[Run, list[RowRecord]]:
    put(workspace, by, [{"text": row["answer"]} for row in ROWS], name="golden")
    use = {"name": "judge", "metric": "polite", "options": options, "mappings": {"answer": "${run.outputs.output}"}}
    declared = {"name": "manners", "datasets": [{"name": "golden"}], "evaluators": [use], **more}
    with workspace.writing(by) as uow:
        started = service.start(uow, declared, flow)
    run_due(workspace)
    with workspace.reading(by) as uow:
        return service.get(uow, started.id), service.rows(uow, started.id)


def test_any_change_of_a_judge_is_a_new_version(workspace: Workspace, admin: Caller) -> None:
    assert registered(workspace, admin) == "polite@1"
    assert registered(workspace, admin, rubric="Yes when it says please.") == "polite@2"
    assert registered(workspace, admin, model="judge-2") == "polite@3"
    assert registered(workspace, admin) == "polite@1"
    with workspace.reading(admin) as uow:
        assert [each.ref for each in judges.listed(uow)] == ["polite@1"]
        assert [each.version for each in judges.listed(uow, name="polite")] == [3, 2, 1]
        with pytest.raises(JudgeMissing, match="did you mean 'polite'"):
            judges.get(uow, "polit")


def test_a_calibration_keeps_how_far_a_judge_agrees_with_people(
    workspace: Workspace, admin: Caller, model: ModelServer
) -> None:
    registered(workspace, admin)
    put(workspace, admin, [*ROWS, *({"answer": "please go away", "label": "no"} for _ in range(4)), {"answer": "x"}])
    found = calibrated(workspace, admin)
    assert (found.status, found.error) == (CalibrationStatus.DONE, None)
    assert found.agreement is not None
    assert found.agreement.rows == 84
    assert found.agreement.raw.value == pytest.approx(80 / 84)
    assert found.agreement.kappa.value == pytest.approx(1 - (4 / 84) / (1 - (44 * 40 + 40 * 44) / 84**2))
    assert found.agreement.specificity is not None
    assert found.agreement.specificity.value == pytest.approx(40 / 44)
    assert found.biases is not None
    assert found.biases.retest is not None
    assert (found.biases.retest.value, found.biases.retest.rows) == (1.0, 50)
    assert (found.answered_by, found.calls) == (("judge-1",), 84 + 50)
    assert found.prompt_tokens > 0
    with workspace.reading(admin) as uow:
        shown = judges.shown(uow, "polite")
        assert [(use.noun, use.target) for use in lineage.uses(uow, "labelled")] == [("judge", "polite@1")]
    assert (shown.may_gate, shown.why) == (True, "")


def test_a_judge_may_not_gate_before_its_agreement_is_enough(workspace: Workspace, admin: Caller) -> None:
    registered(workspace, admin)
    with workspace.reading(admin) as uow:
        assert "never calibrated" in judges.shown(uow, "polite").why
    put(workspace, admin, [*ROWS[:20], *({"answer": "please", "label": "no"} for _ in range(5))])
    calibrated(workspace, admin)
    with workspace.reading(admin) as uow:
        why = judges.shown(uow, "polite").why
    assert "kappa 0.62" in why
    assert "the lower end must reach 0.61" in why
    registered(workspace, admin, rubric="Another.")
    with workspace.reading(admin) as uow:
        assert "never calibrated" in judges.shown(uow, "polite").why


def test_labels_of_another_scale_end_the_calibration_with_the_row(workspace: Workspace, admin: Caller) -> None:
    registered(workspace, admin)
    put(workspace, admin, [*ROWS[:2], {"answer": "x", "label": "maybe"}])
    found = calibrated(workspace, admin)
    assert found.status is CalibrationStatus.FAILED
    assert found.error == "row 3, column label: is 'maybe'; wanted yes or no"


def test_what_is_missing_for_a_calibration_is_told_before_it_starts(workspace: Workspace, admin: Caller) -> None:
    registered(workspace, admin)
    put(workspace, admin, [{"response": "x", "mark": "yes"}])
    with workspace.writing(admin) as uow:
        with pytest.raises(LabelsInvalid, match="--label"):
            calibrating.start(uow, "polite", "labelled")
        with pytest.raises(LabelsInvalid, match="--map answer=COLUMN"):
            calibrating.start(uow, "polite", "labelled", labels=["mark"])
    found = calibrated(workspace, admin, labels=["mark"], mappings={"answer": "response"})
    assert found.status is CalibrationStatus.DONE


def test_several_annotators_are_held_against_each_other_too(workspace: Workspace, admin: Caller) -> None:
    registered(workspace, admin)
    put(workspace, admin, [{**row, "ann": row["label"], "ben": row["label"], "cem": "yes"} for row in ROWS])
    found = calibrated(workspace, admin, labels=["ann", "ben", "cem"], retest=0)
    assert found.agreement is not None
    assert found.agreement.people is not None
    assert found.agreement.people.value is not None
    assert 0.0 < found.agreement.people.value < 1.0
    assert found.biases is not None
    assert found.biases.retest is None


def test_a_registered_judge_scores_the_rows_of_a_run(
    workspace: Workspace, admin: Caller, flow: FlowVersion, model: ModelServer
) -> None:
    ref = registered(workspace, admin)
    run, records = evaluated(workspace, admin, flow, {"judge": "polite"})
    assert run.status is RunStatus.DONE, run.error
    assert (run.metrics["polite"].value, run.metrics["polite"].rows) == (0.5, 80)
    assert records[0].notes == {"polite": "it asks nicely"}
    asked = records[0].asked["polite"]
    assert (asked.calls, asked.by) == (1, "judge-1")
    assert records[0].prompt_tokens == asked.prompt_tokens > 0
    assert model.count("chat") == 80
    with workspace.reading(admin) as uow:
        use = service.experiment_of(uow, run.id).evaluators[0]
    assert use.options["judge"] == ref
    assert use.options["rubric"] == POLITE["rubric"]


def test_a_judge_that_answers_nonsense_is_counted_and_counts_with_the_worst(
    workspace: Workspace, admin: Caller, flow: FlowVersion, model: ModelServer
) -> None:
    model.follow([{"when": {"contains": "now"}, "answer": "no idea"}, YES])
    run, records = evaluated(workspace, admin, flow, POLITE)
    metric = run.metrics["polite"]
    assert (metric.value, metric.rows, metric.failed) == (0.5, 80, 40)
    assert "could not be read in 3 tries" in records[1].errors["polite"]
    assert records[1].asked["polite"].calls == 3


def test_a_judge_that_nobody_knows_is_told_before_a_row_runs(
    workspace: Workspace, admin: Caller, flow: FlowVersion
) -> None:
    with pytest.raises(JudgeMissing):
        evaluated(workspace, admin, flow, {"judge": "polite"})
    with pytest.raises(ExperimentInvalid, match=r"evaluators\[0\]\.options\.scale"):
        evaluated(workspace, admin, flow, {**POLITE, "scale": "nine"})


@pytest.fixture
def client(workspace: Workspace, admin: Caller) -> TestClient:
    """The control plane, asked by an administrator."""
    app = control_plane(workspace)

    async def with_caller(scope: Any, receive: Any, send: Any) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    return TestClient(with_caller)


def test_judges_over_http(client: TestClient) -> None:
    made = client.post("/api/judges", json={"name": "polite", "declared": POLITE})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert client.post("/api/judges", json={"name": "polite", "declared": {"rubrik": "x"}}).status_code == 422
    assert [each["name"] for each in client.get("/api/judges").json()["items"]] == ["polite"]
    assert client.get("/api/judges/none").status_code == 404
    shown = client.get("/api/judges/polite@1").json()
    assert (shown["may_gate"], shown["calibrations"]) == (False, [])
    assert client.post("/api/judges/polite/calibrations", json={"dataset": "none"}).status_code == 404


def test_an_uncalibrated_judge_cannot_gate(
    workspace: Workspace, admin: Caller, flow: FlowVersion, model: ModelServer
) -> None:
    registered(workspace, admin)
    gate = {"rules": [{"metric": "polite", "at_least": 0.3}, {"metric": "completed", "at_least": 0.9}]}
    run, _ = evaluated(workspace, admin, flow, {"judge": "polite"}, gate=gate)
    with workspace.reading(admin) as uow:
        report = gates.decide(uow, run.id)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert [each.verdict for each in report.decisions] == [Verdict.INCONCLUSIVE, Verdict.PASS]
    assert "polite@1 may not gate: it was never calibrated with people's labels" in report.sentence

    put(workspace, admin, ROWS)
    calibrated(workspace, admin)
    with workspace.reading(admin) as uow:
        assert gates.decide(uow, run.id).verdict is Verdict.PASS

    model.follow([{"json": {"score": "yes"}}])
    registered(workspace, admin, rubric="Yes to all that is said.")
    again, _ = evaluated(workspace, admin, flow, {"judge": "polite"}, gate=gate)
    with workspace.reading(admin) as uow:
        assert gates.decide(uow, again.id).verdict is Verdict.INCONCLUSIVE


def test_the_default_gate_leaves_an_uncalibrated_judge_out_and_says_so(
    workspace: Workspace, admin: Caller, flow: FlowVersion
) -> None:
    first, _ = evaluated(workspace, admin, flow, POLITE)
    second, _ = evaluated(workspace, admin, flow, POLITE)
    with workspace.reading(admin) as uow:
        report = gates.decide(uow, second.id, first.id)
    assert report.verdict is Verdict.PASS
    assert [each.rule.metric for each in report.decisions] == ["completed"]
    assert "this judge may not gate" in report.notes[-1]


def test_what_a_run_knows_of_its_judges(workspace: Workspace, admin: Caller, flow: FlowVersion) -> None:
    registered(workspace, admin)
    put(workspace, admin, [*ROWS, *({"answer": "please go away", "label": "no"} for _ in range(8))])
    calibrated(workspace, admin)
    run, records = evaluated(workspace, admin, flow, {"judge": "polite"})
    with workspace.reading(admin) as uow:
        (judge,) = judges_of(uow, service.experiment_of(uow, run.id), records)
    assert (judge.metric, judge.judge, judge.calls, judge.answered_by) == ("polite", "polite@1", 80, ("judge-1",))
    assert judge.calibration is not None
    assert judge.corrected is not None
    assert judge.corrected.value == pytest.approx(0.5 - 8 / 88)
    with workspace.reading(admin) as uow:
        made = document(uow, run.id)
    report, page = (reports.find(form).render(made) for form in ("markdown", "html"))
    kappa = judge.calibration.agreement
    assert kappa is not None
    assert f"| polite@1 | polite | judge-1 | {kappa.kappa.value:.3f} |".replace("@", "@\N{WORD JOINER}") in report
    assert f'<td class="number">{kappa.kappa.value:.3f}</td>' in page
    assert f"<td>{kappa.kappa.low:.3f} to {kappa.kappa.high:.3f}</td>" in page
    assert "<td>yes</td>" in page
    assert run.prompt_tokens == judge.prompt_tokens > 0


def test_a_run_that_goes_on_pays_for_no_answer_twice(
    workspace: Workspace, admin: Caller, flow: FlowVersion, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(workspace, admin, [{"text": row["answer"]} for row in ROWS], name="golden")
    use = {"name": "judge", "metric": "polite", "options": POLITE, "mappings": {"answer": "${run.outputs.output}"}}
    declared = {"name": "manners", "datasets": [{"name": "golden"}], "evaluators": [use]}
    with workspace.writing(admin) as uow:
        run = service.start(uow, declared, flow)
    context = JobContext(workspace, run.job, stopping=threading.Event(), progress=lambda *_: None)
    # The process dies once everything was asked, before anything of it is stored.
    monkeypatch.setattr(evaluation_jobs, "_finish", _killed)
    monkeypatch.setattr(evaluation_jobs, "_fail", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        evaluation_jobs.run(context, {"run": run.id})
    assert model.count("chat") == 80
    monkeypatch.undo()
    evaluation_jobs.run(context, {"run": run.id})
    assert model.count("chat") == 80
    with workspace.reading(admin) as uow:
        assert service.get(uow, run.id).metrics["polite"].value == 0.5
    assert not list((workspace.data_dir / "journals").glob("*-answers"))


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_model_that_answers_under_the_same_name_must_be_calibrated_too(
    workspace: Workspace, admin: Caller, flow: FlowVersion
) -> None:
    registered(workspace, admin)
    put(workspace, admin, ROWS)
    calibrated(workspace, admin)
    run, records = evaluated(workspace, admin, flow, {"judge": "polite"})
    other = [replace(each, asked={"polite": replace(each.asked["polite"], by="judge-1-new")}) for each in records]
    with workspace.reading(admin) as uow:
        experiment = service.experiment_of(uow, run.id)
        (same,), (changed,) = judges_of(uow, experiment, records), judges_of(uow, experiment, other)
    assert same.may_gate
    assert not changed.may_gate
    assert "judge-1-new answered in this run, and it was calibrated with judge-1" in barred([changed])["polite"]
