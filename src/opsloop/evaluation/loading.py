"""The flows of an experiment, loaded with its connections, variables and what their classes are made with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.core.workspace import Workspace
from opsloop.evaluation.declared_connections import from_environment
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import Experiment
from opsloop.flows import service as flows
from opsloop.flows import versions
from opsloop.flows.connections import lookup
from opsloop.flows.connections.files import looked_up
from opsloop.flows.connections.lookup import as_connection
from opsloop.flows.loaded import LoadedFlow, load
from opsloop.flows.models import Flow, FlowVersion
from opsloop.flows.open_batch import OpenBatch

INIT = "init.json"


@dataclass(frozen=True, slots=True)
class Opened:
    """A flow, ready to run; `made_with` is what its class was made with."""

    flow: LoadedFlow
    made_with: Mapping[str, Any] | None = None

    def batch(
        self, mapping: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], repeats: int, journal: Path | None
    ) -> OpenBatch:
        """Rows of one dataset through it, as they come."""
        return OpenBatch(self.flow, mapping, made_with=self.made_with, journal=journal)


def opened(
    workspace: Workspace,
    version: FlowVersion,
    *,
    connections: Mapping[str, Any],
    init: Mapping[str, Any] | None = None,
    variants: Mapping[str, str] | None = None,
) -> Opened:
    """A version as the experiment wants it; loaded once in a process where it asks for nothing special.

    Args:
        init: what the class of a flex flow is made with; unset: what its `init.json` says, as in the template.
    Raises: FlowInvalid, ArtifactMissing, PackageDamaged.
    """
    place = flows.materialise(workspace, version.digest)
    made_with = init if init is not None else _kept_init(place, flows.read(place))
    if not connections and not made_with and not variants:
        return Opened(versions.open(workspace, version))
    return Opened(load(place, connections=connections, init=made_with, variants=variants), made_with)


def connections_of(experiment: Experiment) -> dict[str, Any]:
    """The connections that only the experiment knows; one that the platform has comes before it.

    Raises: ConnectionInvalid when the environment does not have what one needs.
    """
    here = lookup.here()
    given = {name: body for name, body in experiment.connections.items() if here.found(name) is None}
    for name, body in given.items():
        looked_up(as_connection(name, body))
    return given


def variables_of(experiment: Experiment) -> dict[str, str]:
    """The variables to set; what the environment has stays as it is. Raises: ExperimentInvalid."""
    found = {}
    for name, text in experiment.environment_variables.items():
        if name in os.environ:
            continue
        other = from_environment(text)
        if other is not None and other not in os.environ:
            wanted = f"the environment variable {other} to be set where the evaluation runs"
            raise ExperimentInvalid(f"environment_variables.{name}", wanted, value=text)
        found[name] = text if other is None else os.environ[other]
    return found


def _kept_init(folder: Path, flow: Flow) -> dict[str, Any] | None:
    file = folder / INIT
    if flow.entry is None or not flow.entry.is_class or not file.is_file():
        return None
    try:
        values = json.loads(file.read_text("utf-8-sig"))
    except ValueError as error:
        raise ExperimentInvalid(f"{flow.name}/{INIT}", f"JSON ({error})") from None
    if not isinstance(values, dict):
        raise ExperimentInvalid(f"{flow.name}/{INIT}", "an object of arguments", value=values)
    return {name: _filled(value, name) for name, value in values.items()}


def _filled(value: Any, name: str) -> Any:
    """`${…}` of an argument is the variable of its name, of one inside it that of both: MODEL_CONFIG_API_KEY."""
    if isinstance(value, Mapping):
        return {key: _filled(part, f"{name}_{key}") for key, part in value.items()}
    if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
        return os.environ.get(name.upper(), value)
    return value
