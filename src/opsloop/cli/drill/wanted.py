"""The `drill:` section of `opsloop.yaml`: a model endpoint, and rows from which a wrong model for it is learned.

drill: {endpoint: handover, rows: minutes.csv, experiment: minutes.yaml, says: it learned minutes, moved: …}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opsloop.client.project import KeyUnknown, Project, ProjectInvalid
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.core.errors import shown

_KEYS = ("endpoint", "rows", "experiment", "says", "moved")


@dataclass(frozen=True, slots=True)
class DrillWanted:
    """How to break an endpoint.

    Args:
        rows: a file of the wrong rows, with the columns that the endpoint's pipeline learns from.
        experiment: whose gate lets a model in that learned them.
        says: what is wrong with that model; moved: what happens when callers begin to send such rows.
    """

    endpoint: ModelEndpointWanted
    dataset: str
    rows: Path
    experiment: Path
    says: str
    moved: str


def read(project: Project) -> DrillWanted | None:
    """The project's drill, or None when it has none. Raises: ProjectInvalid naming the key."""
    values = project.drill
    if not values:
        return None
    for key in values:
        if key not in _KEYS:
            where = ("drill", key)
            raise KeyUnknown(project.place(where), where, _KEYS)
    endpoint = project.model_endpoints.get(str(values.get("endpoint")))
    if endpoint is None or endpoint.pipeline not in project.pipelines:
        named = ", ".join(project.model_endpoints) or "there is none"
        raise _wrong(project, "endpoint", f"an endpoint of this project with a model and its pipeline: {named}")
    dataset = project.pipelines[endpoint.pipeline].declared.get("dataset")
    if dataset not in project.datasets:
        raise _wrong(project, "endpoint", f"one whose pipeline {endpoint.pipeline} learns a dataset of this project")
    return DrillWanted(
        endpoint,
        str(dataset),
        _file(project, "rows"),
        _file(project, "experiment"),
        says=str(values.get("says", "it learned other rows than callers send")),
        moved=str(values.get("moved", "callers begin to send such rows")),
    )


def _file(project: Project, key: str) -> Path:
    found = project.folder / str(project.drill.get(key, ""))
    if not found.is_file():
        raise _wrong(project, key, "a file, from the project's folder")
    return found


def _wrong(project: Project, key: str, wanted: str) -> ProjectInvalid:
    where = ("drill", key)
    value = project.drill.get(key)
    return ProjectInvalid(f"{project.place(where)} is {shown(value)}; wanted {wanted}", field=".".join(where))
