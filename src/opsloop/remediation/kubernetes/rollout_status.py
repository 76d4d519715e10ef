"""Whether what a workload is meant to be is what runs, as `kubectl rollout status` tells it.

Source: kubernetes/kubectl, pkg/polymorphichelpers/rollout_status.go: a change is through when the controller has seen
the newest generation, all replicas are of the newest template, none of an older one is left, and all are available.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["through", "under way", "stuck"]


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    state: State
    sentence: str


def rollout_status(noun: str, read: dict[str, Any]) -> RolloutStatus:
    """Args: noun: `deployment`, `statefulset` or `daemonset`; read: it, as the API has it."""
    status, spec = read.get("status") or {}, read["spec"]
    if status.get("observedGeneration", 0) < read["metadata"].get("generation", 0):
        return RolloutStatus("under way", "its controller has not seen the change yet")
    if noun == "deployment" and _is_late(status):
        return RolloutStatus("stuck", "its pods did not become ready within its progress deadline")
    if noun == "daemonset":
        wanted = status.get("desiredNumberScheduled", 0)
        updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
        there = updated
    else:
        wanted = spec.get("replicas", 1)
        there, updated = status.get("replicas", 0), status.get("updatedReplicas", 0)
        ready = "availableReplicas" if noun == "deployment" else "readyReplicas"
        available = status.get(ready, 0)
    said = f"{available} of {wanted} pods are available, {updated} of the newest template"
    if updated < wanted or there > wanted or available < wanted:
        return RolloutStatus("under way", said)
    return RolloutStatus("through", said)


def _is_late(status: dict[str, Any]) -> bool:
    conditions = status.get("conditions") or []
    return any(
        each.get("type") == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded" for each in conditions
    )
