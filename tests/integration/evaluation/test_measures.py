"""Functions and figures of all rows in a run: what they give, what failed, what the run shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import gates, service
from opsloop.evaluation import jobs as evaluation_jobs  # noqa: F401  registers the job
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.models import GateReport, RowRecord, Run, RunStatus
from opsloop.evaluation.verdicts import Verdict
from opsloop.flows import package, versions

DAG = """
inputs:
  text: {type: string}
outputs:
  label: {type: string, reference: '${say.output.label}'}
  abstained: {type: bool, reference: '${say.output.abstained}'}
  confidence: {type: double, reference: '${say.output.confidence}'}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {text: '${inputs.text}'}
"""
SAY = """
from promptflow.core import tool

@tool
def say(text: str) -> dict:
    if text == "broken":
        raise ValueError(text)
    return {"label": text.split()[0], "abstained": "unknown" in text, "confidence": 0.1 if "unknown" in text else 0.9}
"""
ROWS = [
    {"text": f"{word} {number}", "label": word, "answerable": True} for number in range(20) for word in ("ham", "spam")
]
Evaluate = Callable[..., tuple[Run, list[RowRecord]]]


@pytest.fixture
def evaluate(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path) -> Evaluate:
    """Runs evaluators over rows with a flow that labels a text by its first word."""
    folder = tmp_path / "flow"
    folder.mkdir()
    (folder / "flow.dag.yaml").write_text(DAG)
    (folder / "say.py").write_text(SAY)
    with sqlite_workspace.writing(admin) as uow:
        version = versions.register(uow, "label", package.archive_of(folder))

    def run(evaluators: list[dict[str, Any]], rows: list[dict[str, Any]] = ROWS, **more: Any) -> Any:
        declared = {"name": "labels", "datasets": [{"name": "golden"}], "evaluators": evaluators, **more}
        with sqlite_workspace.writing(admin) as uow:
            datasets.register(uow, "golden", "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())
        with sqlite_workspace.writing(admin) as uow:
            started = service.start(uow, declared, version)
        run_due(sqlite_workspace)
        with sqlite_workspace.reading(admin) as uow:
            return service.get(uow, started.id), service.rows(uow, started.id)

    return run


def test_figures_of_all_rows_stand_among_the_metrics_with_intervals(evaluate: Evaluate) -> None:
    rows = [*ROWS, {"text": "spam x", "label": "ham"}, {"text": "broken", "label": "ham"}]
    run, records = evaluate([{"name": "classification"}], rows)
    assert run.metrics["classification"].value == pytest.approx(40 / 42)
    recall = run.metrics["classification.recall.ham"]
    assert recall.value == pytest.approx(20 / 22)
    assert (recall.rows, recall.failed, recall.is_aggregate) == (22, 1, True)
    assert recall.low is not None
    assert recall.high is not None
    assert 0.6 < recall.low < 20 / 22 < recall.high < 1.0
    macro = run.metrics["classification.macro_f1"]
    assert macro.value == pytest.approx((2 * 20 / 42 + 2 * 20 / 41) / 2)
    assert records[41].parts["classification"] == ["ham", None]


def test_abstaining_is_measured_as_a_whole_too(evaluate: Evaluate) -> None:
    rows = [*ROWS[:10], *({"text": f"unknown {each}", "label": "?", "answerable": False} for each in range(5))]
    run, _ = evaluate([{"name": "abstention"}], rows)
    assert run.metrics["abstention.recall"].value == 1.0
    assert run.metrics["abstention.auroc"].value == 1.0
    low = run.metrics["abstention.auroc"].low
    assert low is not None
    assert low < 0.6  # five rows of the rarer kind show little


SOURCE = """
def measure(label, row, outputs, worst_of=0):
    if row["label"] == "spam" and row["text"] == "spam 3":
        raise ValueError("three")
    return {"length": len(label), "same": outputs["label"] == row["label"], "why": "by its letters"}
"""


def test_a_function_measures_with_several_outputs(evaluate: Evaluate) -> None:
    run, records = evaluate([{"name": "mine", "function": "mine.py:measure", "source": SOURCE}])
    assert run.status is RunStatus.DONE, run.error
    same, length = run.metrics["mine.same"], run.metrics["mine.length"]
    assert (same.value, same.rows, same.failed) == (39 / 40, 40, 1)  # a score from 0 to 1 counts 0 where it failed
    assert length.value == pytest.approx((20 * 3 + 19 * 4) / 39)
    assert (length.rows, length.failed) == (39, 1)
    assert records[7].errors == dict.fromkeys(("mine.length", "mine.same"), "ValueError: three")
    assert records[0].notes == {"mine": "why: by its letters"}
    assert records[0].asks == {}
    assert "mine" not in run.metrics


def test_a_function_that_fails_on_every_row_is_told_and_not_empty(evaluate: Evaluate) -> None:
    source = "def measure(label):\n    return float('nan')\n"
    run, _ = evaluate([{"name": "mine", "function": "mine.py:measure", "source": source, "worst": 0}], ROWS[:4])
    metric = run.metrics["mine"]
    assert (metric.value, metric.rows, metric.failed) == (0.0, 4, 4)


def test_a_row_whose_data_do_not_say_what_is_right_has_no_value(evaluate: Evaluate) -> None:
    source = "def measure(label, truth):\n    return label == truth\n"
    rows = [{"text": "ham 1", "truth": "ham"}, {"text": "ham 2", "truth": None}, {"text": "broken", "truth": "ham"}]
    run, records = evaluate([{"name": "mine", "function": "mine.py:measure", "source": source}], rows)
    metric = run.metrics["mine"]
    assert (metric.value, metric.rows, metric.failed, metric.not_applicable) == (0.5, 2, 1, 1)
    assert records[2].errors["mine"] == "the flow failed"


def test_the_output_of_a_function_can_be_gated(evaluate: Evaluate) -> None:
    use = {"name": "mine", "function": "mine.py:measure", "source": SOURCE}
    run, _ = evaluate([use], gate={"rules": [{"metric": "mine.same", "at_least": 0.9}]})
    assert run.status is RunStatus.DONE
    with pytest.raises(InvalidInput, match=r"gate\.rules\[0\]\.metric"):
        evaluate([use], gate={"rules": [{"metric": "minesame", "at_least": 0.9}]})


def test_a_measure_that_costs_nothing_says_so(evaluate: Evaluate) -> None:
    run, _ = evaluate([{"name": "cost"}, {"name": "tokens"}], ROWS[:4])
    assert (run.metrics["cost"].value, run.metrics["tokens"].value) == (0.0, 0.0)


Gate = Callable[..., GateReport]


@pytest.fixture
def gate(sqlite_workspace: Workspace, admin: Caller) -> Gate:
    def check(run: Run, baseline: Run | None = None) -> GateReport:
        with sqlite_workspace.reading(admin) as uow:
            return gates.decide(uow, run.id, baseline.id if baseline is not None else None)

    return check


def test_a_gate_judges_figures_of_all_rows_with_their_intervals(evaluate: Evaluate, gate: Gate) -> None:
    rows = [*ROWS, *({"text": f"spam {each}", "label": "ham"} for each in range(8))]
    rules = [
        {"metric": "classification.recall.ham", "at_least": 0.5},
        {"metric": "classification.recall.ham", "at_least": 0.9},
        {"metric": "classification.macro_f1", "at_least": 0.83},
        {"metric": "classification.precision.ham", "at_least": 0.5, "slice": "few"},
    ]
    run, _ = evaluate([{"name": "classification"}], rows, gate={"rules": rules, "slices": {"few": {"label": "spam"}}})
    first, second, third, fourth = gate(run).decisions
    # 20 of 28: Clopper-Pearson at 90 % is 0.543 to 0.849.
    assert (first.verdict, first.rows) == (Verdict.PASS, 28)
    assert [first.low, first.high] == pytest.approx([0.543, 0.849], abs=5e-4)
    assert second.verdict is Verdict.FAIL
    assert third.verdict is Verdict.INCONCLUSIVE
    assert third.rows_that_would_decide is not None
    assert third.method == "BCa bootstrap of the figure"
    assert (fourth.verdict, fourth.rows) == (Verdict.INCONCLUSIVE, 0)  # there no row was called ham


def test_figures_of_two_runs_are_compared_on_the_same_rows(evaluate: Evaluate, gate: Gate) -> None:
    rows: list[dict[str, Any]] = [*ROWS, *ROWS, *({"text": f"spam {each}", "label": "ham"} for each in range(8))]
    rules = [{"metric": "classification.macro_f1", "margin": 0.05}]
    use = {"name": "classification"}
    first, _ = evaluate([use], rows, gate={"rules": rules})
    same, _ = evaluate([use], rows, gate={"rules": rules})
    swapped: dict[str, Any] = {**use, "mappings": {"answer": "${data.other}"}}
    worse, _ = evaluate(
        [swapped],
        [{**row, "other": "ham" if place % 2 else "spam"} for place, row in enumerate(rows)],
        gate={"rules": rules},
    )
    (kept,) = gate(same, first).decisions
    assert (kept.verdict, kept.difference) == (Verdict.PASS, 0.0)
    assert gate(first).waiting
    with pytest.raises(NotComparable):
        gate(worse, first)


def test_a_rule_that_a_figure_cannot_meet_is_refused(evaluate: Evaluate, gate: Gate) -> None:
    rules = [{"metric": "classification.macro_f1", "at_least": 0.5, "quantile": 0.5}]
    run, _ = evaluate([{"name": "classification"}], gate={"rules": rules})
    with pytest.raises(InvalidInput, match="a figure of all rows together"):
        gate(run)


def test_figures_are_judged_on_every_slice_with_rows_enough(evaluate: Evaluate, gate: Gate) -> None:
    slices = {"ham": {"label": "ham"}, "spam": {"label": "spam"}, "none": {"label": "egg"}}
    rules = [{"metric": "classification.macro_f1", "at_least": 0.5, "slice": "each", "min_rows": 10}]
    run, _ = evaluate([{"name": "classification"}], gate={"rules": rules, "slices": slices})
    report = gate(run)
    assert [(each.slice, each.verdict, each.rows) for each in report.decisions] == [
        ("ham", Verdict.PASS, 20),
        ("spam", Verdict.PASS, 20),
    ]
    assert "slice none has 0 rows" in report.notes[-1]


@pytest.mark.parametrize("metric", ["mine", "mine.same", "classification.macro_f1"])
def test_variants_are_compared_by_what_a_row_has_at_once(evaluate: Evaluate, metric: str) -> None:
    uses = [{"name": "mine", "function": "mine.py:measure", "source": SOURCE}, {"name": "classification"}]
    with pytest.raises(InvalidInput, match=r"variants\.metric.*as soon as it was run"):
        evaluate(uses, variants={"metric": metric})
