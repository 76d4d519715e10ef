"""actionlint, where it is installed."""

from __future__ import annotations

import shutil
from typing import Any

from opsloop.incidents.diagnosis.patches.linters import github_schema, running

NAME = "actionlint"
fits = github_schema.fits


def passes(documents: list[Any], text: str) -> bool:
    program = shutil.which("actionlint")
    return program is None or running.passes((program, "-no-color", "-shellcheck=", "-pyflakes="), text)
