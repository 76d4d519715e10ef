"""`opsloop migrate scripts`: `import promptflow` for scripts, tests and notebooks, with no Prompt flow installed."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import click

from opsloop.cli.migrate.noun import migrate
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

NAME = "opsloop_promptflow.pth"
LINE = "import opsloop.flows.shim_finder as _finder; _finder.install_shim()\n"


@lone(
    "scripts",
    example="""opsloop migrate scripts
    opsloop migrate scripts --undo""",
    on_project=False,
)
@click.option("--undo", is_flag=True, help="Take that back.")
def scripts(session: Session, undo: bool) -> None:
    """Let what runs in this Python environment import promptflow: tests, notebooks, scripts started by others.

    An installed Prompt flow comes first. Flows need none of this; `opsloop migrate python` does it for one script.
    """
    from opsloop.core.errors import Failed

    file = _place() / NAME
    try:
        if undo:
            file.unlink(missing_ok=True)
        else:
            file.write_text(LINE)
    except OSError as error:
        raise Failed(f"{file} cannot be written ({error.strerror}); use an environment of your own") from None
    did = "promptflow is no longer stood in for" if undo else "scripts of this environment can import promptflow"
    session.answer({"file": str(file), "enabled": not undo}, f"{did} ({file})")


migrate.add_command(scripts)


def _place() -> Path:
    """Where this environment keeps what is installed."""
    return Path(sysconfig.get_path("purelib"))
