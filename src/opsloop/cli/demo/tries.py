"""What to type next on a project that runs: its first endpoint asked with the first row of its own data."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from opsloop.client import experiment_files
from opsloop.client.http import Client
from opsloop.client.project import EndpointWanted, Project
from opsloop.core.errors import OpsloopError
from opsloop.flows.formats import flow_file
from opsloop.flows.mapping import row_inputs
from opsloop.flows.models import Flow

# A command that nobody would read is no example.
LIMIT = 400


def commands(client: Client, project: Project, url: str) -> list[str]:
    """Command lines for a shell; fewer where the project has no endpoint, or no data that fit one line."""
    folder = shlex.quote(_from_here(project.folder))
    endpoint = next(iter(project.endpoints.values()), None)
    asking = [] if endpoint is None else [*_asking(client, project, endpoint, url)]
    history = [] if endpoint is None else [f"opsloop release history {endpoint.name} --project {folder}"]
    return [*asking, *history, f"opsloop audit verify --project {folder}"]


def _asking(client: Client, project: Project, endpoint: EndpointWanted, url: str) -> list[str]:
    try:
        flow = flow_file.read(endpoint.flow)
        inputs = _sample(client, project, endpoint, flow)
    except OpsloopError:
        return []  # an example is not worth a complaint: the project was applied, or what is wrong was said
    command = _curl(url, endpoint.name, flow, inputs) if inputs is not None else ""
    return [command] if command and len(command) <= LIMIT else []


def _sample(client: Client, project: Project, endpoint: EndpointWanted, flow: Flow) -> dict[str, Any] | None:
    """The inputs of the first row that the endpoint's experiment would send; None when it has none."""
    if endpoint.experiment is None:
        return None
    wanted = experiment_files.read(project.experiments[endpoint.experiment]).experiment.datasets[0]
    row = next(client.datasets.rows(wanted.name), None)
    return None if row is None else row_inputs(flow, row, wanted.mappings)


def _curl(url: str, endpoint: str, flow: Flow, inputs: dict[str, Any]) -> str:
    if flow.chat_input in inputs and flow.chat_output is not None:
        messages = [{"role": "user", "content": inputs[flow.chat_input]}]
        return f"curl {url}/v1/chat/completions -d {_quoted({'model': endpoint, 'messages': messages})}"
    return f"curl {url}/endpoints/{endpoint}/invoke -d {_quoted({'inputs': inputs})}"


def _quoted(body: dict[str, Any]) -> str:
    return shlex.quote(json.dumps(body, ensure_ascii=False))


def _from_here(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
