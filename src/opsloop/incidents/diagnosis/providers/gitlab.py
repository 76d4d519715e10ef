"""GitLab CI: echoed commands after a dollar sign, the job's end in one sentence."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="gitlab",
    known_by=re.compile(r"Running with gitlab-runner|^section_(?:start|end):\d+:|^ERROR: Job failed"),
    step=re.compile(r"^\$ (?P<name>.+)"),
    failed=re.compile(
        r"^ERROR: Job failed: (?:exit code |exit status |command terminated with exit code )?(?P<code>\d+)?"
    ),
)
