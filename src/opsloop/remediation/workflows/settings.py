"""Settings of repairs that start runs of CI systems."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class WorkflowSettings(Section):
    remediation_workflows: list[str] = Field(
        [],
        description="Workflows of GitHub that repairs may start or run again, as a JSON list of patterns of "
        "OWNER/REPOSITORY/FILE; unset: none.",
    )
    remediation_github_url: str = Field("https://api.github.com", description="API of GitHub, as a URL.")
    remediation_github_token: str | None = Field(
        None, description="Token that may write to actions of those repositories; unset: none.", repr=False
    )
    remediation_pipelines: list[str] = Field(
        [],
        description="Pipelines of Azure DevOps that repairs may start, as a JSON list of patterns of "
        "ORGANIZATION/PROJECT/NUMBER; unset: none.",
    )
    remediation_azure_url: str = Field("https://dev.azure.com", description="API of Azure DevOps, as a URL.")
    remediation_azure_token: str | None = Field(
        None, description="Personal access token that may read and execute builds; unset: none.", repr=False
    )
    remediation_workflow_timeout_s: float = Field(
        10, gt=0, le=120, description="Time that the API of a CI system has to answer, in seconds."
    )
