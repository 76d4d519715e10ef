"""The rows of a run as a table for spreadsheets: one line per row of the data and repeat.

A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV Injection); figures of the
evaluation stay figures.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from opsloop.evaluation.comparison.models import RowChange
from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.models import RowRecord
from opsloop.evaluation.reports.document import ReportDocument
from opsloop.evaluation.reports.registry import ReportForm, register
from opsloop.evaluation.row_text import row_text

CELL_CHARS = 32_000
"""A spreadsheet's cell holds 32,767 characters."""
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_FIXED = ("dataset", "row", "repeat", "asked", "answered", "expected", "failed", "change", "broke", "base_answered")
_SPENT = ("latency_ms", "cost_usd", "prompt_tokens", "completion_tokens")


def render(report: ReportDocument) -> str:
    metrics = list(report.run.metrics)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(name) for name in (*_FIXED, *_SPENT, *metrics, *(f"{each}_error" for each in metrics))])
    changes = {(each.dataset, each.row): each for each in report.changes}
    for record in report.rows:
        writer.writerow(_line(record, changes.get((record.dataset, record.row)), metrics))
    return out.getvalue()


def guarded(text: str) -> str:
    """A cell that stays a text."""
    cell = inert(text)
    cell = cell if len(cell) <= CELL_CHARS else f"{cell[:CELL_CHARS]}… ({len(text):,} characters)"
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _line(record: RowRecord, change: RowChange | None, metrics: list[str]) -> Iterator[object]:
    text = row_text(record, most=CELL_CHARS)
    yield from (guarded(record.dataset), record.row, record.repeat)
    yield from (guarded(text.asked), guarded("" if record.error is not None else text.answered), guarded(text.expected))
    yield guarded(record.error or "")
    yield from (change.change.value, guarded(" ".join(change.broke))) if change else ("", "")
    yield guarded(row_text(change.base, most=CELL_CHARS).answered) if change else ""
    yield from (record.latency_ms, record.cost_usd, record.prompt_tokens, record.completion_tokens)
    yield from (record.scores.get(metric) for metric in metrics)
    yield from (guarded(record.errors.get(metric, "")) for metric in metrics)


register(ReportForm("csv", "text/csv", render))
