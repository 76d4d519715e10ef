"""Taskcluster and mozharness."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="taskcluster",
    known_by=re.compile(r"^\[taskcluster|mozharness|^TEST-(?:START|PASS|UNEXPECTED)"),
    step=None,
    failed=re.compile(
        r"^\[taskcluster[^\]]*\] (?:=== Task Finished|Unsuccessful task run with exit code: (?P<code>\d+))"
    ),
)
