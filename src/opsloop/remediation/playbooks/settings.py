"""Settings of a team's own playbooks."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from opsloop.core.settings import Section


class PlaybookSettings(Section):
    remediation_playbooks: Path | None = Field(
        None, description="Folder of a team's own playbooks, YAML files, as a path; unset: none."
    )
