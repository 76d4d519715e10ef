"""Start a workflow of GitHub Actions that has `workflow_dispatch`."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside, Parameters
from opsloop.remediation.errors import ActionFailed
from opsloop.remediation.models import Done, Preview, Reach
from opsloop.remediation.workflows.calls import check_allowed
from opsloop.remediation.workflows.github import FILE, REF, REPOSITORY, github
from opsloop.remediation.workflows.settings import WorkflowSettings

MOST_INPUTS = 25


class Dispatching(Parameters):
    repository: str = Field(pattern=REPOSITORY)
    workflow: str = Field(pattern=FILE, description="name of its file")
    ref: str = Field("main", pattern=REF)
    inputs: dict[str, str] = Field({}, max_length=MOST_INPUTS)

    @property
    def name(self) -> str:
        return f"{self.repository}/{self.workflow}"


class GithubDispatch(Outside[Dispatching]):
    kind = "github.dispatch"
    form = Dispatching

    def preview(self, workspace: Workspace, parameters: Dispatching) -> Preview:
        _check(workspace, parameters)
        path = f"/repos/{parameters.repository}/actions/workflows/{parameters.workflow}"
        found = github(workspace).get(path, what=f"workflow {parameters.name}")
        if found.get("state") != "active":
            raise ActionFailed(action=self.kind, reason=f"workflow {parameters.name} is {found.get('state')}")
        given = [f"{name} = {value}" for name, value in sorted(parameters.inputs.items())]
        return Preview(
            f"workflow {parameters.name} is started on {parameters.ref}",
            f"workflow {found.get('id')}, {found.get('state')}, updated {found.get('updated_at')}",
            (f"{parameters.name} runs on {parameters.ref}", *given),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: Dispatching, *, key: str, why: str) -> Done:
        _check(workspace, parameters)
        path = f"/repos/{parameters.repository}/actions/workflows/{parameters.workflow}/dispatches"
        body = {"ref": parameters.ref, "inputs": parameters.inputs}
        github(workspace).post(path, body, what=f"the start of workflow {parameters.name}")
        return Done(f"workflow {parameters.name} was started on {parameters.ref}, {why}")

    def commands(self, parameters: Dispatching) -> tuple[tuple[str, ...], ...]:
        fields = [word for name, value in sorted(parameters.inputs.items()) for word in ("-f", f"{name}={value}")]
        words = ("gh", "workflow", "run", parameters.workflow, "--repo", parameters.repository)
        return ((*words, "--ref", parameters.ref, *fields),)


def _check(workspace: Workspace, parameters: Dispatching) -> None:
    allowed = workspace.section(WorkflowSettings).remediation_workflows
    check_allowed(parameters.name, allowed, "remediation_workflows")


ACTION = GithubDispatch()
