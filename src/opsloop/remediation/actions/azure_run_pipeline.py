"""Start a pipeline of Azure DevOps.

Source: https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/runs/run-pipeline, API version 7.1. The dry
run is `previewRun`: the server expands the pipeline's YAML with the parameters and starts nothing.
"""

from __future__ import annotations

import base64
from typing import Any

from pydantic import Field

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside, Parameters
from opsloop.remediation.models import Done, Preview, Reach
from opsloop.remediation.workflows.calls import Ci, check_allowed, check_token
from opsloop.remediation.workflows.settings import WorkflowSettings

API = "7.1"
_WORD = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class Starting(Parameters):
    organization: str = Field(pattern=_WORD)
    project: str = Field(pattern=_WORD)
    pipeline: int = Field(ge=1, description="its number")
    branch: str = Field("main", pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$")
    parameters: dict[str, str] = Field({}, max_length=50)

    @property
    def name(self) -> str:
        return f"{self.organization}/{self.project}/{self.pipeline}"

    @property
    def path(self) -> str:
        return f"/{self.organization}/{self.project}/_apis/pipelines/{self.pipeline}"


class AzureRunPipeline(Outside[Starting]):
    kind = "azure.run_pipeline"
    form = Starting

    def preview(self, workspace: Workspace, parameters: Starting) -> Preview:
        api = _azure(workspace, parameters)
        named = f"pipeline {parameters.name}"
        found = api.get(parameters.path, what=named, **{"api-version": API})
        body = _body(parameters) | {"previewRun": True}
        expanded = api.post(f"{parameters.path}/runs", body, what=f"the preview of {named}", **{"api-version": API})
        digest = sha256_hex(str(expanded.get("finalYaml", "")).encode())[:16]
        given = [f"{name} = {value}" for name, value in sorted(parameters.parameters.items())]
        return Preview(
            f"pipeline {parameters.name} is started on {parameters.branch}",
            f"revision {found.get('revision')}, expanded {digest}",
            (f"{found.get('name')} runs on {parameters.branch}", *given),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: Starting, *, key: str, why: str) -> Done:
        api = _azure(workspace, parameters)
        what = f"the start of pipeline {parameters.name}"
        begun = api.post(f"{parameters.path}/runs", _body(parameters), what=what, **{"api-version": API})
        return Done(f"run {begun.get('id')} of pipeline {parameters.name} was started, {why}")

    def commands(self, parameters: Starting) -> tuple[tuple[str, ...], ...]:
        words = ("az", "pipelines", "run", "--id", str(parameters.pipeline), "--branch", parameters.branch)
        given = [f"{name}={value}" for name, value in sorted(parameters.parameters.items())]
        return ((*words, "--project", parameters.project, *(("--parameters", *given) if given else ())),)


def _body(parameters: Starting) -> dict[str, Any]:
    resources = {"repositories": {"self": {"refName": f"refs/heads/{parameters.branch}"}}}
    return {"resources": resources, "templateParameters": parameters.parameters}


def _azure(workspace: Workspace, parameters: Starting) -> Ci:
    settings = workspace.section(WorkflowSettings)
    check_allowed(parameters.name, settings.remediation_pipelines, "remediation_pipelines")
    token = check_token(settings.remediation_azure_token, "remediation_azure_token")
    headers = {"authorization": f"Basic {base64.b64encode(f':{token}'.encode()).decode()}"}
    return Ci("Azure DevOps", settings.remediation_azure_url, headers, settings.remediation_workflow_timeout_s)


ACTION = AzureRunPipeline()
