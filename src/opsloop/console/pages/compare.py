"""`/evaluations/compare?base=&head=`: what became of metrics, slices and rows from one evaluation to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.console.row_pairs import AT, pair_of
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.comparison.models import Change, Comparison, RowCounts
from opsloop.evaluation.comparison.rows import RowsWanted, chosen
from opsloop.evaluation.comparison.service import DATASET, compare
from opsloop.evaluation.intervals import of_change
from opsloop.evaluation.models import GateReport, RowRecord, Run, RunStatus
from opsloop.evaluation.reports.figures import MetricSpread, spreads
from opsloop.evaluation.reports.words import figure, signed
from opsloop.evaluation.spread import Bar, bars

router = PageRouter()
ROWS = 20
RUNS = 200
ALONE_CHARS = 20_000
Name = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Choice:
    """A set of rows that can be shown."""

    name: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    spread: MetricSpread
    head: list[Bar]
    base: list[Bar]


@router.get(AT)
def shown(
    request: Request,
    uow: Reading,
    base: Name = "",
    head: Name = "",
    run: Annotated[list[str] | None, Query(max_length=50)] = None,
    by: Name = "",
    rows: RowsWanted = RowsWanted.DIFFERENT,
    row: Annotated[int | None, Query(ge=0)] = None,
    dataset: Name = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """`run` twice, as the list of evaluations sends it, is turned into the older as `base` and the newer as `head`."""
    if run and len(run) == 2 and not (base or head):
        older, newer = sorted((evaluations.get(uow, each) for each in run), key=lambda each: (each.created_at, each.id))
        return see_other(f"{AT}?{urlencode({'base': older.id, 'head': newer.id})}")
    if not base or not head:
        return _choosing(request, uow, base, head, len(run or []))
    found = compare(uow, base, head, by=by)
    it = found.comparison
    asked = {"base": base, "head": head, **({"by": by} if by else {})}
    alone = [each for each in found.rows if each.row == row and dataset in ("", each.dataset)]
    wanted = alone if row is not None else chosen(found.rows, rows)
    most = ALONE_CHARS if row is not None else 2_000
    frame = Frame(
        f"{it.head.flow} beside {it.base.flow}",
        trail=(Place("Evaluations", "/evaluations"),),
        cli=f"opsloop eval compare {it.base.id} {it.head.id}",
        json=f"/api/evaluations/compare?{urlencode(asked)}",
    )
    return page(
        request,
        "compare.html",
        frame,
        it=it,
        report=_gate(uow, it),
        tone=_tone(it),
        metrics=[(each, of_change(each)) for each in it.metrics],
        drawn=_drawn(uow, it),
        columns=(DATASET, *found.columns) if len(it.head.datasets) > 1 else found.columns,
        by=by,
        choices=_choices(asked, rows, it.rows) if row is None else [],
        pairs=[pair_of(each, asked, most) for each in wanted[(number - 1) * ROWS : number * ROWS]],
        row=row,
        rows=rows.value,
        number=number,
        pages=max(1, -(-len(wanted) // ROWS)),
        here=f"{AT}?{urlencode(asked)}",
        swapped=f"{AT}?{urlencode({**asked, 'base': head, 'head': base})}",
        units={each.metric: each.unit for each in it.metrics},
        figure=figure,
        signed=signed,
        now=uow.clock.now(),
    )


def _choosing(request: Request, uow: UnitOfWork, base: str, head: str, ticked: int) -> Response:
    """The page that asks for the two runs."""
    runs = [each for each in evaluations.listed(uow, limit=RUNS) if each.status is RunStatus.DONE]
    frame = Frame("Compare evaluations", trail=(Place("Evaluations", "/evaluations"),), cli="opsloop eval compare A B")
    return page(
        request, "compare_choose.html", frame, runs=runs, base=base, head=head, ticked=ticked, now=uow.clock.now()
    )


def _gate(uow: UnitOfWork, it: Comparison) -> GateReport | None:
    """The gate's report on `head`, when it speaks of this very comparison."""
    report = evaluations.gate_report(uow, it.head.id)
    return report if report is not None and report.baseline == it.base.id else None


def _tone(it: Comparison) -> str:
    changes = [each.change for each in it.metrics]
    return "bad" if Change.WORSE in changes else "good" if Change.BETTER in changes else "quiet"


def _drawn(uow: UnitOfWork, it: Comparison) -> list[Drawn]:
    ours, theirs = _ran(uow, it.head), _ran(uow, it.base)
    found = spreads(it.head, ours, theirs)
    return [Drawn(each, bars(each.head), bars(each.base) if each.base else []) for each in found]


def _ran(uow: UnitOfWork, run: Run) -> list[RowRecord]:
    return evaluations.rows(uow, run.id)


def _choices(asked: dict[str, str], rows: RowsWanted, counts: RowCounts) -> list[Choice]:
    different = counts.all - counts.same
    named = {
        RowsWanted.DIFFERENT: ("Different only", different),
        RowsWanted.BROKE: ("Broke", counts.broke),
        RowsWanted.WORSE: ("Worse", counts.worse),
        RowsWanted.BETTER: ("Better", counts.better),
        RowsWanted.ALL: ("All", counts.all),
    }
    return [
        Choice(f"{name} ({words.count(count)})", f"{AT}?{urlencode({**asked, 'rows': kind.value})}#rows", kind is rows)
        for kind, (name, count) in named.items()
    ]
