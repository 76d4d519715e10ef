"""GitHub Actions: groups open a step, `##[error]Process completed` ends a failing one."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="github",
    known_by=re.compile(
        r"^##\[(?:group|endgroup|error|section|command)\]|^::(?:group|error)|^\[command\]|Current runner version"
    ),
    step=re.compile(r"^##\[group\](?P<name>Run .*)|^##\[group\](?P<group>.*)"),
    failed=re.compile(
        r"^##\[error\]Process completed with exit code (?P<code>\d+)"
        r"|^##\[error\]The (?:operation was canceled|process .* failed with exit code (?P<code2>\d+))"
    ),
)
