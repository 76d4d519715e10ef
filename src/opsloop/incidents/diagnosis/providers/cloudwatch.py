"""CloudWatch and Lambda: a report after each request."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="cloudwatch",
    known_by=re.compile(r"^(?:START|END|REPORT) RequestId: |^INIT_START "),
    step=re.compile(r"^START RequestId: (?P<name>\S+)"),
    failed=re.compile(r"Task timed out after|Runtime\.ExitError|exit status (?P<code>\d+)"),
)
