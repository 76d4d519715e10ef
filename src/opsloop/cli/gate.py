"""`opsloop gate`: the verdict on an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.evaluation.models import GateReport

MARKS = {"pass": "✓", "fail": "✕", "inconclusive": "~"}


@noun("gate")
def gate() -> None:
    """The verdict on an evaluation."""


@verb(gate, "check", example="opsloop gate check run_01j… --baseline run_01h…")
@click.argument("run")
@click.option("--baseline", metavar="RUN", help="The evaluation that rules with a margin compare with.")
@click.option("--first", is_flag=True, help="There is no baseline yet: rules that compare with one do not count.")
@click.option("--allow-inconclusive", is_flag=True, help="Exit code 0 also when the rows do not show enough.")
def check(session: Session, run: str, baseline: str | None, first: bool, allow_inconclusive: bool) -> None:
    """Ask the gate of RUN for its verdict. Exit code 6 when it is not a pass, also when a rule had no baseline."""
    from opsloop.core.errors import AnswerIsNo
    from opsloop.evaluation.verdicts import Verdict

    with session.client() as client:
        report = client.evaluations.gate(run, baseline=baseline)
    session.answer(report, lambda: _words(report))
    allowed = {Verdict.PASS, Verdict.INCONCLUSIVE} if allow_inconclusive else {Verdict.PASS}
    if report.verdict not in allowed:
        raise AnswerIsNo(report.sentence)
    if report.waiting and not (first or allow_inconclusive):
        metrics = ", ".join(rule.metric for rule in report.waiting)
        raise AnswerIsNo(
            f"{metrics} had nothing to compare with: name the run of what is served with --baseline, "
            "or say with --first that there is none yet"
        )


def _words(report: GateReport) -> str:
    decisions = [f"{MARKS[each.verdict.value]} {each.sentence}" for each in report.decisions]
    waiting = [f"○ {rule.metric}: {rule.demand} waits for a baseline" for rule in report.waiting]
    return "\n".join([report.sentence, "", *decisions, *waiting])
