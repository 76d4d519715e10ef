"""Settings of commands that repairs may run."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section
from opsloop.remediation.commands.allowed import AllowedCommand


class CommandSettings(Section):
    remediation_commands: dict[str, AllowedCommand] = Field(
        {},
        description="Commands that repairs may run, as JSON: name to `argv`, `parameters` (patterns), `undo`, "
        "`dry_run`, `timeout_s`, `memory_bytes`, `destroys`; unset: none.",
    )
