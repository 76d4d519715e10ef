"""Lets `import promptflow` find the shim where Prompt flow itself is not installed.

The finder stands last, so that an installed promptflow always comes first.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

SHIM = Path(__file__).parent / "shim"
_INSTALL = threading.Lock()


class ShimFinder:
    """Finds the top-level package `promptflow` in the shim's folder; its parts are found through it."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if fullname != "promptflow":
            return None
        return PathFinder.find_spec(fullname, [str(SHIM)])


def install_shim() -> None:
    """Make the shim importable. Doing it again changes nothing."""
    with _INSTALL:
        if not any(isinstance(finder, ShimFinder) for finder in sys.meta_path):
            sys.meta_path.append(ShimFinder())
