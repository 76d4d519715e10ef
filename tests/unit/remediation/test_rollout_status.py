"""When a change of a workload is through, by cases of kubectl's own."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.remediation.kubernetes.rollout_status import rollout_status

THROUGH = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3}
LATE = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}


@pytest.mark.parametrize(
    ("noun", "status", "state"),
    [
        ("deployment", THROUGH, "through"),
        ("deployment", THROUGH | {"observedGeneration": 1}, "under way"),
        ("deployment", THROUGH | {"updatedReplicas": 2}, "under way"),
        ("deployment", THROUGH | {"replicas": 4}, "under way"),
        ("deployment", THROUGH | {"availableReplicas": 2}, "under way"),
        ("deployment", THROUGH | {"availableReplicas": 2} | LATE, "stuck"),
        ("deployment", LATE, "under way"),
        ("deployment", {}, "under way"),
        ("statefulset", THROUGH, "through"),
        ("statefulset", THROUGH | {"readyReplicas": 1}, "under way"),
    ],
)
def test_a_workload_with_replicas(noun: str, status: dict[str, Any], state: str) -> None:
    read = {"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status}
    assert rollout_status(noun, read).state == state


@pytest.mark.parametrize(
    ("updated", "available", "state"), [(2, 2, "through"), (1, 2, "under way"), (2, 1, "under way")]
)
def test_a_daemon_set_counts_nodes(updated: int, available: int, state: str) -> None:
    status = {"observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated}
    read = {"metadata": {"generation": 1}, "spec": {}, "status": status | {"numberAvailable": available}}
    assert rollout_status("daemonset", read).state == state
