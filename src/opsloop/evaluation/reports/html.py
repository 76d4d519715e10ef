"""The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere.

It opens offline, prints, follows the reader's light or dark theme, and its policy lets nothing run or load, so that
what stands in rows stays text even if escaping had a hole. Rows that broke, failed or did worst are there in full (to
some thousand characters a text); every other row is a line of the last table, its texts cut short.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from opsloop.evaluation.comparison.models import Change, MetricChange, RowChange
from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.intervals import of_change, of_decision, of_figure, of_metric
from opsloop.evaluation.models import RowRecord
from opsloop.evaluation.reports import words
from opsloop.evaluation.reports.document import ReportDocument, fits_gate
from opsloop.evaluation.reports.registry import ReportForm, register
from opsloop.evaluation.row_text import RowText, row_text
from opsloop.evaluation.spread import bars
from opsloop.evaluation.word_diff import Sides, sides

FULL = 200
"""Rows that broke, and rows that failed, shown in full; more of them are lines of the last table."""
LINE_CHARS = 110
CHUNK = 250
_PACKAGE = "opsloop.evaluation.reports"


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that passed before and does not now, its two outputs marked where they differ."""

    change: RowChange
    text: RowText
    sides: Sides


@dataclass(frozen=True, slots=True)
class FullRow:
    record: RowRecord
    text: RowText


@dataclass(frozen=True, slots=True)
class Line:
    """A row as a line of the table of all rows; `kind` is `broke`, `failed`, `better`, `worse` or empty."""

    record: RowRecord
    text: RowText
    kind: str
    scores: tuple[str, ...]


def render(report: ReportDocument) -> str:
    template = _environment().get_template("report.html")
    failed = [row for row in report.rows if row.error is not None or row.errors]
    return template.render(
        report=report,
        run=report.run,
        gate=report.gate,
        fits=fits_gate(report),
        comparison=report.comparison,
        policy=_policy(),
        decisions=[(each, of_decision(each)) for each in report.gate.decisions] if report.gate else [],
        metrics=[(name, each, of_metric(each)) for name, each in report.run.metrics.items()],
        changes=[(each, of_change(each)) for each in report.comparison.metrics] if report.comparison else [],
        broken=[_broken(each) for each in report.broken[:FULL]],
        failed=[FullRow(each, row_text(each)) for each in failed[:FULL]],
        failed_count=len(failed),
        worst=[FullRow(each, row_text(each)) for each in report.worst],
        spreads=[(each, bars(each.head), bars(each.base) if each.base else []) for each in report.spreads],
        chunks=list(_chunks(report)),
        full=FULL,
    )


def _broken(change: RowChange) -> BrokenRow:
    before, after = row_text(change.base), row_text(change.head)
    return BrokenRow(change, after, sides(inert(before.answered), inert(after.answered)))


def _chunks(report: ReportDocument) -> Iterator[list[Line]]:
    """The lines of all rows in blocks, so that a browser lays out only those it shows."""
    kinds = {(each.dataset, each.row): _kind(each) for each in report.changes}
    metrics = list(report.run.metrics)
    for begin in range(0, len(report.rows), CHUNK):
        yield [_line(record, kinds, metrics) for record in report.rows[begin : begin + CHUNK]]


def _line(record: RowRecord, kinds: dict[tuple[str, int], str], metrics: Sequence[str]) -> Line:
    kind = "failed" if record.error is not None or record.errors else kinds.get((record.dataset, record.row), "")
    broke = kinds.get((record.dataset, record.row)) == "broke"
    text = row_text(record, most=LINE_CHARS)
    scores = tuple(words.short(record.scores.get(metric)) for metric in metrics)
    return Line(record, text, "broke" if broke else kind, scores)


def _kind(change: RowChange) -> str:
    if change.broke:
        return "broke"
    return change.change.value if change.change in (Change.BETTER, Change.WORSE) else ""


def _moment(at: datetime | None) -> str:
    return words.NOTHING if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _tone(change: MetricChange) -> str:
    return {Change.BETTER: "good", Change.WORSE: "bad"}.get(change.change, "quiet")


@cache
def _style() -> str:
    source, _, _ = PackageLoader(_PACKAGE).get_source(Environment(), "report.css")  # noqa: S701 (only reads the file)
    return source


@cache
def _policy() -> str:
    """Nothing may run, load or be sent; the one style sheet is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.globals.update(style=_style(), tone=_tone, interval_of=of_figure)
    environment.filters.update(
        figure=words.figure,
        signed=words.signed,
        money=words.money,
        moment=_moment,
        change_word=lambda change: words.CHANGES[change],
        count=lambda number: f"{number:,}",
    )
    return environment


def _finalized(value: object) -> object:
    """Whatever text a template prints, it is inert."""
    return inert(value) if type(value) is str else value


register(ReportForm("html", "text/html", render))
