"""A log of no system that is known: nothing but lines."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="plain",
    known_by=re.compile(r"(?!)"),
    step=None,
    failed=re.compile(
        r"^(?:.{0,80}\b)?(?:exit(?:ed)?(?: with)?(?: (?:code|status))|returned exit code):? ?(?P<code>[1-9]\d{0,2})\b"
    ),
)
