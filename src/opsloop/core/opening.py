"""Open a data folder: assemble a workspace from settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opsloop.core.artifacts.directory import DirectoryArtifacts
from opsloop.core.artifacts.store import Artifacts
from opsloop.core.audit import keys
from opsloop.core.audit.service import Recorder
from opsloop.core.clock import Clock, SystemClock
from opsloop.core.db.database import Database
from opsloop.core.errors import InvalidInput
from opsloop.core.events import outbox
from opsloop.core.ids import Ids, RandomIds
from opsloop.core.lock import DataFolderUnusable
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace


def open_workspace(
    settings: CoreSettings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    file_values: Mapping[str, Any] | None = None,
    place: str = "",
) -> Workspace:
    """A workspace whose schema is current and whose signing key exists.

    Args:
        place: of this process among several that share the data folder; empty for the only one.

    Raises: DataFolderUnusable, DatabaseCorrupt, DatabaseAway, SchemaIsNewer; each says what to do.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderUnusable(folder=settings.data_dir, reason=error.strerror) from error
    database = Database(settings.database_url or f"sqlite:///{settings.data_dir / 'state.db'}")
    if (settings.data_dir / keys.PRIVATE).exists():
        database.refuse_emptied()  # the key is made once there is a schema
    database.upgrade()
    return Workspace(
        settings=settings,
        database=database,
        artifacts=_artifacts(settings),
        clock=clock or SystemClock(),
        ids=ids or RandomIds(),
        before_commit=(outbox.write, Recorder(keys.private_key(settings.data_dir))),
        file_values=file_values,
        place=place,
    )


def _artifacts(settings: CoreSettings) -> Artifacts:
    if settings.artifacts_url is None:
        return DirectoryArtifacts(settings.data_dir / "artifacts")
    url = urlsplit(settings.artifacts_url)
    if url.scheme != "file":
        raise InvalidInput(field="artifacts_url", value=settings.artifacts_url, wanted="file:///FOLDER")
    return DirectoryArtifacts(Path(url.path))
