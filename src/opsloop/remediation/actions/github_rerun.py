"""Run the failed jobs of a run of GitHub Actions again; whether they passed then is its check."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside, Parameters
from opsloop.remediation.models import Done, Finding, Preview, Reach
from opsloop.remediation.workflows.calls import check_allowed
from opsloop.remediation.workflows.errors import NothingToRerun
from opsloop.remediation.workflows.github import REPOSITORY, github
from opsloop.remediation.workflows.settings import WorkflowSettings

_FAILED = ("failure", "timed_out", "cancelled")


class Rerunning(Parameters):
    repository: str = Field(pattern=REPOSITORY)
    run: int = Field(ge=1)

    @property
    def name(self) -> str:
        return f"run {self.run} of {self.repository}"


class GithubRerun(Outside[Rerunning]):
    kind = "github.rerun"
    form = Rerunning

    def preview(self, workspace: Workspace, parameters: Rerunning) -> Preview:
        found = _run(workspace, parameters)
        if found.get("status") != "completed" or found.get("conclusion") not in _FAILED:
            state = found.get("conclusion") or found.get("status")
            raise NothingToRerun(run=parameters.run, repository=parameters.repository, state=state)
        return Preview(
            f"the failed jobs of {parameters.name} run again",
            f"attempt {found.get('run_attempt')}, {found.get('conclusion')}, commit {found.get('head_sha')}",
            (f"{found.get('name')} on {found.get('head_branch')}: attempt {int(found.get('run_attempt') or 1) + 1}",),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: Rerunning, *, key: str, why: str) -> Done:
        _run(workspace, parameters)
        path = f"/repos/{parameters.repository}/actions/runs/{parameters.run}/rerun-failed-jobs"
        github(workspace).post(path, None, what=f"the second try of {parameters.name}")
        return Done(f"the failed jobs of {parameters.name} run again, {why}")

    def look(self, workspace: Workspace, parameters: Rerunning) -> Finding | None:
        found = _run(workspace, parameters)
        attempt, conclusion = found.get("run_attempt"), found.get("conclusion")
        if found.get("status") != "completed":
            return Finding(self.kind, "unclear", f"attempt {attempt} of {parameters.name} goes on")
        said = f"attempt {attempt} of {parameters.name}: {conclusion}"
        return Finding(self.kind, "better" if conclusion == "success" else "same", said)

    def commands(self, parameters: Rerunning) -> tuple[tuple[str, ...], ...]:
        return (("gh", "run", "rerun", str(parameters.run), "--failed", "--repo", parameters.repository),)


def _run(workspace: Workspace, parameters: Rerunning) -> dict[str, Any]:
    """The run, when its workflow is one that repairs may run again."""
    allowed = workspace.section(WorkflowSettings).remediation_workflows
    path = f"/repos/{parameters.repository}/actions/runs/{parameters.run}"
    found = github(workspace).get(path, what=parameters.name)
    file = str(found.get("path", "")).partition("@")[0].rpartition("/")[2]
    check_allowed(f"{parameters.repository}/{file}", allowed, "remediation_workflows")
    return found


ACTION = GithubRerun()
