"""`opsloop migrate pf`: the commands of Prompt flow, done by Opsloop."""

from __future__ import annotations

from collections.abc import Sequence

import click

from opsloop.cli.flow.loading import project_workspace
from opsloop.cli.migrate.noun import migrate
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb


@verb(
    migrate,
    "pf",
    example="""opsloop migrate pf -- flow test --flow flows/answer --inputs question="Is dental covered?"
    opsloop migrate pf -- run create --flow flows/answer --data questions.jsonl --name monday --stream
    opsloop migrate pf -- run show-metrics --name monday""",
)
@click.argument("words", nargs=-1, required=True, metavar="-- PF_ARGUMENTS…", type=click.UNPROCESSED)
def pf(session: Session, words: Sequence[str]) -> None:
    """Do what `pf` would: `alias pf='opsloop migrate pf --'` lets scripts go on as they are.

    Its flow, run, connection, config and tool commands are known; what is printed has the form that pf prints. Runs and
    connections are the project's, outside of a project those of this user in ~/.opsloop.
    """
    from opsloop.cli.pf import command

    with project_workspace(session):
        command.run(session, list(words))


# What follows is for the other command, whatever it looks like.
pf.context_settings = {"allow_interspersed_args": False, "ignore_unknown_options": True}
