"""Azure Pipelines: a section starts each task."""

from __future__ import annotations

import re

from opsloop.incidents.diagnosis.provider import Provider

PROVIDER = Provider(
    name="azure-devops",
    known_by=re.compile(r"^##\[section\](?:Starting|Finishing):|vstsagent|^##vso\["),
    step=re.compile(r"^##\[section\]Starting: (?P<name>.*)"),
    failed=re.compile(r"^##\[error\].*exited with code '?(?P<code>\d+)"),
)
