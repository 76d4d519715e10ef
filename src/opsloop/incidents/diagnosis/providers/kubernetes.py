"""Kubernetes: what kubectl describes and the kubelet's events."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="kubernetes",
    known_by=re.compile(
        r"^(?:Warning|Normal) +(?:Failed|BackOff|Unhealthy|Scheduled|FailedScheduling|Pulling|Killing)\b"
        r"|^\s+Last State: +Terminated|kubelet"
    ),
    step=re.compile(r"^Name: +(?P<name>\S+)"),
    failed=re.compile(r"Exit Code: +(?P<code>[1-9]\d*)|terminated with exit code (?P<code2>\d+)"),
)
