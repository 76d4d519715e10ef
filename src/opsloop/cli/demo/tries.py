"""What to type next on a project that runs: its first endpoint asked with the first row of its own data."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsloop.client import experiment_files
from opsloop.client.http import Client
from opsloop.client.project import EndpointWanted, Project
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.core.errors import OpsloopError
from opsloop.flows.formats import flow_file
from opsloop.flows.mapping import row_inputs
from opsloop.flows.models import Flow

# A command that nobody would read is no example.
LIMIT = 400


def commands(client: Client, project: Project, url: str) -> list[str]:
    """Command lines for a shell; fewer where the project has no endpoint, or no data that fit one line."""
    folder = shlex.quote(_from_here(project.folder))
    model_endpoint = next(iter(project.model_endpoints.values()), None)
    if model_endpoint is not None and not project.endpoints:
        return [*_of_model(client, project, model_endpoint, url, folder), f"opsloop audit verify --project {folder}"]
    endpoint = next(iter(project.endpoints.values()), None)
    asking = [] if endpoint is None else [*_asking(client, project, endpoint, url)]
    history = [] if endpoint is None else [f"opsloop release history {endpoint.name} --project {folder}"]
    return [*asking, *history, f"opsloop audit verify --project {folder}"]


def _of_model(client: Client, project: Project, wanted: ModelEndpointWanted, url: str, folder: str) -> list[str]:
    looking = [f"opsloop {what} {wanted.name} --project {folder}" for what in ("monitor drift", "renewal show")]
    try:
        stable = client.endpoints.get(wanted.name).stable
        row = _row(client, project, wanted)
        if stable is None or row is None:
            return looking[1:]
        names = [each.name for each in client.models.get(stable.serves).signature.inputs]
    except OpsloopError:
        return looking[1:]
    body = {"inputs": [{name: row.get(name) for name in names}]}
    command = f"curl {url}/endpoints/{wanted.name}/predict -d {_quoted(body)}"
    return [*([command] if len(command) <= LIMIT else []), *looking]


def _row(client: Client, project: Project, wanted: ModelEndpointWanted) -> Mapping[str, Any] | None:
    """The first row of what its pipeline learns from."""
    pipeline = project.pipelines.get(wanted.pipeline)
    dataset = pipeline.declared.get("dataset") if pipeline is not None else None
    return next(client.datasets.rows(dataset), None) if isinstance(dataset, str) else None


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
