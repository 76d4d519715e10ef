"""Endpoints of `opsloop.yaml` that serve a trained model: as they are declared.

endpoints:
  iris:
    model: iris                      # the loop decides which version; iris@3 for that one
    drift: {false_alarms_per_year: 1}
    renewal: {pipeline: iris, on: [drift, schedule], strategy: {shadow: {}}}
    strategy: canary                 # of the releases that `apply` makes
    config: {}                       # more of the release's settings

A first version goes through the gate that a first version has to pass; a later one that is named is held against the
one that serves; a changed config is released with the version that serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.releases.models import Release

KEYS = ("model", "drift", "renewal", "strategy", "config", "objectives", "environment")


@dataclass(frozen=True, slots=True)
class ModelEndpointWanted:
    """An endpoint and the model it is to serve.

    Args:
        model: a name, for whichever version the loop made its champion; or a version such as `iris@3`.
        config: of its releases, with `drift` and `renewal` as they are declared.
        pipeline: which trains the model.
    """

    name: str
    model: str
    config: dict[str, Any]
    strategy: dict[str, Any] | None
    pipeline: str

    @property
    def version(self) -> str | None:
        """The version that is wanted and no other."""
        which = self.model.partition("@")[2]
        return self.model if which.isdecimal() else None

    def is_met_by(self, release: Release) -> bool:
        """Whether a release serves the wanted model in the wanted way."""
        if release.config != self.config:
            return False
        return self.serves_wanted(release)

    def serves_wanted(self, release: Release) -> bool:
        wanted = self.version
        return release.serves == wanted if wanted else release.serves.startswith(f"{self.model.partition('@')[0]}@")


def checked(
    name: str, values: Mapping[str, Any], strategy: dict[str, Any] | None, pipelines: Mapping[str, Any]
) -> ModelEndpointWanted:
    """An endpoint as it is declared; `pipelines` are those of the project. Raises: InvalidInput naming the key."""
    from opsloop.monitoring.drift.options import DriftOptions
    from opsloop.releases import renewal_policy

    model = values.get("model")
    if not isinstance(model, str) or not model.strip():
        raise InvalidInput(field="model", value=model, wanted="a model's name, or a version such as iris@3")
    config = dict(values.get("config") or {})
    for key in ("drift", "renewal"):
        if key in config:
            raise InvalidInput(f"config.{key}: wanted beside config, as {key}", field=f"config.{key}")
        if values.get(key) is not None:
            config[key] = values[key]
    DriftOptions.parse(_of_detector(config.get("drift")), "drift")
    if "renewal" in config:
        if strategy is not None and isinstance(config["renewal"], dict):
            config["renewal"] = {"strategy": strategy, **config["renewal"]}
        renewal_policy.parse(config["renewal"], "renewal")
        pipeline = str(config["renewal"]["pipeline"])
    else:
        pipeline = _pipeline_of(model.partition("@")[0], pipelines)
    return ModelEndpointWanted(name, model, config, strategy, pipeline)


def _of_detector(drift: Any) -> Any:
    """The options of the detector; the platform checks whom alarms are told and what labels mean."""
    if not isinstance(drift, Mapping):
        return drift
    return {key: value for key, value in drift.items() if key not in ("webhook", "performance", "segments")}


def _pipeline_of(model: str, pipelines: Mapping[str, Any]) -> str:
    made = (name for name, each in pipelines.items() if each.declared.get("model", name) == model)
    return next(made, model)
