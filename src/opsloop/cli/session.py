"""What a command works with: where its answer goes, the project it is about, the client it talks through."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from opsloop.cli import text
from opsloop.cli.progress import Progress

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.client.project import Project


class Session:
    """One run of a command.

    Args:
        as_json: whether stdout gets one JSON document and nothing else.
        folder: the project's folder as the user named it.
    """

    def __init__(self, *, as_json: bool, folder: Path | None) -> None:
        self.as_json = as_json
        self.out: TextIO = sys.stdout
        self._folder = folder

    def run(self, command: Callable[[], Any]) -> Any:
        """Run the command's work; what anything else prints meanwhile (a flow's Python, say) goes to stderr."""
        with redirect_stdout(sys.stderr):
            return command()

    def answer(self, value: object, words: str | Callable[[], str]) -> None:
        """The command's result: `value` as JSON, or `words` for people."""
        if self.as_json:
            import msgspec  # only a command that answers in JSON needs it

            click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), file=self.out)
        else:
            click.echo(text.plain(words if isinstance(words, str) else words()), file=self.out)

    def note(self, sentence: str) -> None:
        """Something worth saying that is not the result; on stderr."""
        if not self.as_json:
            click.echo(text.plain(sentence), err=True)

    def progress(self, what: str) -> Progress:
        return Progress(what, shown=not self.as_json)

    @property
    def project(self) -> Project:
        from opsloop.client.project import nearest  # brings the YAML parser

        return nearest(self._folder)

    def client(self) -> Client:
        """A client to the server that is named, or to the project's platform."""
        from opsloop.client.http import Client  # brings httpx and pydantic

        return Client(project=self._folder)
