"""What actions on workloads of Kubernetes share: which one, whether repairs may touch it, and whether it is through."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Parameters
from opsloop.remediation.kubernetes.cluster import Cluster, Named, Patch, Thing, check_ours, cluster, revision
from opsloop.remediation.kubernetes.errors import ChangedMeanwhile
from opsloop.remediation.kubernetes.rollout_status import rollout_status
from opsloop.remediation.models import Finding

NAME = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
NAMESPACE = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
TRIES = 3
_VERDICTS = {"through": "same", "under way": "unclear", "stuck": "worse"}


class Workload(Parameters):
    namespace: str = Field(pattern=NAMESPACE)
    kind: Literal["deployment", "statefulset", "daemonset"] = "deployment"
    name: str = Field(pattern=NAME)

    @property
    def named(self) -> Named:
        return Named(self.kind, self.name, self.namespace)

    @property
    def target(self) -> str:
        """As kubectl has it."""
        return f"{self.kind}/{self.name}"


def changed(there: Cluster, named: Named, read: Thing, changes: Patch) -> Thing:
    """A change of what was read. A status that was written meanwhile does not stop it, a change of what is meant does.

    Raises: ChangedMeanwhile, and what the cluster says.
    """
    meant = revision(read)
    for _ in range(TRIES):
        try:
            return there.patch(named, read, changes)
        except ChangedMeanwhile:
            read = there.read(named)
            if revision(read) != meant:
                raise
    raise ChangedMeanwhile(noun=named.noun, name=named.shown)


def looked(workspace: Workspace, kind: str, named: Named) -> Finding:
    """How far a workload is with what it was told."""
    check_ours(workspace, named)
    with cluster(workspace) as there:
        found = rollout_status(named.noun, there.read(named))
    return Finding(kind, _VERDICTS[found.state], f"{named.noun} {named.shown}: {found.sentence}")
