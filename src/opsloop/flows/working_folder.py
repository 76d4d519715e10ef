"""The folder that users' code runs in: Prompt flow's is the flow's own, and code opens its files by relative paths."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def at_home(folder: Path) -> Iterator[None]:
    """Be in a flow's folder, and find its modules there: users' code reads its files by relative paths.

    Only a process that runs one flow may do that. Paths that a user gave are relative to where the command began.
    """
    before = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):  # users' code may have taken it out
            sys.path.remove(str(folder))
        os.chdir(before)
