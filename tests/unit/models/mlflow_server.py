"""As much of an MLflow server as a copy needs, in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

from opsloop.models.mlflow import Mirror
from opsloop.models.settings import ModelSettings

SETTINGS = ModelSettings(mlflow_tracking_uri="http://user:secret@mlflow.test", mlflow_token="t0ken")


@dataclass
class FakeServer:
    """Args:
    breaks_at: number of the request, from 1, whose answer is lost though it was done.
    status: answered to everything when it is set.
    """

    breaks_at: int = 0
    status: int = 0
    asked: int = 0
    experiments: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    versions: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def mirror(self) -> Mirror:
        return Mirror(SETTINGS, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.tokens.add(request.headers["authorization"])
        if self.status:
            return httpx.Response(self.status, json={"error_code": "TROUBLE"})
        if request.method == "PUT":
            self.files[request.url.path.removeprefix("/api/2.0/mlflow-artifacts/artifacts/")] = request.content
            found: dict[str, Any] | None = {}
        else:
            query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
            body = json.loads(request.content) if request.content else query
            found = self._done(request.url.path.removeprefix("/api/2.0/mlflow/"), body)
        if self.asked == self.breaks_at:
            raise httpx.ReadError("connection lost")
        if found is None:
            code = "RESOURCE_DOES_NOT_EXIST" if request.method == "GET" else "RESOURCE_ALREADY_EXISTS"
            return httpx.Response(404 if request.method == "GET" else 400, json={"error_code": code})
        return httpx.Response(200, json=found)

    def _done(self, at: str, body: dict[str, Any]) -> dict[str, Any] | None:
        match at:
            case "experiments/get-by-name":
                known = self.experiments.get(body["experiment_name"])
                return {"experiment": {"experiment_id": known}} if known else None
            case "experiments/create":
                if body["name"] in self.experiments:
                    return None
                self.experiments[body["name"]] = "1"
                return {"experiment_id": "1"}
            case "runs/search":
                return {"runs": [run for run in self.runs if run["tags"]["opsloop.id"] in body["filter"]]}
            case "runs/create":
                id = f"run{len(self.runs)}"
                info = {"run_id": id, "artifact_uri": f"mlflow-artifacts:/1/{id}/artifacts"}
                self.runs.append({"info": info, "tags": {each["key"]: each["value"] for each in body["tags"]}})
                return {"run": self.runs[-1]}
            case "runs/log-batch":
                run = self._run(body)
                run["metrics"] = {each["key"]: each["value"] for each in body["metrics"]}
                run["params"] = {each["key"]: each["value"] for each in body["params"]}
                return {}
            case "runs/update":
                self._run(body)["status"] = body["status"]
                return {}
            case "registered-models/create":
                if body["name"] in self.models:
                    return None
                self.models.add(body["name"])
                return {}
            case "model-versions/search":
                return {"model_versions": [each for each in self.versions if each["run_id"] in body["filter"]]}
            case "model-versions/create":
                self.versions.append({**body, "version": str(len(self.versions) + 1)})
                return {"model_version": self.versions[-1]}
        raise AssertionError(f"nobody knows {at}")

    def _run(self, body: dict[str, Any]) -> dict[str, Any]:
        return next(run for run in self.runs if run["info"]["run_id"] == body["run_id"])
