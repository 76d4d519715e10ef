"""Let a deployment run the template that it ran before; the undo lets it run the one that it was taken from."""

from __future__ import annotations

import copy
from typing import Any, Literal

from opsloop.core.errors import Conflict
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside
from opsloop.remediation.actions.workload import Workload, changed, looked
from opsloop.remediation.kubernetes.cluster import Cluster, Named, Patch, Thing, check_ours, cluster, revision
from opsloop.remediation.kubernetes.errors import NoEarlierTemplate
from opsloop.remediation.models import Done, Finding, Preview, Reach

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


class GoingBack(Workload):
    kind: Literal["deployment"] = "deployment"


class MovedOn(Conflict):
    template = "deployment {name} does not run the template of {ours} any more; it is left as it is"


class KubernetesUndoRollout(Outside[GoingBack]):
    kind = "kubernetes.undo_rollout"
    form = GoingBack
    can_undo = True

    def preview(self, workspace: Workspace, parameters: GoingBack) -> Preview:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            present, before = _pair(there, named, read)
            there.patch(named, read, _changes(before), is_dry=True)
        return Preview(
            f"deployment {named.shown} runs revision {_revision(before)} again, instead of {_revision(present)}",
            revision(read),
            tuple(_differences(present, before)) or (f"deployment {named.shown}: its template is replaced",),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: GoingBack, *, key: str, why: str) -> Done:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            present, before = _pair(there, named, read)
            changed(there, named, read, _changes(before))
        known = {"left": present["metadata"]["name"], "runs": before["metadata"]["name"]}
        return Done(f"deployment {named.shown} runs what revision {_revision(before)} was, {why}", known)

    def undo(self, workspace: Workspace, parameters: GoingBack, known: dict[str, Any], *, why: str) -> str:
        named = parameters.named
        check_ours(workspace, named)
        with cluster(workspace) as there:
            read = there.read(named)
            found = {each["metadata"]["name"]: each for each in there.replica_sets(named, read)}
            runs, left = found.get(str(known["runs"])), found.get(str(known["left"]))
            if runs is None or left is None or _template(runs) != _bare(read["spec"]["template"]):
                raise MovedOn(name=named.shown, ours=known["runs"])
            changed(there, named, read, _changes(left))
        return f"deployment {named.shown} runs the template of {known['left']} again, {why}"

    def look(self, workspace: Workspace, parameters: GoingBack) -> Finding | None:
        return looked(workspace, self.kind, parameters.named)

    def commands(self, parameters: GoingBack) -> tuple[tuple[str, ...], ...]:
        place = (parameters.target, "--namespace", parameters.namespace)
        verbs = ("history", "undo", "status")
        return tuple(("kubectl", "rollout", verb, *place) for verb in verbs)


def _pair(there: Cluster, named: Named, read: Thing) -> tuple[Thing, Thing]:
    """The replica set of the present template and the one before it. Raises: NoEarlierTemplate."""
    found = sorted(there.replica_sets(named, read), key=_revision)
    present = next((each for each in found if _template(each) == _bare(read["spec"]["template"])), None)
    before = [each for each in found if present is not None and _revision(each) < _revision(present)]
    if present is None or not before:
        known = read["metadata"].get("annotations", {}).get(REVISION, "its present one")
        raise NoEarlierTemplate(name=named.shown, revision=known)
    return present, before[-1]


def _revision(replica_set: Thing) -> int:
    given = str((replica_set["metadata"].get("annotations") or {}).get(REVISION, ""))
    return int(given) if given.isdecimal() else 0


def _template(replica_set: Thing) -> Thing:
    return _bare(replica_set["spec"]["template"])


def _bare(template: Thing) -> Thing:
    """A template without the label that the controller puts on it."""
    found = copy.deepcopy(template)
    labels = found.get("metadata", {}).get("labels") or {}
    labels.pop(HASH, None)
    found.get("metadata", {}).pop("creationTimestamp", None)
    return found


def _changes(replica_set: Thing) -> Patch:
    return [{"op": "replace", "path": "/spec/template", "value": _template(replica_set)}]


def _differences(present: Thing, before: Thing) -> list[str]:
    """Which images change; nothing else of a template is shown, for it may hold secrets."""
    now = {each["name"]: each.get("image") for each in _template(present)["spec"].get("containers", ())}
    then = {each["name"]: each.get("image") for each in _template(before)["spec"].get("containers", ())}
    names = sorted({*now, *then})
    return [
        f"{name}: image {now.get(name)} becomes {then.get(name)}" for name in names if now.get(name) != then.get(name)
    ]


ACTION = KubernetesUndoRollout()
