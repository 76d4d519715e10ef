"""`opsloop release report`: an A/B test so far, or its result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.rollouts import newest
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.releases.experiments.models import ArmMean, ExperimentReport, MetricReport


@lone(
    "report",
    example="""opsloop release report support-chat
    opsloop release report support-chat --format html --output report.html""",
)
@click.argument("endpoint")
@click.option("--rollout", metavar="ID", help="Another rollout than the newest.")
@click.option(
    "--format", "form", type=click.Choice(["text", "html"]), default="text", help="text, or one HTML file.",
    show_default=True,
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
def report(session: Session, endpoint: str, rollout: str | None, form: str, output: Path | None) -> None:
    """Show the A/B test of ENDPOINT: who is better in what, with intervals that hold at every look."""
    with session.client() as client:
        which = rollout or newest(client, endpoint)
        found = client.rollouts.report(which)
        written = client.rollouts.report_html(which) if form == "html" else _words(found)
    if output is not None:
        output.write_text(written, encoding="utf-8")
    session.answer(found, lambda: f"written to {output}" if output is not None else written)


def _words(found: ExperimentReport) -> str:
    rows = [
        (
            each.title,
            _mean(each, each.stable),
            _mean(each, each.candidate),
            text.NOTHING if each.difference is None else f"{_number(each, each.low)} to {_number(each, each.high)}",
            each.standing.value,
        )
        for each in found.metrics
    ]
    headings = ("metric", f"release {found.stable_number}", f"release {found.number}", "difference", "standing")
    users = found.users
    ratio = f"{users.candidate:,} of {users.candidate + users.stable:,} users met release {found.number}"
    told = f"{ratio}, {text.percent(users.drawn_share)} were drawn{': A MISMATCH' if users.is_mismatch else ''}"
    return "\n".join([found.sentence, "", text.table(headings, rows), "", told, found.next])


def _mean(metric: MetricReport, arm: ArmMean) -> str:
    return text.NOTHING if arm.mean is None else f"{_number(metric, arm.mean)} ({arm.users:,})"


def _number(metric: MetricReport, value: float) -> str:
    if metric.unit == "share":
        return f"{100 * value:.3g} %"
    return f"{value:.3f}" if metric.unit == "score" else f"{value:,.4g} {metric.unit}"


COMMANDS = (report,)
