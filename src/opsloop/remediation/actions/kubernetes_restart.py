"""Start the pods of a workload anew, a few at a time, as its own strategy says."""

from __future__ import annotations

from typing import Any

from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside
from opsloop.remediation.actions.workload import Workload, changed, looked
from opsloop.remediation.kubernetes.cluster import Patch, check_ours, cluster, revision
from opsloop.remediation.models import Done, Finding, Preview, Reach

ANNOTATION = "opsloop.dev/restarted-by"
_PATH = "/spec/template/metadata/annotations"


class KubernetesRestart(Outside[Workload]):
    kind = "kubernetes.restart"
    form = Workload
    can_repeat = True
    """The annotation is that of the repair: written twice it starts the pods once."""

    def preview(self, workspace: Workspace, parameters: Workload) -> Preview:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            there.patch(named, read, _changes(read, "dry-run"), is_dry=True)
        pods = read["spec"].get("replicas", (read.get("status") or {}).get("desiredNumberScheduled", 1))
        return Preview(
            f"all {pods} pods of {named.noun} {named.shown} are started anew, a few at a time",
            revision(read),
            (f"{named.noun} {named.shown}: its template gets the annotation {ANNOTATION}",),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: Workload, *, key: str, why: str) -> Done:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            changed(there, named, read, _changes(read, key))
        return Done(f"the pods of {named.noun} {named.shown} are being started anew, {why}")

    def look(self, workspace: Workspace, parameters: Workload) -> Finding | None:
        return looked(workspace, self.kind, parameters.named)

    def commands(self, parameters: Workload) -> tuple[tuple[str, ...], ...]:
        place = (parameters.target, "--namespace", parameters.namespace)
        return (("kubectl", "rollout", "restart", *place), ("kubectl", "rollout", "status", *place))


def _changes(read: dict[str, Any], key: str) -> Patch:
    metadata = read["spec"]["template"].get("metadata")
    escaped = ANNOTATION.replace("~", "~0").replace("/", "~1")  # RFC 6901
    if metadata is None:
        return [{"op": "add", "path": _PATH.rpartition("/")[0], "value": {"annotations": {ANNOTATION: key}}}]
    if not metadata.get("annotations"):
        return [{"op": "add", "path": _PATH, "value": {ANNOTATION: key}}]
    return [{"op": "add", "path": f"{_PATH}/{escaped}", "value": key}]


ACTION = KubernetesRestart()
