"""The report as one JSON document, in a form that keeps its meaning under its name.

`docs/reference/report.schema.json` describes it; a change that a reader would stumble over gets a new name.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from opsloop.evaluation.comparison.models import Comparison, RowChange
from opsloop.evaluation.judges.in_runs import JudgeOfRun
from opsloop.evaluation.models import GateReport, RowRecord, Run
from opsloop.evaluation.reports.document import ReportDocument
from opsloop.evaluation.reports.figures import MetricSpread, RunSlice, Spending
from opsloop.evaluation.reports.provenance import Provenance
from opsloop.evaluation.reports.reasons import Reason
from opsloop.evaluation.reports.registry import ReportForm, register

FORMAT = "opsloop-report/1"


@dataclass(frozen=True, slots=True)
class JsonReport:
    """What the JSON form of a report holds; `broke` are the rows that passed in the baseline and do not now."""

    format: str
    run: Run
    gate: GateReport | None
    comparison: Comparison | None
    broke: tuple[RowChange, ...]
    worst: tuple[RowRecord, ...]
    reasons: tuple[Reason, ...]
    slices: tuple[RunSlice, ...]
    spending: Spending
    base_spending: Spending | None
    spreads: tuple[MetricSpread, ...]
    provenance: Provenance
    rows: tuple[RowRecord, ...]
    judges: tuple[JudgeOfRun, ...] = ()


def render(report: ReportDocument) -> str:
    made = JsonReport(
        format=FORMAT,
        run=report.run,
        gate=report.gate,
        comparison=report.comparison,
        broke=report.broken,
        worst=report.worst,
        reasons=report.reasons,
        slices=report.slices,
        spending=report.spending,
        base_spending=report.base_spending,
        spreads=report.spreads,
        provenance=report.provenance,
        rows=report.rows,
        judges=report.judges,
    )
    return msgspec.json.encode(made).decode()


def schema() -> str:
    """The JSON Schema of the form."""
    found = msgspec.json.schema(JsonReport)
    return msgspec.json.format(msgspec.json.encode({"$id": FORMAT, **found}), indent=2).decode() + "\n"


register(ReportForm("json", "application/json", render))
