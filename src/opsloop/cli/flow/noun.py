"""The noun `flow` and the names of its verbs: each is a module of this package."""

from __future__ import annotations

import click

from opsloop.cli.lazy import VerbFiles

VERBS = (
    "batch",
    "list",
    "register",
    "run",
    "runs",
    "serve",
    "show",
    "test",
    "validate",
)


@click.group("flow", cls=VerbFiles, package=__package__, verbs=VERBS, no_args_is_help=True)
def flow() -> None:
    """Prompt flows: run, check and draw them."""
