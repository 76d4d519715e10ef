"""The noun `migrate` and the names of its verbs: each is a module of this package."""

from __future__ import annotations

import click

from opsloop.cli.lazy import VerbFiles

VERBS = (
    "check",
    "pf",
    "python",
    "scripts",
)


@click.group("migrate", cls=VerbFiles, package=__package__, verbs=VERBS, no_args_is_help=True)
def migrate() -> None:
    """From Prompt flow: what runs here, and its commands and scripts."""
