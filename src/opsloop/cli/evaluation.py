"""`opsloop eval`: evaluations of flows and models over datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.evaluation_compare import compare
from opsloop.cli.experiment_file import experiment_file as _file
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.evaluation.models import MetricSummary, RowRecord, Run

WORST = 10


@noun("eval")
def evaluation() -> None:
    """Evaluations of flows and models over datasets."""


evaluation.add_command(compare)


@verb(
    evaluation,
    "run",
    example="""opsloop eval run experiment.yaml
    opsloop eval run answers --flow flows/answer-hasty
    opsloop eval run web_classification/experiment.yaml --env pr --variants '*'
    opsloop eval run answers --target endpoint:support-chat
    opsloop eval run flowers --target model:iris@3""",
)
@click.argument("experiment")
@click.option("--flow", metavar="DIR|NAME@V", help="The flow to evaluate; default: the one the experiment names.")
@click.option(
    "--target",
    metavar="model:NAME@V|endpoint:NAME|URL|function:MODULE:NAME",
    help="What to evaluate in place of a flow; default: the one the experiment names.",
)
@click.option("--env", metavar="NAME", help="Take the blocks that experiment.NAME.yaml has in place of the others.")
@click.option(
    "--variants",
    metavar="*|NODE.VARIANT,…",
    help="Variants of nodes to run, each in a run of its own; `defaults` for none; default: what the experiment says.",
)
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def run(
    session: Session,
    experiment: str,
    flow: str | None,
    target: str | None,
    env: str | None,
    variants: str | None,
    timeout_s: float | None,
) -> None:
    """Run EXPERIMENT, a file or the name of one in opsloop.yaml, and show its metrics.

    What it names in files, datasets and flows, is registered first. Exit code 8 when the time ended before it did.
    """
    from opsloop.client import experiment_files, experiments
    from opsloop.core.errors import Failed
    from opsloop.evaluation.models import RunStatus

    found = experiment_files.read(_file(session, experiment), env=env, variants=variants, target=target)
    for each in found.notes:
        session.note(each)
    wanted = Path(flow) if flow is not None and Path(flow).exists() else flow
    with session.client() as client, session.progress("evaluating") as progress:
        done = experiments.run_read(
            client, found, flow=wanted, timeout_s=timeout_s, tell=lambda at: progress(at.done, at.total)
        )
        runs = client.evaluations.study_of(done)
    for each in done.warnings:
        session.note(each)
    if done.study is None:
        session.answer(done, lambda: _run_words(done))
    else:
        session.answer({"study": done.study, "runs": runs}, lambda: _study_words(runs))
    if done.status is RunStatus.FAILED:
        raise Failed(f"evaluation {done.id} failed: {done.error}")


@verb(evaluation, "list", example="opsloop eval list --flow answer@2")
@click.option("--flow", metavar="NAME[@V]", help="Only of this flow.")
def listed(session: Session, flow: str | None) -> None:
    """List evaluations, newest first."""
    with session.client() as client:
        found = client.evaluations.listed(flow=flow)
    rows = [
        (
            *(each.id, each.experiment, each.flow, each.variant or None, each.status, each.rows, each.verdict),
            each.created_at,
        )
        for each in found
    ]
    head = ("evaluation", "experiment", "flow", "variant", "status", "rows", "gate", "created")
    words = text.table(head, rows)
    session.answer({"items": found}, words or "no evaluations yet; `opsloop eval run EXPERIMENT` makes one")


@verb(evaluation, "show", example="opsloop eval show run_01j… --worst token_f1")
@click.argument("run_id", metavar="RUN")
@click.option("--worst", metavar="METRIC", help="Show the rows that did worst by this metric too.")
def show(session: Session, run_id: str, worst: str | None) -> None:
    """Show the metrics of RUN, and its worst rows."""
    from opsloop.core.errors import InvalidInput

    with session.client() as client:
        found = client.evaluations.get(run_id)
        if worst is not None and worst not in found.metrics:
            known = ", ".join(found.metrics) or "none"
            raise InvalidInput(field="--worst", value=worst, wanted=f"a metric of this evaluation ({known})")
        rows = _worst(client.evaluations.rows(run_id), worst, found.metrics) if worst is not None else []
    session.answer(
        {"run": found, "worst": rows},
        lambda: "\n\n".join([_run_words(found), *([_rows(rows, worst)] if worst is not None else [])]),
    )


@verb(
    evaluation,
    "report",
    example="""opsloop eval report run_01j… --format html --output report.html
    opsloop eval report run_01j… --baseline run_01h… > comment.md""",
)
@click.argument("run_id", metavar="RUN")
@click.option(
    "--format",
    "form",
    default="markdown",
    show_default=True,
    metavar="FORM",
    help="html, markdown, junit, json or csv.",
)
@click.option("--baseline", metavar="RUN", help="Put it beside this run; default: the one its gate was checked with.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write it to.")
def report(session: Session, run_id: str, form: str, baseline: str | None, output: Path | None) -> None:
    """Write RUN up: as HTML for people, Markdown for a pull request, JUnit for CI, JSON or CSV for programs."""
    with session.client() as client:
        document = client.evaluations.report(run_id, form=form, baseline=baseline)
    answer = {"run": run_id, "format": form, "file": str(output) if output is not None else None}
    if output is not None:
        output.write_bytes(document)
        session.answer(answer, f"written to {output}")
        return
    if session.as_json or session.out.isatty():
        shown = document.decode()
        session.answer({**answer, "report": shown}, shown)
    else:
        click.echo(document, nl=False, file=session.out)


def _run_words(run: Run) -> str:
    pairs = [
        ("evaluation", run.id),
        ("experiment", f"{run.experiment} on {run.dataset}"),
        ("flow", run.flow),
        ("status", run.status if run.error is None else f"{run.status}: {run.error}"),
        ("rows", f"{run.rows}, {run.failed_rows} failed" if run.status.is_final else f"{run.done} of {run.total}"),
        *([("variant", run.variant)] if run.variant else []),
        *([("cut short", run.cut)] if run.cut is not None else []),
        *([("used", _used(run))] if run.prompt_tokens or run.completion_tokens else []),
        ("gate", run.verdict or "not checked"),
    ]
    rows = [
        (name, each.value, each.low, each.high, each.rows, each.failed, each.unit) for name, each in run.metrics.items()
    ]
    table = text.table(("metric", "mean", "95 % from", "to", "rows", "failed", "unit"), rows)
    over_all = text.fields(list(run.aggregates.items())) if run.aggregates else ""
    return "\n\n".join(part for part in (text.fields(pairs), table, over_all) if part)


def _used(run: Run) -> str:
    tokens = f"{(run.prompt_tokens or 0) + (run.completion_tokens or 0):,} tokens"
    return tokens if run.cost_usd is None else f"{tokens}, {run.cost_usd:,.4f} USD"


def _study_words(runs: list[Run]) -> str:
    """The runs of a study beside each other, and why some were stopped."""
    metrics = list(dict.fromkeys(name for each in runs for name in each.metrics))
    figures = list(dict.fromkeys(name for each in runs for name in each.aggregates))
    rows = [
        (
            *(each.variant or "defaults", each.id, each.status),
            *(each.metrics[name].value if name in each.metrics else None for name in metrics),
            *(each.aggregates.get(name) for name in figures),
        )
        for each in runs
    ]
    table = text.table(("variant", "evaluation", "status", *metrics, *figures), rows)
    stopped = [(each.variant or "defaults", each.cut) for each in runs if each.cut is not None]
    failed = [(each.variant or "defaults", each.error) for each in runs if each.error is not None]
    return "\n\n".join([table, *([text.fields(stopped + failed)] if stopped or failed else [])])


def _worst(rows: list[RowRecord], metric: str, metrics: Mapping[str, MetricSummary]) -> list[RowRecord]:
    sign = 1 if metrics[metric].higher_is_better else -1

    def order(row: RowRecord) -> float:
        score = row.scores.get(metric)
        return float("-inf") if score is None else sign * score

    measured = [row for row in rows if row.scores.get(metric) is not None or metric in row.errors or row.error]
    return sorted(measured, key=order)[:WORST]


def _rows(rows: list[RowRecord], metric: str) -> str:
    def said(row: RowRecord) -> object:
        return row.error or row.errors.get(metric) or next(iter(row.outputs.values()), None)

    table = [(row.row, row.scores.get(metric), next(iter(row.inputs.values()), None), said(row)) for row in rows]
    return text.table(("row", metric, "input", "output"), [[_short(value) for value in line] for line in table])


def _short(value: object) -> object:
    if isinstance(value, int | float | None):
        return value
    line = text.cell(value)
    return line if len(line) <= 80 else f"{line[:79]}…"
