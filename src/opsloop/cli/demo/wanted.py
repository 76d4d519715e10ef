"""The `demo:` section of `opsloop.yaml`: changes to an endpoint's flow, and the traffic that meets them.

demo:
  endpoint: support-chat
  settings: {incident_collect_s: 3}
  changes: [{flow: flows/answer-hasty, says: shorter answers}]
  traffic: {dataset: golden, question: question, users: 400, follow_ups: […], follow_up_share: 0.35,
            requests: 3000, per_second: 60}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.client.project import KeyUnknown, Project, ProjectInvalid
from opsloop.core.errors import shown

_SECTION = ("endpoint", "settings", "changes", "traffic")
_CHANGE = ("flow", "says")
_TRAFFIC = ("dataset", "question", "users", "follow_ups", "follow_up_share", "requests", "per_second")


@dataclass(frozen=True, slots=True)
class Change:
    """A flow that somebody wants to release, and what they say it is good for."""

    flow: Path
    says: str


@dataclass(frozen=True, slots=True)
class TrafficSource:
    """Where questions come from and how many are asked: `question` is a column of `dataset`."""

    dataset: str
    question: str
    follow_ups: tuple[str, ...]
    follow_up_share: float
    users: int
    requests: int
    per_second: float


@dataclass(frozen=True, slots=True)
class DemoWanted:
    endpoint: str
    experiment: Path
    strategy: dict[str, Any] | None
    changes: tuple[Change, ...]
    traffic: TrafficSource


def read(project: Project) -> DemoWanted | None:
    """The project's demo, or None when it has none. Raises: ProjectInvalid naming the key."""
    values = project.demo
    if not values:
        return None
    _only(project, (), values, _SECTION)
    settings(project)
    name = values.get("endpoint")
    endpoint = project.endpoints.get(str(name))
    if endpoint is None or endpoint.experiment is None:
        wanted = f"an endpoint of this project with an experiment: {', '.join(project.endpoints) or 'there is none'}"
        raise _wrong(project, ("endpoint",), name, wanted)
    return DemoWanted(
        endpoint=endpoint.name,
        experiment=project.experiments[endpoint.experiment],
        strategy=endpoint.strategy,
        changes=tuple(_change(project, place, each) for place, each in enumerate(_list(project, values, "changes"))),
        traffic=_traffic(project, values.get("traffic")),
    )


def settings(project: Project) -> dict[str, Any]:
    """Settings that hold while the demo is shown, in place of the project's own. Raises: ProjectInvalid."""
    found = project.demo.get("settings", {})
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise _wrong(project, ("settings",), found, "settings by name, such as {incident_collect_s: 3}")
    return found


def _change(project: Project, place: int, values: object) -> Change:
    at = ("changes", str(place))
    if not isinstance(values, dict):
        raise _wrong(project, at, values, "a mapping with flow and says")
    _only(project, at, values, _CHANGE)
    flow = project.folder / str(values.get("flow", ""))
    if not (flow / "flow.dag.yaml").is_file():
        raise _wrong(project, (*at, "flow"), values.get("flow"), "a folder with a flow.dag.yaml")
    return Change(flow, str(values.get("says", "")))


def _traffic(project: Project, values: object) -> TrafficSource:
    if not isinstance(values, dict):
        raise _wrong(project, ("traffic",), values, "a mapping with dataset, users, requests and per_second")
    _only(project, ("traffic",), values, _TRAFFIC)
    dataset = str(values.get("dataset"))
    if dataset not in project.datasets:
        raise _wrong(project, ("traffic", "dataset"), dataset, f"one of the datasets {', '.join(project.datasets)}")
    return TrafficSource(
        dataset=dataset,
        question=str(values.get("question", "question")),
        follow_ups=tuple(str(each) for each in values.get("follow_ups", ())) or ("Can you tell me more about that?",),
        follow_up_share=_number(project, values, "follow_up_share", 0.3, most=1.0),
        users=int(_number(project, values, "users", 200, least=1)),
        requests=int(_number(project, values, "requests", 2_000, least=1)),
        per_second=_number(project, values, "per_second", 50, least=0.1),
    )


def _number(
    project: Project, values: Mapping[str, Any], key: str, default: float, *, least: float = 0.0, most: float = 1e6
) -> float:
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _wrong(project, ("traffic", key), value, f"a number from {least:g} to {most:g}")
    return float(value)


def _list(project: Project, values: Mapping[str, Any], key: str) -> list[Any]:
    found = values.get(key, [])
    if not isinstance(found, list):
        raise _wrong(project, (key,), found, "a list")
    return found


def _only(project: Project, at: tuple[str, ...], found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            where = ("demo", *at, key)
            raise KeyUnknown(project.place(where), where, known)


def _wrong(project: Project, at: tuple[str, ...], value: object, wanted: str) -> ProjectInvalid:
    where = ("demo", *at)
    return ProjectInvalid(f"{project.place(where)} is {shown(value)}; wanted {wanted}", field=".".join(where))
