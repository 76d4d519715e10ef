"""Runs, rows and reports made by hand, without a platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opsloop.evaluation.comparison.service import Compared, compare_rows
from opsloop.evaluation.models import (
    Experiment,
    GateReport,
    GateSpec,
    MetricSummary,
    RowRecord,
    Run,
    RunDataset,
    RunId,
    RunStatus,
)
from opsloop.evaluation.reports.document import ReportDocument
from opsloop.evaluation.reports.figures import run_slices, spending, spreads
from opsloop.evaluation.reports.provenance import MeasureUsed, Provenance
from opsloop.evaluation.reports.reasons import reasons
from opsloop.evaluation.verdicts import Decision, Rule, Verdict

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOSTILE = (
    "</style></script><script>document.title='owned'</script>\"'><img src=x onerror=\"document.title='owned'\">"
    "<svg onload=alert(1)> {{7*7}} ]]> &lt; \u202eright to left\u2066 \x00\x07\x1b[31m | `code` **bold** "
    "[link](javascript:alert(1)) @octocat #1 https://evil.example www.evil.example </details></table>"
)


def summary(value: float | None = 0.5, *, unit: str = "", higher: bool = True, rows: int = 10) -> MetricSummary:
    low, high = (None, None) if value is None else (value - 0.1, value + 0.1)
    return MetricSummary(value, low, high, rows, 0, 0, value, value, higher, unit)


def run(id: str = "run_2", flow: str = "answer@2", **changes: Any) -> Run:
    made = Run(
        id=RunId(id),
        experiment="answers",
        flow=flow,
        flow_digest="f" * 64,
        datasets=(RunDataset("golden@1", "d" * 64, 10),),
        status=RunStatus.DONE,
        metrics={"exact": summary(), "latency": summary(80.0, unit="ms", higher=False)},
        rows=10,
        failed_rows=0,
        done=10,
        total=10,
        verdict=None,
        error=None,
        job="job_1",
        created_at=AT,
        created_by="ada",
        finished_at=AT,
    )
    return replace(made, **changes)


def row(number: int, exact: float | None = 1.0, answer: str = "yes", **changes: Any) -> RowRecord:
    made = RowRecord(
        dataset="golden@1",
        row=number,
        repeat=0,
        data={"question": f"q{number}", "truth": "yes", "topic": "leave" if number % 2 else "pay"},
        inputs={"question": f"q{number}"},
        outputs={"answer": answer},
        scores={"exact": exact, "latency": 80.0 + number},
        errors={},
        error=None,
        latency_ms=80.0 + number,
    )
    return replace(made, **changes)


def rows(scores: Sequence[float | None], answer: str = "yes") -> list[RowRecord]:
    return [row(number, score, answer if score else f"{answer} not") for number, score in enumerate(scores)]


def experiment(*rules: Rule) -> Experiment:
    return Experiment("answers", (), (), gate=GateSpec(rules) if rules else None)


def compared(before: Sequence[RowRecord], after: Sequence[RowRecord], *rules: Rule, by: str = "") -> Compared:
    return compare_rows(run("run_1", "answer@1"), run(), before, after, experiment(*rules), by=by)


def decision(rule: Rule, verdict: Verdict = Verdict.FAIL) -> Decision:
    return Decision(rule, verdict, 0.5, 0.4, 0.6, None, None, 0.5, 0.01, 10, None, "exact binomial")


def gate(*decisions: Decision, sentence: str = "Gate failed: 1 of 1 rule.", **changes: Any) -> GateReport:
    made = GateReport(
        id="gate_1",
        run=RunId("run_2"),
        baseline=None,
        verdict=Verdict.FAIL,
        sentence=sentence,
        alpha=0.05,
        decisions=decisions,
        waiting=(),
        created_at=AT,
        created_by="ada",
    )
    return replace(made, **changes)


def report(after: Sequence[RowRecord], before: Sequence[RowRecord] = (), **changes: Any) -> ReportDocument:
    """The report of a run with these rows, beside another with the rows before."""
    this = changes.pop("run", run())
    found = compare_rows(run("run_1", "answer@1"), this, before, after, experiment()) if before else None
    made = ReportDocument(
        run=this,
        gate=None,
        worst=tuple(after[:2]),
        comparison=found.comparison if found else None,
        changes=tuple(found.rows) if found else (),
        reasons=reasons(after),
        slices=run_slices(this, after),
        spending=spending(after),
        base_spending=spending(before) if before else None,
        spreads=spreads(this, after, before),
        provenance=Provenance(
            run=this.id,
            experiment=this.experiment,
            flow=this.flow,
            flow_digest=this.flow_digest,
            datasets=this.datasets,
            evaluators=(MeasureUsed("exact_match", "exact", {}),),
            repeats=1,
            seed=0,
            started_at=AT,
            finished_at=AT,
            by="ada",
            opsloop="0",
            made_at=AT,
            recorded="a" * 64,
            audit_head="b" * 64,
            audit_events=7,
        ),
        rows=tuple(after),
    )
    return replace(made, **changes)


def hostile_report(count: int = 6) -> ReportDocument:
    """Every text that a stranger may bring is hostile, one of them a megabyte long."""
    name = "exact </td><script>"
    metrics = {name: summary(), "latency": summary(80.0, unit="ms</svg>", higher=False)}
    evil = {f"<b>{HOSTILE[:20]}": HOSTILE, "topic": HOSTILE[:40]}

    def one(number: int, score: float, answer: str) -> RowRecord:
        return row(number, None, answer, data=evil, inputs=evil, scores={name: score, "latency": 1.0})

    before = [one(number, 1.0, f"good {HOSTILE}") for number in range(count)]
    after = [one(number, 0.0, HOSTILE) for number in range(count)]
    after[0] = replace(after[0], outputs={"answer": "A" * 1_000_000 + HOSTILE})
    after[1] = replace(after[1], error=HOSTILE, errors={name: HOSTILE})
    judged = gate(decision(Rule(name, at_least=0.9)), sentence=f"Gate failed: {HOSTILE}")
    this = run(metrics=metrics, experiment=HOSTILE, created_by=HOSTILE, aggregates={HOSTILE: 1.0})
    return report(after, before, gate=judged, run=this)
