"""`opsloop migrate python`: a script that drives Prompt flow, run where Prompt flow is not installed."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import click

from opsloop.cli.flow.loading import project_workspace
from opsloop.cli.migrate.noun import migrate
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb


@verb(migrate, "python", example="opsloop migrate python evaluate.py --rows 20")
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("words", nargs=-1, metavar="[ARGUMENTS]…", type=click.UNPROCESSED)
def python(session: Session, script: Path, words: Sequence[str]) -> None:
    """Run SCRIPT, which imports promptflow: `PFClient`, `load_flow`, entities, connections.

    An installed promptflow comes first. In a notebook `from opsloop.flows.shim_finder import install_shim` and
    `install_shim()` do the same.
    """
    from opsloop.flows.shim_finder import install_shim

    install_shim()
    place = str(script.resolve().parent)
    before = sys.argv
    sys.argv = [str(script), *words]
    sys.path.insert(0, place)
    try:
        with project_workspace(session), redirect_stdout(session.out):  # what the script prints is the answer
            _run(script)
    finally:
        sys.argv = before
        sys.path.remove(place)


def _run(script: Path) -> None:
    from opsloop.core.errors import OpsloopError

    try:
        runpy.run_path(str(script), run_name="__main__")
    except OpsloopError:
        raise
    except Exception:  # noqa: BLE001 (the rim of users' code: what is wrong with a script, Python says best)
        traceback.print_exc()
        raise SystemExit(1) from None


python.context_settings = {"allow_interspersed_args": False, "ignore_unknown_options": True}
