"""The report as Markdown that fits a comment on a pull request."""

from __future__ import annotations

from opsloop.evaluation.models import GateReport, MetricSummary, RowRecord, Run
from opsloop.evaluation.reports.document import ReportDocument
from opsloop.evaluation.reports.registry import ReportForm, register
from opsloop.evaluation.verdict_sentence import clause
from opsloop.evaluation.verdicts import Verdict

_MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}
_CELL_CHARS = 120


def render(report: ReportDocument) -> str:
    run = report.run
    parts = [f"### Evaluation of `{run.flow}` on `{run.dataset}`", _state(run)]
    if report.gate is not None:
        parts += [f"{_MARKS[report.gate.verdict]} **{_cell(report.gate.sentence, limit=2_000)}**", _rules(report.gate)]
    if run.metrics:
        parts.append(_metrics(run))
    if report.worst:
        parts.append(_worst(run, report.worst))
    parts.append(f"<sub>experiment {_cell(run.experiment)}, run `{run.id}`</sub>")
    return "\n\n".join(part for part in parts if part) + "\n"


def _state(run: Run) -> str:
    if run.error is not None:
        return f"The run failed: {_cell(run.error, limit=500)}"
    failed = f", **{run.failed_rows:,} failed**" if run.failed_rows else ", none failed"
    return f"{run.done:,} of {run.total:,} rows{failed}."


def _rules(gate: GateReport) -> str:
    lines = ["| rule | verdict | found |", "|---|---|---|"]
    for each in gate.decisions:
        said = _cell(clause(each, alpha=gate.alpha), limit=300)
        lines.append(
            f"| {each.rule.metric} {each.rule.demand} | {_MARKS[each.verdict]} {each.verdict.value} | {said} |"
        )
    lines += [f"| {rule.metric} {rule.demand} | - | nothing to compare with yet |" for rule in gate.waiting]
    return "\n".join(lines)


def _metrics(run: Run) -> str:
    lines = ["| metric | mean | 95 % interval | rows | failed | not applicable |", "|---|--:|:-:|--:|--:|--:|"]
    for name, each in run.metrics.items():
        interval = f"{_figure(each.low, each)} to {_figure(each.high, each)}"
        lines.append(
            f"| {_cell(name)} | {_figure(each.value, each)} | {interval} | {each.rows} | {each.failed} "
            f"| {each.not_applicable} |"
        )
    return "\n".join(lines)


def _worst(run: Run, rows: tuple[RowRecord, ...]) -> str:
    lines = [
        "<details><summary>Rows to look at first</summary>",
        "",
        "| row | scores | inputs | outputs |",
        "|--:|---|---|---|",
    ]
    for each in rows:
        scores = ", ".join(
            f"{name} {_figure(score, run.metrics.get(name))}"
            for name, score in each.scores.items()
            if score is not None
        )
        outputs = _cell(each.error) if each.error is not None else _cell(_short(each.outputs))
        lines.append(f"| {each.row + 1} | {_cell(scores)} | {_cell(_short(each.inputs))} | {outputs} |")
    return "\n".join([*lines, "", "</details>"])


def _short(values: dict[str, object]) -> str:
    """Texts and figures of a row; lists and objects are only named."""
    return ", ".join(f"{name}: {'…' if isinstance(value, list | dict) else value}" for name, value in values.items())


def _figure(value: float | None, metric: MetricSummary | None) -> str:
    if value is None:
        return "-"
    unit = f" {metric.unit}" if metric is not None and metric.unit else ""
    return (f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}") + unit


def _cell(text: object, *, limit: int = _CELL_CHARS) -> str:
    """Text that cannot leave its cell or bring markup of its own."""
    line = " ".join(str(text).split())
    line = line if len(line) <= limit else f"{line[: limit - 1]}…"
    for mark in "\\|`*_[]<>":
        line = line.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return line


register(ReportForm("markdown", "text/markdown", render), "md")
