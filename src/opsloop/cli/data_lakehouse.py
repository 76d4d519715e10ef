"""`opsloop data publish`, `prepare`, `preparations`, `preparation`: rows from elsewhere, and versions for others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.datasets.preparation.models import PreparationRun


@lone(
    "publish",
    example="""opsloop data publish golden-questions@3 --to iceberg://prod/ai.golden_questions
    opsloop data publish golden-questions --to delta:s3://lake/golden_questions""",
)
@click.argument("ref", metavar="NAME[@V]")
@click.option("--to", required=True, metavar="ADDRESS", help="A table, or a Parquet file or object.")
@click.option("--replace", is_flag=True, help="Overwrite what Opsloop did not publish there.")
def publish(session: Session, ref: str, to: str, replace: bool) -> None:
    """Publish a version for other programs: as an Iceberg or Delta table, or as a Parquet file.

    A place that holds these rows already is left as it is. Credentials come from the environment of the platform.
    """
    from opsloop.core.errors import Failed

    with session.client() as client, session.progress("publishing"):
        done = client.preparations.publish(ref, to, replace=replace)
    if done.error is not None:
        raise Failed(f"{done.dataset} was not published: {done.error}")
    state = "stands" if done.is_new else "stood"
    session.answer(
        done, f"{done.dataset}: {done.rows} rows; it {state} {'' if done.is_new else 'already '}at {done.at}"
    )


@lone(
    "prepare",
    example="""opsloop data prepare golden-questions
    opsloop data prepare --json""",
)
@click.argument("name", required=False)
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def prepare(session: Session, name: str | None, timeout_s: float | None) -> None:
    """Run preparation NAME of opsloop.yaml; without it all of them, one after the other.

    Rows are read, cleaned, split and registered. Rows that a dataset has already make no new version. Exit code 8 when
    the time ended before it did; the run goes on while the platform runs.
    """
    from opsloop.client import preparing
    from opsloop.core.errors import NotFound

    known = session.project.preparations
    if name is None and not known:
        raise NotFound("opsloop.yaml declares no preparations; add some under `preparations:`")
    done = []
    with session.client() as client, session.progress("preparing") as progress:
        for each in [name] if name is not None else list(known):
            if each in known:
                preparing.put(client, known[each])
            done.append(
                preparing.run(
                    client, each, timeout_s=timeout_s, tell=lambda at: progress(at.done, at.total, at.message)
                )
            )
    session.answer({"runs": done}, lambda: "\n\n".join(map(_run_words, done)))


@lone("preparations", example="opsloop data preparations golden-questions")
@click.argument("name", required=False)
def preparations(session: Session, name: str | None) -> None:
    """List the runs of preparation NAME, newest first; without it the preparations with their schedules."""
    with session.client() as client:
        if name is None:
            found = client.preparations.listed()
            last = {each.name: client.preparations.runs(each.name, limit=1) for each in found}
            rows = [
                (each.name, each.schedule, each.next_at, *([last[each.name][0].status, last[each.name][0].id]
                 if last[each.name] else ["not run yet", None]))
                for each in found
            ]  # fmt: skip
            words = text.table(("preparation", "schedule (UTC)", "next", "last run", "id"), rows)
            empty = "no preparations yet; declare one in opsloop.yaml and run `opsloop apply`"
            session.answer({"items": found}, words or empty)
            return
        runs = client.preparations.runs(name)
    table = [(each.id, each.status, _made(each), each.error or each.same_as or "", each.created_at) for each in runs]
    words = text.table(("run", "status", "versions", "why", "started"), table)
    session.answer({"items": runs}, words or f"no runs of {name} yet; `opsloop data prepare {name}` makes one")


@lone("preparation", example="opsloop data preparation preparation_01j… --dropped 2")
@click.argument("run", metavar="RUN")
@click.option("--dropped", type=click.IntRange(0), metavar="STEP", help="Show the rows that this step dropped.")
def preparation(session: Session, run: str, dropped: int | None) -> None:
    """Show what a run read, what each step did with the rows, and which versions it made."""
    with session.client() as client:
        found = client.preparations.run(run)
        rows = client.preparations.dropped(run, dropped) if dropped is not None else []
    lines = [f"row {each.row}: {json.dumps(each.values, ensure_ascii=False)}" for each in rows]
    session.answer({"run": found, "dropped": rows}, lambda: "\n".join([_run_words(found), *lines]))


COMMANDS = (publish, prepare, preparations, preparation)


def _run_words(run: PreparationRun) -> str:
    pairs = [
        ("run", f"{run.id} of {run.preparation}"),
        ("status", run.status if run.error is None else f"{run.status}: {run.error}"),
        ("read", ", ".join(run.sources)),
        ("versions", _made(run)),
    ]
    if run.same_as is not None:
        pairs.append(("nothing new", f"as {run.same_as}: neither what is read nor the preparation has changed"))
    steps = [
        (number, each.step, each.rows_in, each.rows_out, each.dropped, each.says)
        for number, each in enumerate(run.steps)
    ]
    table = text.table(("step", "what", "rows in", "rows out", "dropped", ""), steps)
    return "\n\n".join([text.fields(pairs), *([table] if table else [])])


def _made(run: PreparationRun) -> str:
    return ", ".join(f"{each.ref} ({each.rows} rows{', new' if each.is_new else ''})" for each in run.versions)
