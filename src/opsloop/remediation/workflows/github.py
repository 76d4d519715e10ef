"""GitHub Actions: start a workflow, run what failed again, see how a run ended.

Source: https://docs.github.com/en/rest/actions/workflow-runs and …/workflows, version 2022-11-28.
"""

from __future__ import annotations

from opsloop.core.workspace import Workspace
from opsloop.remediation.workflows.calls import Ci, check_token
from opsloop.remediation.workflows.settings import WorkflowSettings

REPOSITORY = r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$"
FILE = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.ya?ml$"
REF = r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$"


def github(workspace: Workspace) -> Ci:
    """Raises: TokenMissing."""
    settings = workspace.section(WorkflowSettings)
    token = check_token(settings.remediation_github_token, "remediation_github_token")
    headers = {
        "accept": "application/vnd.github+json",
        "authorization": f"Bearer {token}",
        "x-github-api-version": "2022-11-28",
    }
    return Ci("GitHub", settings.remediation_github_url, headers, settings.remediation_workflow_timeout_s)
