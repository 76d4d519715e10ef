"""The form of a CI system's log."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """Args:
    name: as `--provider` names it.
    known_by: lines that only this system prints.
    step: a line that starts a step; group `name` is what is run.
    failed: a line that says a step failed; group `code` is its exit code, where it is told.
    """

    name: str
    known_by: re.Pattern[str]
    step: re.Pattern[str] | None
    failed: re.Pattern[str] | None
