"""The page of every command, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator

import click

from docs._reference.markdown import GENERATED
from opsloop.cli.main import opsloop

WIDTH = 100


def commands() -> Iterator[click.Context]:
    """Every group and command, each before those under it, as `opsloop NOUN VERB`."""
    yield from _under(_context(opsloop, "opsloop", None))


def page() -> str:
    return "\n\n".join((GENERATED, "# Commands", *(_section(context) for context in commands()))) + "\n"


def _under(context: click.Context) -> Iterator[click.Context]:
    yield context
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _under(_context(command, name, context))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {**command.context_settings, "max_content_width": WIDTH, "terminal_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _section(context: click.Context) -> str:
    help_text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
    return f"## {context.command_path}\n\n```text\n{help_text}\n```"
