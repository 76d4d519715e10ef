"""`opsloop gate`: the verdict on an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.evaluation.models import GateReport
    from opsloop.evaluation.plans import GatePlan

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


@verb(
    gate,
    "plan",
    example="""opsloop gate plan experiment.yaml
    opsloop gate plan answers --baseline run_01h…""",
)
@click.argument("experiment")
@click.option("--run", metavar="RUN", help="The run to learn the spread from; default: the newest of the experiment.")
@click.option("--baseline", metavar="RUN", help="A run to pair it with; default: the one before, on the same rows.")
def plan(session: Session, experiment: str, run: str | None, baseline: str | None) -> None:
    """Say how many rows the gate of EXPERIMENT needs, a file or the name of one in opsloop.yaml.

    The spread of rows is that of earlier runs; with two, rows are paired as the gate pairs them.
    """
    from opsloop.cli.experiment_file import experiment_file
    from opsloop.client import planning

    file = experiment_file(session, experiment)
    with session.client() as client:
        found = planning.plan(client, file, run=run, baseline=baseline)
    session.answer(found, lambda: _plan_words(found))


def _plan_words(plan: GatePlan) -> str:
    most = plan.rows_needed
    all_of_them = [] if most is None else ["", f"all of them together: {most:,} row{'' if most == 1 else 's'}"]
    return "\n".join([*(each.sentence for each in plan.rules), *all_of_them])


def _words(report: GateReport) -> str:
    decisions = [f"{MARKS[each.verdict.value]} {each.sentence}" for each in report.decisions]
    waiting = [f"○ {rule.name}: {rule.demand} waits for a baseline" for rule in report.waiting]
    return "\n".join([report.sentence, "", *decisions, *waiting, *(f"○ {note}" for note in report.notes)])
