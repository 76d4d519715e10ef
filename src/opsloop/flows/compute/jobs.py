"""What a worker is told so that a flow runs there as it does here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from opsloop.core.context import current_workspace
from opsloop.core.errors import Failed
from opsloop.core.settings import Section, read
from opsloop.flows import package
from opsloop.flows.compute.port import Work
from opsloop.flows.compute.workers import Job, Project
from opsloop.flows.connections import lookup
from opsloop.flows.connections.lookup import ConnectionSettings
from opsloop.flows.connections.models import Connection
from opsloop.flows.errors import FlowInvalid, FlowTooLarge
from opsloop.flows.fetching import FetchSettings
from opsloop.flows.loaded import LoadedFlow
from opsloop.llm import settings as model_settings


class BoundToProcess(Failed):
    template = (
        "flow {flow} was made of an object of this process, which no worker has: "
        "run the batch with OPSLOOP_COMPUTE=local, or give the flow by its folder or as module:function"
    )


def job_of(work: Work, *, share: int, variables: Sequence[str], ships: bool) -> Job:
    """Args:
        ships: whether the flow's files go along.
    Raises: BoundToProcess, FlowInvalid, FlowTooLarge.
    """
    flow = work.run.flow
    if flow.source.is_of_this_process:
        raise BoundToProcess(flow=flow.name)
    return Job(
        path=Path(flow.source.path.parent.name, flow.flow.file) if ships else flow.source.path,
        variants=flow.source.variants,
        init=flow.source.init,
        overrides=flow.source.overrides,
        mapping=work.run.mapping,
        timeout_s=work.run.timeout_s,
        share=share,
        files=_files(flow) if ships else None,
        environment=_environment(variables),
        connections=_connections(),
        project=None if ships else _project(),
        cache=work.cache.folder if work.cache is not None else None,
        keeps_answers=work.journal is not None,
    )


def _project() -> Project | None:
    """The project that rows may ask for its documents; a worker elsewhere has none."""
    workspace = current_workspace.get(None)
    if workspace is None:
        return None
    settings = workspace.settings
    return Project(settings.model_copy(update={"data_dir": settings.data_dir.absolute()}), workspace.file_values)


def _files(flow: LoadedFlow) -> Mapping[str, bytes]:
    folder = flow.flow.folder
    if not (folder / flow.flow.file).is_file():
        raise FlowInvalid(file=flow.flow.file, field="the file", wanted="a file in the flow's folder, to go to workers")
    files = package.files_of(folder)
    size = sum(file.place.stat().st_size for file in files)
    if size > package.SIZE_LIMIT_BYTES:
        limit = f"{package.SIZE_LIMIT_BYTES} bytes"
        raise FlowTooLarge(folder=str(folder), what=f"{size} bytes", limit=limit)
    return {file.path: file.place.read_bytes() for file in files}


def _environment(variables: Sequence[str]) -> dict[str, str]:
    """The settings that flows read, as variables, and the variables that the run sets."""
    sections: list[Section] = [model_settings.core_here(), model_settings.here()]
    workspace = current_workspace.get(None)
    for model in (FetchSettings, ConnectionSettings):
        sections.append(read(model) if workspace is None else workspace.section(model))
    found = {name: os.environ[name] for name in variables if name in os.environ}
    for section in sections:
        found |= {f"OPSLOOP_{name}".upper(): _text(value) for name, value in section if value is not None}
    return found


def _text(value: object) -> str:
    return str(value.expanduser().absolute() if isinstance(value, Path) else value)


def _connections() -> dict[str, Connection]:
    here = lookup.here()
    found = {name: here.found(name) for name in here.names()}
    return {name: each for name, each in found.items() if each is not None}
