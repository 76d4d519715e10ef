"""A linter that is a program: it is given a file and says by its exit code whether it finds a fault."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

TIMEOUT_S = 20


@functools.lru_cache(maxsize=64)
def passes(command: tuple[str, ...], text: str) -> bool:
    """Args: command: without the file, which is added."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "workflow.yml")
        file.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*command, str(file)], capture_output=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 - ours
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def by_schema(name: str, text: str, *more: str) -> bool:
    """Whether a file meets one of the schemas that `check-jsonschema` brings; also where that is not installed."""
    if importlib.util.find_spec("check_jsonschema") is None:
        return True
    return passes((sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, *more), text)
