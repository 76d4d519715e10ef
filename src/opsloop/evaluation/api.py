"""HTTP: evaluations and their gates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from opsloop.core.errors import NotFound
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.evaluation import declared_target, gate_plans, gates, service
from opsloop.evaluation.comparison.models import Comparison, RowChange
from opsloop.evaluation.comparison.rows import RowsWanted, chosen
from opsloop.evaluation.comparison.service import compare
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.gate_declaration import parse_gate
from opsloop.evaluation.models import GateReport, Run
from opsloop.evaluation.plans import GatePlan
from opsloop.evaluation.reports import registry as reports
from opsloop.evaluation.reports.document import document
from opsloop.evaluation.subjects import MODEL, named

router = Router(prefix="/api/evaluations", tags=["evaluations"])
Limit = Annotated[int, Query(ge=1, le=1_000)]
REPORT_POLICY = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Start(BaseModel):
    """`experiment` as in experiment.yaml; `flow` a version such as `answer@2`, or `model:iris@3` of a trained model.

    Unset: the model that is the experiment's target, else its flow by name.
    """

    model_config = ConfigDict(extra="forbid")
    experiment: dict[str, Any]
    flow: str | None = None


class CheckGate(BaseModel):
    """`baseline`: id of the run that rules with a margin compare with."""

    model_config = ConfigDict(extra="forbid")
    baseline: str | None = None


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """A comparison and some of its rows, worse first; `next` continues them as `offset`."""

    comparison: Comparison
    rows: tuple[RowChange, ...]
    next: int | None


class PlanGate(BaseModel):
    """`baseline`: id of a run to pair it with; `gate` as in experiment.yaml, unset: the one the experiment declares."""

    model_config = ConfigDict(extra="forbid")
    baseline: str | None = None
    gate: dict[str, Any] | None = None


@router.post("", status_code=202)
def start(uow: Writing, wanted: Start) -> Run:
    """Start an evaluation; it goes on as a job."""
    return service.start(uow, wanted.experiment, named(uow, wanted.flow or _named(wanted.experiment)))


@router.get("")
def listed(
    uow: Reading,
    flow: str | None = None,
    experiment: str | None = None,
    study: str | None = None,
    limit: Limit = 100,
) -> dict[str, Any]:
    """The newest runs first; `study` is what runs share that one experiment made of variants."""
    found = service.listed(uow, flow=flow, experiment=experiment, study=study, limit=limit)
    return {"items": found, "next": None}


@router.get("/compare")
def compared(
    uow: Reading,
    base: str,
    head: str,
    by: str = "",
    rows: RowsWanted = RowsWanted.DIFFERENT,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 100,
) -> ComparisonPage:
    """What became of metrics, slices and rows from run `base` to run `head`; `by` is a column to slice by."""
    found = compare(uow, base, head, by=by)
    wanted = chosen(found.rows, rows)
    after = offset + limit
    return ComparisonPage(found.comparison, tuple(wanted[offset:after]), after if after < len(wanted) else None)


@router.get("/{run}")
def get(uow: Reading, run: str) -> Run:
    return service.get(uow, run)


@router.get("/{run}/rows")
def rows(
    uow: Reading, run: str, offset: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100, failed: bool = False
) -> dict[str, Any]:
    """What became of the rows, in order; with `failed` those on which the flow or a measure failed."""
    found = [row for row in service.rows(uow, run) if not failed or row.error is not None or row.errors]
    after = offset + limit
    return {"items": found[offset:after], "next": after if after < len(found) else None}


@router.post("/{run}/gate")
def check_gate(workspace: Opened, caller: Asking, run: str, wanted: CheckGate | None = None) -> GateReport:
    """Check the gate that the run's experiment declares."""
    with workspace.reading(caller) as uow:
        report = gates.decide(uow, run, wanted.baseline if wanted is not None else None)
    with workspace.writing(caller) as uow:
        return gates.keep(uow, report)


@router.post("/{run}/gate/plan")
def plan_gate(uow: Reading, run: str, wanted: PlanGate | None = None) -> GatePlan:
    """How many rows a gate needs, from the spread of this run's rows."""
    asked = wanted if wanted is not None else PlanGate()
    spec = parse_gate(asked.gate) if asked.gate is not None else None
    return gate_plans.plan(uow, run, asked.baseline, spec)


@router.get("/{run}/gate")
def gate_report(uow: Reading, run: str) -> GateReport:
    """The report of the gate that was checked last."""
    report = service.gate_report(uow, service.get(uow, run).id)
    if report is None:
        raise NotFound(f"the gate of evaluation {run} was not checked yet; POST to this address checks it")
    return report


@router.get("/{run}/report")
def report(uow: Reading, run: str, format: str = "markdown", baseline: str | None = None) -> Response:
    """The run for people or programs: `html`, `markdown` for a pull request, `junit`, `csv`, or `json` with everything.

    `baseline` is the run to put it beside; unset: the one that its gate was checked against.
    """
    form = reports.find(format)
    text = form.render(document(uow, run, baseline=baseline))
    # What rows hold came from strangers: opened in a browser, nothing of it may run in the console's name.
    headers = {"content-security-policy": REPORT_POLICY, "x-content-type-options": "nosniff"}
    return Response(text.encode("utf-8", "replace"), media_type=form.media_type, headers=headers)


def _named(experiment: dict[str, Any]) -> str:
    """The model that an experiment targets, or the name of its flow, which is the last part of its path."""
    if "target" in experiment:
        target = declared_target.parse(experiment["target"], "target")
        if target.version is not None:
            return f"{MODEL}{target.version}"
    flow = experiment.get("flow")
    if not isinstance(flow, str) or not flow.strip("/. "):
        raise ExperimentInvalid("flow", "a flow version such as answer@2, beside the experiment or in it", value=flow)
    return PurePosixPath(flow.replace("\\", "/")).name
