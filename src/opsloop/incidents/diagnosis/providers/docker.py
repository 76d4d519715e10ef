"""Docker and BuildKit: numbered steps, the failing one repeated at the end."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="docker",
    known_by=re.compile(r"^#\d+ \[[^\]]*\d+/\d+\]|^Step \d+/\d+ :|^Sending build context"),
    step=re.compile(r"^#\d+ \[[^\]]*\d+/\d+\] (?P<name>.*)|^Step \d+/\d+ : (?P<command>.*)"),
    failed=re.compile(
        r"did not complete successfully: exit code: (?P<code>\d+)|returned a non-zero code: (?P<code2>\d+)"
    ),
)
