"""Jenkins: echoed commands after a plus sign, stages in brackets, the result at the end."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="jenkins",
    known_by=re.compile(r"^\[Pipeline\]|^Finished: (?:SUCCESS|FAILURE|UNSTABLE|ABORTED)|^Started by "),
    step=re.compile(r"^\[Pipeline\] \{ \((?P<name>[^)]*)\)|^\+ (?P<command>.+)"),
    failed=re.compile(r"^ERROR: script returned exit code (?P<code>\d+)|^Finished: FAILURE"),
)
