"""The name of this gateway replica: the same after a restart on the same data folder, in the same place there."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from opsloop.core.workspace import Workspace

FILE = "replica"


def replica_of(workspace: Workspace) -> str:
    """Made at the first call, and kept in the data folder."""
    path = workspace.data_dir / (f"{FILE}-{workspace.place}" if workspace.place else FILE)
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    handle, temporary = tempfile.mkstemp(prefix=".replica-", dir=workspace.data_dir)
    with os.fdopen(handle, "w") as file:
        file.write(workspace.ids.new("replica"))
    with suppress(FileExistsError):  # another thread was first: its name stays
        os.link(temporary, path)
    Path(temporary).unlink()
    return path.read_text().strip()
