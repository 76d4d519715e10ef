"""Local mode: no server is named, so the project in this folder is the server.

When a running platform holds its data folder, requests go there; otherwise the platform runs in this process for as
long as the client is open.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from opsloop.client.in_process import InProcess
from opsloop.client.project import KeyUnknown, Project
from opsloop.client.yaml_lines import KeyPath
from opsloop.core import settings
from opsloop.core.loading import load
from opsloop.core.lock import FolderHeld, holder_of
from opsloop.core.settings import CoreSettings

PLATFORM = "opsloop.server.local:LocalPlatform"
IN_PROCESS_URL = "http://localhost"
# Another command may hold the folder for a moment; a platform that starts says where it answers soon.
PATIENCE_S = 15.0
_PAUSE_S = 0.1


def core_settings(project: Project) -> CoreSettings:
    """The project's settings; its data folder lies in the project's folder unless it is an absolute path."""
    found = settings.read(CoreSettings, project.settings)
    return found.model_copy(update={"data_dir": project.folder / found.data_dir})


def running_at(project: Project, *, pause: Callable[[float], None] = time.sleep) -> str | None:
    """Where the platform that holds the project's folder answers, or None when nobody holds it.

    Raises: FolderHeld when somebody does who does not answer requests.
    """
    folder = core_settings(project).data_dir
    for _ in range(int(PATIENCE_S / _PAUSE_S)):
        holder = holder_of(folder)
        if holder is None:
            return None
        if holder.url is not None:
            return holder.url
        pause(_PAUSE_S)
    raise FolderHeld(folder=folder, pid=holder.pid if holder else 0, at="", url=None)


def in_process(project: Project) -> httpx.BaseTransport:
    """The project's platform in this process."""
    # By name: the client is below the server, and loads it only here.
    platform = load(PLATFORM)
    refuse_unknown_settings(project)
    return InProcess(platform(core_settings(project), project.settings))


def refuse_unknown_settings(
    project: Project, given: Mapping[str, Any] | None = None, at: KeyPath = ("settings",)
) -> None:
    """Refuse what no loaded part of the platform reads.

    Args:
        given: settings that stand elsewhere than under `settings:`, and `at` where.
    Raises: KeyUnknown.
    """
    known = {name for section in settings.sections() for name in section.model_fields}
    for key in project.settings if given is None else given:
        if key not in known:
            raise KeyUnknown(project.place((*at, key)), (*at, key), known)
