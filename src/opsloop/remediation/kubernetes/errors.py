"""What can go wrong between a repair and a cluster."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Denied, Failed, InvalidInput, NotFound, Unavailable


class NoCluster(InvalidInput):
    """The settings name no cluster, or a file that is no kubeconfig."""


class NotOurs(Denied):
    template = "{noun} {name!r} is not among those that repairs may touch; the setting {setting} has {allowed}"


class GoneFromCluster(NotFound):
    template = "the cluster has no {noun} {name}"


class ChangedMeanwhile(Conflict):
    template = "{noun} {name} changed while it was acted on; nothing was done"


class ClusterRefuses(Denied):
    template = "the cluster does not let this account {verb} {noun} {name} ({status}): {said}"


class ClusterRejects(Failed):
    template = "the cluster does not take the change of {noun} {name} ({status}): {said}"


class ClusterAway(Unavailable):
    template = "the Kubernetes API did not answer well: {said}"


class NoEarlierTemplate(Conflict):
    template = "deployment {name} has no revision before {revision} to go back to"
