"""Groups whose commands are named by text and imported when they are used, so that `--help` stays fast."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as the list shows it: `target` is where it is (`opsloop.cli.data:data`), `help` its short help."""

    target: str
    help: str

    @property
    def is_there(self) -> bool:
        return find_spec(self.target.partition(":")[0]) is not None


class LazyGroup(click.Group):
    """Commands in sections, each imported on first use.

    Args:
        sections: heading to commands by name, in the order they are listed.
    """

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Entry]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = {
            heading: {name: entry for name, entry in entries.items() if entry.is_there}
            for heading, entries in sections.items()
        }
        self._entries = {name: entry for entries in self.sections.values() for name, entry in entries.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        command = resolve_name(entry.target)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self._entries and not name.startswith("-"):
            near = get_close_matches(name, self._entries, n=1)
            raise click.UsageError(f"No such command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, entries in self.sections.items():
            if entries:
                with formatter.section(heading):
                    formatter.write_dl([(name, entry.help) for name, entry in entries.items()])


class VerbFiles(click.Group):
    """The verbs of a noun, each a module of the noun's package that declares the command of that name.

    Args:
        package: name of the package that holds the modules.
        verbs: names of the commands, which are those of the modules.
    """

    def __init__(self, *args: Any, package: str, verbs: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._verbs:
            return None
        importlib.import_module(f"{self._package}.{cmd_name}")
        return super().get_command(ctx, cmd_name)
