"""`/training` and `/training/{run}`: pipelines and when they train; what a run learned, how well, from what."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from opsloop.console import live, words
from opsloop.console.page import Frame, Place, page, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.console.training_charts import fold_charts, importance_bars
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.training import service
from opsloop.training import window as windows
from opsloop.training.figures import listed as listed_figures
from opsloop.training.figures import shown as shown_figure
from opsloop.training.models import TrainingRun

router = PageRouter()
RUNS = 50
# Parts of a report that have a place of their own on the page.
_DRAWN = (
    "folds", "importance", "cross_validation", "parameters", "notes", "task", "measured_on", "measured_rows",
    "intervals", "environment", "constant", "confusion", "search",
)  # fmt: skip


@live.topic("training")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    run = service.run(uow, argument)
    values = {"message": run.message, "bar": _bar(run)}
    return live.Snapshot(values, shape_of([run.status, len(run.steps)]))


@router.get("/training")
def listed(request: Request, uow: Reading) -> Response:
    frame = Frame("Training", cli="opsloop train list", json="/api/training/runs")
    pipelines, runs = service.pipelines(uow), service.runs(uow, limit=RUNS)
    figures = {run.id: _first_figure(run) for run in runs}
    return page(request, "training.html", frame, pipelines=pipelines, runs=runs, figures=figures, now=uow.clock.now())


@router.get("/training/{run}")
def shown(request: Request, uow: Reading, run: str) -> Response:
    found = service.run(uow, run)
    frame = Frame(
        f"{found.pipeline}, {words.moment(found.created_at)}",
        trail=(Place("Training", "/training"),),
        cli=f"opsloop train show {shlex.quote(found.id)}",
        json=f"/api/training/runs/{words.segment(found.id)}",
        topics=() if found.status.is_final else (f"training:{found.id}",),
        shape=shape_of([found.status, len(found.steps)]),
    )
    report = found.report
    return page(
        request,
        "training_run.html",
        frame,
        run=found,
        bar=_bar(found),
        window=windows.parse(found.window),
        folds=fold_charts(report.get("folds", [])),
        importance=importance_bars(report.get("importance", [])),
        parameters=report.get("parameters", {}),
        notes=report.get("notes", []),
        rest={name: value for name, value in report.items() if name not in _DRAWN and value},
        spread=_spread(report),
        constant=report.get("constant") or {},
        confusion=report.get("confusion"),
        search=report.get("search"),
        intervals=report.get("intervals", []),
        environment=report.get("environment", {}),
        measured=_measured(report),
        figure=shown_figure,
        now=uow.clock.now(),
    )


def _bar(run: TrainingRun) -> str:
    return f"{100 * run.done / run.total:.1f}%" if run.total else "0%"


def _first_figure(run: TrainingRun) -> str:
    return listed_figures(run.metrics, 1)


def _measured(report: Mapping[str, Any]) -> str:
    """Which rows the figures are of."""
    if report.get("measured_on") == "held_out":
        return f"On {report['measured_rows']:,} rows held out"
    return "Mean over the folds"


def _spread(report: Mapping[str, Any]) -> dict[str, str]:
    """Mean and spread over the folds, by figure."""
    found = report.get("cross_validation") or {}
    return {name: f"{shown_figure(each['mean'])} ± {shown_figure(each['spread'])}" for name, each in found.items()}
