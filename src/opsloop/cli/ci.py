"""`opsloop ci`: what a pipeline runs, each a line of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli.ci_recipes import add
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.client.ci.checks import Check
    from opsloop.client.http import Client

Work = Callable[["Client", Path, Any], "Check"]


@noun("ci")
def ci() -> None:
    """Pipelines: evaluate, decide, write reports, comment."""


ci.add_command(add)


def _checking(function: Callable[..., None]) -> Callable[..., None]:
    """The options that all checks share."""
    options = (
        click.argument("experiment"),
        click.option("--env", metavar="NAME", help="Take the blocks that experiment.NAME.yaml has, too."),
        click.option(
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path("reports"),
            show_default=True,
            help="Folder for report.html, report.md, junit.xml, report.json, rows.csv and result.json.",
        ),
        click.option("--allow-inconclusive", is_flag=True, help="Exit code 0 also when the rows do not show enough."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@verb(ci, "pull-request", example="opsloop ci pull-request answers --base origin/main --env pr --allow-inconclusive")
@_checking
@click.option("--base", required=True, metavar="COMMIT", help="What the pull request is to be merged into.")
def pull_request(
    session: Session, experiment: str, env: str | None, output: Path, allow_inconclusive: bool, base: str
) -> None:
    """Evaluate the flow of EXPERIMENT as it is here and as it is at COMMIT, on the same rows, and decide.

    EXPERIMENT is a file or the name of one in opsloop.yaml. Exit code 6 when the gate does not pass.
    """
    from opsloop.client.ci import checks

    project = session.project
    _check(
        session,
        experiment,
        output,
        lambda client, file, tell: checks.pull_request(client, project, file, base=base, env=env, tell=tell),
        allow_inconclusive=allow_inconclusive,
    )


@verb(ci, "candidate", example="opsloop ci candidate answers --endpoint support-chat --output reports")
@_checking
@click.option("--endpoint", required=True, metavar="NAME", help="Where the flow is to be released.")
def candidate(
    session: Session, experiment: str, env: str | None, output: Path, allow_inconclusive: bool, endpoint: str
) -> None:
    """Evaluate the flow of EXPERIMENT beside what an endpoint serves, and decide whether it may be released there.

    Exit code 6 when the gate does not pass. `result.json` names the flow's version and the run for `release create`.
    """
    from opsloop.client.ci import checks

    _check(
        session,
        experiment,
        output,
        lambda client, file, tell: checks.candidate(client, file, endpoint, env=env, tell=tell),
        allow_inconclusive=allow_inconclusive,
    )


@verb(ci, "served", example="opsloop ci served answers --endpoint support-chat")
@_checking
@click.option("--endpoint", required=True, metavar="NAME", help="The endpoint whose release is looked at.")
def served(
    session: Session, experiment: str, env: str | None, output: Path, allow_inconclusive: bool, endpoint: str
) -> None:
    """Evaluate what an endpoint serves once more, beside the evaluation that let it in.

    Exit code 6 when the gate does not pass any more.
    """
    from opsloop.client.ci import checks

    _check(
        session,
        experiment,
        output,
        lambda client, file, tell: checks.served(client, file, endpoint, env=env, tell=tell),
        allow_inconclusive=allow_inconclusive,
    )


@verb(ci, "comment", example="opsloop ci comment reports --name answers")
@click.argument("place", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", default="report", show_default=True, help="One comment per name is kept on a pull request.")
@click.option("--pull-request", "number", type=click.IntRange(1), help="Its number; default: the one this job is for.")
def comment(session: Session, place: Path, name: str, number: int | None) -> None:
    """Write the report in FOLDER as one comment on the pull request, in place of the one from before.

    In a job of GitHub Actions (with GITHUB_TOKEN) or Azure Pipelines (with SYSTEM_ACCESSTOKEN).
    """
    from opsloop.client.ci import comments
    from opsloop.client.ci.hosts.around import host_around
    from opsloop.client.ci.reports import COMMENT
    from opsloop.core.errors import NotFound

    file = place / COMMENT
    if not file.is_file():
        raise NotFound(f"no {COMMENT} in {place}; `opsloop ci pull-request` writes it")
    host = host_around(os.environ, pull_request=number)
    done = comments.put(host, name, file.read_text(encoding="utf-8", errors="replace"))
    session.answer(done, f"comment {'written' if done.is_new else 'brought up to date'}: {done.url}")


def _check(session: Session, experiment: str, output: Path, work: Work, *, allow_inconclusive: bool) -> None:
    from opsloop.cli.experiment_file import experiment_file
    from opsloop.client.ci import reports
    from opsloop.core.errors import AnswerIsNo

    file = experiment_file(session, experiment)
    with session.client() as client, session.progress("checking") as progress:
        check = work(client, file, lambda what, done, total: progress(done, total, what))
        found = reports.write(client, check, output)
    lines = reports.tell_surroundings(output, found, os.environ)
    said = [found["sentence"], *([check.note] if check.note and check.gate is not None else []), f"reports in {output}"]
    session.answer(found, "\n".join([*said, *lines]))
    if not check.is_good(allow_inconclusive=allow_inconclusive):
        raise AnswerIsNo(found["sentence"])
