"""Kubernetes, Helm and Argo CD."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(
        r"\b(?:ImagePullBackOff|ErrImagePull|CrashLoopBackOff|OOMKilled|CreateContainerConfigError|FailedScheduling)\b",
        8.5,
    ),
    mark(r"^Error from server \(\w+\)", 8.8),
    mark(r"^Error: (?:INSTALLATION|UPGRADE) FAILED", 9),
    mark(r"(?:Liveness|Readiness|Startup) probe failed", 8.3),
    mark(r"^error: (?:unable to recognize|error validating|the server)", 8.8),
    mark(r"FailedMount|Insufficient (?:cpu|memory)|exceeded quota", 8.3),
)
