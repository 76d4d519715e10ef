"""Where what belongs to the project here is kept, for scripts that drive flows without a workspace."""

from __future__ import annotations

from pathlib import Path

from opsloop.core.context import current_workspace
from opsloop.core.settings import CoreSettings, read

PROJECT = "opsloop.yaml"
RUNS = "runs"


def project_folder() -> Path | None:
    """The nearest folder with an `opsloop.yaml`: the current one or one above it."""
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / PROJECT).is_file()), None)


def data_dir() -> Path:
    """The data folder of the workspace, else of the project here, else of this folder."""
    workspace = current_workspace.get(None)
    if workspace is not None:
        return workspace.data_dir.absolute()
    return (project_folder() or Path.cwd()) / read(CoreSettings).data_dir


def runs_place(home: Path) -> Path:
    """Where batch runs are kept that Prompt flow's API makes: with the project; outside of one with the user, as
    Prompt flow does, so that a script finds them from any folder.

    Args:
        home: folder of what belongs to this user.
    """
    is_bound = current_workspace.get(None) is not None or project_folder() is not None
    return (data_dir() if is_bound else home) / RUNS
