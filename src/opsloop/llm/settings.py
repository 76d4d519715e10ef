"""Settings of the parts that ask models."""

from __future__ import annotations

import functools
from pathlib import Path

from pydantic import Field

from opsloop.core.context import current_workspace
from opsloop.core.settings import Section, read
from opsloop.llm.recording import Mode


class ModelSettings(Section):
    llm_recording: Path | None = Field(
        None, description="File or folder in which calls to models are recorded and from which replayed, as a path."
    )
    llm_recording_mode: Mode = Field(
        Mode.AUTO,
        description="record: ask, and keep each answer; replay: never ask; auto: ask for what is not recorded yet.",
    )


def here() -> ModelSettings:
    """Those of the current workspace; without one, those of the environment when it was first asked."""
    workspace = current_workspace.get(None)
    return _of_environment() if workspace is None else workspace.section(ModelSettings)


@functools.cache
def _of_environment() -> ModelSettings:
    return read(ModelSettings)
