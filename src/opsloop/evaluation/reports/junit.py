"""The report as JUnit XML, which CI systems show as tests: a suite of the gate's rules, and one of rows.

The first suite has a case per rule: failed, or skipped while it waits for a baseline. The second has one per row that
failed (an error) or passed before and does not now (a failure). Elements, attributes and their order are those that
both of the common schemas allow: Windy Road's JUnit.xsd and Jenkins' junit-10.xsd.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from xml.sax.saxutils import escape, quoteattr

from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.models import RowRecord
from opsloop.evaluation.reports.document import ReportDocument
from opsloop.evaluation.reports.registry import ReportForm, register
from opsloop.evaluation.row_text import row_text, shortened
from opsloop.evaluation.verdict_sentence import clause
from opsloop.evaluation.verdicts import Verdict

MOST_ROWS = 1_000
_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """`outcome` is `failure`, `error`, `skipped`, or empty for a pass; `kind` the type of what went wrong."""

    name: str
    place: str
    time_s: float = 0.0
    outcome: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    cases: tuple[Case, ...]
    note: str = ""


def render(report: ReportDocument) -> str:
    suites = (_rules(report), _rows(report))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for number, suite in enumerate(suites):
        lines += _suite(report, suite, number)
    return "\n".join([*lines, "</testsuites>", ""])


def _rules(report: ReportDocument) -> Suite:
    run, gate = report.run, report.gate
    if gate is None and run.error is not None:
        return Suite("gate", (Case("the evaluation", "gate", outcome="error", kind="failed", message=run.error),))
    if gate is None:
        return Suite("gate", (Case("the gate", "gate", outcome="skipped", message="it was not checked"),))
    cases = [
        Case(
            f"{each.rule.name} {each.rule.demand}",
            "gate",
            outcome="" if each.verdict is Verdict.PASS else "failure",
            kind=each.verdict.value,
            message=clause(each, alpha=gate.alpha),
            text=f"{each.sentence}\nmethod: {each.method}",
        )
        for each in gate.decisions
    ]
    cases += [
        Case(f"{rule.name} {rule.demand}", "gate", outcome="skipped", message="nothing to compare with yet")
        for rule in gate.waiting
    ]
    return Suite("gate", tuple(cases) or (Case("no rule", "gate"),), "\n".join([gate.sentence, *gate.notes]))


def _rows(report: ReportDocument) -> Suite:
    cases = list(_row_cases(report))
    if not cases:
        return Suite("rows", (Case(f"{len(report.rows):,} rows, none failed and none broke", "rows"),))
    left = len(cases) - MOST_ROWS
    note = f"{left:,} more rows failed or broke; the HTML report has them all" if left > 0 else ""
    return Suite("rows", tuple(cases[:MOST_ROWS]), note)


def _row_cases(report: ReportDocument) -> Iterator[Case]:
    told = set()
    for each in report.broken:
        told.add((each.dataset, each.row))
        before, after = row_text(each.base, most=_CHARS), row_text(each.head, most=_CHARS)
        yield Case(
            _name(each.head),
            f"rows.{each.dataset}",
            each.head.latency_ms / 1000,
            "error" if each.head.error is not None else "failure",
            "broke",
            f"passed {', '.join(each.broke)} before and does not now",
            f"asked: {after.asked}\nbefore: {before.answered}\nnow: {after.answered}\nexpected: {after.expected}",
        )
    for record in report.rows:
        if record.error is not None and (record.dataset, record.row) not in told:
            text = row_text(record, most=_CHARS)
            message = shortened(" ".join(record.error.split()), 300)
            yield Case(
                _name(record),
                f"rows.{record.dataset}",
                record.latency_ms / 1000,
                "error",
                "failed",
                message,
                text.asked,
            )


def _name(record: RowRecord) -> str:
    repeat = f", repeat {record.repeat}" if record.repeat else ""
    return f"row {record.row}{repeat}"


def _suite(report: ReportDocument, suite: Suite, number: int) -> Iterator[str]:
    counts = {kind: sum(case.outcome == kind for case in suite.cases) for kind in ("failure", "error", "skipped")}
    taken = sum(case.time_s for case in suite.cases)
    at = report.run.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    yield (
        f'<testsuite name={_attribute(suite.name)} tests="{len(suite.cases)}" failures="{counts["failure"]}"'
        f' errors="{counts["error"]}" skipped="{counts["skipped"]}" time="{taken:.3f}" timestamp="{at}"'
        f' hostname="localhost" id="{number}" package="opsloop">'
    )
    yield "<properties>"
    run = report.run
    for name, value in (("flow", run.flow), ("dataset", run.dataset), ("experiment", run.experiment), ("run", run.id)):
        yield f"<property name={_attribute(name)} value={_attribute(value)}/>"
    yield "</properties>"
    for case in suite.cases:
        yield from _case(case)
    yield f"<system-out>{_text(suite.note)}</system-out>"
    yield "<system-err></system-err>"
    yield "</testsuite>"


def _case(case: Case) -> Iterator[str]:
    head = f'<testcase name={_attribute(case.name)} classname={_attribute(case.place)} time="{case.time_s:.3f}"'
    if not case.outcome:
        yield f"{head}/>"
    elif case.outcome == "skipped":
        yield f"{head}><skipped message={_attribute(case.message)}/></testcase>"
    else:
        said = f"message={_attribute(case.message)} type={_attribute(case.kind)}"
        yield f"{head}><{case.outcome} {said}>{_text(case.text)}</{case.outcome}></testcase>"


def _attribute(value: str) -> str:
    return quoteattr(inert(" ".join(value.split())))


def _text(value: str) -> str:
    return escape(inert(value))


register(ReportForm("junit", "application/xml", render), "xml")
