"""`/evaluations` and `/evaluations/{run}`: the verdict as a sentence, what was measured, the rows to look at first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import live, words
from opsloop.console.page import Frame, Place, page, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.console.row_pairs import pair_of
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.comparison.models import RowChange
from opsloop.evaluation.comparison.service import broken_rows
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.intervals import Drawing, of_decision, of_metric
from opsloop.evaluation.models import GateReport, MetricSummary, RowRecord, Run, RunStatus
from opsloop.evaluation.reports.figures import Spending, run_slices, spending
from opsloop.evaluation.reports.words import money
from opsloop.evaluation.row_text import RowText, row_text
from opsloop.evaluation.spread import Quantiles

router = PageRouter()
RUNS = 200
ROWS = 20
BROKEN = 5
MAX_PAIR = 600


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric as a line of the page."""

    name: str
    summary: MetricSummary
    drawing: Drawing | None
    figure: str
    interval: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A row and its texts."""

    record: RowRecord
    text: RowText


def figure(value: float | None, summary: MetricSummary) -> str:
    """A metric's value in its unit."""
    if summary.unit == "ms":
        return words.milliseconds(value)
    return words.NONE if value is None else f"{value:.3g}{f' {summary.unit}' if summary.unit else ''}"


def measured(run: Run) -> tuple[Measured, ...]:
    return tuple(
        Measured(
            name,
            summary,
            of_metric(summary),
            figure(summary.value, summary),
            f"{figure(summary.low, summary)} to {figure(summary.high, summary)}" if summary.low is not None else "",
        )
        for name, summary in run.metrics.items()
    )


def worst_first(run: Run, rows: Sequence[RowRecord]) -> list[RowRecord]:
    """Rows on which the flow failed, then those on which a measure did, then the lowest scores."""

    def order(row: RowRecord) -> tuple[bool, bool, float]:
        scores = [
            score if run.metrics[metric].higher_is_better else 0.0
            for metric, score in row.scores.items()
            if score is not None and metric in run.metrics
        ]
        return row.error is None, not row.errors, sum(scores)

    return sorted(rows, key=order)


def _shape(run: Run) -> str:
    return shape_of([run.status, run.verdict])


@live.topic("run")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    run = evaluations.get(uow, argument)
    return live.Snapshot({"progress": progress(run), "bar": f"{100 * share(run):.1f}%"}, _shape(run))


@live.topic("runs")
def look_all(uow: UnitOfWork, argument: str) -> live.Snapshot:
    runs = evaluations.listed(uow, limit=RUNS)
    values = {f"{run.id}/progress": progress(run) for run in runs if not run.status.is_final}
    return live.Snapshot(values, shape_of([(run.id, run.status, run.verdict) for run in runs]))


def progress(run: Run) -> str:
    if run.status is RunStatus.QUEUED:
        return "waits for its turn"
    return f"{run.done:,} of {words.several(run.total, 'row')}"


def share(run: Run) -> float:
    return run.done / run.total if run.total else 0.0


@router.get("/evaluations")
def listed(
    request: Request,
    uow: Reading,
    flow: Annotated[str, Query(max_length=200)] = "",
    experiment: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    runs = evaluations.listed(uow, flow=flow or None, experiment=experiment or None, limit=RUNS)
    is_filtered = bool(flow or experiment)
    frame = Frame(
        "Evaluations",
        cli="opsloop eval list" + (f" --flow {shlex.quote(flow)}" if flow else ""),
        json="/api/evaluations",
        topics=() if is_filtered else ("runs",),
        shape=shape_of([(run.id, run.status, run.verdict) for run in runs]),
    )
    return page(
        request,
        "evaluations.html",
        frame,
        runs=runs,
        flow=flow,
        experiment=experiment,
        progress=progress,
        limit=RUNS,
        now=uow.clock.now(),
    )


@router.get("/evaluations/{run}")
def shown(
    request: Request,
    uow: Reading,
    run: str,
    rows: Literal["worst", "failed", "all"] = "worst",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    found = evaluations.get(uow, run)
    report = evaluations.gate_report(uow, found.id)
    records = evaluations.rows(uow, found.id)
    failed = [row for row in records if row.error is not None or row.errors]
    chosen = {"worst": lambda: worst_first(found, records), "failed": lambda: failed, "all": lambda: records}[rows]()
    frame = Frame(
        f"{found.flow} on {found.dataset}",
        trail=(Place("Evaluations", "/evaluations"),),
        cli=f"opsloop eval show {found.id}",
        json=f"/api/evaluations/{words.segment(found.id)}",
        topics=(f"run:{found.id}",) if found.verdict is None else (),
        shape=_shape(found),
    )
    return page(
        request,
        "evaluation.html",
        frame,
        run=found,
        report=report,
        decisions=[(each, of_decision(each)) for each in report.decisions] if report else [],
        metrics=measured(found),
        **_beyond_metrics(uow, found, report, records),
        rows=[RowView(row, row_text(row)) for row in chosen[(number - 1) * ROWS : number * ROWS]],
        choice=rows,
        failed=len(failed),
        number=number,
        pages=max(1, -(-len(chosen) // ROWS)),
        progress=progress(found),
        bar=f"{100 * share(found):.1f}%",
        figure=figure,
        now=uow.clock.now(),
    )


def _beyond_metrics(
    uow: UnitOfWork, run: Run, report: GateReport | None, records: Sequence[RowRecord]
) -> dict[str, Any]:
    """What stands between the metrics and the rows: flips against the baseline, slices, what was spent, the study."""
    baseline = report.baseline if report is not None else None
    is_done = run.status is RunStatus.DONE
    changes = _broken(uow, baseline, run) if baseline is not None and is_done else []
    gate = evaluations.experiment_of(uow, run.id).gate
    declared = gate.slices if gate is not None else {}
    spent = spending(records) if is_done else None
    return {
        "baseline": baseline,
        "broke": len(changes),
        "broken": [pair_of(each, {"base": str(baseline), "head": run.id}, MAX_PAIR) for each in changes[:BROKEN]],
        "slices": run_slices(run, records, declared) if is_done else (),
        "spent": spent,
        "spendings": _spendings(spent) if spent is not None else [],
        "study": evaluations.listed(uow, study=run.study) if run.study is not None else [],
    }


def _broken(uow: UnitOfWork, baseline: str, run: Run) -> list[RowChange]:
    """None where the two have no row in common: the gate then judged what needs no comparison."""
    try:
        return broken_rows(uow, baseline, run.id)
    except NotComparable:
        return []


def _spendings(spent: Spending) -> list[tuple[str, Quantiles | None, words.Form]]:
    return [
        ("Latency", spent.latency_ms, words.milliseconds),
        ("Cost", spent.cost_usd, money),
        ("Tokens in", spent.prompt_tokens, tokens),
        ("Tokens out", spent.completion_tokens, tokens),
    ]


def tokens(number: float | None) -> str:
    return words.NONE if number is None else f"{number:,.0f}"
