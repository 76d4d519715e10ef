"""How a command is declared: every one has an example, `--json` and `--project`, and gets a session."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from opsloop.cli.session import Session

Declared = Callable[..., Any]


def noun(name: str) -> Callable[[Declared], click.Group]:
    """A group of verbs."""
    return click.group(name, no_args_is_help=True)


def verb(group: click.Group, name: str, *, example: str) -> Callable[[Declared], click.Command]:
    """A command of a group. Its function takes a `Session` first, then its own parameters.

    Args:
        example: command lines that show it, one a line.
    """

    def declare(function: Declared) -> click.Command:
        command = lone(name, example=example)(function)
        group.add_command(command)
        return command

    return declare


def lone(name: str, *, example: str, on_project: bool = True) -> Callable[[Declared], click.Command]:
    """A command without a noun, such as `opsloop apply`.

    Args:
        on_project: whether it is about a project, which `--project` may name.
    """

    def declare(function: Declared) -> click.Command:
        command = click.command(name, epilog=_epilog(example))(_with_session(function))
        command.params.append(_json())
        if on_project:
            command.params.append(_project())
        return command

    return declare


def _json() -> click.Option:
    return click.Option(["--json", "as_json"], is_flag=True, help="One JSON document on stdout.")


def _project() -> click.Option:
    return click.Option(
        ["--project", "folder"],
        type=click.Path(path_type=Path, file_okay=False),
        envvar="OPSLOOP_PROJECT",
        help="Folder of the project; default: the nearest with an opsloop.yaml.",
    )


def _with_session(function: Declared) -> Declared:
    @functools.wraps(function)
    def command(*args: Any, as_json: bool, folder: Path | None = None, **kwargs: Any) -> Any:
        session = Session(as_json=as_json, folder=folder)
        return session.run(lambda: function(session, *args, **kwargs))

    return command


def _epilog(example: str) -> str:
    lines = [line.strip() for line in example.strip().splitlines()]
    return "\b\n" + "\n".join([f"Example{'s' if len(lines) > 1 else ''}:", *(f"  {line}" for line in lines)])
