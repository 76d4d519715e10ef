"""Let no new pod come to a node; those that are there stay. The undo lets pods come again."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from opsloop.core.errors import Conflict
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside, Parameters
from opsloop.remediation.actions.workload import NAME, changed
from opsloop.remediation.kubernetes.cluster import Named, check_ours, cluster, revision
from opsloop.remediation.models import Done, Finding, Preview, Reach

_PATH = "/spec/unschedulable"


class Cordoning(Parameters):
    node: str = Field(pattern=NAME)

    @property
    def named(self) -> Named:
        return Named("node", self.node)


class CordonedAlready(Conflict):
    template = "node {name} takes no new pods already"


class UncordonedMeanwhile(Conflict):
    template = "node {name} takes new pods already; it is left as it is"


class KubernetesCordon(Outside[Cordoning]):
    kind = "kubernetes.cordon"
    form = Cordoning
    can_undo = True

    def preview(self, workspace: Workspace, parameters: Cordoning) -> Preview:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            if read["spec"].get("unschedulable"):
                raise CordonedAlready(name=named.name)
            there.patch(named, read, [{"op": "add", "path": _PATH, "value": True}], is_dry=True)
        said = f"node {named.name} takes no new pods"
        return Preview(said, revision(read), (f"{said}; those on it stay",), Reach(resources=1))

    def act(self, workspace: Workspace, parameters: Cordoning, *, key: str, why: str) -> Done:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            if read["spec"].get("unschedulable"):
                raise CordonedAlready(name=named.name)
            changed(there, named, read, [{"op": "add", "path": _PATH, "value": True}])
        return Done(f"node {named.name} takes no new pods, {why}", {"node": named.name})

    def undo(self, workspace: Workspace, parameters: Cordoning, known: dict[str, Any], *, why: str) -> str:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            if not read["spec"].get("unschedulable"):
                raise UncordonedMeanwhile(name=named.name)
            changed(there, named, read, [{"op": "remove", "path": _PATH}])
        return f"node {named.name} takes pods again, {why}"

    def look(self, workspace: Workspace, parameters: Cordoning) -> Finding | None:
        with cluster(workspace) as there:
            is_cordoned = bool(there.read(parameters.named)["spec"].get("unschedulable"))
        said = f"node {parameters.node} {'takes no new pods' if is_cordoned else 'takes new pods again'}"
        return Finding(self.kind, "same" if is_cordoned else "unclear", said)

    def commands(self, parameters: Cordoning) -> tuple[tuple[str, ...], ...]:
        return (("kubectl", "cordon", parameters.node),)

    def undo_commands(self, parameters: Cordoning) -> tuple[tuple[str, ...], ...]:
        return (("kubectl", "uncordon", parameters.node),)


ACTION = KubernetesCordon()
