"""The report as Markdown that fits a comment on a pull request.

A comment on GitHub holds 65,536 characters: what does not fit is left out from the end, and the report says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from opsloop.evaluation.comparison.models import Comparison, MetricChange, RowChange
from opsloop.evaluation.comparison.sentence import found_rows
from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.judges.in_runs import JudgeOfRun
from opsloop.evaluation.models import GateReport, RowRecord, Run
from opsloop.evaluation.reports import words
from opsloop.evaluation.reports.document import ReportDocument, fits_gate
from opsloop.evaluation.reports.figures import RunSlice, Spending
from opsloop.evaluation.reports.registry import ReportForm, register
from opsloop.evaluation.reports.words import (
    CHANGES,
    MARKS,
    NOTHING,
    interval,
    money,
)
from opsloop.evaluation.row_text import row_text
from opsloop.evaluation.spread import Quantiles
from opsloop.evaluation.verdict_sentence import clause

MOST_BYTES = 65_000
"""Below what a comment holds: who posts it may add a line, and bytes are never fewer than characters."""
MOST_FLIPS = 20
_CELL_CHARS = 160
_MARKUP = str.maketrans({mark: f"\\{mark}" for mark in "\\|`*_[]~#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})
# What GitHub and Azure DevOps would turn into a mention, a reference or a link; a word joiner keeps it a text.
_LINKS = re.compile(r"@(?=\w)|(?<=\w)://|\bwww\.|#(?=\d)|!(?=\d)|\bGH-(?=\d)", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"


def render(report: ReportDocument) -> str:
    run = report.run
    head = [f"### Evaluation of `{run.flow}` on `{run.dataset}`", _state(run)]
    if report.gate is not None:
        mark = MARKS[report.gate.verdict]
        head += [f"{mark} **{cell(report.gate.sentence, limit=2_000)}**", _rules(report.gate)]
    if report.comparison is not None:
        head.append(_comparison(report))
    elif run.metrics:
        head.append(_metrics(run))
    if report.judges:
        head.append(_judges(report.judges))
    rest = [
        _flips(report.broken),
        _reasons(report),
        _slices(report.comparison) if report.comparison is not None else _own_slices(report.slices),
        _spent(report.spending, report.base_spending),
        _worst(run, report.worst),
    ]
    return fitted([part for part in head if part], [part for part in rest if part], _foot(report))


def fitted(head: Sequence[str], rest: Sequence[str], foot: str, *, most: int = MOST_BYTES) -> str:
    """The parts under each other, as many of `rest` as there is room for; what is left out is said."""
    kept = [*head]
    left = 0
    room = most - len(foot.encode()) - 200
    for part in rest:
        if len("\n\n".join([*kept, part]).encode()) <= room:
            kept.append(part)
        else:
            left += 1
    text = "\n\n".join(kept)
    while len(text.encode()) > room:
        # The head itself is too long: whole lines go from its end.
        text, left = text[: text.rstrip("\n").rfind("\n")] if "\n" in text else text[: room // 4], max(left, 1)
    said = f"{left} part{'s' if left > 1 else ''} of this report did not fit here; the HTML report has everything."
    return "\n\n".join([text, *([f"_{said}_"] if left else []), foot]) + "\n"


def _state(run: Run) -> str:
    if run.error is not None:
        return f"The run failed: {cell(run.error, limit=500)}"
    failed = f", **{run.failed_rows:,} failed**" if run.failed_rows else ", none failed"
    cut = f" Not all were run: {cell(run.cut, limit=500)}" if run.cut is not None else ""
    return f"{run.done:,} of {run.total:,} rows{failed}.{cut}"


def _rules(gate: GateReport) -> str:
    lines = ["| rule | verdict | found |", "|---|---|---|"]
    for each in gate.decisions:
        said = cell(clause(each, alpha=gate.alpha), limit=300)
        rule = cell(f"{each.rule.name} {each.rule.demand}")
        lines.append(f"| {rule} | {MARKS[each.verdict]} {each.verdict.value} | {said} |")
    lines += [f"| {cell(f'{rule.name} {rule.demand}')} | - | nothing to compare with yet |" for rule in gate.waiting]
    return "\n".join([*lines, *(f"\n{cell(note, limit=500)}" for note in gate.notes)])


def _comparison(report: ReportDocument) -> str:
    assert report.comparison is not None
    found = report.comparison
    said = f"{cell(found_rows(found.rows) if fits_gate(report) else found.sentence, limit=1_000)}\n\n"
    lines = [
        f"| metric | `{found.base.flow}` | `{found.head.flow}` | difference | 95 % interval | better / worse | broke |",
        "|---|--:|--:|--:|:-:|:-:|--:|",
    ]
    for each in found.metrics:
        lines.append(
            f"| {cell(each.metric)} | {figure(each.base, each.unit)} | {figure(each.head, each.unit)} "
            f"| {_marked(each)} | {of_change(each)} | {each.better:,} / {each.worse:,} | {each.broke:,} |"
        )
    gone = f"\n\nOnly one of the two ran on {cell(', '.join(found.left_out))}." if found.left_out else ""
    return said + "\n".join(lines) + gone


def _marked(change: MetricChange) -> str:
    text = signed(change.difference, change.unit)
    return f"**{text}** {CHANGES[change.change]}" if change.change.value in ("better", "worse") else text


def _metrics(run: Run) -> str:
    lines = ["| metric | mean | 95 % interval | rows | failed | not applicable |", "|---|--:|:-:|--:|--:|--:|"]
    for name, each in run.metrics.items():
        lines.append(
            f"| {cell(name)} | {figure(each.value, each.unit)} | {cell(words.of_summary(each))} "
            f"| {each.rows} | {each.failed} | {each.not_applicable} |"
        )
    return "\n".join(lines)


def _judges(judges: Sequence[JudgeOfRun]) -> str:
    """How far each judge can be trusted, and what people would have said."""
    lines = [
        "| judge | measures | model | kappa with people | 95 % interval | rows | corrected mean | gates |",
        "|---|---|---|--:|:-:|--:|---|---|",
    ]
    for each in judges:
        agreement = each.calibration.agreement if each.calibration is not None else None
        kappa, mean = agreement.kappa if agreement is not None else None, each.corrected
        cells = (
            cell(each.judge or "declared here"),
            cell(each.metric),
            cell(", ".join(each.answered_by) or NOTHING),
            figure(kappa.value) if kappa is not None else NOTHING,
            interval(kappa.low, kappa.high) if kappa is not None else NOTHING,
            f"{kappa.rows:,}" if kappa is not None else NOTHING,
            f"{figure(mean.value)} ({interval(mean.low, mean.high)})" if mean is not None else NOTHING,
            "yes" if each.may_gate else cell(f"no: {each.why}", limit=300),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _flips(broken: Sequence[RowChange]) -> str:
    if not broken:
        return ""
    shown = broken[:MOST_FLIPS]
    more = f", the first {len(shown)}" if len(broken) > len(shown) else ""
    lines = ["| row | broke | asked | before | now | expected |", "|--:|---|---|---|---|---|"]
    for each in shown:
        before, now = row_text(each.base), row_text(each.head)
        failed = "failed: " if each.head.error is not None else ""
        lines.append(
            f"| {each.row} | {cell(', '.join(each.broke))} | {cell(now.asked)} | {cell(before.answered)} "
            f"| {failed}{cell(now.answered)} | {cell(now.expected)} |"
        )
    return _details(f"{len(broken):,} rows passed before and do not now{more}", lines, is_open=True)


def _reasons(report: ReportDocument) -> str:
    if not report.reasons:
        return ""
    lines = ["| what failed | why | rows | such as |", "|---|---|--:|--:|"]
    for each in report.reasons[:MOST_FLIPS]:
        what = "the flow" if each.metric is None else cell(each.metric)
        lines.append(f"| {what} | {cell(each.text, limit=300)} | {each.count:,} | {', '.join(map(str, each.rows))} |")
    return _details("Why rows failed", lines)


def _slices(comparison: Comparison) -> str:
    if not comparison.slices:
        return ""
    lines = ["| slice | rows | metric | before | now | difference | 95 % interval |", "|---|--:|---|--:|--:|--:|:-:|"]
    for each in comparison.slices:
        for metric in each.metrics:
            lines.append(
                f"| {cell(each.name)} | {each.rows:,} | {cell(metric.metric)} | {figure(metric.base, metric.unit)} "
                f"| {figure(metric.head, metric.unit)} | {_marked(metric)} | {of_change(metric)} |"
            )
    return _details("Slices", lines)


def _own_slices(slices: Sequence[RunSlice]) -> str:
    if not slices:
        return ""
    lines = ["| slice | rows | metric | mean | 95 % interval |", "|---|--:|---|--:|:-:|"]
    for each in slices:
        lines += [
            f"| {cell(each.name)} | {each.rows:,} | {cell(it.metric)} | {figure(it.value)} "
            f"| {interval(it.low, it.high)} |"
            for it in each.figures
        ]
    return _details("Slices", lines)


def _spent(spending: Spending, base: Spending | None) -> str:
    lines = ["| | p50 | p90 | p95 | p99 | total |", "|---|--:|--:|--:|--:|--:|"]
    for side, which in (("", spending), ("before: ", base)):
        if which is None:
            continue
        lines += _quantiles(f"{side}latency", which.latency_ms, lambda value: figure(value, "ms"), has_total=False)
        lines += _quantiles(f"{side}cost", which.cost_usd, money)
        lines += _quantiles(f"{side}tokens in", which.prompt_tokens, lambda value: f"{value:,.0f}")
        lines += _quantiles(f"{side}tokens out", which.completion_tokens, lambda value: f"{value:,.0f}")
    return _details("Latency and cost", lines) if len(lines) > 2 else ""


def _quantiles(
    name: str, found: Quantiles | None, form: Callable[[float], str], *, has_total: bool = True
) -> list[str]:
    if found is None:
        return []
    shown = [form(value) for value in (found.p50, found.p90, found.p95, found.p99)]
    return [f"| {name} | {' | '.join(shown)} | {form(found.total) if has_total else NOTHING} |"]


def _worst(run: Run, rows: Sequence[RowRecord]) -> str:
    if not rows:
        return ""
    lines = ["| row | scores | asked | answered | expected |", "|--:|---|---|---|---|"]
    for each in rows:
        scores = ", ".join(
            f"{name} {figure(score, run.metrics[name].unit if name in run.metrics else '')}"
            for name, score in each.scores.items()
            if score is not None
        )
        text = row_text(each)
        failed = "failed: " if each.error is not None else ""
        lines.append(
            f"| {each.row} | {cell(scores)} | {cell(text.asked)} | {failed}{cell(text.answered)} "
            f"| {cell(text.expected)} |"
        )
    return _details("Rows to look at first", lines)


def figure(value: float | None, unit: str = "") -> str:
    return cell(words.figure(value, unit))


def signed(value: float | None, unit: str = "") -> str:
    return cell(words.signed(value, unit))


def of_change(change: MetricChange) -> str:
    return cell(words.of_change(change))


def _details(title: str, lines: Sequence[str], *, is_open: bool = False) -> str:
    return "\n".join([f"<details{' open' if is_open else ''}><summary>{title}</summary>", "", *lines, "", "</details>"])


def _foot(report: ReportDocument) -> str:
    base = f", against `{report.comparison.base.id}`" if report.comparison else ""
    head = report.provenance.audit_head
    record = f", audit head `{head[:12]}`" if head else ""
    return f"<sub>experiment {cell(report.run.experiment)}, run `{report.run.id}`{base}{record}</sub>"


def cell(text: object, *, limit: int = _CELL_CHARS) -> str:
    """Text that cannot leave its cell, bring markup of its own, call people or link anywhere."""
    line = " ".join(inert(str(text)[: limit * 8]).split())
    line = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return _LINKS.sub(lambda found: f"{found[0]}{_JOINER}", line).translate(_MARKUP)


register(ReportForm("markdown", "text/markdown", render), "md")
