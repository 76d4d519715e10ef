"""Where the platform is, and what to type next; apart from the loop, so that a bare start needs no client."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from opsloop._version import __version__
from opsloop.client.project import FILE, Project


def tell(project: Project, url: str) -> None:
    """All that a bare start says."""
    starting(project, url)
    running(project, url)


def starting(project: Project, url: str) -> None:
    click.echo(f"\nOpsloop {__version__} · project {project.name} · {url}\n")


def running(project: Project, url: str, *, tries: Sequence[str] = ()) -> None:
    """Say where the platform is; `tries` are commands to go on with, which call this program `opsloop`."""
    if not (project.folder / FILE).is_file():
        click.echo(f"  No {FILE} here: an empty platform. `{_program()} init` lists what to start from.\n")
    click.echo(f"  Console   {url}\n")
    if tries:
        click.echo("  Try")
    for line in tries:
        click.echo(f"    {_called(line)}")
    if tries:
        click.echo()
    click.echo("Ctrl-C stops it; nothing is lost.")


def _called(line: str) -> str:
    return f"{_program()} {line.removeprefix('opsloop ')}" if line.startswith("opsloop ") else line


def _program() -> str:
    """How to call this program from here: its name when the shell finds it, else its path."""
    return "opsloop" if shutil.which("opsloop") else _shown(Path(sys.argv[0]).absolute())


def _shown(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
