"""Let a workload have more or fewer pods; the undo gives it as many as before, unless somebody else scaled it since."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from opsloop.core.errors import Conflict
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside
from opsloop.remediation.actions.workload import Workload, changed, looked
from opsloop.remediation.kubernetes.cluster import Patch, check_ours, cluster, revision
from opsloop.remediation.models import Done, Finding, Preview, Reach

MOST = 1_000


class Scaling(Workload):
    kind: Literal["deployment", "statefulset"] = "deployment"
    replicas: int = Field(ge=1, le=MOST)


class ScaledMeanwhile(Conflict):
    template = "{noun} {name} has {replicas} replicas and not the {ours} that the repair gave it; it is left as it is"


class ScaledAlready(Conflict):
    template = "{noun} {name} has {replicas} replicas already"


class KubernetesScale(Outside[Scaling]):
    kind = "kubernetes.scale"
    form = Scaling
    can_undo = True

    def preview(self, workspace: Workspace, parameters: Scaling) -> Preview:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            before = read["spec"].get("replicas", 1)
            if before == parameters.replicas:
                raise ScaledAlready(noun=named.noun, name=named.shown, replicas=before)
            there.patch(named, read, _changes(parameters.replicas), is_dry=True)
        return Preview(
            f"{named.noun} {named.shown} gets {parameters.replicas} pods instead of {before}",
            revision(read),
            (f"{named.noun} {named.shown}: replicas {before} becomes {parameters.replicas}",),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: Scaling, *, key: str, why: str) -> Done:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            before = read["spec"].get("replicas", 1)
            changed(there, named, read, _changes(parameters.replicas))
        return Done(
            f"{named.noun} {named.shown} has {parameters.replicas} replicas instead of {before}, {why}",
            {"replicas": before},
        )

    def undo(self, workspace: Workspace, parameters: Scaling, known: dict[str, Any], *, why: str) -> str:
        named, before = parameters.named, int(known["replicas"])
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            present = read["spec"].get("replicas", 1)
            if present != parameters.replicas:
                facts = {"noun": named.noun, "name": named.shown, "replicas": present}
                raise ScaledMeanwhile(**facts, ours=parameters.replicas)
            changed(there, named, read, _changes(before))
        return f"{named.noun} {named.shown} has {before} replicas again, {why}"

    def look(self, workspace: Workspace, parameters: Scaling) -> Finding | None:
        return looked(workspace, self.kind, parameters.named)

    def commands(self, parameters: Scaling) -> tuple[tuple[str, ...], ...]:
        place = (parameters.target, "--namespace", parameters.namespace)
        return (("kubectl", "scale", *place, f"--replicas={parameters.replicas}"), ("kubectl", "get", *place))


def _changes(replicas: int) -> Patch:
    return [{"op": "add", "path": "/spec/replicas", "value": replicas}]


ACTION = KubernetesScale()
