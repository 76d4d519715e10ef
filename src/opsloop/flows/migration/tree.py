"""The flows below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from opsloop.flows.formats.flow_file import FILES, FLEX

_LEFT_OUT = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "env", "dist", "build"})


# A flex flow's file may have a name before that, and then says what it is.
_NAMED_FREELY = (".prompty", *(f".{name.removeprefix('flow.')}" for name in FLEX))


def flow_files(root: Path) -> list[Path]:
    """The files of all flows at or below a path, sorted; folders of environments and caches are left out."""
    if root.is_file():
        return [root]
    return sorted(_below(root))


def _below(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".") and name not in _LEFT_OUT]
        for name in files:
            if name in FILES or name.endswith(_NAMED_FREELY):
                yield Path(folder) / name
