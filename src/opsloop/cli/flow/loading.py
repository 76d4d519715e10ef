"""A flow loaded as the project in this folder would: with the project's workspace when there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsloop.cli.flow.arguments import pairs
from opsloop.cli.session import Session
from opsloop.flows.working_folder import at_home

if TYPE_CHECKING:
    from opsloop.flows.loaded import LoadedFlow

# By name: a flow's Python may ask for the project's documents, and only then is the database's library loaded.
OPEN = "opsloop.core.opening:open_workspace"
DATABASE = "state.db"


@contextmanager
def loaded_flow(
    session: Session, path: Path, variants: Sequence[str] = (), init: Mapping[str, Any] | None = None
) -> Iterator[LoadedFlow]:
    """The flow, and while it is used the project's workspace for Python nodes that ask for it.

    Args:
        init: what the class of a flex flow is made with; unset: its sample.
    """
    from opsloop.flows.loaded import load

    with project_workspace(session):
        loaded = load(path.absolute(), variants=pairs(variants, "--variant"), init=init, within=at_home)
        for sentence in loaded.unknown_connections():
            session.note(sentence)
        with at_home(loaded.flow.folder):
            yield loaded


def runs_place(session: Session) -> Path:
    """Where the project in this folder keeps its batch runs."""
    from opsloop.client.local import core_settings

    return (core_settings(session.project).data_dir / "runs").absolute()


@contextmanager
def project_workspace(session: Session) -> Iterator[None]:
    from pkgutil import resolve_name

    from opsloop.client.local import core_settings
    from opsloop.client.project import FILE
    from opsloop.core.context import current_workspace

    project = session.project
    settings = core_settings(project)
    is_project = (project.folder / FILE).is_file()
    if settings.database_url is None and not (settings.data_dir / DATABASE).is_file() and not is_project:
        yield  # a flow by itself: one that needs no documents runs all the same
        return
    workspace = resolve_name(OPEN)(settings, file_values=project.settings)
    token = current_workspace.set(workspace)
    try:
        yield
    finally:
        current_workspace.reset(token)
        workspace.close()
