"""`opsloop up`: the whole platform in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.core.loading import load

if TYPE_CHECKING:
    from opsloop.client.project import Project

# By name: the command line is above the server and starts without it.
SERVE = "opsloop.server.serving:serve"


@click.command()
@click.option("--project", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder of the project.")
@click.option("--host", help="Address to listen on; not only this machine's needs API keys.  [127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [8700]")
@click.option("--demo/--no-demo", default=True, help="Apply the project and show its demo, or start bare.")
@click.option("--if-needed", is_flag=True, help="Say where it is, and that is all, when it runs already.")
def up(folder: Path | None, host: str | None, port: int | None, demo: bool, if_needed: bool) -> None:
    """The whole platform in this process: API, gateway, console, worker, scheduler.

    In a project's folder it first makes the platform match `opsloop.yaml`, and turns the project's demo once.
    It runs until Ctrl-C, finishes what is under way, and goes on where it was at the next start.

    \b
    Example:
      opsloop up --project examples/support-chatbot
      opsloop up --no-demo --port 8701
    """
    from opsloop.client import local  # what is imported here is not needed for --help
    from opsloop.client import project as projects

    project = projects.nearest(folder)
    turns = demo and (project.folder / projects.FILE).is_file()
    shown = _shown(project) if turns else {}
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = local.core_settings(project).model_copy(update=given)

    def when_ready(url: str, is_stopping: Callable[[], bool]) -> None:
        if not turns:
            from opsloop.cli.demo import placing

            placing.tell(project, url)
            return
        from opsloop.cli.demo.loop import turn  # with all of the client, 15 MB that a platform at rest does without

        turn(project, url, is_stopping=is_stopping)

    if if_needed and (running := local.running_at(project)) is not None:
        click.echo(f"Opsloop runs already, on this folder: {running}")
        return
    serve = load(SERVE)
    local.refuse_unknown_settings(project)
    local.refuse_unknown_settings(project, shown, ("demo", "settings"))
    serve(settings, file_values={**project.settings, **shown}, when_ready=when_ready)


def _shown(project: Project) -> dict[str, Any]:
    """Settings that hold while the project's demo is shown."""
    from opsloop.cli.demo import wanted  # few projects have one

    return wanted.settings(project)
