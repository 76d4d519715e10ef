"""`opsloop drill`: break an endpoint on purpose and see it repaired, on a platform of its own."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from opsloop.core.errors import Kind, NotFound, OpsloopError
from opsloop.core.exit_codes import CODES
from opsloop.core.loading import load

# By name: the command line is above the server and starts without it.
SERVE = "opsloop.server.serving:serve"
INTERRUPTED = 130


class NoDrill(NotFound):
    template = "{project} declares no drill; add `drill:` to its opsloop.yaml, as the template support-chatbot has it"


class _Stopping(Exception):
    """Ctrl-C came first."""


@click.command()
@click.option("--project", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder of the project.")
@click.option("--worse", "is_worse", is_flag=True, help="The repair that acts by itself makes things worse.")
@click.option(
    "--successes",
    type=click.IntRange(3, 50),
    default=3,
    show_default=True,
    help="Repairs after a yes that earn level 5; without a setting it takes 20.",
)
@click.option("--once", is_flag=True, help="End when the drill does. Exit code 6 unless all went as it should.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [any free one]")
def drill(folder: Path | None, is_worse: bool, successes: int, once: bool, port: int | None) -> None:
    """Break an endpoint on purpose, and see it named, repaired and checked.

    A model that learned the wrong rows is released; callers ask it over HTTP until an incident names its release, and
    roll-back-release repairs it: some times after a yes, then by itself. With --worse the world changes as it acts, so
    that the repair makes things worse and is undone by itself. It runs on a platform of its own, with its own data:
    nothing of it counts elsewhere, and no alert leaves it. A postmortem is written, and the platform stays up to be
    looked at until Ctrl-C.

    \b
    Example:
      opsloop drill --project examples/support-chatbot
      opsloop drill --worse --once
    """
    from opsloop.cli.drill import policy, wanted  # what is imported here is not needed for --help
    from opsloop.client import local
    from opsloop.client import project as projects

    project = projects.nearest(folder)
    declared = wanted.read(project)
    if declared is None:
        raise NoDrill(project=project.folder / projects.FILE)
    mine = policy.alone(declared)
    narrow = policy.narrowed(project, mine)
    core = local.core_settings(project)
    place = _new_folder(core.data_dir / "drills")
    # Its own everything: also where the project's data is on another server.
    own = {"data_dir": place / "data", "database_url": None, "artifacts_url": None, "host": "127.0.0.1"}
    ended: list[int] = []

    def when_ready(url: str, is_stopping: Callable[[], bool]) -> None:
        from opsloop.cli.drill.course import Course
        from opsloop.client.http import Client

        def go_on() -> None:
            if is_stopping():
                raise _Stopping

        click.echo(f"\nA drill of {project.name}, on a platform of its own · {url}\n")
        try:
            with Client(url) as client:
                Course(client, narrow, mine, url, place, go_on).run(successes=successes, is_worse=is_worse)
            ended.append(0)
            click.echo(f"\nThe drill is over, and all went as it should.\n\n  Console   {url}/incidents\n")
        except _Stopping:
            return
        except OpsloopError as error:
            if is_stopping():
                return
            ended.append(CODES[Kind.NO])
            click.secho(f"\nopsloop: {error.sentence}", fg="red", err=True)
        except Exception:  # noqa: BLE001 (the rim of a thread)
            ended.append(1)
            traceback.print_exc(file=sys.stderr)
        if once:
            os.kill(os.getpid(), signal.SIGINT)  # the platform drains as at Ctrl-C
        else:
            click.echo("Ctrl-C stops it; what it wrote stays.")

    serve = load(SERVE)
    local.refuse_unknown_settings(project)  # known once the server is loaded
    serve(
        core.model_copy(update={**own, "port": port or 0}),
        file_values={**project.settings, **policy.settings(successes)},
        when_ready=when_ready,
    )
    raise click.exceptions.Exit(ended[0] if ended else INTERRUPTED)


def _new_folder(drills: Path) -> Path:
    drills.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=datetime.now(UTC).strftime("%Y%m%d-%H%M%S-"), dir=drills))
