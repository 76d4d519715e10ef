from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import experiments, planning
from opsloop.client.evaluations import RunGoesOn
from opsloop.client.experiment_files import ExperimentFileInvalid
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.evaluation.verdicts import Verdict
from tests.integration.client.test_apply import ECHO, EXPERIMENT, FLOW


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "echo").mkdir()
    (tmp_path / "echo" / "flow.dag.yaml").write_text(FLOW)
    (tmp_path / "echo" / "echo.py").write_text(ECHO)
    rows = "".join(f'{{"question": "q{n}", "ground_truth": "{"q" if n else "other"}{n}"}}\n' for n in range(40))
    (tmp_path / "judged.jsonl").write_text(rows)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    return tmp_path / "experiment.yaml"


def test_an_experiment_brings_its_files_and_comes_back_measured(client: Client, file: Path) -> None:
    run = experiments.run(client, file)

    assert (run.flow, run.dataset, run.rows, run.failed_rows) == ("echo@1", "judged@1", 40, 0)
    assert run.metrics["exact_match"].value == pytest.approx(39 / 40)
    rows = client.evaluations.rows(run.id)
    assert [row.scores["exact_match"] for row in rows[:2]] == [0.0, 1.0]
    assert client.evaluations.rows(run.id, failed=True) == []
    assert [each.id for each in client.evaluations.listed(flow="echo")] == [run.id]
    assert client.datasets.uses("judged")[0].target == run.id
    assert run.id in client.evaluations.report(run.id, form="json").decode()
    with pytest.raises(InvalidInput, match="json"):
        client.evaluations.report(run.id, form="pdf")


def test_the_gate_speaks_and_compares_when_it_has_something_to_compare_with(client: Client, file: Path) -> None:
    first = experiments.run(client, file)
    alone = client.evaluations.gate(first.id)
    beside = client.evaluations.gate(experiments.run(client, file).id, baseline=first.id)

    assert alone.waiting[0].margin == 0.1
    assert (beside.waiting, beside.verdict) == ((), Verdict.PASS)
    assert beside.decisions[0].sentence


def test_a_gate_is_planned_from_the_newest_runs(client: Client, file: Path) -> None:
    with pytest.raises(NotFound, match="was not run yet, so nothing tells how far its rows spread"):
        planning.plan(client, file)
    first = experiments.run(client, file)
    alone = planning.plan(client, file)
    second = experiments.run(client, file)
    found = planning.plan(client, file)

    assert (alone.run, alone.baseline) == (first.id, None)
    assert (found.run, found.baseline) == (second.id, first.id)
    assert found.rules[1].rows_needed == 29  # a margin of 0.1 over rows that agree: 0.9^29 < 0.05
    assert (planning.plan(client, file, run=first.id).run, found.rows_needed) == (first.id, 29)


def test_a_run_that_is_not_over_in_time_is_pending(client: Client, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.client.routes.run_due", lambda workspace, kind: 0)

    with pytest.raises(RunGoesOn, match=r"goes on \(0 of 40 rows\)"):
        experiments.run(client, file, timeout_s=0)


def test_what_is_wrong_with_an_experiment_is_named(client: Client, file: Path) -> None:
    with pytest.raises(NotFound, match="echo@7"):
        experiments.run(client, file, flow="echo@7")
    file.write_text(EXPERIMENT.replace("flow: echo\n", ""))
    with pytest.raises(ExperimentFileInvalid, match=r"experiment\.yaml names no flow"):
        experiments.run(client, file)
    file.write_text(EXPERIMENT.replace("rules:", "rule:"))
    with pytest.raises(ExperimentFileInvalid, match=r"experiment\.yaml: gate\.rule.*'rules'"):
        experiments.run(client, file)
