"""A model version copied to an MLflow server: a run with its figures and files, and a registered model version.

Through MLflow's REST API (https://mlflow.org/docs/latest/api_reference/rest-api.html). Every step looks for what an
earlier attempt left, by the id of our version in a tag, so a copy that broke off is finished and never made twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from opsloop._version import __version__
from opsloop.models.errors import MirrorAway, MirrorRefused
from opsloop.models.models import ModelVersion

if TYPE_CHECKING:
    from opsloop.models.settings import ModelSettings

_API = "/api/2.0/mlflow"
_PROXIED = "mlflow-artifacts:"
_ID_TAG = "opsloop.id"
_EXISTS, _MISSING = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"
_FOLDER = "model"


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Where a copy is: the run, and the version that MLflow gave it, which counts for itself."""

    run: str
    version: str


class Mirror:
    """One MLflow server; a context manager.

    Args:
        transport: how requests travel, for tests.
    """

    def __init__(self, settings: ModelSettings, transport: httpx.BaseTransport | None = None) -> None:
        assert settings.mlflow_tracking_uri is not None
        headers = {"user-agent": f"opsloop/{__version__}"}
        if settings.mlflow_token:
            headers["authorization"] = f"Bearer {settings.mlflow_token}"
        url = httpx.URL(settings.mlflow_tracking_uri.rstrip("/"))
        bare = url.copy_with(userinfo=b"")
        self._where = str(bare)  # a password stands in no sentence
        self._experiment = settings.mlflow_experiment
        self._http = httpx.Client(
            base_url=bare if settings.mlflow_token else url,
            headers=headers,
            timeout=settings.mlflow_timeout_s,
            transport=transport,
        )

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def copy(self, version: ModelVersion, files: Mapping[str, bytes]) -> Mirrored:
        """Args:
        files: of the bundle, by name.
        Raises: MirrorAway when it may work later, MirrorRefused when not.
        """
        run = self._run(version)
        run_id, at = str(run["info"]["run_id"]), _milliseconds(version)
        figures = [
            {"key": name, "value": value, "timestamp": at, "step": 0}
            for name, value in version.metrics.items()
            if math.isfinite(value)
        ]
        self._post("runs/log-batch", run_id=run_id, metrics=figures, params=_parameters(version))
        source = self._upload(str(run["info"]["artifact_uri"]), version, files)
        self._post("runs/update", run_id=run_id, status="FINISHED", end_time=at)
        return Mirrored(run_id, self._registered(version, run_id, source))

    def _run(self, version: ModelVersion) -> dict[str, Any]:
        experiment = self._experiment_id()
        wanted = f"tags.`{_ID_TAG}` = '{version.id}'"
        found = self._post("runs/search", experiment_ids=[experiment], filter=wanted, max_results=1).get("runs")
        if found:
            return dict(found[0])
        tags = {"mlflow.runName": version.ref, "mlflow.user": version.created_by, **_tags(version)}
        at = _milliseconds(version)
        made = self._post("runs/create", experiment_id=experiment, start_time=at, tags=_pairs(tags))
        return dict(made["run"])

    def _experiment_id(self) -> str:
        found = self._get("experiments/get-by-name", experiment_name=self._experiment)
        if found is None:
            self._post("experiments/create", name=self._experiment, but=_EXISTS)
            found = self._get("experiments/get-by-name", experiment_name=self._experiment)
        if found is None:
            raise MirrorAway(where=self._where, reason=f"it made no experiment {self._experiment}")
        return str(found["experiment"]["experiment_id"])

    def _upload(self, artifacts: str, version: ModelVersion, files: Mapping[str, bytes]) -> str:
        """Send the files where the server takes artifacts itself; the address of the model's folder."""
        if artifacts.startswith(_PROXIED):
            folder = artifacts.removeprefix(_PROXIED).lstrip("/")
            for name, data in {**files, "MLmodel": _ml_model(version)}.items():
                at = quote(f"{folder}/{_FOLDER}/{name}")
                self._sent("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{at}", content=data)
        return f"{artifacts}/{_FOLDER}"

    def _registered(self, version: ModelVersion, run_id: str, source: str) -> str:
        self._post("registered-models/create", name=version.name, but=_EXISTS)
        found = self._get("model-versions/search", filter=f"run_id='{run_id}'") or {}
        for each in found.get("model_versions", []):
            if each.get("name") == version.name:
                return str(each["version"])
        tags = _pairs(_tags(version))
        made = self._post("model-versions/create", name=version.name, source=source, run_id=run_id, tags=tags)
        return str(made["model_version"]["version"])

    def _get(self, at: str, **query: str) -> dict[str, Any] | None:
        """The answer; None when what is asked for is not there."""
        return self._sent("GET", f"{_API}/{at}", params=query, but=_MISSING)

    def _post(self, at: str, *, but: str = "", **body: Any) -> dict[str, Any]:
        return self._sent("POST", f"{_API}/{at}", json=body, but=but) or {}

    def _sent(self, method: str, at: str, *, but: str = "", **what: Any) -> dict[str, Any] | None:
        """Args:
        but: the code of an error that is none here.
        """
        try:
            answer = self._http.request(method, at, **what)
        except httpx.HTTPError as error:
            raise MirrorAway(where=self._where, reason=str(error) or type(error).__name__) from error
        if answer.is_success:
            return _document(answer)
        code = _document(answer).get("error_code", "")
        if but and code == but:
            return None
        reason = f"{method} {at} gave {answer.status_code} {code or answer.reason_phrase}"
        may_work_later = answer.status_code >= 500 or answer.status_code in (408, 429)
        raise (MirrorAway if may_work_later else MirrorRefused)(where=self._where, reason=reason)


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _tags(version: ModelVersion) -> dict[str, str]:
    return {_ID_TAG: version.id, "opsloop.version": version.ref, "opsloop.digest": version.digest}


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _parameters(version: ModelVersion) -> list[dict[str, str]]:
    parity = f"{version.parity.largest_difference:.3g} on {version.parity.rows} rows, {version.parity.precision}"
    known = {
        "dataset": version.dataset,
        "framework": version.framework,
        "task": version.task.value,
        "training_run": version.run,
        "onnx_parity": parity,
    }
    return _pairs({name: value for name, value in known.items() if value})


def _ml_model(version: ModelVersion) -> bytes:
    """What tells MLflow's own loaders that the folder holds a model for ONNX; JSON is YAML too."""
    flavor = {"data": "model.onnx", "providers": ["CPUExecutionProvider"]}
    function = {"loader_module": "mlflow.onnx", "data": "model.onnx", "env": {}}
    described = {
        "flavors": {"onnx": flavor, "python_function": function},
        "utc_time_created": version.created_at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "metadata": _tags(version),
    }
    return json.dumps(described, indent=2).encode()


def _milliseconds(version: ModelVersion) -> int:
    return int(version.created_at.timestamp() * 1_000)
